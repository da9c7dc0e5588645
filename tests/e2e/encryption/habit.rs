//! What is encrypted stays so, what is new follows the file's habit, and `--plain` and `--encrypt` say otherwise.

use dango_tests::Scratch;

use super::{SECRETS, encrypt_all, with_key_file};
use crate::answers::{Answer, revealed, set, set_env};

/// Whether the value at a path is encrypted, as the list says.
#[track_caller]
fn is_encrypted(project: &Scratch, path: &str) -> bool {
    let list = project.run(&["secrets", "list", "--json"]).success().json();
    let row = list.as_array().expect("a list").iter().find(|row| row["path"] == path).cloned();
    row.unwrap_or_else(|| panic!("{path} is not listed: {list}"))["encrypted"] == true
}

#[track_caller]
fn is_variable_encrypted(project: &Scratch, key: &str) -> bool {
    let list = project.run(&["env", "list", "--json"]).success().json();
    let row = list.as_array().expect("a list").iter().find(|row| row["key"] == key).cloned();
    row.unwrap_or_else(|| panic!("{key} is not listed: {list}"))["encrypted"] == true
}

/// A project in which all or one of two values are encrypted.
fn project(all: bool) -> Scratch {
    let project = with_key_file();
    project.write(SECRETS, "[sources.a]\nk = \"one\"\nl = \"two\"\n");
    project.write(".env", "A=one\nB=two\n");
    if all {
        encrypt_all(&project);
    } else {
        let _ = project.run(&["secrets", "encrypt", "sources.a.k"]).success();
        let _ = project.run(&["env", "encrypt", "A"]).success();
    }
    project
}

#[test]
fn a_value_that_replaces_an_encrypted_one_is_encrypted() {
    for all in [true, false] {
        let project = project(all);
        set(&project, "sources.a.k", "new");
        set_env(&project, "A", "new");
        assert!(is_encrypted(&project, "sources.a.k") && is_variable_encrypted(&project, "A"));
        assert_eq!(revealed(&project, "sources.a.k"), "new");
        assert_eq!(project.run(&["env", "get", "A", "--reveal"]).success().stdout, "new\n");
        let text = project.read(SECRETS) + &project.read(".env");
        assert!(!text.contains("new"), "{text}");
    }
}

#[test]
fn a_new_value_follows_the_file() {
    for all in [true, false] {
        let project = project(all);
        set(&project, "sources.b.k", "new");
        set_env(&project, "NEW", "new");
        assert_eq!(is_encrypted(&project, "sources.b.k"), all);
        assert_eq!(is_variable_encrypted(&project, "NEW"), all);
        set(&project, "sources.a.l", "newer");
        set_env(&project, "B", "newer");
        assert_eq!(
            (is_encrypted(&project, "sources.a.l"), is_variable_encrypted(&project, "B")),
            (all, all)
        );
    }
}

#[test]
fn every_type_is_encrypted_by_habit() {
    let project = project(true);
    for (value_type, text) in [
        ("integer", "7"),
        ("float", "1.5"),
        ("boolean", "true"),
        ("datetime", "2031-02-27"),
        ("json", "[1,2]"),
    ] {
        let path = format!("sources.a.{value_type}");
        let command = project.dango(&["secrets", "set", &path, "--type", value_type]);
        let _ = command.stdin(text).run().success();
        assert!(is_encrypted(&project, &path), "{path}");
        assert_eq!(revealed(&project, &path), text);
    }
}

#[test]
fn plain_and_encrypt_override_the_habit() {
    let project = project(true);
    let plain = |words: &[&str]| drop(project.dango(words).stdin("shown").run().success());
    plain(&["secrets", "set", "sources.a.k", "--plain"]);
    plain(&["secrets", "set", "sources.b.k", "--plain"]);
    plain(&["env", "set", "A", "--plain"]);
    plain(&["env", "set", "NEW", "--plain"]);
    assert!(!is_encrypted(&project, "sources.a.k") && !is_encrypted(&project, "sources.b.k"));
    assert!(!is_variable_encrypted(&project, "A") && !is_variable_encrypted(&project, "NEW"));
    assert!(is_encrypted(&project, "sources.a.l"));
    let answer = project.run(&["run", "--", "true"]).success();
    assert_eq!(answer.stderr, "", "the seal was made anew");
    let encrypt = |words: &[&str]| drop(project.dango(words).stdin("hidden").run().success());
    encrypt(&["secrets", "set", "sources.a.k", "--encrypt"]);
    encrypt(&["env", "set", "A", "--encrypt"]);
    assert!(is_encrypted(&project, "sources.a.k") && is_variable_encrypted(&project, "A"));
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--encrypt", "--plain"])
        .stdin("x")
        .run()
        .fails(2, &["--plain"]);
}

#[test]
fn an_encrypted_value_replaced_by_a_type_that_does_not_fit_stays() {
    let project = project(true);
    let before = project.read(SECRETS);
    let command = project.dango(&["secrets", "set", "sources.a.k", "--type", "integer"]);
    let _ = command.stdin("no number").run().fails(1, &["integer"]);
    let through = project.dango(&["secrets", "set", "sources.a.k.deeper"]).stdin("x").run();
    let _ = through.fails(1, &["sources.a.k"]);
    assert_eq!(project.read(SECRETS), before);
}
