//! What may be stored: types good and bad, bytes that no reader can take, where a value comes from, and what a path may replace.

use dango_tests::Scratch;

use crate::answers::{Answer, mode, revealed, set};

/// Texts that a type takes, and what `get --reveal` then prints.
const GOOD: &[(&str, &str, &str)] = &[
    ("string", "12", "12"),
    ("string", " true ", " true "),
    ("integer", "12", "12"),
    ("integer", "-9223372036854775808", "-9223372036854775808"),
    ("float", "1.5", "1.5"),
    ("boolean", "true", "true"),
    ("boolean", "false", "false"),
    ("datetime", "2026-11-21T21:34:00Z", "2026-11-21T21:34:00Z"),
    ("datetime", "2026-11-21", "2026-11-21"),
    ("json", "[1, \"a\"]", "[1,\"a\"]"),
    ("json", "{\"b\": {\"a\": [true, 1.5]}}", "{\"b\":{\"a\":[true,1.5]}}"),
];

/// Texts that a type does not take.
const BAD: &[(&str, &str)] = &[
    ("integer", ""),
    ("integer", "canary"),
    ("integer", "1.5"),
    ("integer", "9223372036854775808"),
    ("integer", "1 2"),
    ("integer", "1\nk2 = 2"),
    ("integer", "1 # canary"),
    ("float", ""),
    ("float", "canary"),
    ("float", "1,5"),
    ("float", "1.5\n[x]"),
    ("boolean", "yes"),
    ("boolean", "1"),
    ("boolean", ""),
    ("datetime", "canary"),
    ("datetime", "2026-13-01"),
    ("datetime", "2026-02-30"),
    ("datetime", "25:00:00"),
    ("json", ""),
    ("json", "{\"a\": canary"),
    ("json", "[1, 2] canary"),
    ("json", "{\"a\": null}"),
    ("json", "null"),
    ("json", "99999999999999999999"),
    ("json", "{\"a\": \"x\\u0000y\"}"),
];

#[test]
fn every_type_takes_its_texts_and_gives_them_back() {
    let project = Scratch::initialised();
    for (value_type, text, printed) in GOOD {
        let path = format!("sources.{value_type}.k");
        let _ = project.run(&["--yes", "secrets", "unset", &path]);
        let _ = project
            .dango(&["secrets", "set", &path, "--type", value_type, "--raw"])
            .stdin(text)
            .run()
            .success();
        assert_eq!(&revealed(&project, &path), printed, "--type {value_type}");
    }
}

#[test]
fn a_text_that_its_type_does_not_take_is_refused_unseen_and_the_file_is_as_it_was() {
    let project = Scratch::initialised();
    set(&project, "sources.old.k", "kept");
    let before = project.read(".dlt/secrets.toml");
    for (value_type, text) in BAD {
        let answer = project
            .dango(&["secrets", "set", "sources.a.k", "--type", value_type])
            .stdin(text)
            .run();
        assert_eq!(answer.status, 1, "--type {value_type} of {text:?}: {}", answer.stderr);
        let word = if *value_type == "datetime" { "time" } else { value_type };
        let _ = answer.fails(1, &[word]).hides(&["canary"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before, "--type {value_type} of {text:?}");
    }
}

#[test]
fn deep_and_huge_json_is_an_answer_and_no_crash() {
    let project = Scratch::initialised();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let _ = project
        .dango(&["secrets", "set", "sources.a.k", "--type", "json"])
        .stdin(deep)
        .run()
        .fails(1, &["json"]);
}

#[test]
fn bytes_that_no_reader_can_take_are_refused_with_their_offset() {
    let project = Scratch::initialised();
    for (bytes, offset) in [
        (&b"ab\0c"[..], "2"),
        (b"\0", "0"),
        (b"abc\xff", "3"),
        (b"\xc3", "0"),
        ("é\u{1F361}".as_bytes().split_at(4).0, "2"),
    ] {
        for command in [["secrets", "set", "sources.a.k"], ["env", "set", "KEY"]] {
            let answer = project.dango(&[&command[..], &["--raw"]].concat()).stdin(bytes).run();
            let _ = answer.fails(1, &["byte offset", offset]);
        }
        project.write("value", bytes);
        let _ = project
            .run(&["secrets", "set", "sources.a.k", "--from-file", "value", "--raw"])
            .fails(1, &["byte offset", offset]);
    }
    assert!(
        !project.read(".dlt/secrets.toml").contains("sources") && project.read(".env").is_empty(),
        "nothing was written"
    );
}

#[test]
fn one_line_feed_is_taken_off_and_raw_keeps_it() {
    let project = Scratch::initialised();
    project.write("value", "from a file\n");
    for (options, stdin, expected) in [
        (&[][..], "a\n", "a"),
        (&[], "a\n\n", "a\n"),
        (&[], "a", "a"),
        (&[], "\n", ""),
        (&["--raw"], "a\n", "a\n"),
        (&["--from-file", "value"], "", "from a file"),
        (&["--from-file", "value", "--raw"], "", "from a file\n"),
        (&["--from-env", "VALUE"], "", "from a variable\n"),
    ] {
        let words = [&["secrets", "set", "sources.a.k"], options].concat();
        let _ = project.dango(&words).stdin(stdin).env("VALUE", "from a variable\n").run().success();
        assert_eq!(revealed(&project, "sources.a.k"), expected, "{options:?} {stdin:?}");
    }
}

#[test]
fn setting_through_a_scalar_or_over_a_table_is_refused() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "canary");
    let _ = project
        .dango(&["secrets", "set", "sources.a.list", "--type", "json"])
        .stdin("[1]")
        .run()
        .success();
    let before = project.read(".dlt/secrets.toml");
    for path in [
        "sources.a.k.deeper",
        "sources.a.k.deeper.still",
        "sources.a.list.x",
        "sources.a",
        "sources",
    ] {
        let _ = project
            .dango(&["secrets", "set", path])
            .stdin("x")
            .run()
            .fails(1, &["sources"])
            .hides(&["canary"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before, "{path}");
    }
}

