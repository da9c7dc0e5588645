//! No git, no repository, a damaged one, a search that is killed, and a wrong command line.

use std::fs;
use std::process::Stdio;

use dango_tests::Scratch;

use super::{commit, git, known, project, scan};

#[test]
fn without_git_files_are_searched_and_what_git_keeps_is_refused() {
    let (mut project, canary) = project("no-git");
    project.write("a.py", canary.value());
    let nowhere = project.path().join("nowhere");
    project.give("PATH", nowhere);
    assert_eq!(scan(&project, &canary, &[]), [known("a.py", 1, None)]);
    for what in ["--staged", "--history"] {
        let refused = project.run(&["scan", what]).ending_with(1);
        assert!(refused.stderr.contains("no `git` on the PATH"), "{}", refused.stderr);
    }
}

#[test]
fn without_a_repository_files_are_searched_and_what_git_keeps_is_refused() {
    let project = Scratch::initialised();
    let _ = project.run(&["scan"]).success();
    for what in [["scan", "--staged"], ["scan", "--history"], ["scan", "--install-hook"]] {
        let refused = project.run(&what).ending_with(1);
        assert!(refused.stderr.contains("in no git repository"), "{}", refused.stderr);
    }
}

#[test]
fn a_damaged_repository_is_no_clean_one() {
    let (project, canary) = project("damaged");
    project.write("a.py", "harmless\n");
    commit(&project, "begin");
    let blob = git(&project, &["rev-parse", "HEAD:a.py"]);
    let object = project.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "no object").unwrap();
    let refused = project.run(&["scan", "--history"]).ending_with(1);
    canary.assert_absent_from(&refused);
    assert!(refused.stderr.contains("git fsck"), "{}", refused.stderr);
}

#[test]
fn a_search_that_is_killed_leaves_nothing_behind() {
    let (project, canary) = project("killed");
    for number in 0..200 {
        project.write(&format!("many/{number}"), vec![b'x'; 100_000]);
    }
    commit(&project, "many");
    let before = canary.files_below(project.everything());
    let mut child = project
        .dango(&["scan", "--history", "--update-baseline"])
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(canary.files_below(project.everything()), before);
    let leftovers = fs::read_dir(project.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("dango-scan")
    });
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn a_wrong_command_line_is_told_as_such_and_a_missing_place_is_no_clean_one() {
    let (project, _) = project("usage");
    let _ = project.run(&["scan", "--format", "xml"]).ending_with(2);
    let _ = project.run(&["scan", "--install-hook", "--staged"]).ending_with(2);
    let missing = project.run(&["scan", "missing"]).ending_with(1);
    assert!(missing.stderr.contains("could not be read"), "{}", missing.stderr);
}
