//! Logging in and one's own account: what happens, what is refused, and what is recorded of it.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use dango_actions::{
    ApiKeyError, Caller, DisableFactorError, LogInError, LogInStep, Login, RevokeSessionError, Setup, SignedIn, UsersManage, UsersView,
    VerifyCodeError,
};
use dango_audit::AuditEvent;
use dango_identity::{
    Administration, AllowList, ApiKeyName, DeviceToken, KeyScopes, NewApiKey, PlainApiKey, PlainToken, RecoveryCode, Role, SecondFactorCode,
};
use world::{OTHER, RIGHT, WRONG, World, app, block_on, email, password, race, visitor};

fn try_login(world: &World, address: &str, text: &str) -> Result<LogInStep, LogInError> {
    block_on(world.actions.log_in(&visitor(), address, password(text), None, None))
}

fn code_of<T>(result: Result<T, LogInError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

/// Enrols an app; answers its secret and the recovery codes.
fn enrol(world: &World, login: &Login) -> (dango_core::SecretValue, Vec<String>) {
    let begun = block_on(world.actions.begin_enrolment(world.full(login), password(RIGHT)));
    let secret = begun.expect("begun").secret.expose_base32();
    let code = app(&secret, dango_core::Clock::now(&*world.clock));
    let enabled = block_on(world.actions.finish_enrolment(world.full(login), code)).expect("confirmed");
    let codes = enabled.codes.codes().iter().map(|code| code.expose_text().expose().to_owned());
    (secret, codes.collect())
}

fn partial(world: &World, address: &str) -> dango_actions::Holder<dango_identity::Partial> {
    let LogInStep::SecondFactor(issued) = try_login(world, address, RIGHT).expect("the password is right") else {
        panic!("a second factor is asked for");
    };
    match world.signed_in(issued.token.expose()) {
        SignedIn::Partial(holder) => holder,
        other => panic!("{other:?}"),
    }
}

fn totp(secret: &dango_core::SecretValue, world: &World) -> SecondFactorCode {
    SecondFactorCode::Totp(app(secret, dango_core::Clock::now(&*world.clock)))
}

#[test]
fn unknown_inactive_invited_and_wrong_are_one_answer_and_lock_alike() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let off = world.add("off@x.example", Role::Viewer);
    let manage = world.permit::<UsersManage>();
    block_on(world.actions.deactivate_user(&manage, off.id)).expect("off");
    let invite = dango_actions::FirstLogin::Invite;
    block_on(world.actions.add_user(&manage, email("new@x.example"), Role::Viewer, invite)).expect("added");
    for address in [
        "ada@x.example",
        "off@x.example",
        "new@x.example",
        "nobody@x.example",
        "not an address",
    ] {
        let (codes, records) = world.recorded(|| (0..6).map(|_| code_of(try_login(&world, address, WRONG))).collect::<Vec<_>>());
        assert_eq!(codes[..5], ["invalid_credentials"; 5], "{address}");
        assert_eq!(codes[5], "account_locked", "{address}");
        let mut expected = vec!["login_failure failure invalid_credentials"; 5];
        expected.extend(["account_locked success", "login_failure failure account_locked"]);
        assert_eq!(records, expected, "{address}");
    }
    assert_eq!(code_of(try_login(&world, "ada@x.example", RIGHT)), "account_locked");
    world.pass(15 * 60);
    assert_eq!(code_of(try_login(&world, "ada@x.example", RIGHT)), "ok");
}

#[test]
fn parallel_guesses_never_exceed_the_lockout() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let answers = race(20, |_| code_of(try_login(&world, "ada@x.example", WRONG)));
    assert_eq!(answers.iter().filter(|code| **code == "invalid_credentials").count(), 5);
    assert_eq!(answers.iter().filter(|code| **code == "account_locked").count(), 15);
}

#[test]
fn what_was_typed_as_an_address_stands_in_no_record() {
    let world = World::new();
    let typed = "MySecretPassword123!";
    let _ = try_login(&world, typed, WRONG);
    let _ = try_login(&world, "someone@x.example", WRONG);
    for record in world.records() {
        let text = record.to_json();
        assert!(!text.contains(typed) && !text.contains("someone"), "{text}");
    }
}

#[test]
fn strangers_do_not_lock_out_a_browser_that_was_there_before() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let device = world.log_in("ada@x.example").device;
    for _ in 0..5 {
        let _ = try_login(&world, "ada@x.example", WRONG);
    }
    assert_eq!(code_of(try_login(&world, "ada@x.example", RIGHT)), "account_locked");
    let known = DeviceToken::parse(device.expose()).expect("a token");
    let step = block_on(
        world
            .actions
            .log_in(&visitor(), "ada@x.example", password(RIGHT), Some(known), None),
    );
    assert!(matches!(step, Ok(LogInStep::Done(_))));
}

