//! Who a request is from, remembered between requests: what another process commits is in force at once, and time goes on.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests write scratch files and stop loudly"
)]

mod house;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dango_actions::{AuthManage, Caller, UsersManage};
use dango_core::{OsEntropy, Timestamp};
use dango_identity::{
    Activity, AllowList, AnySession, ApiKeyName, ApiKeyPolicy, ApiKeys, AttemptKey, Client, ClientClass, ExternalIdentity, KeyScopes, Link,
    LockoutPolicy, LoginRules, NewApiKey, PlainApiKey, Role, SessionLimits, Sessions, StoreError,
};
use dango_store::contract::sample::{active_totp, password, recovery, user, user_id};
use dango_store::{Admission, Store};
use house::{House, ask, browser, identity_key, visitor};
use proptest::prelude::*;

fn house() -> (tempfile::TempDir, House) {
    let directory = tempfile::tempdir().expect("a directory");
    let house = House::new(directory.path());
    for (number, role) in [(0, Role::Admin), (1, Role::Admin), (2, Role::Editor), (3, Role::Viewer)] {
        house.add(number, role);
    }
    (directory, house)
}

/// A session that the server knows by heart.
fn known(house: &House, number: u32) -> String {
    let (token, _) = house.begin(number).expect("begun");
    for _ in 0..3 {
        assert!(ask(&house.server, &token).starts_with("full"));
    }
    token
}

#[test]
fn what_another_process_does_is_in_force_for_the_very_next_request() {
    let (_directory, house) = house();
    let users = house.permit::<UsersManage>();

    let token = known(&house, 2);
    pollster::block_on(house.command.change_role(&users, user_id(2), Role::Viewer)).expect("changed");
    assert!(ask(&house.server, &token).contains("role: Viewer"));

    pollster::block_on(house.command.deactivate_user(&users, user_id(2))).expect("switched off");
    assert_eq!(ask(&house.server, &token), "authentication_required");

    let token = known(&house, 3);
    let door = house.permit::<AuthManage>();
    pollster::block_on(house.command.disable(&door)).expect("closed");
    assert_eq!(ask(&house.server, &token), "auth_disabled");
    pollster::block_on(house.command.enable(&door)).expect("open");
    assert!(ask(&house.server, &token).starts_with("full"));

    let (token, id) = house.begin(1).expect("begun");
    assert!(ask(&house.server, &token).starts_with("full"));
    let ended = house.elsewhere(move |tx| Box::pin(async move { tx.end_session_of(user_id(1), id).await }));
    assert!(ended);
    assert_eq!(ask(&house.server, &token), "authentication_required");

    let (token, now) = (known(&house, 1), house.now());
    let changed = house.elsewhere(move |tx| {
        Box::pin(async move {
            let epoch = tx.find_user(user_id(1)).await?.expect("there").epoch;
            tx.change_password(user_id(1), epoch, &password(9, now)).await
        })
    });
    assert!(changed);
    assert_eq!(ask(&house.server, &token), "authentication_required");
}

#[test]
fn what_is_shown_of_a_user_comes_with_the_session_and_is_as_fresh() {
    let (_directory, house) = house();
    let token = known(&house, 2);
    let now = house.now();
    let key = AttemptKey {
        account: LoginRules::new(&identity_key(), LockoutPolicy::default()).account_key(&user(2, Role::Editor, now).user.email),
        client: ClientClass::Untrusted,
    };
    house.elsewhere(move |tx| {
        Box::pin(async move {
            assert!(
                tx.put_active_totp(&active_totp(1, user_id(2), now), &recovery(1, user_id(2), now))
                    .await?
            );
            let link = Link {
                user: user_id(2),
                identity: ExternalIdentity::new("https://accounts.example", "two").expect("an identity"),
                linked_at: now,
            };
            let _ = tx.insert_first_link(&link).await?;
            for _ in 0..5 {
                let _ = tx.charge_attempt(&key, &LockoutPolicy::default(), now).await?;
            }
            Ok(())
        })
    });
    let signed_in = pollster::block_on(house.server.authenticate(house::token(&token), visitor())).expect("signed in");
    let view = signed_in.view();
    assert!(view.totp_enabled && view.locked_until().is_some() && view.user.activity == Activity::Active);
    assert_eq!(view.oauth_provider.as_deref(), Some("https://accounts.example"));
    assert_eq!(view.status.as_str(), "locked");
    // The lock runs out, and nobody has written that down.
    house.pass(15 * 60);
    let signed_in = pollster::block_on(house.server.authenticate(house::token(&token), visitor())).expect("signed in");
    assert_eq!(
        (signed_in.view().status.as_str(), signed_in.view().locked_until()),
        ("active", None)
    );
}

