//! `dango run`: what the command's environment holds, what stops it before it starts, and its exit status; signals are in `signals.rs`.

use std::collections::BTreeMap;

use dango_tests::{Output, Scratch, python};

use crate::answers::{Answer, set, set_env};

/// The environment of a command below `dango run` with these options.
fn environment(project: &Scratch, options: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let print = "import json, os; print(json.dumps(dict(os.environ)))";
    let python = python().display().to_string();
    let words = [&["run"], options, &["--", &python, "-c", print]].concat();
    let command = project.dango(&words);
    let answer = variables
        .iter()
        .fold(command, |command, (name, value)| command.env(name, value))
        .run()
        .success();
    serde_json::from_value(answer.json()).expect("variables and their values")
}

fn shell(project: &Scratch, script: &str) -> Output {
    project.run(&["run", "--", "sh", "-c", script])
}

#[test]
fn credentials_have_the_names_that_dlt_reads_and_env_is_there_too() {
    let project = Scratch::initialised();
    set(&project, "sources.stripe.api_key", "k");
    set(&project, "sources.google_sheets.credentials.client_id", "c");
    set(&project, "sources.\"my-src\".\"a.b\"", "dash");
    set(&project, "destination.postgres.credentials", "url");
    set_env(&project, "PLAIN", "p q");
    project.write(".dlt/config.toml", "[sources.stripe]\nnot_secret = 1\n");
    let found = environment(&project, &[], &[]);
    for (name, value) in [
        ("SOURCES__STRIPE__API_KEY", "k"),
        ("SOURCES__GOOGLE_SHEETS__CREDENTIALS__CLIENT_ID", "c"),
        ("SOURCES__MY-SRC__A.B", "dash"),
        ("DESTINATION__POSTGRES__CREDENTIALS", "url"),
        ("PLAIN", "p q"),
    ] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(
        found.get("HOME").map(String::as_str),
        project.home().to_str(),
        "the rest is inherited"
    );
}

#[test]
fn a_variable_that_is_set_already_wins_an_empty_one_too() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "file");
    set_env(&project, "FROM_ENV", "file");
    let found = environment(&project, &[], &[("SOURCES__A__K", "outside"), ("FROM_ENV", "")]);
    assert_eq!((found["SOURCES__A__K"].as_str(), found["FROM_ENV"].as_str()), ("outside", ""));
}

#[test]
fn what_opens_secrets_and_what_is_metadata_is_not_handed_on() {
    let project = Scratch::initialised();
    project.write(".dlt/secrets.toml", "[dango.oauth.x]\nidentifier = \"i\"\n[sources.a]\nk = \"v\"\n");
    let found = environment(
        &project,
        &[],
        &[
            ("DANGO_KEY", &"0".repeat(64)),
            ("DANGO_PASSPHRASE", "p"),
            ("DANGO_PROJECT_ROOT", "."),
        ],
    );
    for name in ["DANGO_KEY", "DANGO_PASSPHRASE", "DANGO__OAUTH__X__IDENTIFIER"] {
        assert!(!found.contains_key(name), "{name}");
    }
    assert_eq!(found["SOURCES__A__K"], "v");
}

#[test]
fn what_opens_secrets_is_not_handed_on_from_the_files_either() {
    let project = Scratch::initialised();
    set_env(&project, "DANGO_PASSPHRASE", "p");
    set_env(&project, "DANGO_KEY", "k");
    set(&project, "DANGO_KEY", "k");
    set(&project, "dango_passphrase", "p");
    let found = environment(&project, &[], &[]);
    assert!(!found.contains_key("DANGO_KEY") && !found.contains_key("DANGO_PASSPHRASE"));
}

#[test]
fn only_narrows_credentials_to_a_path() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "a");
    set(&project, "sources.ab.k", "b");
    set_env(&project, "FROM_ENV", "e");
    let found = environment(&project, &["--only", "sources.a"], &[]);
    assert_eq!(found.get("SOURCES__A__K").map(String::as_str), Some("a"));
    assert_eq!(found.get("FROM_ENV").map(String::as_str), Some("e"));
    assert!(!found.contains_key("SOURCES__AB__K"));
}

#[test]
fn two_paths_with_one_name_are_an_error_that_names_them() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "canary");
    set(&project, "sources.A.k", "canary");
    let words = ["sources.a.k", "sources.A.k", "SOURCES__A__K", "nothing was started"];
    let _ = shell(&project, "touch started").fails(1, &words).hides(&["canary"]);
    project.write(".dlt/secrets.toml", "[sources.b]\nk__x = \"1\"\n[sources.b.k]\nx = \"2\"\n");
    let _ = shell(&project, "touch started").fails(1, &["sources.b.k__x", "sources.b.k.x"]);
    assert!(!project.path().join("started").exists());
}

