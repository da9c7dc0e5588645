//! Wrong usage: paths, names, options and arguments too many are exit 2, with what is wrong and nothing of a secret typed in the wrong place.

use dango_tests::Scratch;

use crate::answers::Answer;

/// What is typed where a PATH belongs, the column that is named, and a word of the reason.
const MALFORMED_PATHS: &[(&str, &str, &str)] = &[
    ("", "1", "empty"),
    (".", "1", "empty"),
    (".a", "1", "empty"),
    ("a.", "3", "empty"),
    ("a..b", "3", "empty"),
    ("a b", "2", "quotes"),
    ("a. b", "3", "quotes"),
    ("sources.größe", "11", "quotes"),
    ("sources.x.key=canary", "14", "quotes"),
    ("a/b", "2", "quotes"),
    ("a[0]", "2", "quotes"),
    ("a.\"b", "5", "closed"),
    ("a.'b", "5", "closed"),
    ("a.\"b\"c", "6", "dot"),
    ("a.\"\\q\"", "4", "escape"),
    ("a.\"\\ud800\"", "4", "escape"),
    ("a.\"b\nc\"", "5", "control"),
    ("a.\"\\u0000\"", "4", "nul"),
];

#[test]
fn a_malformed_path_is_wrong_usage_with_its_column_and_is_not_repeated() {
    let project = Scratch::initialised();
    for (path, column, reason) in MALFORMED_PATHS {
        for verb in ["get", "set", "unset", "list"] {
            let answer = project.run(&["secrets", verb, "--", path]);
            let _ = answer
                .fails(2, &["path", &format!("character {column}"), reason])
                .hides(&["canary"]);
        }
        let answer = project.run(&["run", &format!("--only={path}"), "--", "true"]);
        let _ = answer
            .fails(2, &["path", &format!("character {column}"), reason])
            .hides(&["canary"]);
    }
}

#[test]
fn a_malformed_key_is_wrong_usage_with_its_column_and_is_not_repeated() {
    let project = Scratch::initialised();
    for (key, words) in [
        ("", &["empty"][..]),
        ("1A", &["character 1"]),
        ("A-B", &["character 2"]),
        ("A.B", &["character 2"]),
        ("A B", &["character 2"]),
        ("Ä", &["character 1"]),
        ("A=canary", &["character 2", "hint:"]),
        ("A\ncanary", &["character 2"]),
        (&"A".repeat(129), &["128"]),
    ] {
        let _ = project
            .dango(&["env", "set", "--", key])
            .stdin("x")
            .run()
            .fails(2, words)
            .hides(&["canary"]);
    }
    assert_eq!(project.read(".env"), "", "nothing was written");
}

#[test]
fn a_value_as_an_extra_argument_is_wrong_usage_and_is_not_echoed() {
    let project = Scratch::initialised();
    for words in [
        &["secrets", "set", "sources.a.k", "canary-value"][..],
        &["secrets", "set", "sources.a.k", "canary"],
        &["secrets", "set", "sources.a.k", "canary", "canary"],
        &["secrets", "set", "sources.a.k", "--canary-value-Xy12"],
        &["secrets", "set", "sources.a.k=canary"],
        &["env", "set", "KEY", "canary-Xy12"],
        &["env", "set", "KEY=canary"],
        &["secrets", "unset", "sources.a.k", "sk_canary"],
        &["secrets", "get", "sources.a.k", "sk_canary"],
        &["env", "get", "KEY", "sk_canary"],
    ] {
        let _ = project.dango(words).stdin("").run().fails(2, &["error:"]).hides(&["canary"]);
    }
    let _ = project
        .run(&["secrets", "set", "sources.a.k", "canary-value"])
        .fails(2, &["hint:", "standard input", "--from-file", "--from-env"]);
    assert!(!project.read(".dlt/secrets.toml").contains("sources"), "nothing was written");
}

#[test]
fn unknown_words_and_options_are_wrong_usage() {
    let project = Scratch::initialised();
    for (words, said) in [
        (&[][..], &["usage"][..]),
        (&["secret"], &["secrets"]),
        (&["secrets"], &["list"]),
        (&["secrets", "lst"], &["list"]),
        (&["secrets", "list", "--jsn"], &["--json"]),
        (&["secrets", "set"], &["PATH"]),
        (&["secrets", "get"], &["PATH"]),
        (&["env", "set"], &["KEY"]),
        (&["run"], &["COMMAND"]),
        (&["run", "--"], &["COMMAND"]),
        (&["run", "--redcat", "--", "true"], &["option", "hint:"]),
        (&["run", "--ony", "a.b", "--", "true"], &["option", "hint:"]),
        (
            &["secrets", "set", "a.k", "--type", "number"],
            &["--type", "integer", "datetime", "json"],
        ),
        (&["secrets", "set", "a.k", "--type"], &["--type"]),
        (
            &["secrets", "set", "a.k", "--from-file", "f", "--from-env", "V"],
            &["--from-file", "--from-env"],
        ),
        (&["secrets", "import", "f", "--format", "xml"], &["--format", "dotenv", "toml"]),
        (&["secrets", "export", "--reveal", "--format", "xml"], &["--format", "json", "k8s"]),
        (&["completions", "tcsh"], &["bash", "zsh", "fish"]),
        (&["completions"], &["SHELL"]),
        (&["--project"], &["--project"]),
    ] {
        let _ = project.run(words).fails(2, said);
    }
}

#[test]
fn help_and_version_are_data() {
    let project = Scratch::new();
    for words in [
        &["--help"][..],
        &["help"],
        &["secrets", "--help"],
        &["run", "--help"],
        &["secrets", "set", "--help"],
    ] {
        let answer = project.run(words).success();
        assert!(answer.stdout.contains("Usage"), "{words:?}: {}", answer.stdout);
        assert_eq!(answer.stderr, "");
    }
    let help = project.run(&["--help"]).success().stdout;
    for word in ["PGPASSWORD", "PGPASSFILE", "DANGO_SERVER_KEY", "Exit status"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let login = project.run(&["login", "--help"]).success().stdout;
    assert!(login.contains("[default: dango of USER]"), "{login}");
    let version = project.run(&["--version"]).success().stdout;
    assert!(version.starts_with("dango ") && version.trim().contains('.'), "{version}");
}

#[test]
fn every_source_of_a_value_that_is_not_there_is_named_and_refused() {
    let project = Scratch::initialised();
    let _ = project
        .run(&["secrets", "set", "a.k", "--from-file", "missing.txt"])
        .fails(1, &["missing.txt"]);
    let _ = project.run(&["secrets", "set", "a.k", "--from-file", "."]).fails(1, &["directory"]);
    let _ = project
        .run(&["secrets", "set", "a.k", "--from-env", "NOT_SET"])
        .fails(1, &["--from-env", "not set"]);
    let _ = project
        .run(&["secrets", "import", "missing.json", "--format", "json"])
        .fails(1, &["missing.json"]);
    assert!(!project.read(".dlt/secrets.toml").contains("k ="), "nothing was written");
}