#[test]
fn time_ends_a_session_that_is_known_by_heart() {
    let (_directory, house) = house();
    let idle = known(&house, 2);
    let version = house.store.version().expect("open");
    house.pass(24 * 60 * 60);
    assert_eq!(house.store.version().expect("open"), version, "nothing was written meanwhile");
    assert_eq!(ask(&house.server, &idle), "authentication_required");

    let used = known(&house, 3);
    for hour in 0..30 * 24 {
        assert!(ask(&house.server, &used).starts_with("full"), "hour {hour}");
        house.pass(60 * 60);
    }
    assert_eq!(
        ask(&house.server, &used),
        "authentication_required",
        "it ends, however much it is used"
    );
}

#[test]
fn a_session_is_written_to_once_a_minute_however_many_ask_at_once() {
    let (_directory, house) = house();
    let token = known(&house, 2);
    house.pass(60);
    let before = house.store.version().expect("open");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(ask(&house.server, &token).starts_with("full")));
        }
    });
    let after = house.store.version().expect("open");
    assert_ne!(before, after);
    for _ in 0..16 {
        assert!(ask(&house.server, &token).starts_with("full"));
    }
    assert_eq!(house.store.version().expect("open"), after);
}

#[test]
fn nobody_is_let_in_from_memory_when_the_database_is_gone() {
    let (_directory, house) = house();
    let token = known(&house, 2);
    std::fs::remove_file(&house.path).expect("removed");
    assert_eq!(ask(&house.server, &token), "database_unavailable");
    std::fs::write(&house.path, b"not a database").expect("written");
    assert_eq!(ask(&house.server, &token), "database_unavailable");
}

#[test]
fn nobody_is_let_in_once_a_revocation_was_answered() {
    let (_directory, house) = house();
    for _ in 0..20 {
        let token = known(&house, 2);
        let (revoked, asked) = (AtomicBool::new(false), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut refused = false;
                    while !refused {
                        let was_revoked = revoked.load(Ordering::SeqCst);
                        refused = ask(&house.server, &token) == "authentication_required";
                        assert!(refused || !was_revoked, "let in after the answer");
                        asked.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            while asked.load(Ordering::SeqCst) < 100 {
                std::thread::yield_now();
            }
            house.elsewhere(|tx| Box::pin(async move { tx.end_sessions_of(user_id(2)).await }));
            revoked.store(true, Ordering::SeqCst);
        });
    }
}

/// Makes an API key that ends in two hours and counts from one network.
fn api_key(house: &House, number: u32) -> PlainApiKey {
    let (text, _) = house.begin(number).expect("begun");
    let now = house.now();
    house.elsewhere(move |tx| {
        Box::pin(async move {
            let sessions = Sessions::new(&identity_key(), SessionLimits::default());
            let AnySession::Full(session) = sessions.check(tx, &house::token(&text), now).await.expect("a session") else {
                panic!("not a full session");
            };
            let new = NewApiKey {
                name: ApiKeyName::parse("deploy").expect("a name"),
                expires_at: Some(Timestamp::from_unix_micros(now.unix_micros() + 7_200_000_000)),
                scopes: KeyScopes::default(),
                allow_list: AllowList::parse(["192.0.2.0/24"]).expect("networks"),
            };
            let owner = (&session, Role::Editor.permissions());
            let made = ApiKeys::new(&identity_key(), ApiKeyPolicy::default())
                .make(tx, owner, new, now, &OsEntropy)
                .await;
            Ok(made.expect("made").key)
        })
    })
}

