//! How a doctor ends and what it depends on: streams, a log that was changed, a change that was killed, programs that are missing, the umask.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dango_tests::{Scratch, dango};

use super::{examine, full, rows, seeds};
use crate::answers::Answer;
use crate::scan::git;

/// Every file of a project but git's, with its size and its permissions; what SQLite keeps beside a database comes and goes.
pub(super) fn listing(project: &Scratch) -> String {
    let list = "find . -path ./.git -prune -o -type f ! -name '*-wal' ! -name '*-shm' -printf '%p %m %s\\n' | sort";
    project.command("sh", &["-c", list]).run().success().stdout
}

#[test]
fn a_log_that_was_changed_is_found() {
    let project = full();
    crate::audit::sql(&project, "UPDATE audit SET at = at + 1 WHERE seq = 3");
    assert_eq!(
        examine(&project, &[]),
        [("audit-broken".to_owned(), ".dango/dango.db:3".to_owned())].into()
    );
}

#[test]
fn a_change_that_was_killed_is_found() {
    let project = full();
    // While its lock is held the change waits behind its intent; a process that is killed there leaves no outcome.
    let lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(project.path().join(".env.lock"))
        .unwrap();
    lock.lock().unwrap();
    let mut command = project.dango(&["env", "set", "WAITING"]).into_command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"kanarienvogel").unwrap();
    let begin = Instant::now();
    let is_found = |project: &Scratch| {
        let found = examine(project, &[]);
        assert!(found.iter().all(|(code, _)| code == "change-unfinished"), "{found:?}");
        !found.is_empty()
    };
    while !is_found(&project) {
        assert!(begin.elapsed() < Duration::from_secs(120), "the change never begins");
    }
    child.kill().unwrap();
    let _ = child.wait();
    lock.unlock().unwrap();
    assert!(is_found(&project));
}

#[test]
fn other_peoples_umask_is_told() {
    let project = Scratch::initialised();
    let words = ["-c".as_ref(), "umask 000; exec \"$0\" doctor --json".as_ref(), dango().as_os_str()];
    let told = project.command("sh", &words).run();
    assert_eq!(rows(&told), [("umask-open".to_owned(), "umask".to_owned())].into());
}

#[test]
fn a_repository_that_git_does_not_read_is_told() {
    let project = full();
    let config = project.path().join(".git/config");
    fs::write(&config, "[core\n").unwrap();
    let found = examine(&project, &[]);
    assert_eq!(found, [("git-unasked".to_owned(), ".git".to_owned())].into());
}

#[test]
fn without_git_the_projects_own_gitignore_counts() {
    let project = full();
    let folder = project.home().join("bin");
    fs::create_dir(&folder).unwrap();
    fs::remove_dir_all(project.path().join(".git")).unwrap();
    let without = |project: &Scratch| project.dango(&["doctor", "--json"]).env("PATH", &folder).run();
    assert!(rows(&without(&project)).is_empty());
    project.write(".gitignore", "*.pyc\n");
    let codes: Vec<String> = rows(&without(&project)).into_iter().map(|(code, _)| code).collect();
    assert!(codes.len() > 3 && codes.iter().all(|code| code == "not-ignored"), "{codes:?}");
}

#[test]
fn text_help_and_closed_streams_work_as_everywhere() {
    let project = full();
    seeds::chmod(&project, ".env", 0o644);
    let told = project.run(&["doctor"]).ending_with(3).says(&["1 finding", "--fix"]);
    assert!(
        told.stdout
            .starts_with(".env has the permissions 644: others may read it [file-open]\n  fix: `chmod 600 .env`\n"),
        "{}",
        told.stdout
    );
    let quiet = project.run(&["--quiet", "doctor"]).ending_with(3);
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (told.stdout, ""));
    let help = project.run(&["doctor", "--help"]).success();
    assert!(help.stdout.contains("--fix"), "{}", help.stdout);
    let _ = project.run(&["doctor", "extra"]).ending_with(2);
    let words = [
        "-c".as_ref(),
        "\"$0\" doctor <&- | head -c 1 >/dev/null".as_ref(),
        dango().as_os_str(),
    ];
    let _ = project.command("sh", &words).run().success();
    let outside = project.dango(&["doctor"]).inside(project.home()).run();
    let _ = outside.fails(1, &["dango init"]);
}

#[test]
fn a_repository_above_the_project_counts() {
    let project = full();
    fs::remove_dir_all(project.path().join(".git")).unwrap();
    project.write(".gitignore", "");
    let above = project.path();
    let folder = above.parent().unwrap();
    let init = project.command("git", &["init", "--quiet"]).inside(folder).run();
    let _ = init.success();
    let found = examine(&project, &[]);
    assert!(found.contains(&("not-ignored".to_owned(), ".env".to_owned())), "{found:?}");
    let _ = project.run(&["doctor", "--fix"]).success();
    let ignored = git(&project, &["check-ignore", ".env"]);
    assert_eq!(ignored, ".env");
}
