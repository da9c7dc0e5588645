//! The pre-commit hook with the built binary: it refuses a commit that brings a value, and no other.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use dango_tests::{Output, Scratch, dango};

use super::{commit, git, project};

/// Commits as somebody does who has `dango` on the PATH.
fn try_commit(project: &Scratch, folder: &Path, message: &str) -> Output {
    let mut path = OsString::from(dango().parent().unwrap());
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let command = project.command("git", &["commit", "--quiet", "--allow-empty", "--all", "-m", message]);
    command.env("PATH", path).inside(folder).run()
}

#[test]
fn the_hook_refuses_a_commit_with_a_value_and_lets_others_pass() {
    let (project, canary) = project("hook");
    commit(&project, "begin");
    let _ = project.run(&["scan", "--install-hook"]).success();
    let again = project.run(&["scan", "--install-hook"]).success();
    assert!(again.stderr.contains("nothing was changed"), "{}", again.stderr);
    project.write("a.py", "harmless = True\n");
    git(&project, &["add", "a.py"]);
    let _ = try_commit(&project, &project.path(), "harmless").success();
    project.write("a.py", format!("key = '{}'\n", canary.value()));
    let refused = try_commit(&project, &project.path(), "a key").ending_with(1);
    canary.assert_absent_from(&refused);
    assert!(
        refused.stderr.contains("a.py:1:8") || refused.stdout.contains("a.py:1:8"),
        "{} {}",
        refused.stdout,
        refused.stderr
    );
    assert_eq!(git(&project, &["log", "-1", "--format=%s"]), "harmless");
    let _ = project.run(&["scan", "--uninstall-hook"]).success();
    let _ = try_commit(&project, &project.path(), "a key").success();
}

#[test]
fn it_works_in_another_working_tree_where_the_projects_values_are_not() {
    let (project, canary) = project("worktree");
    commit(&project, "begin");
    let _ = project.run(&["scan", "--install-hook"]).success();
    git(&project, &["worktree", "add", "--quiet", "-b", "second", "../second tree"]);
    let second = project.path().join("../second tree");
    project.write("../second tree/a.py", format!("key = '{}'\n", canary.value()));
    let _ = project.command("git", &["add", "--all"]).inside(&second).run().success();
    let refused = try_commit(&project, &second, "a key").ending_with(1);
    canary.assert_absent_from(&refused);
}
