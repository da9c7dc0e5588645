//! Many clients, the command line and an editor at one `.env`: everything is kept, and everything is recorded once.

use std::collections::BTreeSet;
use std::thread;

use dango_tests::python;
use serde_json::json;

use super::{EMAIL, PASSWORD, with_administrator};

#[test]
fn a_hundred_changes_from_twenty_clients_and_the_command_line_are_all_kept_and_each_recorded_once() {
    let (project, server) = with_administrator();
    let client = server.signed_in(EMAIL, PASSWORD);
    project.write(".env", "# kept\nBEFORE=1 # as it was\n");
    thread::scope(|scope| {
        for number in 0..20 {
            let mut client = client.clone();
            scope.spawn(move || {
                for turn in 0..5 {
                    let body = json!({"key": format!("WEB_{number}_{turn}"), "value": format!("{number} {turn}")});
                    let answer = client.post("/api/secrets", &body);
                    assert_eq!(answer.status, 201, "{}", answer.text);
                }
            });
        }
        for number in 0..10 {
            let project = &project;
            scope.spawn(move || {
                let set = project.dango(&["env", "set", &format!("CLI_{number}")]).stdin("x").run();
                assert_eq!(set.status, 0, "{}", set.stderr);
            });
        }
    });
    let text = project.read(".env");
    assert!(text.starts_with("# kept\nBEFORE=1 # as it was\n"), "{text}");
    let script = "import dotenv, json; print(json.dumps(dotenv.dotenv_values('.env')))";
    let read = project.command(python(), &["-c", script]).run().success();
    let read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&read.stdout).expect("JSON");
    assert_eq!(read.len(), 111, "{read:?}");
    for number in 0..20 {
        for turn in 0..5 {
            assert_eq!(read[&format!("WEB_{number}_{turn}")], format!("{number} {turn}"));
        }
    }
    let mut recorded = BTreeSet::new();
    let listed = project
        .run(&["audit", "list", "--type", "secret_set", "--limit", "500", "--json"])
        .success();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    for event in listed["events"].as_array().expect("a list") {
        assert_eq!(event["outcome"], "success", "{event}");
        assert!(recorded.insert(event["details"]["key"].to_string()), "twice: {event}");
    }
    assert_eq!(recorded.len(), 110);
    let verified = project.run(&["audit", "verify"]);
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}
