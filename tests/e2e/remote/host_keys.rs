//! Keys of hosts: an unknown one is not taken silently, a changed one never, whatever is answered.

use std::fs;

use dango_tests::{Scratch, Sshd};

use crate::answers::Answer;

fn list(client: &Scratch, more: &[&str]) -> dango_tests::Output {
    let arguments: Vec<&str> = ["remote", "env", "list"].iter().chain(more).copied().collect();
    client.run(&arguments)
}

#[test]
fn an_unknown_host_is_refused_without_a_terminal_and_recorded_with_yes() {
    let server = Sshd::new();
    let mut client = server.client();
    let known = client.home().join("new folder").join("known hosts");
    client.give("DANGO_SSH_KNOWN_HOSTS", &known);
    let _ = list(&client, &[]).fails(1, &["not known", "hint:", "--yes"]);
    assert!(!known.exists(), "nothing was recorded");
    let _ = list(&client, &["--yes"]).success().says(&["was recorded"]);
    let recorded = fs::read_to_string(&known).unwrap();
    assert_eq!(recorded.lines().count(), 1, "{recorded}");
    let _ = list(&client, &[]).success();
    let events = client
        .run(&["audit", "list", "--json", "--type", "remote_host_key_recorded"])
        .success()
        .json();
    assert_eq!(events["events"].as_array().map(Vec::len), Some(1), "{events}");
}

#[test]
fn without_the_variable_the_list_in_the_home_is_used() {
    let server = Sshd::new();
    let mut client = server.client();
    client.take("DANGO_SSH_KNOWN_HOSTS");
    let _ = list(&client, &[]).fails(1, &["not known"]);
    let _ = list(&client, &["--yes"]).success();
    let recorded = client.home().join(".ssh/known_hosts");
    assert!(fs::read_to_string(recorded).unwrap().contains("ssh-ed25519"));
}

#[test]
fn a_changed_key_is_refused_whatever_is_answered_and_whatever_its_type() {
    for kind in ["ed25519", "ecdsa"] {
        let mut server = Sshd::new();
        let client = server.client();
        server.write(".env", "A=1\n");
        let _ = list(&client, &[]).success();
        let known = fs::read_to_string(server.known_hosts()).unwrap();
        server.change_key(kind);
        for more in [&[][..], &["--yes"]] {
            let _ = list(&client, more).fails(1, &["key of the host has changed", "hint:", "ssh-keygen -R '[127.0.0.1]:"]);
        }
        let arguments = ["remote", "env", "set", "A", "--yes"];
        let _ = client
            .dango(&arguments)
            .stdin("canary")
            .run()
            .fails(1, &["has changed", "nothing was changed"]);
        assert_eq!(
            fs::read_to_string(server.known_hosts()).unwrap(),
            known,
            "{kind}: nothing was recorded"
        );
        assert_eq!(server.read(".env"), "A=1\n");
        let events = client
            .run(&["audit", "list", "--json", "--type", "remote_host_key_refused"])
            .success()
            .json();
        assert_eq!(events["events"].as_array().map(Vec::len), Some(3), "{events}");
    }
}