#[test]
fn values_that_no_environment_takes_are_errors_that_name_them_all() {
    let project = Scratch::initialised();
    set(&project, "sources.a.large", &"x".repeat(140_000));
    set(&project, "sources.a.\"k=v\"", "canary");
    let answer = shell(&project, "touch started").fails(1, &["sources.a.large", "too large", "sources.a.\"k=v\"", "2 problems"]);
    let _ = answer.hides(&["canary", "xxxx"]);
    set(&project, "sources.a.large", &"x".repeat(120_000));
    let _ = project.run(&["secrets", "unset", "sources.a.\"k=v\""]).success();
    assert_eq!(shell(&project, "printf %s \"${#SOURCES__A__LARGE}\"").success().stdout, "120000");
}

#[test]
fn an_environment_that_is_too_large_as_a_whole_is_an_error() {
    let project = Scratch::initialised();
    let many: BTreeMap<String, String> = (0..60).map(|number| (format!("k{number}"), "x".repeat(120_000))).collect();
    project.write("many.json", serde_json::json!({ "sources": { "a": many } }).to_string());
    let _ = project.run(&["secrets", "import", "many.json", "--format", "json"]).success();
    let _ = shell(&project, "touch started")
        .fails(1, &["too large", "SOURCES__A__K"])
        .hides(&["xxxx"]);
    assert!(!project.path().join("started").exists());
}

#[test]
fn a_broken_file_stops_it_before_anything_starts() {
    let project = Scratch::initialised();
    project.write(".env", b"A=\xff\n");
    let _ = shell(&project, "touch started").fails(1, &[".env:1:3"]);
    project.write(".env", "");
    project.write(".dlt/secrets.toml", "k = \n");
    let _ = shell(&project, "touch started").fails(1, &["secrets.toml:1:"]);
    assert!(!project.path().join("started").exists());
}

#[test]
fn the_exit_status_is_the_commands_own() {
    let project = Scratch::initialised();
    for status in [0, 1, 2, 3, 70, 126, 127, 255] {
        let answer = shell(&project, &format!("echo out; echo err >&2; exit {status}")).ending_with(status);
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("out\n", "err\n"));
    }
}

#[test]
fn a_command_that_cannot_start_has_the_shells_exit_status() {
    let project = Scratch::initialised();
    project.write("plain.txt", "text");
    project.write("noexec", "#!/bin/sh\n");
    project.write("bad", "#!/no/such/interpreter\n");
    crate::answers::set_mode(project.path().join("bad"), 0o755);
    for redact in [&[][..], &["--redact"]] {
        for (command, status) in [
            ("no-such-command", 127),
            ("./missing", 127),
            ("./noexec", 126),
            (".", 126),
            ("./plain.txt", 126),
            ("./bad", 126),
            ("", 127),
        ] {
            let words = [&["run"], redact, &["--", command]].concat();
            let _ = project.run(&words).fails(status, &[command]);
        }
        let words = [&["run"], redact, &["--", "./bad"]].concat();
        let _ = project.run(&words).fails(126, &["the interpreter that it names does not exist"]);
    }
}

#[test]
fn a_script_without_an_interpreter_is_the_shells_with_a_filter_too() {
    let project = Scratch::initialised();
    project.write("folder/script", "echo \"script $1\"\n");
    crate::answers::set_mode(project.path().join("folder/script"), 0o755);
    let path = format!("{}:/usr/bin:/bin", project.path().join("folder").display());
    for redact in [&[][..], &["--redact"]] {
        for command in ["./folder/script", "script"] {
            let words = [&["run"], redact, &["--", command, "a b"]].concat();
            let answer = project.dango(&words).env("PATH", &path).run().success();
            assert_eq!(answer.stdout, "script a b\n", "{command} with {redact:?}");
        }
    }
}

#[test]
fn the_command_is_found_and_given_its_arguments_unchanged() {
    let project = Scratch::initialised();
    let words = ["run", "--", "printf", "[%s]", "--redact", "", "a b", "$HOME", "--", "-x", "*"];
    assert_eq!(project.run(&words).success().stdout, "[--redact][][a b][$HOME][--][-x][*]");
    assert_eq!(
        project.run(&["run", "printf", "%s", "--help"]).success().stdout,
        "--help",
        "`--` may be left out"
    );
    assert_eq!(
        project.dango(&["run", "--", "cat"]).stdin("through").run().success().stdout,
        "through"
    );
    let answer = project
        .dango(&["--project", "..", "run", "--", "pwd"])
        .inside(project.path().join(".dlt"))
        .run();
    assert_eq!(
        answer.success().stdout,
        format!("{}\n", project.path().join(".dlt").display()),
        "the working directory stays"
    );
}

#[test]
fn nothing_of_the_value_is_interpreted_on_its_way() {
    let project = Scratch::initialised();
    let value = "a\nb\t'\"$(touch ran)`touch ran`;&|\\${HOME}\r\n é🍡 ";
    set(&project, "sources.a.k", value);
    let found = environment(&project, &[], &[]);
    assert_eq!(found["SOURCES__A__K"], value);
    assert!(!project.path().join("ran").exists());
}
