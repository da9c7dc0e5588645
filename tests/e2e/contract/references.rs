//! `${NAME}` in `secrets.toml`: where names are looked up, defaults, messages, cycles, and what is no reference.

use dango_tests::Scratch;

use crate::answers::{Answer, revealed, set, set_env};

/// A project with one value that holds references.
fn project(value: &str) -> Scratch {
    let project = Scratch::initialised();
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--reference"])
        .stdin(value)
        .run()
        .success();
    project
}

/// Reveals the value with these variables in the process environment.
fn resolved(project: &Scratch, variables: &[(&str, &str)]) -> dango_tests::Output {
    let command = project.dango(&["secrets", "get", "sources.a.k", "--reveal"]);
    variables
        .iter()
        .fold(command, |command, (name, value)| command.env(name, value))
        .run()
}

#[test]
fn the_environment_comes_before_the_env_file() {
    let project = project("<${A}>");
    set_env(&project, "A", "file");
    assert_eq!(resolved(&project, &[]).success().stdout, "<file>\n");
    assert_eq!(resolved(&project, &[("A", "process")]).success().stdout, "<process>\n");
    assert_eq!(
        resolved(&project, &[("A", "")]).success().stdout,
        "<>\n",
        "an empty variable is set"
    );
}

#[test]
fn defaults_and_messages_count_for_unset_and_empty_variables() {
    for (value, variables, expected) in [
        ("${A:-d}", &[][..], Ok("d")),
        ("${A:-d}", &[("A", "")], Ok("d")),
        ("${A:-d}", &[("A", "x")], Ok("x")),
        ("${A:-}", &[], Ok("")),
        ("${A:-${B:-e}}", &[], Ok("e")),
        ("${A:-${B}}", &[("B", "b")], Ok("b")),
        ("${A:?set A first}", &[("A", "x")], Ok("x")),
        ("${A:?set A first}", &[], Err("set A first")),
        ("${A:?set A first}", &[("A", "")], Err("set A first")),
        ("${A}", &[], Err("A")),
        ("${A:-${B}}", &[], Err("B")),
        ("x${A}y${B}z", &[("A", "1"), ("B", "2")], Ok("x1y2z")),
    ] {
        let answer = resolved(&project(value), variables);
        match expected {
            Ok(expected) => assert_eq!(answer.success().stdout, format!("{expected}\n"), "{value} with {variables:?}"),
            Err(word) => drop(answer.fails(1, &["sources.a.k", word])),
        }
    }
}

#[test]
fn what_a_variable_holds_is_not_expanded_or_executed() {
    let project = project("${A}");
    for held in ["${B}", "$(touch ran)", "`touch ran`", "a\\nb"] {
        assert_eq!(resolved(&project, &[("A", held), ("B", "b")]).success().stdout, format!("{held}\n"));
    }
    assert!(!project.path().join("ran").exists());
}

#[test]
fn a_cycle_in_the_env_file_is_an_error_that_names_it() {
    let project = project("${A}");
    project.write(".env", "A=${B}\nB=${A}\n");
    let _ = resolved(&project, &[]).fails(1, &["sources.a.k", "A", "B", "refers back"]);
    assert_eq!(
        resolved(&project, &[("A", "outside")]).success().stdout,
        "outside\n",
        "the environment ends it"
    );
}

#[test]
fn a_chain_in_the_env_file_is_followed() {
    let project = project("${A}");
    project.write(".env", "C=c\nB=${C}b\nA=${B}a\n");
    assert_eq!(resolved(&project, &[]).success().stdout, "cba\n");
}

#[test]
fn set_writes_text_unless_a_reference_is_asked_for() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "a${HOME}b$HOME");
    assert_eq!(revealed(&project, "sources.a.k"), "a${HOME}b$HOME");
    assert!(project.read(".dlt/secrets.toml").contains("\\u0024{HOME}"));
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--reference"])
        .stdin("a${HOME}b$HOME")
        .run()
        .success();
    assert!(project.read(".dlt/secrets.toml").contains("\"a${HOME}b$HOME\""));
    assert_eq!(revealed(&project, "sources.a.k"), format!("a{}b$HOME", project.home().display()));
}

#[test]
fn references_in_json_count_in_every_string_when_asked_for() {
    let project = Scratch::initialised();
    let json = "{\"list\": [\"${A}\", 1], \"deep\": {\"k\": \"x${A}\"}}";
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--type", "json", "--reference"])
        .stdin(json)
        .run()
        .success();
    assert_eq!(
        resolved(&project, &[("A", "1")]).success().json(),
        serde_json::json!({ "list": ["1", 1], "deep": { "k": "x1" } })
    );
    let _ = project.run(&["--yes", "secrets", "unset", "sources.a.k"]).success();
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--type", "json"])
        .stdin(json)
        .run()
        .success();
    assert_eq!(
        resolved(&project, &[("A", "1")]).success().json(),
        serde_json::json!({ "list": ["${A}", 1], "deep": { "k": "x${A}" } })
    );
}

#[test]
fn reference_values_are_read_by_run_resolved_and_a_missing_one_starts_nothing() {
    let project = project("https://${HOST}/");
    let show = ["run", "--", "sh", "-c", "printf %s \"$SOURCES__A__K\"; touch started"];
    let _ = project
        .run(&show)
        .fails(1, &["sources.a.k", "HOST", "nothing was started", "hint:"]);
    assert!(!project.path().join("started").exists());
    set_env(&project, "HOST", "h");
    assert_eq!(project.run(&show).success().stdout, "https://h/");
    let _ = project.run(&["run", "--only", "sources.other", "--", "true"]).success();
}
