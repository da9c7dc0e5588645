//! Permissions, links, directories and broken text in a file's place: exit 1, the place named, everything as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;

use dango_tests::{Output, Scratch, lend_dango, run_to_end};

use super::{BOTH, Kept};
use crate::answers::{Answer, is_of_the_audit_log, mode, names, set_mode};

/// The user `nobody`, to whom permissions apply where the tests themselves run as root.
const NOBODY: u32 = 65_534;

/// Runs dango in a project as a user to whom permissions apply.
fn as_somebody(project: &Scratch, arguments: &[&str], stdin: &str) -> Output {
    let user = project.command("id", &["-u"]).run().success().stdout;
    let mut command = project.dango(arguments).into_command();
    if user.trim() == "0" {
        // The binary may lie where only root can go, so it is lent; so is the project.
        let lent = project.everything().join("dango");
        if !lent.exists() {
            lend_dango(&lent);
            let _ = project
                .command("chown", &["-R", "nobody", "."])
                .inside(project.everything())
                .run()
                .success();
        }
        let environment = project.environment();
        command = std::process::Command::new(lent);
        command
            .args(arguments)
            .current_dir(project.path())
            .env_clear()
            .envs(environment)
            .uid(NOBODY)
            .gid(NOBODY);
    }
    run_to_end(&mut command, stdin.as_bytes())
}

/// Expects a set to fail with these words and to leave every file as it was.
#[track_caller]
fn refused(kept: Kept, project: &Scratch, words: &[&str]) {
    let before = names(&project.path());
    let path = kept.path(0, 0);
    let answer = as_somebody(project, &[kept.command, "set", &path], "the canary");
    let _ = answer.fails(1, words).hides(&["the canary"]);
    let left: Vec<String> = names(&project.path()).into_iter().filter(|name| !before.contains(name)).collect();
    let is_known = |name: &String| name.ends_with("lock") || is_of_the_audit_log(name);
    assert!(left.iter().all(is_known), "left behind: {left:?}");
}

#[test]
fn a_read_only_directory_is_an_error_that_names_it() {
    for kept in BOTH {
        let project = kept.project();
        let folder = project.path().join(kept.file).parent().expect("a file is in a folder").to_owned();
        set_mode(&folder, 0o500);
        refused(kept, &project, &["permi", &folder.display().to_string()]);
        set_mode(&folder, 0o700);
        assert_eq!(project.read(kept.file), kept.old);
    }
}

#[test]
fn an_unreadable_file_is_an_error_that_names_it() {
    for kept in BOTH {
        let project = kept.project();
        let file = project.path().join(kept.file);
        set_mode(&file, 0);
        refused(kept, &project, &["permi", &file.display().to_string()]);
        let _ = as_somebody(&project, &[kept.command, "list"], "").fails(1, &["permi", kept.file]);
        set_mode(&file, 0o600);
        assert_eq!(project.read(kept.file), kept.old);
    }
}

#[test]
fn a_directory_in_the_files_place_is_an_error_that_says_so() {
    for kept in BOTH {
        let project = kept.project();
        let file = project.path().join(kept.file);
        fs::remove_file(&file).expect("it is ours");
        fs::create_dir(&file).expect("the folder is ours");
        refused(kept, &project, &["directory", &file.display().to_string()]);
        let _ = project.run(&[kept.command, "list"]).fails(1, &["directory", kept.file]);
        assert!(file.is_dir());
    }
}

#[test]
fn a_named_pipe_in_the_files_place_is_an_error_and_holds_up_nobody() {
    for kept in BOTH {
        let project = kept.project();
        let file = project.path().join(kept.file);
        fs::remove_file(&file).expect("it is ours");
        let _ = project.command("mkfifo", &[kept.file]).run().success();
        let _ = project.run(&[kept.command, "list"]).fails(1, &["pipe", kept.file]);
        refused(kept, &project, &[&file.display().to_string()]);
    }
}

#[test]
fn a_dangling_link_is_an_error_that_names_it_and_stays() {
    for kept in BOTH {
        let project = kept.project();
        let file = project.path().join(kept.file);
        fs::remove_file(&file).expect("it is ours");
        symlink("nowhere", &file).expect("the folder is ours");
        refused(kept, &project, &["link", &file.display().to_string()]);
        assert_eq!(fs::read_link(&file).expect("the link stays"), Path::new("nowhere"));
    }
}

#[test]
fn links_in_a_circle_are_an_error() {
    for kept in BOTH {
        let project = kept.project();
        let file = project.path().join(kept.file);
        fs::remove_file(&file).expect("it is ours");
        symlink(&file, file.with_extension("other")).expect("the folder is ours");
        symlink(file.with_extension("other"), &file).expect("the folder is ours");
        refused(kept, &project, &["link", &file.display().to_string()]);
    }
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    for kept in BOTH {
        let project = kept.project();
        let (file, target) = (project.path().join(kept.file), project.home().join("shared"));
        fs::rename(&file, &target).expect("both are ours");
        symlink(&target, &file).expect("the folder is ours");
        set_mode(&target, 0o644);
        let _ = kept.set(&project, 0, 0).stdin("new").run().success();
        assert_eq!(fs::read_link(&file).expect("the link stays"), target);
        let text = fs::read_to_string(&target).expect("the target is there");
        assert!(text.starts_with(kept.old) && text.contains("new"), "{text}");
        assert_eq!(mode(&target), 0o600, "the next write tightens");
        let beside: Vec<String> = names(&project.home()).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(beside.is_empty(), "{beside:?}");
    }
}

#[test]
fn a_malformed_secrets_toml_is_named_with_line_and_column_and_never_written() {
    let cases: &[(&[u8], &str)] = &[
        (b"[sources.a]\nk = v\n", ":2:5"),
        (b"[sources.a]\nk = \"x\n", ":2:"),
        (b"[sources.a]\nk = 1\nk = 2\n", ":3:1"),
        (b"[sources.a\n", ":1:11"),
        (b"a = 1\n[a]\nb = 2\n", ":2:"),
        (b"[sources.a]\nk = 99999999999999999999\n", ":2:5"),
        (b"[sources.a]\nk = \"x\xff\"\n", ":2:7"),
        (b"[sources.a]\rk = 1\r", ":1:"),
        (b"k = \"a\0b\"\n", ":1:7"),
        (b"key value\n", ":1:"),
        (b"k = 0123\n", ":1:"),
        (b"k = True\n", ":1:5"),
    ];
    for (contents, place) in cases {
        let project = Scratch::initialised();
        project.write(".dlt/secrets.toml", contents);
        let words = [".dlt/secrets.toml", place];
        for command in [
            &["secrets", "list"][..],
            &["secrets", "get", "a.k"],
            &["secrets", "unset", "a.k"],
            &["run", "--", "true"],
        ] {
            let _ = project.run(command).fails(1, &words);
        }
        let _ = project.dango(&["secrets", "set", "sources.b.k"]).stdin("x").run().fails(1, &words);
        assert_eq!(project.read_bytes(".dlt/secrets.toml"), *contents);
    }
}

#[test]
fn an_error_in_a_file_does_not_show_the_line_with_the_secret() {
    let project = Scratch::initialised();
    project.write(".dlt/secrets.toml", "[sources.a]\nk = sk_live_canary\nl = \"sk_test_canary\" x\n");
    let _ = project.run(&["secrets", "list"]).fails(1, &[":2:5"]).hides(&["canary"]);
}
