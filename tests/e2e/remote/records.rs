//! What is left of a change besides the change: records here and, with a dango there, on the server; and no value in any list of processes.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dango_tests::{Canary, Scratch, Sshd, dango};
use serde_json::Value;

use super::set;
use crate::answers::Answer;

fn events(project: &Scratch, kind: &str) -> Vec<Value> {
    let listed = project.run(&["audit", "list", "--json", "--type", kind]).success().json();
    listed["events"].as_array().expect("a list").clone()
}

#[test]
fn every_change_is_recorded_with_host_and_key_and_without_its_value() {
    let server = Sshd::new();
    let client = server.client();
    let canary = Canary::new("recorded");
    let _ = set(&client, "TOKEN", canary.value()).success();
    let _ = client.run(&["remote", "env", "delete", "TOKEN"]).success();
    crate::answers::set(&client, "sources.a.k", "v");
    let _ = client.run(&["remote", "push-secrets", "--yes"]).success();
    fs::remove_dir_all(server.project()).unwrap();
    let _ = set(&client, "OTHER", canary.value()).fails(1, &["directory is not there"]);
    let deleted = events(&client, "remote_env_deleted").remove(0);
    assert_eq!(
        (&deleted["outcome"], &deleted["details"]["key"]),
        (&"success".into(), &"TOKEN".into())
    );
    let pushed = events(&client, "remote_secrets_pushed").remove(0);
    assert_eq!(pushed["details"]["path"], "sources.a.k");
    assert_eq!(pushed["details"]["key"], "SOURCES__A__K");
    let sets = events(&client, "remote_env_set");
    assert_eq!(sets.len(), 2, "an outcome each");
    let (failed, done) = (&sets[0], &sets[1]);
    assert_eq!(
        (&failed["outcome"], &failed["details"]["code"]),
        (&"failure".into(), &"remote_no_project".into())
    );
    assert_eq!(
        (&done["outcome"], &done["details"]["action"]),
        (&"success".into(), &"created".into())
    );
    assert_eq!((&done["target"]["kind"], &done["target"]["id"]), (&"remote".into(), &"prod".into()));
    assert_eq!(
        (&done["details"]["host"], &done["details"]["key"]),
        (&"127.0.0.1".into(), &"TOKEN".into())
    );
    assert!(done["details"]["intent"].is_u64(), "the intent came first");
    let report = client.run(&["audit", "verify", "--json"]).success().json();
    assert_eq!(report["ok"], true);
    assert_eq!(
        canary.files_below(client.everything()),
        [""; 0].map(std::path::PathBuf::from),
        "nothing is left here"
    );
}

#[test]
fn no_value_is_ever_in_the_list_of_processes() {
    let server = Sshd::new();
    let client = server.client();
    let canary = Canary::new("processes");
    crate::answers::set(&client, "sources.a.k", canary.value());
    let is_over = AtomicBool::new(false);
    let looked = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looked = 0;
            while !is_over.load(Ordering::Relaxed) {
                looked += look(&canary);
            }
            looked
        });
        for _ in 0..3 {
            let _ = set(&client, "TOKEN", canary.value()).success();
            let _ = client.run(&["remote", "push-secrets", "--yes"]).success();
            let _ = client.run(&["remote", "env", "get", "TOKEN", "--reveal"]).success();
            let _ = client.run(&["remote", "env", "delete", "TOKEN"]).success();
        }
        is_over.store(true, Ordering::Relaxed);
        looking.join().unwrap()
    });
    assert!(looked > 100, "only {looked} processes were looked at");
}

/// Looks through what every process was started with; gives how many there were.
fn look(canary: &Canary) -> usize {
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let numbered = processes.filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
    let own = std::process::id().to_string();
    numbered
        .filter(|entry| entry.file_name().to_str() != Some(&own))
        .inspect(|entry| {
            for file in ["cmdline", "environ"] {
                // One that has just ended has neither.
                let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
                assert!(!canary.is_in(&bytes), "a value is in {file} of a process");
            }
        })
        .count()
}

#[test]
fn a_dango_on_the_server_makes_the_change_and_records_it_there_too() {
    let server = Sshd::new();
    let programs = server.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(dango(), programs.join("dango")).unwrap();
    let there = Scratch::initialised();
    let server = server.restarted(&[&format!("SetEnv PATH={}:/usr/bin:/bin", programs.display())]);
    let client = server.client_through(server.port(), there.path().to_str().unwrap());
    let canary = Canary::new("there");
    let _ = set(&client, "TOKEN", canary.value()).success().says(&["TOKEN: created on prod"]);
    assert_eq!(there.read(".env"), format!("TOKEN={}\n", canary.value()));
    let theirs = events(&there, "secret_set").remove(0);
    assert_eq!((&theirs["outcome"], &theirs["target"]["id"]), (&"success".into(), &"TOKEN".into()));
    let _ = client
        .dango(&["remote", "env", "set", "--raw", "TRICKY"])
        .stdin("a${b}c")
        .run()
        .fails(1, &["dango on the server", "TRICKY"])
        .hides(&["${b}"]);
    let _ = client.run(&["remote", "env", "delete", "TOKEN"]).success();
    assert_eq!(there.read(".env"), "");
    assert_eq!(events(&there, "secret_deleted").len(), 1);
    assert_eq!(events(&client, "remote_env_set").len(), 2);
}
