//! What the server does by itself: renewed in time, once, stored before use, and nothing lost by trouble.

use std::sync::Barrier;
use std::time::Duration;

use dango_actions::{BrokenCause, ConnectionTrouble};
use dango_secrets::storage::Lease;
use tokio::sync::watch;

use super::*;

const BROKEN: Option<ConnectionTrouble> = Some(ConnectionTrouble::Broken(BrokenCause::Revoked));

#[test]
fn a_connection_is_renewed_shortly_before_it_ends_and_then_left_alone() {
    let world = World::new();
    world.connected(0);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    world.look(&mut renewals);
    world.pass(3600 - 300 - 121);
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 0, "it is good for a while");
    world.pass(121);
    for _ in 0..3 {
        world.look(&mut renewals);
    }
    assert_eq!(world.corp.asked("/token"), 1);
    let file = world.file();
    assert!(
        file.contains("access_token = \"at-1\"") && file.contains("refresh_token = \"rt-1\""),
        "{file}"
    );
    assert!(file.contains("last_refreshed = \"2026-11-22T12:55:00Z\""), "{file}");
    assert!(!file.contains("rt-0"), "{file}");
    assert_eq!(world.recorded(), ["oauth_refreshed intent", "oauth_refreshed success"]);
    world.pass(3600);
    world.look(&mut renewals);
    assert!(world.file().contains("rt-2"));
}

#[test]
fn a_token_that_lives_for_weeks_is_exchanged_while_it_lives_and_not_after() {
    let record = |end: &str| {
        format!(
            "[sources.meta]\naccess_token = \"at-0\"\n\n[dango.oauth.meta]\nsource_type = \"meta_data\"\nprovider = \"meta\"\n\
             created_at = \"2026-10-01T12:00:00Z\"\nexpires_at = \"{end}\"\n"
        )
    };
    for (end, asked) in [
        ("2026-12-04T12:00:00Z", 0),
        ("2026-12-02T11:59:59Z", 1),
        ("2026-11-22T12:00:01Z", 1),
        ("2026-11-22T12:00:00Z", 0),
    ] {
        let world = World::new();
        fs::write(world.project.secrets_toml(), record(end)).expect("written");
        let desk = world.desk();
        let mut renewals = world.renewals(&desk);
        world.look(&mut renewals);
        world.look(&mut renewals);
        assert_eq!(world.corp.asked("/token"), asked, "{end}");
        assert_eq!(world.file().contains("at-1"), asked == 1, "{end}");
    }
}

#[test]
fn trouble_that_passes_costs_nothing_and_is_waited_out() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    for attempt in 0..5 {
        world.corp.befalls(Trouble::Unavailable);
        world.look(&mut renewals);
        world.look(&mut renewals);
        assert_eq!(world.corp.asked("/token"), attempt + 1, "it is not asked again at once");
        assert_eq!(world.trouble(&desk), None);
        assert!(world.file().contains("rt-0"));
        world.pass(3600);
    }
    world.look(&mut renewals);
    assert!(world.file().contains("rt-1"));
    let mut expected = ["oauth_refreshed intent", "oauth_refreshed failure"].repeat(5);
    expected.extend(["oauth_refreshed intent", "oauth_refreshed success"]);
    assert_eq!(world.recorded(), expected);
}

#[test]
fn a_refusal_is_believed_only_after_the_file_was_read_again() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    let (path, text) = (world.project.secrets_toml(), world.file());
    // Another program, which knows no lease, has renewed it meanwhile.
    let other = text.replace("rt-0", "rt-7").replace("at-0", "at-7");
    world.corp.befalls(Trouble::RefusesAfter(Box::new(move || {
        fs::write(path, other).expect("written");
    })));
    world.look(&mut renewals);
    assert!(world.file().contains("rt-7"));
    assert_eq!(world.trouble(&desk), None);
    // The same word with nothing changed is the end, and is told with its cause; the tokens stay until somebody connects anew.
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    world.corp.befalls(Trouble::Refuses("invalid_grant"));
    world.look(&mut renewals);
    assert_eq!(world.trouble(&desk), BROKEN);
    assert!(world.file().contains("rt-0"));
    world.pass(7200);
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 1, "a dead grant is not asked for again and again");
    world.connected(0);
    assert_eq!(world.trouble(&desk), None, "it was connected anew");
}

#[test]
fn an_app_that_the_provider_does_not_know_costs_no_grant_and_is_told() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    world.corp.befalls(Trouble::Refuses("invalid_client"));
    world.look(&mut renewals);
    assert_eq!(world.trouble(&desk), Some(ConnectionTrouble::Broken(BrokenCause::Misconfigured)));
    world.pass(600);
    world.look(&mut renewals);
    assert!(world.file().contains("rt-1"));
    assert_eq!(world.trouble(&desk), None);
}

