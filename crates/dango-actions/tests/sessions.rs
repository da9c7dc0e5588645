//! Session rows that somebody wrote by hand, and sessions used after their end: refused like any other, and recorded by name.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use dango_actions::{AuthenticateError, Caller, DENIALS_A_MINUTE, LetGo, LogInError, LogInStep, Login, Machine, Setup};
use dango_audit::AuditEvent;
use dango_core::{OsEntropy, Timestamp};
use dango_identity::{
    Client, PlainToken, Role, SessionId, SessionLimits, SessionRecord, SessionWrite, Stage, StoreError, TokenDigest, kind,
};
use dango_store::StoreExt;
use sha2::{Digest, Sha256};
use world::{RIGHT, WRONG, World, block_on, browser, id_of, password, visitor};

/// The id of every request of these tests.
const REQUEST: &str = "00000000000000070000000000000001";

/// What comes of a token: nothing, or the refusal.
fn present(world: &World, token: &str, client: Client) -> Option<AuthenticateError> {
    let token = PlainToken::parse(token).expect("a token");
    let caller = Caller::anonymous(client).with_request(REQUEST.parse().expect("an id"));
    block_on(world.actions.authenticate(token, caller)).err()
}

/// Presents a token that must be refused; answers what was recorded.
fn refused(world: &World, token: &str) -> Vec<AuditEvent> {
    let before = world.records().len();
    let error = present(world, token, browser());
    assert!(matches!(error, Some(AuthenticateError::Unauthenticated)), "{error:?}");
    world.records().split_off(before)
}

/// That one record was written, which has this name and is about this session.
#[track_caller]
fn assert_one(records: &[AuditEvent], event: &str, session: SessionId) {
    let [record] = records else {
        panic!("one record: {records:?}");
    };
    assert_eq!(world::summary(record), format!("{event} denied"));
    assert_eq!(record.request_id.as_deref(), Some(REQUEST));
    let text = record.to_json();
    assert!(text.contains(&session.to_string()), "which session it is: {text}");
}

/// Puts a row in the place of another, as somebody could who writes the table by hand.
fn put(world: &World, old: Option<TokenDigest<kind::Session>>, row: SessionRecord) {
    let work: Result<_, StoreError> = block_on(world.store.write(move |tx| {
        Box::pin(async move {
            if let Some(old) = old {
                assert!(tx.end_session(&old).await?);
            }
            tx.insert_session(&row, 20).await
        })
    }));
    assert!(matches!(work, Ok(SessionWrite::Written { .. })));
}

fn row_of(login: &Login) -> SessionRecord {
    login.issued.session.record().clone()
}

/// A row that claims to be somebody's session, for a token that hashes to this.
fn planted(world: &World, like: &SessionRecord, digest: [u8; 32]) -> SessionRecord {
    SessionRecord {
        id: SessionId::make(dango_core::Clock::now(&*world.clock), &OsEntropy).expect("random"),
        digest: TokenDigest::from_bytes(digest),
        mac: [7; 32],
        ..like.clone()
    }
}

#[test]
fn a_row_inserted_for_a_token_of_ones_own_is_refused_and_recorded_once() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    world.add("eve@x.example", Role::Viewer);
    let admin = row_of(&world.log_in("ada@x.example"));

    // What somebody writes who takes the column for a plain hash of the token, or of the bytes behind it.
    let chosen = PlainToken::<kind::Session>::make(&OsEntropy).expect("random");
    let bytes = data_encoding::BASE64URL_NOPAD.decode(chosen.expose().as_bytes()).expect("a token");
    for guess in [chosen.expose().as_bytes(), &bytes] {
        let row = planted(&world, &admin, Sha256::digest(guess).into());
        put(&world, None, row.clone());
        assert_one(&refused(&world, chosen.expose()), "session_row_invalid", row.id);
        let ended: Result<_, StoreError> = block_on(
            world
                .store
                .write(move |tx| Box::pin(async move { tx.end_session(&row.digest).await })),
        );
        assert!(ended.expect("written"));
    }
    assert!(refused(&world, chosen.expose()).is_empty(), "an unknown token is no incident");

    // Eve has seen the digest of her own token, and writes it into a row of the administrator's.
    let eve = world.log_in("eve@x.example");
    let own = row_of(&eve);
    for mac in [[7; 32], own.mac, admin.mac] {
        let row = SessionRecord {
            mac,
            ..planted(&world, &admin, *own.digest.as_bytes())
        };
        put(&world, Some(own.digest), row.clone());
        assert_one(&refused(&world, eve.issued.token.expose()), "session_row_invalid", row.id);
    }
    world.verified();
}