#[test]
fn a_second_factor_is_asked_for_checked_once_and_recorded() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let (secret, codes) = enrol(&world, &world.log_in("ada@x.example"));
    // The code of the enrolment is used.
    let (replayed, records) = world.recorded(|| {
        let holder = partial(&world, "ada@x.example");
        block_on(world.actions.verify_second_factor(holder, totp(&secret, &world)))
    });
    assert!(matches!(replayed, Err(VerifyCodeError::InvalidCode)));
    assert_eq!(records, ["second_factor_requested success", "two_fa_verified failure invalid_code"]);

    world.pass(60);
    let holders: Vec<_> = (0..8)
        .map(|_| std::sync::Mutex::new(Some(partial(&world, "ada@x.example"))))
        .collect();
    let answers = race(8, |number| {
        let holder = holders[number].lock().expect("whole").take().expect("there");
        block_on(world.actions.verify_second_factor(holder, totp(&secret, &world))).is_ok()
    });
    assert_eq!(answers.iter().filter(|passed| **passed).count(), 1);

    world.pass(3600);
    let recovery = || SecondFactorCode::Recovery(RecoveryCode::parse(&codes[0]).expect("a code"));
    let (login, records) = world.recorded(|| {
        let holder = partial(&world, "ada@x.example");
        block_on(world.actions.verify_second_factor(holder, recovery())).expect("passed")
    });
    assert_eq!(login.recovery_codes_left, Some(9));
    assert_eq!(records[1..], ["recovery_code_used success", "login_success success"]);
    let again = block_on(world.actions.verify_second_factor(partial(&world, "ada@x.example"), recovery()));
    assert!(matches!(again, Err(VerifyCodeError::InvalidCode)));
    world.verified();
}

#[test]
fn a_partial_session_reaches_nothing_else() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    enrol(&world, &world.log_in("ada@x.example"));
    let holder = partial(&world, "ada@x.example");
    let denied = block_on(world.actions.permit::<UsersView>(holder.caller()));
    assert_eq!(denied.err().map(|denied| denied.code()), Some("permission_denied"));
}

#[test]
fn every_oracle_of_a_password_has_the_same_budget() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    let full = || world.full(&login);
    let codes = [
        block_on(world.actions.change_password(full(), password(WRONG), password(OTHER)))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.begin_enrolment(full(), password(WRONG)))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.disable_second_factor(full(), password(WRONG), None))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.reauthenticate(full(), password(WRONG), None))
            .err()
            .map(|error| error.code()),
        block_on(world.actions.reauthenticate(full(), password(WRONG), None))
            .err()
            .map(|error| error.code()),
    ];
    assert_eq!(codes, [Some("invalid_credentials"); 5]);
    let (locked, records) = world.recorded(|| {
        block_on(world.actions.change_password(full(), password(RIGHT), password(OTHER)))
            .err()
            .map(|error| error.code())
    });
    assert_eq!(locked, Some("account_locked"));
    assert_eq!(records, ["password_change failure account_locked"]);
    assert_eq!(code_of(try_login(&world, "ada@x.example", RIGHT)), "account_locked");
}

#[test]
fn a_new_password_ends_every_session_and_bad_ones_are_named() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let (one, two) = (world.log_in("ada@x.example"), world.log_in("ada@x.example"));
    let weak = block_on(
        world
            .actions
            .change_password(world.full(&one), password(RIGHT), password("password1")),
    );
    assert_eq!(weak.err().map(|error| error.code()), Some("weak_password"));
    let same = block_on(world.actions.change_password(world.full(&one), password(RIGHT), password(RIGHT)));
    assert_eq!(same.err().map(|error| error.code()), Some("password_unchanged"));
    let (changed, records) = world.recorded(|| block_on(world.actions.change_password(world.full(&one), password(RIGHT), password(OTHER))));
    changed.expect("changed");
    assert_eq!(records, ["password_change success"]);
    for login in [one, two] {
        let token = PlainToken::parse(login.issued.token.expose()).expect("a token");
        assert!(block_on(world.actions.authenticate(token, visitor())).is_err());
    }
    assert_eq!(code_of(try_login(&world, "ada@x.example", OTHER)), "ok");
}

