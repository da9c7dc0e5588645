//! What `source check` does where not all is well: nobody there, nothing to ask, files that cannot be read, somebody in a hurry.

use std::net::TcpListener;
use std::process::Stdio;

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Gate, Reply, Seen, Trouble};
use serde_json::json;

use super::{stripe, told, told_once};
use crate::answers::Answer;

fn reply(status: u16) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |_: &Seen| Reply::json(status, r#"{"object":"balance"}"#)
}

#[test]
fn nobody_there_is_told_apart_from_a_refusal() {
    let fake = Fake::start(reply(200));
    let mut project = stripe(&fake);
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a port is free")
        .local_addr()
        .expect("bound");
    project.give("DANGO_CHECK_STRIPE_URL", format!("http://{free}"));
    let output = project.run(&["source", "check", "--json"]).ending_with(1);
    assert_eq!(told_once(&output), ("unreachable".to_owned(), json!("no_connection")));
    project.give("DANGO_CHECK_STRIPE_URL", "https://no-such-host.invalid");
    let output = project.run(&["source", "check", "--json"]).ending_with(1);
    assert_eq!(told_once(&output), ("unreachable".to_owned(), json!("unknown_host")));
    project.give("DANGO_CHECK_STRIPE_URL", "https://169.254.169.254");
    let output = project.run(&["source", "check", "--json"]).ending_with(1);
    assert_eq!(told_once(&output), ("unreachable".to_owned(), json!("forbidden_address")));
    assert_eq!(
        told_once(&stripe(&Fake::start(reply(401))).run(&["source", "check", "--json"])).0,
        "refused"
    );
}

#[test]
fn a_lost_answer_is_no_refusal() {
    let fake = Fake::start(reply(200));
    let project = stripe(&fake);
    fake.trouble("/v1/balance", [Trouble::LostAnswer]);
    let output = project.run(&["source", "check", "--json"]).ending_with(1);
    assert_eq!(told_once(&output), ("unreachable".to_owned(), json!("no_connection")));
    let _ = project.run(&["source", "check"]).success();
}

#[test]
fn what_was_refused_goes_before_what_could_not_be_asked() {
    let fake = Fake::start(|seen: &Seen| match seen.bearer() {
        Some("sk_bad") => Reply::json(401, "{}"),
        Some("sk_busy") => Reply::empty(503),
        _ => Reply::json(200, "{}"),
    });
    let project = stripe(&fake);
    let names = ["good", "bad", "busy"];
    let sources: Vec<String> = names.iter().map(|name| format!("  - {{name: {name}, type: stripe}}\n")).collect();
    project.write(
        ".dango/sources.yml",
        format!(
            "sources:\n{}  - {{name: files, type: csv}}\n  - {{name: stream, type: kafka, topics: [t]}}\n",
            sources.concat()
        ),
    );
    let secrets: Vec<String> = names
        .iter()
        .map(|name| format!("[sources.{name}]\nstripe_secret_key = \"sk_{name}\"\n"))
        .collect();
    project.write(".dlt/secrets.toml", secrets.concat());
    let output = project
        .run(&["source", "check"])
        .ending_with(3)
        .says(&["give bad new credentials", "dashboard.stripe.com"]);
    for row in [
        "accepted",
        "refused: the credentials are not accepted",
        "not known: the server has trouble",
        "not checked: a source of this type has no",
    ] {
        assert!(output.stdout.contains(row), "{row:?} is not in {}", output.stdout);
    }
    let output = project.run(&["source", "check", "good", "busy"]).ending_with(1);
    assert!(output.stdout.contains("s ago"), "{}", output.stdout);
    let _ = project.run(&["source", "check", "good", "--quiet"]).success();
    let _ = project.run(&["source", "check", "files"]).ending_with(1);
    let output = project
        .run(&["source", "check", "--json", "files", "stream", "files"])
        .ending_with(1);
    let reasons: Vec<_> = told(&output).into_iter().map(|(_, _, reason)| reason).collect();
    assert_eq!(reasons, [json!("no_credentials"), json!("no_check")]);
    let _ = project.run(&["source", "check", "nobody"]).fails(1, &["nobody", "hint:"]);
}

#[test]
fn what_is_missing_is_found_wanting() {
    let fake = Fake::start(reply(200));
    let project = stripe(&fake);
    project.write(".dlt/secrets.toml", "");
    let output = project.run(&["source", "check", "--json"]).ending_with(3);
    assert_eq!(told_once(&output), ("unchecked".to_owned(), json!("incomplete")));
    // A header cannot carry it.
    project.write(".dlt/secrets.toml", "[sources.shop]\nstripe_secret_key = \"sk\\ncanary: x\"\n");
    let output = project.run(&["source", "check", "--json"]).ending_with(1).hides(&["canary"]);
    assert_eq!(told_once(&output), ("unchecked".to_owned(), json!("malformed")));
    assert!(fake.all().is_empty());
}

#[test]
fn a_project_without_sources_and_one_that_cannot_be_read() {
    let project = Scratch::initialised();
    assert_eq!(project.run(&["source", "check", "--json"]).success().json(), json!([]));
    let _ = project.run(&["source", "check"]).success().says(&["no sources yet"]);
    project.write(".dango/sources.yml", "sources:\n  - {name: shop, type: stripe}\n  - nonsense\n");
    let _ = project.run(&["source", "check"]).fails(1, &["sources.yml:3"]);
    project.write(".dango/sources.yml", "sources:\n  - {name: shop, type: stripe}\n");
    project.write(".dlt/secrets.toml", "[sources.shop]\nstripe_secret_key = \n");
    let _ = project.run(&["source", "check"]).fails(1, &["secrets.toml:2:"]);
    project.write(".dlt/secrets.toml", "[sources.shop]\nstripe_secret_key = \"${NOT_SET}\"\n");
    let _ = project.run(&["source", "check"]).ending_with(1).says(&["NOT_SET"]);
}

#[test]
fn ctrl_c_ends_it_and_the_log_says_so() {
    let fake = Fake::start(reply(200));
    let project = stripe(&fake);
    let gate = Gate::shut();
    fake.trouble("/v1/balance", [Trouble::Held(gate.clone())]);
    let mut command = project.dango(&["source", "check"]).into_command();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    gate.wait_for_somebody();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    gate.open();
    let events = project
        .run(&["audit", "list", "--json", "--type", "source_checked"])
        .success()
        .json();
    assert!(!events["events"].as_array().expect("a list").is_empty());
    assert!(!project.path().join(".dango/checks.json").exists());
}

#[test]
fn adding_a_source_asks_first_where_that_is_wanted() {
    let fake = Fake::start(|seen: &Seen| match seen.bearer() {
        Some("sk_good") => Reply::json(200, "{}"),
        _ => Reply::json(401, "{}"),
    });
    let mut project = Scratch::initialised();
    project.give("DANGO_CHECK_STRIPE_URL", fake.origin());
    let add = |key: &str| {
        let words = [
            "source",
            "add",
            "stripe",
            "--name",
            "shop",
            "--field",
            "stripe_secret_key",
            "--check",
        ];
        project.dango(&words).stdin(key).run()
    };
    let before = project.read(".dlt/secrets.toml");
    let _ = add("sk_canary").fails(1, &["shop is not added", "not accepted"]).hides(&["canary"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
    let _ = add("sk_good").success().says(&["accepted", "shop: added"]);
    let _ = project.run(&["source", "check", "shop"]).success();
}
