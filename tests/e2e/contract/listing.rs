//! `secrets list`, `get` and `unset`: masked unless asked, in exactly the shapes of the contract.

use dango_tests::{Scratch, dango};
use serde_json::json;

use crate::answers::{Answer, revealed};

const FILE: &str = r#"# all kinds
root = "r"
[sources.stripe]
api_key = "sk_canary"   # inline
port = 0xff
ratio = 1.50
on = true
since = 2026-11-21 21:34:00
keys = ["k_canary", "l"]
ref = "${HOST}/x"
literal = "\u0024{HOST}/x"
inline = { a = "i_canary", b.c = 1 }
"my.db".password = "p_canary"
[[sources.many]]
token = "t_canary"
[dango.oauth.x]
source_type = "google_sheets"
"#;

fn project() -> Scratch {
    let project = Scratch::initialised();
    project.write(".dlt/secrets.toml", FILE);
    project
}

fn row(path: &str, value_type: &str, reference: bool) -> serde_json::Value {
    json!({ "path": path, "masked_value": "***", "type": value_type, "encrypted": false, "reference": reference })
}

#[test]
fn list_as_json_has_one_row_a_value_in_the_order_of_the_file() {
    let rows = project().run(&["secrets", "list", "--json"]).success().hides(&["canary"]).json();
    let expected = json!([
        row("root", "string", false),
        row("sources.stripe.api_key", "string", false),
        row("sources.stripe.port", "integer", false),
        row("sources.stripe.ratio", "float", false),
        row("sources.stripe.on", "boolean", false),
        row("sources.stripe.since", "datetime", false),
        row("sources.stripe.keys", "array", false),
        row("sources.stripe.ref", "string", true),
        row("sources.stripe.literal", "string", false),
        row("sources.stripe.inline.a", "string", false),
        row("sources.stripe.inline.b.c", "integer", false),
        row("sources.stripe.\"my.db\".password", "string", false),
        row("sources.many", "array", false),
        row("dango.oauth.x.source_type", "string", false),
    ]);
    assert_eq!(rows, expected);
}

#[test]
fn list_takes_a_prefix_and_says_where_there_is_nothing() {
    let project = project();
    let rows = project
        .run(&["secrets", "list", "sources.stripe.inline", "--json"])
        .success()
        .json();
    assert_eq!(
        rows,
        json!([
            row("sources.stripe.inline.a", "string", false),
            row("sources.stripe.inline.b.c", "integer", false)
        ])
    );
    let rows = project.run(&["secrets", "list", "sources.str", "--json"]).success().json();
    assert_eq!(rows, json!([]), "a prefix ends at a dot");
    let answer = project.run(&["secrets", "list", "sources.nobody"]).success();
    assert_eq!(answer.stdout, "");
}

#[test]
fn list_for_people_is_masked_and_has_path_type_and_reference() {
    let answer = project().run(&["secrets", "list"]).success().hides(&["canary"]);
    let line = answer
        .stdout
        .lines()
        .find(|line| line.contains("sources.stripe.ref"))
        .expect("the reference is listed");
    for word in ["***", "string", "plain", "reference"] {
        assert!(line.contains(word), "{line}");
    }
    assert!(!answer.stdout.contains('\u{1b}'), "there is no colour in a pipe");
}

#[test]
fn get_is_masked_unless_reveal_is_given() {
    let project = project();
    for path in [
        "sources.stripe.api_key",
        "sources.stripe.port",
        "sources.stripe.inline",
        "sources.many",
        "sources",
    ] {
        let answer = project.run(&["secrets", "get", path]).success();
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("***\n", ""), "{path}");
    }
    let shown = project
        .run(&["secrets", "get", "sources.stripe.api_key", "--json"])
        .success()
        .hides(&["canary"])
        .json();
    assert_eq!(shown, row("sources.stripe.api_key", "string", false));
}

#[test]
fn get_with_reveal_prints_the_value_and_one_line_feed() {
    let project = project();
    for (path, value) in [
        ("sources.stripe.api_key", "sk_canary"),
        ("sources.stripe.port", "0xff"),
        ("sources.stripe.ratio", "1.50"),
        ("sources.stripe.on", "true"),
        ("sources.stripe.since", "2026-11-21 21:34:00"),
        ("sources.stripe.literal", "${HOST}/x"),
        ("sources.stripe.'my.db'.password", "p_canary"),
        ("sources.stripe.inline.a", "i_canary"),
    ] {
        let answer = project.run(&["secrets", "get", path, "--reveal"]).success();
        assert_eq!((answer.stdout, answer.stderr), (format!("{value}\n"), String::new()), "{path}");
    }
    for (path, value) in [
        ("sources.stripe.keys", json!(["k_canary", "l"])),
        ("sources.stripe.inline", json!({ "a": "i_canary", "b": { "c": 1 } })),
        ("sources.many", json!([{ "token": "t_canary" }])),
    ] {
        let answer = project.run(&["secrets", "get", path, "--reveal"]).success();
        assert_eq!(answer.json(), value, "{path}");
        assert_eq!(answer.stdout.matches('\n').count(), 1, "one line feed");
    }
}

