//! schemathesis against the running server: right requests, wrong ones and sequences of them, made from the OpenAPI document, bring no
//! 5xx and no answer that the document does not have.
//!
//! One round takes a minute. `DANGO_SCHEMATHESIS_SECONDS=600` makes it ten rounds, each with a seed and a server of its own.

use std::env;

use dango_tests::{Scratch, Server, python, workspace_root};
use serde_json::{Value, json};

use super::{EMAIL, PASSWORD, claim};

/// What a round takes, in seconds.
const ROUND: u64 = 60;

/// First every case of the document's limits, however long it takes; then by chance and in sequences, a few of each operation in turn for
/// as long as there is time, so that none is left out.
#[rustfmt::skip]
const PASSES: [&[&str]; 2] = [
    &["--phases", "coverage"],
    &["--phases", "fuzzing,stateful", "--max-examples", "10", "--max-time", "45"],
];

#[test]
fn no_request_brings_a_server_error_or_an_answer_that_the_document_does_not_have() {
    let wanted = env::var("DANGO_SCHEMATHESIS_SECONDS").map_or(ROUND, |text| text.parse().expect("DANGO_SCHEMATHESIS_SECONDS is a number"));
    for seed in 1..=wanted.div_ceil(ROUND) {
        round(seed);
    }
}

fn round(seed: u64) {
    let project = Scratch::initialised();
    let server = Server::start_with(&project, &["--trusted-proxy", "127.0.0.1/32"]);
    claim(&server);
    let mut session = server.signed_in(EMAIL, PASSWORD);
    let spare = server.signed_in(EMAIL, PASSWORD);
    let own = session.get("/api/auth/me").json()["id"].clone();
    let other = session.post("/api/admin/users", &json!({"email": "bob@team.example", "role": "editor"}));
    let document = session.get("/api/openapi.json").json();
    project.write("openapi.json", document.to_string());

    let scripts = workspace_root().join("tests/e2e/scripts");
    let settings = scripts.join("schemathesis.toml");
    let (settings, url, seed) = (settings.to_string_lossy(), server.url(), seed.to_string());
    let operations = operations(&document);
    for pass in PASSES {
        #[rustfmt::skip]
        let arguments = [
            "-m", "schemathesis.cli", "--config-file", &*settings, "run", "openapi.json", "--url", &url,
            "--seed", &seed, "--workers", "1", "--generation-database", "none", "--no-color",
        ];
        let said = project
            .command(python(), &[&arguments, pass].concat())
            // What Python compiles does not belong beside the script.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DANGO_HOOKS", scripts.join("schemathesis_hooks.py"))
            .env("DANGO_SESSION", session.cookie("dango_session").expect("logged in"))
            .env("DANGO_SPARE_SESSION", spare.cookie("dango_session").expect("logged in"))
            .env("DANGO_OWN_ID", own.as_str().expect("an id"))
            .env("DANGO_OTHER_ID", other.json()["user"]["id"].as_str().expect("an id"))
            .run();
        let stdout = &said.stdout;
        assert_eq!(said.status, 0, "seed {seed}\n{stdout}{}{}", said.stderr, warnings(&server.log()));
        assert!(
            stdout.contains(&format!("Tested: {operations}")),
            "{operations} operations\n{stdout}"
        );
    }

    // It was at work to the end: its session lives, and things were really done.
    assert_eq!(session.get("/api/auth/me").status, 200, "its session has ended");
    for done in ["secret_set", "secret_deleted", "role_changed", "api_key_created", "logout"] {
        let listed = project.run(&["audit", "list", "--type", done, "--json"]).success();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        assert!(!listed["events"].as_array().expect("a list").is_empty(), "no {done}");
    }
    let _ = project.run(&["audit", "verify"]).success();
    let (status, log) = server.stop();
    assert_eq!(status, 0, "{log}");
    assert!(!log.contains("\"ERROR\"") && !log.contains("panicked"), "{}", warnings(&log));
}

/// The log without the line that each answer has.
fn warnings(log: &str) -> String {
    let lines = log.lines().filter(|line| !line.contains("\"INFO\""));
    lines.collect::<Vec<_>>().join("\n")
}

fn operations(document: &Value) -> usize {
    let paths = document["paths"].as_object().expect("paths");
    let methods = ["get", "post", "put", "delete", "patch"];
    let of = |path: &Value| methods.iter().filter(|method| path.get(**method).is_some()).count();
    paths.values().map(of).sum()
}