#[test]
fn sessions_are_listed_and_ended_and_the_current_one_is_left() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    world.add("eve@x.example", Role::Viewer);
    let logins: Vec<_> = (0..3).map(|_| world.log_in("ada@x.example")).collect();
    let foreign = world::id_of(&world.log_in("eve@x.example"));
    let full = || world.full(&logins[0]);
    assert_eq!(block_on(world.actions.list_sessions(&full())).expect("listed").live.len(), 3);
    let revoke = |id| block_on(world.actions.revoke_session(full(), id));
    assert!(matches!(revoke(foreign), Err(RevokeSessionError::NotFound)));
    assert!(matches!(revoke(world::id_of(&logins[0])), Err(RevokeSessionError::Current)));
    assert!(revoke(world::id_of(&logins[1])).is_ok());
    assert_eq!(block_on(world.actions.revoke_other_sessions(full())).ok(), Some(1));
    let old = full();
    block_on(world.actions.log_out(SignedIn::Full(full()))).expect("out");
    // A request that was authenticated before the logout does nothing after it.
    let late = block_on(world.actions.revoke_other_sessions(old));
    assert!(matches!(late, Err(RevokeSessionError::SessionEnded)));
}

#[test]
fn reauthenticating_opens_the_window_and_rotates_the_token() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    world.pass(11 * 60);
    let stale = block_on(world.actions.permit::<UsersManage>(world.full(&login).caller()));
    assert_eq!(stale.err().map(|denied| denied.code()), Some("reauthentication_required"));
    assert!(block_on(world.actions.permit::<UsersView>(world.full(&login).caller())).is_ok());
    let issued = block_on(world.actions.reauthenticate(world.full(&login), password(RIGHT), None)).expect("proven");
    let old = PlainToken::parse(login.issued.token.expose()).expect("a token");
    assert!(block_on(world.actions.authenticate(old, visitor())).is_err());
    let fresh = world.signed_in(issued.token.expose());
    assert!(block_on(world.actions.permit::<UsersManage>(fresh.caller())).is_ok());
}

fn new_key(scopes: KeyScopes) -> NewApiKey {
    NewApiKey {
        name: ApiKeyName::parse("deploy").expect("a name"),
        expires_at: None,
        scopes,
        allow_list: AllowList::default(),
    }
}

fn key_caller(world: &World, key: &str) -> Result<Caller, &'static str> {
    let key = PlainApiKey::parse(key).expect("a key");
    let holder = block_on(world.actions.authenticate_key(key, visitor()));
    holder.map(|holder| holder.caller).map_err(|error| error.code())
}

#[test]
fn a_key_is_never_worth_more_than_its_owner_and_ends_with_the_account() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let eve = world.add("eve@x.example", Role::Admin);
    let login = world.log_in("eve@x.example");
    let full = || world.full(&login);
    let plain = block_on(world.actions.make_api_key(full(), new_key(KeyScopes::default()))).expect("made");
    let admin = KeyScopes {
        administration: Administration::Granted,
        ..KeyScopes::default()
    };
    let mighty = block_on(world.actions.make_api_key(full(), new_key(admin))).expect("made");
    let may = |key: &str| block_on(world.actions.permit::<UsersManage>(&key_caller(&world, key).expect("works"))).is_ok();
    assert!(!may(plain.key.expose()) && may(mighty.key.expose()));
    let manage = world.permit::<UsersManage>();
    block_on(world.actions.change_role(&manage, eve.id, Role::Viewer)).expect("demoted");
    assert!(!may(mighty.key.expose()));
    block_on(world.actions.deactivate_user(&manage, eve.id)).expect("off");
    assert_eq!(key_caller(&world, plain.key.expose()).err(), Some("authentication_required"));
    block_on(world.actions.reactivate_user(&manage, eve.id)).expect("on");
    assert_eq!(key_caller(&world, plain.key.expose()).err(), Some("authentication_required"));
    world.verified();
}

#[test]
fn making_a_key_needs_a_fresh_login_and_a_revoked_one_is_refused_and_recorded() {
    let world = World::new();
    world.add("ada@x.example", Role::Editor);
    let login = world.log_in("ada@x.example");
    let made = block_on(world.actions.make_api_key(world.full(&login), new_key(KeyScopes::default()))).expect("made");
    world.pass(11 * 60);
    let stale = block_on(world.actions.make_api_key(world.full(&login), new_key(KeyScopes::default())));
    assert!(matches!(stale, Err(ApiKeyError::ReauthenticationRequired)));
    block_on(world.actions.revoke_api_key(world.full(&login), made.record.id)).expect("revoked");
    let (refused, records) = world.recorded(|| key_caller(&world, made.key.expose()).err());
    assert_eq!(refused, Some("authentication_required"));
    assert_eq!(records, ["api_key_refused denied api-key-revoked"]);
}

