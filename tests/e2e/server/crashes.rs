//! The server killed at any instant: what it has acknowledged is there, the log tells the truth, and sessions go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dango_tests::{Client, Server, python};
use serde_json::json;

use super::{EMAIL, PASSWORD, with_administrator};

#[test]
fn nothing_that_was_acknowledged_is_lost_and_sessions_survive() {
    let (project, server) = with_administrator();
    let session = server.signed_in(EMAIL, PASSWORD);
    let cookie = session.cookie("dango_session").expect("logged in").to_owned();
    let mut server = Some(server);
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..6 {
        let running = server.take().expect("it runs");
        let url = running.url();
        let dead = AtomicBool::new(false);
        let done = thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|number| {
                    let (mut client, dead) = (signed_in(&url, &cookie), &dead);
                    scope.spawn(move || {
                        let mut done = Vec::new();
                        for turn in 0.. {
                            let (key, value) = (format!("KEY_{number}_{}", turn % 10), format!("{round}.{turn}"));
                            let body = json!({"key": key, "value": value}).to_string();
                            match client.try_send("POST", "/api/secrets", &[], Some(&body)) {
                                Ok(answer) if answer.status < 300 => done.push((key, value)),
                                Ok(answer) => panic!("{}", answer.text),
                                // The last one may have happened or not: what was acknowledged before it does not tell.
                                Err(_) if dead.load(Ordering::SeqCst) => return (done, Some(key)),
                                Err(error) => panic!("{error}"),
                            }
                        }
                        (done, None)
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(150 + 37 * round));
            dead.store(true, Ordering::SeqCst);
            running.kill();
            writers
                .into_iter()
                .map(|writer| writer.join().expect("no panic"))
                .collect::<Vec<_>>()
        });
        let mut unsure = Vec::new();
        for (pairs, last) in done {
            acknowledged.extend(pairs);
            unsure.extend(last);
        }
        let script = "import dotenv, json; print(json.dumps(dotenv.dotenv_values('.env')))";
        let read = project.command(python(), &["-c", script]).run().success();
        let read: BTreeMap<String, String> = serde_json::from_str(&read.stdout).expect("JSON");
        for (key, value) in acknowledged.iter().filter(|(key, _)| !unsure.contains(key)) {
            assert_eq!(read.get(key), Some(value), "{key} in round {round}");
        }
        for key in unsure {
            if let Some(value) = read.get(&key) {
                acknowledged.insert(key, value.clone());
            }
        }
        let restarted = Server::start(&project);
        assert_eq!(
            signed_in(&restarted.url(), &cookie).get("/api/auth/me").status,
            200,
            "round {round}"
        );
        server = Some(restarted);
    }
    drop(server);
    assert!(!acknowledged.is_empty());
    // The chain is whole; what was cut off is told, and nothing else is wrong.
    let verified = project.run(&["audit", "verify", "--json"]).success();
    let verdict: serde_json::Value = serde_json::from_str(&verified.stdout).expect("JSON");
    assert_eq!(verdict["ok"], true);
}

fn signed_in(url: &str, cookie: &str) -> Client {
    Client::of(url).with_cookie("dango_session", cookie)
}