#[test]
fn one_process_renews_at_a_time_and_the_others_leave_it_alone() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    let lease = Lease::acquire(&world.project.dango_dir().join("oauth-data.lock"), Duration::ZERO).expect("free");
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 0);
    drop(lease);
    let servers = 6;
    let barrier = Barrier::new(servers);
    std::thread::scope(|scope| {
        for _ in 0..servers {
            scope.spawn(|| {
                let desk = world.desk();
                let mut renewals = world.renewals(&desk);
                barrier.wait();
                world.look(&mut renewals);
            });
        }
    });
    assert_eq!(world.corp.asked("/token"), 1);
    assert!(world.file().contains("rt-1"));
}

#[test]
fn what_was_renewed_before_the_lease_was_had_is_not_renewed_again() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    let (path, text) = (world.project.secrets_toml(), world.file());
    // Another process does it all between the look that finds it due and the lease.
    let renewed = text
        .replace("rt-0", "rt-7")
        .replace("scopes =", "last_refreshed = \"2026-11-22T12:00:00Z\"\nscopes =");
    *world.clock.1.lock().expect("whole") = Some(Box::new(move || {
        fs::write(path, renewed).expect("written");
    }));
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 0);
    assert!(world.file().contains("rt-7"));
}

#[test]
fn a_connection_that_is_removed_while_it_is_renewed_stays_removed() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    let path = world.project.secrets_toml();
    world.corp.befalls(Trouble::Meanwhile(Box::new(move || {
        fs::write(path, "[sources.other]\nkey = \"x\"\n").expect("written");
    })));
    world.look(&mut renewals);
    assert_eq!(world.file(), "[sources.other]\nkey = \"x\"\n");
}

#[test]
fn what_another_has_renewed_while_the_provider_answered_is_not_overwritten() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    let (path, text) = (world.project.secrets_toml(), world.file());
    // This server stood still until its lease was another's.
    let renewed = text
        .replace("rt-0", "rt-7")
        .replace("scopes =", "last_refreshed = \"2026-11-22T12:00:00Z\"\nscopes =");
    let expected = renewed.clone();
    world.corp.befalls(Trouble::Meanwhile(Box::new(move || {
        fs::write(path, renewed).expect("written");
    })));
    world.look(&mut renewals);
    assert_eq!((world.corp.asked("/token"), world.file()), (1, expected));
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 1, "what was renewed just now is left alone");
}

#[test]
fn tokens_that_end_soon_are_left_alone_by_every_server_after_one_has_renewed_them() {
    let world = World::new();
    let short = PROVIDERS.replace("access_seconds = 3600", "access_seconds = 240");
    fs::write(world.project.dango_dir().join("providers.toml"), short).expect("written");
    world.connected(3600);
    let file = world.file();
    let renewed = file.replace("scopes =", "last_refreshed = \"2026-11-22T11:59:00Z\"\nscopes =");
    fs::write(world.project.secrets_toml(), renewed).expect("written");
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 0);
    world.pass(61);
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 1);
}

#[test]
fn new_tokens_are_stored_before_the_server_ends() {
    let world = World::new();
    world.connected(3600);
    let (ending, ends) = watch::channel(false);
    let ending = Arc::new(ending);
    // The end comes while the provider answers.
    let end = Arc::clone(&ending);
    world.corp.befalls(Trouble::Meanwhile(Box::new(move || {
        end.send(true).expect("somebody listens");
    })));
    let renewals = world.renewals(&world.desk());
    world.runtime.block_on(async {
        let task = renewals.spawn(Duration::from_secs(3600), ends);
        tokio::time::timeout(Duration::from_secs(60), task)
            .await
            .expect("it ends")
            .expect("well");
    });
    assert!(world.file().contains("rt-1"));
    assert_eq!(world.recorded(), ["oauth_refreshed intent", "oauth_refreshed success"]);
}

#[test]
fn a_table_of_providers_that_cannot_be_read_keeps_the_server_from_nothing_but_renewing() {
    let world = World::new();
    world.connected(3600);
    let desk = world.desk();
    let mut renewals = world.renewals(&desk);
    fs::write(world.project.dango_dir().join("providers.toml"), "[corp\n").expect("written");
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 0);
    fs::write(world.project.dango_dir().join("providers.toml"), PROVIDERS).expect("written");
    world.look(&mut renewals);
    assert_eq!(world.corp.asked("/token"), 1);
}