#[test]
fn a_row_changed_by_hand_is_refused_and_recorded_once() {
    type Change = fn(&mut SessionRecord, &SessionRecord);
    let changes: [(&str, Change); 6] = [
        ("user", |row, admin| row.user = admin.user),
        ("stage", |row, _| row.stage = Stage::EnrolmentRequired),
        ("end", |row, admin| row.expires_at = plus(admin.expires_at, 1)),
        ("beginning", |row, _| row.created_at = plus(row.created_at, 60)),
        ("last use", |row, _| row.last_active = plus(row.last_active, 60)),
        ("age of the proof", |row, _| {
            row.auth.stepped_up_at = plus(row.auth.stepped_up_at, 60)
        }),
    ];
    for (what, change) in changes {
        let world = World::new();
        world.add("ada@x.example", Role::Admin);
        world.add("eve@x.example", Role::Viewer);
        let admin = row_of(&world.log_in("ada@x.example"));
        let login = world.log_in("eve@x.example");
        let mut row = row_of(&login);
        change(&mut row, &admin);
        assert_ne!(row, row_of(&login), "{what}");
        put(&world, Some(row.digest), row);
        // Also when the row is due to be written to.
        world.pass(120);
        assert_one(&refused(&world, login.issued.token.expose()), "session_row_invalid", id_of(&login));
    }
}

fn plus(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(at.unix_micros() + seconds * 1_000_000)
}

#[test]
fn a_session_used_after_its_end_is_refused_and_recorded_once() {
    const HOUR: i64 = 60 * 60;
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let idle = world.log_in("ada@x.example");
    world.pass(24 * HOUR + 60);
    assert_one(
        &refused(&world, idle.issued.token.expose()),
        "session_use_after_expire",
        id_of(&idle),
    );

    let busy = world.log_in("ada@x.example");
    for _ in 0..30 {
        let _ = world.full(&busy);
        world.pass(24 * HOUR - 60);
    }
    let _ = world.full(&busy);
    world.pass(HOUR);
    assert_one(
        &refused(&world, busy.issued.token.expose()),
        "session_use_after_expire",
        id_of(&busy),
    );
}

#[test]
fn a_crowd_of_late_requests_neither_fills_the_log_nor_hides_a_forged_row() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let late = world.log_in("ada@x.example");
    world.pass(25 * 60 * 60);
    let forged = world.log_in("ada@x.example");
    let row = SessionRecord {
        stage: Stage::EnrolmentRequired,
        ..row_of(&forged)
    };
    put(&world, Some(row.digest), row);
    // One source: an address, or the network that a provider gives to one customer.
    let sources: [[&str; 2]; 2] = [["192.0.2.7", "192.0.2.7"], ["2001:db8::1", "2001:db8::ffff:2"]];
    for source in sources {
        let from = |address: &str| Client {
            address: Some(address.parse().expect("an address")),
            user_agent: None,
        };
        let ((), records) = world.recorded(|| {
            for number in 0..100 {
                let _ = present(&world, late.issued.token.expose(), from(source[number % 2]));
            }
            for number in 0..100 {
                let _ = present(&world, forged.issued.token.expose(), from(source[number % 2]));
            }
        });
        for event in ["session_use_after_expire denied", "session_row_invalid denied"] {
            let recorded = records.iter().filter(|record| *record == event).count();
            assert_eq!(u32::try_from(recorded), Ok(DENIALS_A_MINUTE), "{event} from {source:?}");
        }
    }
}

/// Logs in in a browser that has this session; answers the new one.
fn log_in_over(world: &World, address: &str, text: &str, earlier: &str) -> Result<Login, LogInError> {
    let caller = Caller::anonymous(browser()).with_request(REQUEST.parse().expect("an id"));
    let earlier = PlainToken::parse(earlier).expect("a token");
    match block_on(world.actions.log_in(&caller, address, password(text), None, Some(earlier)))? {
        LogInStep::Done(login) => Ok(*login),
        LogInStep::SecondFactor(_) => panic!("a second factor is asked for"),
    }
}

