//! `push-secrets`: the plan, the question, what arrives, and what is refused before anything is sent.

use dango_tests::{Canary, Sshd};

use crate::answers::{Answer, set, set_env};
use crate::readers::python_dotenv;

#[test]
fn what_changes_is_shown_first_and_sent_after_yes() {
    let server = Sshd::new();
    let client = server.client();
    let canary = Canary::new("pushed");
    set(&client, "sources.a.new", canary.value());
    set(&client, "sources.a.other", "here");
    set(&client, "sources.a.same", "same");
    set(&client, "sources.a.lines", "a\nb 'c'\n");
    let before = "# theirs\nSOURCES__A__OTHER=there\nSOURCES__A__SAME=same\nTHEIRS=1\n";
    server.write(".env", before);
    let report = client.run(&["remote", "push-secrets", "--dry-run", "--json"]).success();
    canary.assert_absent_from(&report);
    let report = report.json();
    let changes: Vec<(&str, &str, &str)> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["path"].as_str().unwrap(),
                row["key"].as_str().unwrap(),
                row["change"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            ("sources.a.new", "SOURCES__A__NEW", "added"),
            ("sources.a.other", "SOURCES__A__OTHER", "changed"),
            ("sources.a.same", "SOURCES__A__SAME", "same"),
            ("sources.a.lines", "SOURCES__A__LINES", "added"),
        ]
    );
    assert_eq!(report["only_there"], serde_json::json!(["THEIRS"]));
    let unasked = client.run(&["remote", "push-secrets"]);
    let _ = unasked.fails(
        1,
        &["sources.a.new", "SOURCES__A__NEW", "only there", "THEIRS", "not confirmed", "--yes"],
    );
    assert_eq!(server.read(".env"), before, "nothing was sent without an answer");
    let sent = client.run(&["remote", "push-secrets", "--yes"]).success().says(&["3 sent to prod"]);
    canary.assert_absent_from(&sent);
    assert!(
        server
            .read(".env")
            .starts_with("# theirs\nSOURCES__A__OTHER=here\nSOURCES__A__SAME=same\nTHEIRS=1\n")
    );
    let read = python_dotenv(&client, &[server.project().join(".env")]).remove(0);
    assert_eq!(read["SOURCES__A__NEW"], canary.value());
    assert_eq!(read["SOURCES__A__LINES"], "a\nb 'c'\n");
    let _ = client
        .run(&["remote", "push-secrets"])
        .success()
        .says(&["has all 4 values already"]);
}

#[test]
fn only_what_is_named_is_sent_decrypted_and_resolved() {
    let server = Sshd::new();
    let client = server.client();
    let _ = client.run(&["key", "create", "--holder", "file"]).success();
    set(&client, "sources.a.secret", "sealed here");
    set(&client, "sources.b.left", "not sent");
    let _ = client.run(&["secrets", "encrypt", "--all"]).success();
    set_env(&client, "HOST", "db.example");
    let reference = ["secrets", "set", "sources.a.url", "--reference", "--plain"];
    let _ = client.dango(&reference).stdin("pg://${HOST}/x").run().success();
    let _ = client
        .run(&["remote", "push-secrets", "sources.a", "sources.a.url", "--yes"])
        .success();
    assert_eq!(
        server.read(".env"),
        "SOURCES__A__SECRET='sealed here'\nSOURCES__A__URL=pg://db.example/x\n"
    );
    let _ = client
        .run(&["remote", "push-secrets", "sources.c", "--yes"])
        .fails(1, &["nothing at sources.c", "hint:"]);
}

#[test]
fn one_value_that_no_line_can_hold_keeps_all_from_being_sent() {
    let server = Sshd::new();
    let client = server.client();
    set(&client, "sources.a.fine", "fine");
    set(&client, "sources.a.tricky", "a${B}c");
    let _ = client
        .run(&["remote", "push-secrets", "--yes"])
        .fails(1, &["sources.a.tricky", "hint:"])
        .hides(&["${B}"]);
    assert_eq!(server.names(), [""; 0]);
}

#[test]
fn a_value_that_is_encrypted_there_is_not_replaced_by_a_plain_one() {
    let server = Sshd::new();
    let client = server.client();
    let _ = client.run(&["key", "create", "--holder", "file"]).success();
    let _ = client
        .dango(&["env", "set", "SOURCES__A__K", "--encrypt"])
        .stdin("v")
        .run()
        .success();
    let sealed = client.read(".env");
    server.write(".env", &sealed);
    set(&client, "sources.a.k", "plain");
    for arguments in [
        &["remote", "push-secrets", "--yes"][..],
        &["remote", "env", "set", "SOURCES__A__K=x"],
    ] {
        let _ = client.run(arguments).fails(1, &["encrypted there"]);
    }
    let _ = client
        .run(&["remote", "env", "delete", "SOURCES__A__K"])
        .fails(1, &["encrypted there"]);
    let _ = client
        .run(&["remote", "env", "get", "SOURCES__A__K", "--reveal"])
        .fails(1, &["encrypted on prod"]);
    assert_eq!(server.read(".env"), sealed);
}