#[test]
fn a_key_that_is_known_by_heart_ends_as_any_other() {
    let (_directory, house) = house();
    let ask = |key: &PlainApiKey, client: Client| {
        let shown = PlainApiKey::parse(key.expose()).expect("a key");
        match pollster::block_on(house.server.authenticate_key(shown, Caller::anonymous(client))) {
            Ok(holder) => format!("{} {:?}", holder.user.role, holder.view().status),
            Err(error) => error.code().to_owned(),
        }
    };
    let elsewhere = Client {
        address: Some([198, 51, 100, 1].into()),
        ..browser()
    };
    let key = api_key(&house, 2);
    for _ in 0..3 {
        assert_eq!(ask(&key, browser()), "editor Active");
        assert_eq!(ask(&key, elsewhere.clone()), "authentication_required");
    }
    house.elsewhere({
        let now = house.now();
        move |tx| Box::pin(async move { tx.change_role(user_id(2), Role::Viewer, now).await.map(|_| ()) })
    });
    assert_eq!(ask(&key, browser()), "viewer Active");
    house.pass(7_199);
    assert_eq!(ask(&key, browser()), "viewer Active");
    house.pass(1);
    assert_eq!(ask(&key, browser()), "authentication_required");

    let key = api_key(&house, 3);
    assert_eq!(ask(&key, browser()), "viewer Active");
    house.elsewhere({
        let now = house.now();
        move |tx| Box::pin(async move { tx.revoke_api_keys_of(user_id(3), now).await })
    });
    assert_eq!(ask(&key, browser()), "authentication_required");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin(u32),
    EndAll(u32),
    EndOne(u32),
    Role(u32, u8),
    Off(u32),
    On(u32),
    Door(bool),
    Fail(u32),
    Enrol(u32),
    Password(u32),
    Delete(u32),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..4_u32;
    prop_oneof![
        4 => user.clone().prop_map(Step::Begin),
        1 => user.clone().prop_map(Step::EndAll),
        1 => user.clone().prop_map(Step::EndOne),
        1 => (user.clone(), 0..3_u8).prop_map(|(user, role)| Step::Role(user, role)),
        1 => user.clone().prop_map(Step::Off),
        1 => user.clone().prop_map(Step::On),
        1 => any::<bool>().prop_map(Step::Door),
        2 => user.clone().prop_map(Step::Fail),
        1 => user.clone().prop_map(Step::Enrol),
        1 => user.clone().prop_map(Step::Password),
        1 => user.prop_map(Step::Delete),
        4 => prop_oneof![Just(59_i64), Just(61), Just(900), Just(86_399), Just(86_400), Just(3_000_000)].prop_map(Step::Pass),
    ]
}

fn take(house: &House, step: Step, tokens: &mut Vec<String>) {
    let now = house.now();
    let key = move |number: u32| AttemptKey {
        account: LoginRules::new(&identity_key(), LockoutPolicy::default()).account_key(&user(number, Role::Viewer, now).user.email),
        client: ClientClass::Untrusted,
    };
    match step {
        Step::Begin(number) => tokens.extend(house.begin(number).map(|(token, _)| token)),
        Step::Pass(seconds) => house.pass(seconds),
        Step::Door(open) => {
            let admission = if open { Admission::Open } else { Admission::Closed };
            house.elsewhere(move |tx| Box::pin(async move { tx.set_admission(admission, now).await.map(|_| ()) }));
        }
        step => house.elsewhere(move |tx| {
            Box::pin(async move {
                match step {
                    Step::EndAll(number) => drop(tx.end_sessions_of(user_id(number)).await?),
                    Step::EndOne(number) => {
                        if let Some(stored) = tx.sessions_of(user_id(number)).await?.first() {
                            tx.end_session(&stored.record.digest).await?;
                        }
                    }
                    Step::Role(number, role) => {
                        let role = [Role::Admin, Role::Editor, Role::Viewer][usize::from(role)];
                        drop(tx.change_role(user_id(number), role, now).await?);
                    }
                    Step::Off(number) => drop(tx.deactivate_user(user_id(number), now).await?),
                    Step::On(number) => drop(tx.reactivate_user(user_id(number), now).await?),
                    Step::Fail(number) => {
                        for _ in 0..5 {
                            let _ = tx.charge_attempt(&key(number), &LockoutPolicy::default(), now).await?;
                        }
                    }
                    Step::Enrol(number) if tx.find_user(user_id(number)).await?.is_some() => {
                        let app = active_totp(number, user_id(number), now);
                        tx.put_active_totp(&app, &recovery(number, user_id(number), now)).await?;
                    }
                    Step::Password(number) => drop(tx.reset_password(user_id(number), &password(number, now)).await?),
                    Step::Delete(number) => drop(tx.delete_user(user_id(number)).await?),
                    _ => {}
                }
                Ok::<_, StoreError>(())
            })
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens elsewhere and whenever: who remembers says what those say who read everything again.
    #[test]
    fn the_answer_is_the_same_with_and_without_memory(steps in prop::collection::vec(step(), 1..40)) {
        let (_directory, house) = house();
        let mut tokens = vec![house.begin(2).expect("begun").0];
        for step in steps {
            take(&house, step, &mut tokens);
            for token in &tokens {
                let remembered = ask(&house.server, token);
                prop_assert_eq!(&remembered, &ask(&house.forgetful, token), "after {:?}", step);
                prop_assert_eq!(&remembered, &ask(&house.server, token), "a second time after {:?}", step);
            }
        }
    }
}