#[test]
fn removing_the_second_factor_needs_it() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let (secret, _) = enrol(&world, &{
        let login = world.log_in("ada@x.example");
        world.pass(60);
        login
    });
    world.pass(60);
    let login = block_on(
        world
            .actions
            .verify_second_factor(partial(&world, "ada@x.example"), totp(&secret, &world)),
    )
    .expect("passed");
    world.pass(11 * 60);
    let disable = |code| block_on(world.actions.disable_second_factor(world.full(&login), password(RIGHT), code));
    assert!(matches!(disable(None), Err(DisableFactorError::ReauthenticationRequired)));
    disable(Some(totp(&secret, &world))).expect("proven with a code");
    assert_eq!(code_of(try_login(&world, "ada@x.example", RIGHT)), "ok");
}

#[test]
fn a_role_that_must_have_a_second_factor_does_nothing_before_it_has() {
    let setup = Setup {
        second_factor_roles: vec![Role::Admin],
        ..Setup::default()
    };
    let world = World::with(std::sync::Arc::new(dango_store::MemoryStore::new()), world::identity_key(7), setup);
    world.add("ada@x.example", Role::Admin);
    let login = world.log_in("ada@x.example");
    let restricted = || match world.signed_in(login.issued.token.expose()) {
        SignedIn::Restricted(holder, _) => holder,
        other => panic!("{other:?}"),
    };
    assert!(block_on(world.actions.permit::<UsersView>(restricted().caller())).is_err());
    let begun = block_on(world.actions.begin_enrolment(restricted(), password(RIGHT))).expect("begun");
    let code = app(&begun.secret.expose_base32(), dango_core::Clock::now(&*world.clock));
    let enabled = block_on(world.actions.finish_due_enrolment(restricted(), code)).expect("confirmed");
    let SignedIn::Full(holder) = world.signed_in(enabled.issued.token.expose()) else {
        panic!("released");
    };
    assert!(block_on(world.actions.permit::<UsersView>(holder.caller())).is_ok());
}

#[test]
fn denials_are_recorded_with_actor_and_permission_and_do_not_fill_the_log() {
    let world = World::new();
    world.add("eve@x.example", Role::Viewer);
    let holder = world.session_of("eve@x.example");
    let before = world.records().len();
    for _ in 0..100 {
        assert!(block_on(world.actions.permit::<UsersManage>(holder.caller())).is_err());
    }
    let records: Vec<AuditEvent> = world.records().split_off(before);
    assert_eq!(u32::try_from(records.len()), Ok(dango_actions::DENIALS_A_MINUTE));
    assert_eq!(records[0].actor.label.as_deref(), Some("eve@x.example"));
    assert_eq!(world::detail(&records[0], "permission").as_deref(), Some("users.manage"));
    world.pass(60);
    assert!(block_on(world.actions.permit::<UsersManage>(holder.caller())).is_err());
    assert_eq!(world.records().len(), before + 61);
}

#[test]
fn many_right_logins_of_one_account_at_once_are_all_let_in() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    std::thread::scope(|scope| {
        let logins: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| block_on(world.actions.log_in(&visitor(), "ada@team.example", password(RIGHT), None, None)).map(|_| ()))
            })
            .collect();
        for login in logins {
            let answer = login.join().expect("no panic");
            assert!(answer.is_ok(), "{answer:?}");
        }
    });
    // Nothing is left of them in the budget.
    for _ in 0..4 {
        let wrong = block_on(world.actions.log_in(&visitor(), "ada@team.example", password(WRONG), None, None));
        assert!(matches!(wrong.map(|_| ()), Err(LogInError::InvalidCredentials)));
    }
    assert!(block_on(world.actions.log_in(&visitor(), "ada@team.example", password(RIGHT), None, None)).is_ok());
}

#[test]
fn of_many_wrong_logins_at_once_five_are_looked_at_and_the_rest_finds_a_locked_account() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let answers: Vec<&'static str> = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| block_on(world.actions.log_in(&visitor(), "ada@team.example", password(WRONG), None, None))))
            .collect();
        let code = |answer: Result<LogInStep, LogInError>| answer.map_or_else(|error| error.code(), |_| "let in");
        logins.into_iter().map(|login| code(login.join().expect("no panic"))).collect()
    });
    let count = |code: &str| answers.iter().filter(|answer| **answer == code).count();
    assert_eq!((count("invalid_credentials"), count("account_locked")), (5, 35), "{answers:?}");
}