#[test]
fn what_set_did_is_said_on_standard_error_or_as_json() {
    let project = Scratch::initialised();
    for (value, word) in [("one", "created"), ("two", "updated")] {
        let answer = project.dango(&["secrets", "set", "sources.a.k"]).stdin(value).run().success();
        assert_eq!(answer.stdout, "");
        let _ = answer.says(&["sources.a.k", word]).hides(&[value]);
    }
    let answer = project
        .dango(&["secrets", "set", "sources.a.k", "--json"])
        .stdin("three")
        .run()
        .success();
    assert_eq!(answer.json()["path"], "sources.a.k");
    let answer = project
        .dango(&["secrets", "set", "sources.a.k", "--quiet"])
        .stdin("four")
        .run()
        .success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
}

#[test]
fn files_with_secrets_are_private_whatever_the_umask() {
    for umask in ["000", "022", "077", "0777"] {
        let project = Scratch::new();
        let script =
            format!("umask {umask}; \"$DANGO\" init && echo x | \"$DANGO\" secrets set sources.a.k && echo x | \"$DANGO\" env set KEY");
        let _ = project
            .command("sh", &["-c", &script])
            .env("DANGO", dango_tests::dango())
            .run()
            .success();
        for (name, expected) in [(".dlt", 0o700), (".dango", 0o700), (".dlt/secrets.toml", 0o600), (".env", 0o600)] {
            assert_eq!(mode(project.path().join(name)), expected, "{name} under umask {umask}");
        }
    }
}

#[test]
fn a_file_that_was_made_readable_keeps_working_and_is_tightened_by_the_next_write() {
    let project = Scratch::initialised();
    set(&project, "sources.a.k", "v");
    for name in [".dlt/secrets.toml", ".env"] {
        crate::answers::set_mode(project.path().join(name), 0o644);
    }
    assert_eq!(revealed(&project, "sources.a.k"), "v");
    set(&project, "sources.a.k", "w");
    crate::answers::set_env(&project, "A", "w");
    for name in [".dlt/secrets.toml", ".env"] {
        assert_eq!(mode(project.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_standard_input_that_ends_at_once_replaces_nothing_unless_that_is_confirmed() {
    let project = Scratch::initialised();
    let _ = project
        .dango(&["secrets", "set", "sources.a.k"])
        .stdin("sk_test_kept")
        .run()
        .success();
    let refused = project.dango(&["secrets", "set", "sources.a.k"]).stdin("").run().ending_with(1);
    assert!(refused.stderr.contains("nothing came on standard input"), "{}", refused.stderr);
    let shown = project.dango(&["secrets", "get", "--reveal", "sources.a.k"]).run().success();
    assert_eq!(shown.stdout, "sk_test_kept\n");
    let _ = project.dango(&["secrets", "set", "sources.a.k", "--yes"]).stdin("").run().success();
    let shown = project.dango(&["secrets", "get", "--reveal", "sources.a.k"]).run().success();
    assert_eq!(shown.stdout, "\n");
}