#[test]
fn a_login_ends_the_session_that_the_browser_had_whoever_had_it_and_a_refused_one_leaves_it() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let bob = world.add("bob@x.example", Role::Viewer);
    let (one, other) = (world.log_in("bob@x.example"), world.log_in("bob@x.example"));
    let token = one.issued.token.expose();
    let refused = log_in_over(&world, "ada@x.example", WRONG, token).err();
    assert_eq!(refused.map(|error| error.code()), Some("invalid_credentials"));
    assert!(present(&world, token, browser()).is_none());

    let before = world.records().len();
    let login = log_in_over(&world, "ada@x.example", RIGHT, token).expect("logged in");
    assert!(present(&world, token, browser()).is_some());
    for kept in [&login, &other] {
        assert!(present(&world, kept.issued.token.expose(), browser()).is_none());
    }
    // The session is ended as an act of the one whose it was, by the request that logged in.
    let records = world.records();
    let (logout, success) = (&records[before], &records[before + 1]);
    assert_eq!(
        (world::summary(logout).as_str(), world::summary(success).as_str()),
        ("logout success", "login_success success")
    );
    let text = logout.to_json();
    assert!(
        text.contains(&bob.id.to_string()) && text.contains(&id_of(&one).to_string()),
        "{text}"
    );
    assert_eq!(success.session, Some(id_of(&login).to_string()));
    assert!([logout, success].iter().all(|record| record.request_id.as_deref() == Some(REQUEST)));
    world.verified();
}

#[test]
fn the_session_that_a_login_replaces_takes_no_place_from_another() {
    let limits = SessionLimits {
        parallel: 2,
        ..SessionLimits::default()
    };
    let setup = Setup {
        session_limits: limits,
        ..Setup::default()
    };
    let world = World::with(std::sync::Arc::new(dango_store::MemoryStore::new()), world::identity_key(7), setup);
    world.add("ada@x.example", Role::Admin);
    let (elsewhere, here) = (world.log_in("ada@x.example"), world.log_in("ada@x.example"));
    log_in_over(&world, "ada@x.example", RIGHT, here.issued.token.expose()).expect("logged in");
    assert!(present(&world, elsewhere.issued.token.expose(), browser()).is_none());
}

#[test]
fn what_a_login_brings_that_is_no_session_keeps_nobody_out_and_is_recorded() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    let unknown = PlainToken::<kind::Session>::make(&OsEntropy).expect("random");
    let before = world.records().len();
    log_in_over(&world, "ada@x.example", RIGHT, unknown.expose()).expect("logged in");
    assert_eq!(world.records().len(), before + 1, "an unknown token is no incident");

    let earlier = world.log_in("ada@x.example");
    let own = row_of(&earlier);
    let forged = planted(&world, &own, *own.digest.as_bytes());
    put(&world, Some(own.digest), forged.clone());
    let before = world.records().len();
    log_in_over(&world, "ada@x.example", RIGHT, earlier.issued.token.expose()).expect("logged in");
    let records = world.records().split_off(before);
    assert_one(&records[..1], "session_row_invalid", forged.id);
    assert_eq!(world::summary(&records[1]), "login_success success");
    world.verified();
}

#[test]
fn what_ended_a_day_ago_goes_by_itself_and_what_counts_stays() {
    let world = World::new();
    world.add("ada@x.example", Role::Admin);
    world.add("ben@x.example", Role::Viewer);
    let old = world.log_in("ada@x.example");
    let wrong = |address| block_on(world.actions.log_in(&visitor(), address, password(WRONG), None, None)).err();
    assert!(wrong("stranger@x.example").is_some());
    let let_go = || block_on(world.actions.let_go_of_ended(&world.permit::<Machine>())).expect("done");
    // Idle for a day, and a day more, but for a second.
    world.pass(2 * 86_400);
    assert_eq!(let_go(), LetGo::default(), "whoever shows it now is still in the log by name");
    assert!(!refused(&world, old.issued.token.expose()).is_empty());
    let new = world.log_in("ben@x.example");
    world.pass(1);
    let (gone, records) = world.recorded(let_go);
    assert_eq!((gone.sessions, gone.has_more, records.len()), (1, false, 0));
    assert!(present(&world, new.issued.token.expose(), browser()).is_none());
    // A guesser's failures are kept for a month, so that the hard stop counts them all.
    world.pass(27 * 86_400);
    assert_eq!(let_go().attempts, 0);
    world.pass(86_400);
    assert_eq!(let_go().attempts, 1);
    assert_eq!(let_go(), LetGo::default());
}