#[test]
fn reveal_resolves_references_and_no_resolve_leaves_them() {
    let project = project();
    let path = "sources.stripe.ref";
    let answer = project
        .dango(&["secrets", "get", path, "--reveal"])
        .env("HOST", "h")
        .run()
        .success();
    assert_eq!(answer.stdout, "h/x\n");
    assert_eq!(
        project.run(&["secrets", "get", path, "--reveal", "--no-resolve"]).success().stdout,
        "${HOST}/x\n"
    );
    let _ = project
        .run(&["secrets", "get", path, "--reveal"])
        .fails(1, &[path, "HOST", "hint:"]);
    assert_eq!(
        project.run(&["secrets", "get", path]).success().stdout,
        "***\n",
        "masked needs no variable"
    );
}

#[test]
fn what_is_missing_is_exit_1_with_its_path() {
    let project = project();
    for path in [
        "sources.stripe.nothing",
        "sources.nobody.api_key",
        "sources.stripe.api_key.deeper",
        "nothing",
    ] {
        let _ = project.run(&["secrets", "get", path]).fails(1, &[path, "hint:"]);
        let _ = project.run(&["secrets", "get", path, "--reveal", "--json"]).fails(1, &[path]);
        let _ = project.run(&["secrets", "unset", path]).fails(1, &[path]);
    }
    assert_eq!(project.read(".dlt/secrets.toml"), FILE);
}

#[test]
fn unset_takes_a_value_with_the_comment_behind_it_and_nothing_else() {
    let project = project();
    let _ = project.run(&["secrets", "unset", "sources.stripe.api_key"]).success();
    assert_eq!(
        project.read(".dlt/secrets.toml"),
        FILE.replace("api_key = \"sk_canary\"   # inline\n", "")
    );
}

#[test]
fn unset_of_a_table_is_confirmed_first() {
    let project = project();
    let _ = project
        .run(&["secrets", "unset", "sources.stripe"])
        .fails(1, &["sources.stripe", "--yes"]);
    assert_eq!(project.read(".dlt/secrets.toml"), FILE, "not confirmed is refused");
    let _ = project.run(&["secrets", "unset", "sources.stripe", "--yes"]).success();
    let rows = project.run(&["secrets", "list", "--json"]).success().json();
    let paths: Vec<&str> = rows
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["path"].as_str())
        .collect();
    assert_eq!(paths, ["root", "sources.many", "dango.oauth.x.source_type"]);
}

#[test]
fn data_that_cannot_be_written_is_exit_1() {
    let project = project();
    for words in [
        "secrets list",
        "secrets list --json",
        "secrets get root --reveal",
        "secrets export --reveal",
        "env list",
        "man",
        "completions zsh",
        "--help",
    ] {
        project.write(".env", "HOST=h\n");
        let answer = project
            .command("sh", &["-c", &format!("\"$DANGO\" {words} > /dev/full")])
            .env("DANGO", dango())
            .run();
        assert_eq!(answer.status, 1, "{words}");
        let _ = answer.says(&["standard output"]);
    }
}

#[test]
fn quiet_silences_what_was_done_and_not_what_failed_or_was_asked_for() {
    let project = project();
    let _ = project.run(&["--quiet", "secrets", "get", "nothing"]).fails(1, &["nothing"]);
    assert_eq!(
        project.run(&["--quiet", "secrets", "get", "root", "--reveal"]).success().stdout,
        "r\n"
    );
    assert_eq!(project.run(&["secrets", "unset", "root", "--quiet"]).success().stderr, "");
}

#[test]
fn a_byte_order_mark_is_warned_about_and_kept() {
    let project = Scratch::initialised();
    project.write(".dlt/secrets.toml", "\u{feff}k = \"v\"\n");
    let _ = project.run(&["secrets", "list"]).success().says(&["warning:", "byte order mark"]);
    crate::answers::set(&project, "k", "w");
    assert_eq!(project.read(".dlt/secrets.toml"), "\u{feff}k = \"w\"\n");
    assert_eq!(revealed(&project, "k"), "w");
}
