//! A server that runs beside the files while they are moved: it goes on with the rows, and is in files again afterwards.

use std::collections::BTreeSet;

use dango_tests::{Client, Server};
use serde_json::json;

use super::*;
use crate::server::{EMAIL, PASSWORD as OF_ADMIN, claim};

const IDENTITY_KEY: &str = "0b7a6d30c1f84e5592ad3f4b88c6e1705d92ab34c07f61e85a4493bc2de8f016";
const MASTER_KEY: &str = "93c5d8e07f1b42a6a4e96b0c7d31f8528ae04bd96172c3f5508e9ad2b46c7f1e";

/// The variables that the server lists.
#[track_caller]
fn variables(client: &mut Client) -> BTreeSet<String> {
    let listed = client.get("/api/secrets");
    assert_eq!(listed.status, 200, "{}", listed.text);
    let listed = listed.json();
    let all = listed["env_vars"].as_array().expect("a list");
    all.iter().map(|one| one["key"].as_str().expect("a key").to_owned()).collect()
}

#[test]
fn a_running_server_goes_on_with_the_rows_and_its_log_tells_of_the_move() {
    let (postgres, mut project) = (database(), Scratch::initialised());
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, PASSWORD, "dango"));
    project.give("DANGO_IDENTITY_KEY", IDENTITY_KEY);
    project.give("DANGO_KEY", MASTER_KEY);
    project.write(".env", format!("# kept\nBEFORE='{CANARY}'\n"));
    let server = Server::start(&project);
    claim(&server);
    let mut client = server.signed_in(EMAIL, OF_ADMIN);
    assert_eq!(variables(&mut client), BTreeSet::from(["BEFORE".to_owned()]));
    let _ = project.run(&["vault", "move", "--to", "postgres", "--yes"]).success();
    assert!(!project.path().join(".env").exists());
    assert_eq!(variables(&mut client), BTreeSet::from(["BEFORE".to_owned()]));
    let stored = client.post("/api/secrets", &json!({"key": "LATER", "value": CANARY}));
    assert!(matches!(stored.status, 200 | 201), "{}", stored.text);
    assert!(!project.path().join(".env").exists(), "what is set is in the row");
    let told = client.get("/api/admin/audit?type=project_moved&limit=10");
    assert_eq!(told.json()["events"].as_array().map(Vec::len), Some(1), "{}", told.text);
    let _ = project.run(&["vault", "move", "--to", "files", "--yes"]).success();
    assert_eq!(variables(&mut client), BTreeSet::from(["BEFORE".to_owned(), "LATER".to_owned()]));
    let env = project.read(".env");
    assert!(
        env.starts_with("# kept\nBEFORE=dango:v1:") && env.contains("LATER=dango:v1:"),
        "{env}"
    );
    let verified = client.get("/api/admin/audit/verify");
    assert_eq!(verified.json()["ok"], true, "{}", verified.text);
}
