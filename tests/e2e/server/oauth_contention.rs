//! Two servers and the command line at one connection whose access token has ended: one of them asks the provider, whoever is killed.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::provider::{Fake, Gate, Reuse, Rotating, Trouble};
use dango_tests::{Scratch, Server};
use serde_json::json;

use super::{EMAIL, PASSWORD, claim};
use crate::answers::{Answer, revealed, set};
use crate::oauth::{expire, rotating_project, stored};

const EACH: usize = 20;

/// Far beyond what a renewal takes, so that only one that never comes fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what has to come.
#[track_caller]
fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "{what} has not come");
        thread::sleep(Duration::from_millis(20));
    }
}

fn newest_is_stored(project: &Scratch, fake: &Fake<Rotating>) -> bool {
    let newest = fake.provider().given() - 1;
    stored(project) == (format!("canary-a{newest}"), format!("canary-r{newest}"))
}

fn start_refresh(project: &Scratch) -> Child {
    let mut command = project.dango(&["oauth", "refresh", "corp_data"]).into_command();
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    spawned.expect("started")
}

/// Waits until it has read the connection, which it does before it waits for others: it warns of the replaced endpoints then.
#[track_caller]
fn wait_until_it_has_read(child: &mut Child) {
    let mut said = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut warning = String::new();
    said.read_line(&mut warning).expect("text");
    assert!(warning.contains("DANGO_OAUTH_CORP_TOKEN_URL"), "{warning}");
    child.stderr.replace(said.into_inner());
}

#[test]
fn of_sixty_requests_over_three_processes_at_expiry_one_reaches_the_token_endpoint_and_all_succeed() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let first = Server::start(&project);
    claim(&first);
    let servers = [first, Server::start(&project)];
    let session = servers[0].signed_in(EMAIL, PASSWORD);
    let cookie = session.cookie("dango_session").expect("logged in").to_owned();
    let lock = project.path().join(".dango/oauth-corp_data.lock");
    let held = OpenOptions::new().write(true).open(lock).expect("connecting has made it");
    held.lock().expect("free");
    expire(&project);
    let mut children: Vec<Child> = (0..EACH).map(|_| start_refresh(&project)).collect();
    children.iter_mut().for_each(wait_until_it_has_read);
    let answers: Vec<_> = thread::scope(|scope| {
        let ask = |server: &Server| {
            let mut client = server.client().with_cookie("dango_session", &cookie);
            scope.spawn(move || client.post("/api/secrets/oauth/corp_data/check", &json!({})))
        };
        let asking: Vec<_> = servers.iter().flat_map(|server| (0..EACH).map(move |_| server)).map(ask).collect();
        held.unlock().expect("held");
        asking.into_iter().map(|asking| asking.join().expect("no panic")).collect()
    });
    for answer in answers {
        assert_eq!((answer.status, &answer.json()["valid"]), (200, &json!(true)), "{}", answer.text);
        assert!(!answer.text.contains("canary-"), "{}", answer.text);
    }
    for child in children {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
    assert!(newest_is_stored(&project, &fake));
    for server in servers {
        let (status, log) = server.stop();
        assert_eq!(status, 0, "{log}");
        assert!(!log.contains("canary-"), "{log}");
    }
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
    assert_eq!(fake.provider().reuses(), 0);
    assert_eq!(project.run(&["audit", "verify", "--json"]).success().json()["ok"], true);
}

#[test]
fn of_two_servers_that_find_a_connection_at_its_end_one_renews_it() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    expire(&project);
    let gate = Gate::shut();
    fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
    let first = Server::start(&project);
    gate.wait_for_somebody();
    let second = Server::start(&project);
    let mut waiting = start_refresh(&project);
    wait_until_it_has_read(&mut waiting);
    gate.open();
    let output = waiting.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    wait_until("the renewal", || newest_is_stored(&project, &fake));
    // Whatever they were about to do is done when they have ended.
    assert_eq!((first.stop().0, second.stop().0), (0, 0));
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
    assert_eq!(fake.provider().reuses(), 0);
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
}

#[test]
fn a_server_that_is_killed_in_the_midst_of_a_renewal_costs_no_grant() {
    for before_it_is_done in [true, false] {
        let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
        let project = rotating_project(&fake);
        let before = stored(&project);
        expire(&project);
        let gate = Gate::shut();
        fake.trouble(
            "/token",
            [match before_it_is_done {
                true => Trouble::Held(gate.clone()),
                false => Trouble::HeldAnswer(gate.clone()),
            }],
        );
        let server = Server::start(&project);
        gate.wait_for_somebody();
        server.kill();
        gate.open();
        assert_eq!(stored(&project), before);
        let next = Server::start(&project);
        wait_until("the renewal", || stored(&project) != before);
        assert_eq!(next.stop().0, 0);
        assert!(newest_is_stored(&project, &fake));
        assert_eq!((fake.provider().given(), fake.provider().reuses()), (2, 0));
        let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
        assert_eq!(fake.provider().reuses(), 0);
        let verified = project.run(&["audit", "verify", "--json"]).success().json();
        assert_eq!(verified["ok"], true, "{verified}");
    }
}

#[test]
fn a_server_that_is_told_to_end_stores_what_it_was_given_first() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    expire(&project);
    let gate = Gate::shut();
    fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
    let server = Server::start(&project);
    gate.wait_for_somebody();
    let address = server.address();
    let (status, log) = thread::scope(|scope| {
        let ending = scope.spawn(|| server.stop());
        wait_until("the end of its listening", || TcpStream::connect(address).is_err());
        gate.open();
        ending.join().expect("no panic")
    });
    assert_eq!(status, 0, "{log}");
    assert!(newest_is_stored(&project, &fake), "{log}");
    assert_eq!(fake.provider().given(), 2);
}

#[test]
fn a_provider_s_trouble_costs_no_grant_and_a_server_that_starts_later_renews_it() {
    let fake = Fake::start(Rotating::new(Reuse::AfterSuccessor));
    let project = rotating_project(&fake);
    let before = stored(&project);
    expire(&project);
    let troubles = [Trouble::Unavailable, Trouble::LostRequest, Trouble::LostAnswer];
    let count = troubles.len();
    fake.trouble("/token", troubles);
    for _ in 0..count {
        let server = Server::start(&project);
        wait_until("word of the failure", || server.log().contains("what is stored stays"));
        let (status, log) = server.stop();
        assert_eq!(status, 0, "{log}");
        assert!(!log.contains("canary-"), "{log}");
        assert_eq!(stored(&project), before);
    }
    let server = Server::start(&project);
    wait_until("the renewal", || newest_is_stored(&project, &fake));
    assert_eq!(server.stop().0, 0);
    assert_eq!(fake.provider().reuses(), 0);
}

#[test]
fn changes_by_others_and_a_server_s_renewal_lose_nothing_of_each_other() {
    const TURNS: usize = 10;
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    expire(&project);
    let gate = Gate::shut();
    fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
    let server = Server::start(&project);
    gate.wait_for_somebody();
    thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..TURNS {
                set(&project, &format!("sources.other.key_{turn}"), &format!("value {turn}"));
            }
        });
        // In their midst the server stores what it was given.
        wait_until("the first change", || project.read(".dlt/secrets.toml").contains("key_1"));
        gate.open();
    });
    wait_until("the renewal", || newest_is_stored(&project, &fake));
    assert_eq!(server.stop().0, 0);
    for turn in 0..TURNS {
        assert_eq!(revealed(&project, &format!("sources.other.key_{turn}")), format!("value {turn}"));
    }
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
    assert_eq!(fake.provider().reuses(), 0);
}
