//! The rules of sessions against the store in memory.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use dango_core::{OsEntropy, Timestamp};
use pollster::block_on;

use super::*;
use crate::client::{Client, UserAgent};
use crate::epoch::SecurityEpoch;
use crate::factor::ProvenFactor;
use crate::id::{DeviceId, SessionId, UserId};
use crate::instant::after;
use crate::key::IdentityKey;
use crate::memory::MemoryStore;
use crate::token::{PlainToken, kind};

const START: Timestamp = Timestamp::from_unix_micros(1_795_000_000_000_000);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn later(by: u64) -> Timestamp {
    after(START, seconds(by))
}

struct House {
    sessions: Sessions,
    store: MemoryStore,
}

impl House {
    fn new(limits: SessionLimits) -> Self {
        let key = IdentityKey::make(&OsEntropy).expect("random");
        Self {
            sessions: Sessions::new(&key, limits),
            store: MemoryStore::new(),
        }
    }

    fn standard() -> Self {
        Self::new(SessionLimits::default())
    }

    fn try_begin(&mut self, user: UserId, stage: Stage, now: Timestamp) -> Result<IssuedSession, IssueSessionError> {
        let new = NewSession {
            user,
            epoch: SecurityEpoch::default(),
            factors: FactorSet::of(AuthFactor::Password),
            stage,
            client: Client {
                address: Some("192.0.2.7".parse().expect("an address")),
                user_agent: Some(UserAgent::new("Firefox/140")),
            },
            device: DeviceId::make(START, &OsEntropy).ok(),
        };
        block_on(self.sessions.begin(&mut self.store, new, now, &OsEntropy))
    }

    fn begin(&mut self, user: UserId, stage: Stage, now: Timestamp) -> IssuedSession {
        self.try_begin(user, stage, now).expect("issued")
    }

    fn check(&mut self, token: &PlainToken<kind::Session>, now: Timestamp) -> Result<AnySession, CheckSessionError> {
        block_on(self.sessions.check(&mut self.store, token, now))
    }

    fn code(&mut self, token: &PlainToken<kind::Session>, now: Timestamp) -> &'static str {
        self.check(token, now).map_or_else(|error| error.code(), |_| "ok")
    }

    fn full(&mut self, token: &PlainToken<kind::Session>, now: Timestamp) -> Session<Full> {
        match self.check(token, now) {
            Ok(AnySession::Full(session)) => session,
            other => panic!("{other:?}"),
        }
    }

    fn partial(&mut self, token: &PlainToken<kind::Session>, now: Timestamp) -> Session<Partial> {
        match self.check(token, now) {
            Ok(AnySession::Partial(session)) => session,
            other => panic!("{other:?}"),
        }
    }
}

fn user() -> UserId {
    UserId::make(START, &OsEntropy).expect("random")
}

#[test]
fn an_issued_session_is_found_and_says_what_it_was_issued_for() {
    let mut house = House::standard();
    let ada = user();
    let issued = house.begin(ada, Stage::Full, START);
    let session = house.full(&issued.token, later(1));
    assert_eq!(session.user(), ada);
    assert_eq!(session.auth().aal(), Aal::One);
    assert_eq!(
        session.record().client.user_agent.as_ref().map(UserAgent::as_str),
        Some("Firefox/140")
    );
}

#[test]
fn a_token_that_a_client_chose_is_no_session() {
    let mut house = House::standard();
    let chosen = PlainToken::parse(&"A".repeat(43)).expect("a token");
    assert_eq!(house.code(&chosen, START), "session-unknown");
    let issued = house.begin(user(), Stage::Full, START);
    assert_ne!(issued.token.expose(), chosen.expose());
}

/// Every field of the row, changed by somebody who has the database and not the key.
#[test]
fn a_row_changed_by_hand_is_no_session() {
    let eve = user();
    let admin = user();
    type Change = (&'static str, fn(&mut SessionRecord, UserId));
    let changes: [Change; 12] = [
        ("user", |row, admin| row.user = admin),
        ("stage", |row, _| row.stage = Stage::Full),
        ("factors", |row, _| row.auth.factors = row.auth.factors.with(AuthFactor::Totp)),
        ("authenticated_at", |row, _| row.auth.authenticated_at = later(60)),
        ("stepped_up_at", |row, _| row.auth.stepped_up_at = later(60)),
        ("second_factor_at", |row, _| row.auth.second_factor_at = Some(START)),
        ("created_at", |row, _| row.created_at = later(60)),
        ("expires_at", |row, _| row.expires_at = later(1 << 40)),
        ("last_active", |row, _| row.last_active = later(60)),
        ("client", |row, _| row.client = Client::default()),
        ("device", |row, _| row.device = None),
        ("epoch", |row, _| row.epoch = row.epoch.next()),
    ];
    for (field, change) in changes {
        let mut house = House::standard();
        let issued = house.begin(eve, Stage::SecondFactorPending, START);
        let id = issued.session.record().id;
        assert!(house.store.tamper_session(id, |row| change(row, admin)));
        assert_eq!(house.code(&issued.token, later(1)), "session-row-invalid", "{field}");
        let whose = if field == "user" { admin } else { eve };
        let list = block_on(house.sessions.list(&mut house.store, whose, later(1))).expect("a store");
        assert!(list.live.is_empty() && list.invalid == [id], "{field}");
    }
}

#[test]
fn a_row_inserted_or_copied_by_hand_is_no_session() {
    let mut house = House::standard();
    let (eve, admin) = (user(), user());
    let own = house.begin(eve, Stage::Full, START);
    let victim = house.begin(admin, Stage::Full, START).session.record().clone();
    // Eve knows the digest of her own token and puts it into a copy of the admin's row, code and all.
    let forged = SessionRecord {
        digest: own.session.record().digest,
        ..victim.clone()
    };
    let inserted = block_on(house.store.insert_session(&forged, 20)).expect("a store");
    assert!(matches!(inserted, SessionWrite::Written { .. }));
    assert_eq!(house.code(&own.token, later(1)), "session-row-invalid");
}

#[test]
fn a_row_counts_under_the_identity_key_it_was_written_with() {
    let mut house = House::standard();
    let issued = house.begin(user(), Stage::Full, START);
    let other = Sessions::new(&IdentityKey::make(&OsEntropy).expect("random"), SessionLimits::default());
    let found = block_on(other.check(&mut house.store, &issued.token, START));
    assert!(matches!(found, Err(CheckSessionError::Unknown)));
}

#[test]
fn idle_and_absolute_limits_are_exact_in_both_profiles() {
    for profile in [SessionProfile::Standard, SessionProfile::Nist] {
        let limits = profile.limits();
        let mut house = House::new(limits);
        let issued = house.begin(user(), Stage::Full, START);
        let idle = limits.idle.as_secs();
        assert_eq!(house.code(&issued.token, later(idle - 1)), "ok");
        assert_eq!(house.code(&issued.token, later(idle)), "session-idle");

        let absolute = limits.absolute.as_secs();
        let mut now = 0;
        while now + idle - 1 < absolute {
            now += idle - 1;
            let session = house.full(&issued.token, later(now));
            assert!(block_on(house.sessions.touch(&mut house.store, &session, later(now))).expect("a store"));
        }
        assert_eq!(house.code(&issued.token, later(absolute - 1)), "ok");
        assert_eq!(
            house.code(&issued.token, later(absolute)),
            "session-expired",
            "activity passes no absolute limit"
        );
    }
}

#[test]
fn tighter_limits_hold_for_sessions_that_were_issued_before() {
    let key = IdentityKey::make(&OsEntropy).expect("random");
    let mut house = House {
        sessions: Sessions::new(&key, SessionProfile::Standard.limits()),
        store: MemoryStore::new(),
    };
    let issued = house.begin(user(), Stage::Full, START);
    let session = house.full(&issued.token, later(86_000));
    assert!(block_on(house.sessions.touch(&mut house.store, &session, later(86_000))).expect("a store"));
    house.sessions = Sessions::new(&key, SessionProfile::Nist.limits());
    assert_eq!(house.code(&issued.token, later(86_399)), "ok");
    assert_eq!(house.code(&issued.token, later(86_400)), "session-expired");
}

#[test]
fn a_thousand_requests_in_ten_seconds_write_nothing_and_one_a_minute_later_writes_once() {
    let mut house = House::standard();
    let issued = house.begin(user(), Stage::Full, START);
    let mut writes = 0;
    for request in 0..1000 {
        let now = after(START, Duration::from_millis(request * 10));
        let session = house.full(&issued.token, now);
        writes += usize::from(block_on(house.sessions.touch(&mut house.store, &session, now)).expect("a store"));
    }
    assert_eq!(writes, 0);
    let session = house.full(&issued.token, later(60));
    assert!(block_on(house.sessions.touch(&mut house.store, &session, later(60))).expect("a store"));
    assert!(
        !block_on(house.sessions.touch(&mut house.store, &session, later(60))).expect("a store"),
        "not twice"
    );
    assert_eq!(house.full(&issued.token, later(61)).record().last_active, later(60));
}

#[test]
fn a_partial_session_lasts_five_minutes_and_is_never_a_full_one() {
    let mut house = House::standard();
    let issued = house.begin(user(), Stage::SecondFactorPending, START);
    assert!(matches!(house.check(&issued.token, later(299)), Ok(AnySession::Partial(_))));
    assert_eq!(house.code(&issued.token, later(300)), "session-expired");
}

#[test]
fn a_second_factor_makes_a_new_token_and_kills_the_old_one() {
    let mut house = House::standard();
    let ada = user();
    let first = house.begin(ada, Stage::SecondFactorPending, START);
    let partial = house.partial(&first.token, later(10));
    let id = partial.id();
    let proof = ProvenFactor::for_tests(ada, AuthFactor::Totp);
    let complete = house
        .sessions
        .complete(&mut house.store, partial, proof, None, later(20), &OsEntropy);
    let second = block_on(complete).expect("completes");
    assert_eq!(house.code(&first.token, later(21)), "session-unknown");
    let session = house.full(&second.token, later(21));
    assert_eq!(session.id(), id);
    assert_eq!(session.auth().aal(), Aal::Two);
    assert_eq!(session.record().expires_at, after(later(20), SessionLimits::default().absolute));
}

#[test]
fn another_users_second_factor_completes_nothing() {
    let mut house = House::standard();
    let first = house.begin(user(), Stage::SecondFactorPending, START);
    let partial = house.partial(&first.token, START);
    let proof = ProvenFactor::for_tests(user(), AuthFactor::Totp);
    let complete = house.sessions.complete(&mut house.store, partial, proof, None, START, &OsEntropy);
    assert_eq!(block_on(complete).err().map(|error| error.code()), Some("proof-of-another"));
    assert!(matches!(house.check(&first.token, START), Ok(AnySession::Partial(_))));
}

#[test]
fn a_partial_session_is_used_once_however_many_try() {
    let mut house = House::standard();
    let ada = user();
    let first = house.begin(ada, Stage::SecondFactorPending, START);
    let barrier = Barrier::new(50);
    let wins = thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let mut store = house.store.clone();
                let (sessions, token, barrier) = (&house.sessions, &first.token, &barrier);
                scope.spawn(move || {
                    let found = block_on(sessions.check(&mut store, token, START));
                    barrier.wait();
                    let Ok(AnySession::Partial(session)) = found else {
                        return false;
                    };
                    let proof = ProvenFactor::for_tests(ada, AuthFactor::Totp);
                    block_on(sessions.complete(&mut store, session, proof, None, START, &OsEntropy)).is_ok()
                })
            })
            .collect();
        tries
            .into_iter()
            .filter_map(|attempt| attempt.join().ok())
            .filter(|won| *won)
            .count()
    });
    assert_eq!(wins, 1);
}

#[test]
fn parallel_guesses_never_exceed_the_five_of_a_partial_session() {
    let mut house = House::standard();
    let first = house.begin(user(), Stage::SecondFactorPending, START);
    let session = house.partial(&first.token, START);
    let barrier = Barrier::new(40);
    let granted = thread::scope(|scope| {
        let tries: Vec<_> = (0..40)
            .map(|_| {
                let mut store = house.store.clone();
                let (sessions, session, barrier) = (&house.sessions, &session, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    block_on(sessions.charge_attempt(&mut store, session)).expect("a store")
                })
            })
            .collect();
        tries.into_iter().map(|attempt| attempt.join().expect("joins")).collect::<Vec<_>>()
    });
    let mut left: Vec<u32> = granted
        .iter()
        .filter_map(|attempt| match attempt {
            Attempt::Granted { left } => Some(*left),
            Attempt::Refused => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

#[test]
fn a_step_up_opens_the_window_again_and_does_not_lengthen_the_session() {
    let mut house = House::standard();
    let window = house.sessions.limits().step_up;
    let first = house.begin(user(), Stage::Full, START);
    let session = house.full(&first.token, later(600));
    assert!(session.is_fresh(window, later(600)));
    let session = house.full(&first.token, later(660));
    assert!(!session.is_fresh(window, later(660)));
    let expires_at = session.record().expires_at;
    let proven = FactorSet::of(AuthFactor::Password);
    let step_up = house.sessions.step_up(&mut house.store, session, proven, later(660), &OsEntropy);
    let second = block_on(step_up).expect("steps up");
    assert_eq!(house.code(&first.token, later(661)), "session-unknown");
    let session = house.full(&second.token, later(661));
    assert!(session.is_fresh(window, later(661)));
    assert!(!session.auth().has_fresh_second_factor(window, later(661)));
    assert_eq!(session.record().expires_at, expires_at);
}

#[test]
fn an_obligation_restricts_and_its_fulfilment_releases() {
    let mut house = House::standard();
    let first = house.begin(user(), Stage::EnrolmentRequired, START);
    let Ok(AnySession::Restricted(session, Obligation::Enrolment)) = house.check(&first.token, START) else {
        panic!("not restricted");
    };
    let proven = FactorSet::of(AuthFactor::Totp);
    let release = house
        .sessions
        .release(&mut house.store, session, proven, None, later(5), &OsEntropy);
    let second = block_on(release).expect("releases");
    assert_eq!(house.full(&second.token, later(6)).auth().aal(), Aal::Two);
    assert_eq!(house.code(&first.token, later(6)), "session-unknown");

    let later_obligation = house
        .check(&second.token, later(6))
        .expect("full")
        .under(Some(Obligation::PasswordChange));
    assert!(matches!(later_obligation, AnySession::Restricted(_, Obligation::PasswordChange)));
    let partial = house.begin(user(), Stage::SecondFactorPending, START).session;
    assert!(matches!(partial.under(Some(Obligation::PasswordChange)), AnySession::Partial(_)));
}

#[test]
fn everything_of_a_user_ends_at_once_and_a_login_under_way_ends_with_it() {
    let mut house = House::standard();
    let (ada, eve) = (user(), user());
    let tokens = [
        house.begin(ada, Stage::Full, START).token,
        house.begin(ada, Stage::SecondFactorPending, START).token,
        house.begin(ada, Stage::PasswordChangeRequired, START).token,
    ];
    let partial = house.partial(&tokens[1], START);
    let kept = house.begin(eve, Stage::Full, START).token;
    assert_eq!(block_on(house.store.end_sessions_of(ada)).expect("a store"), 3);
    for token in &tokens {
        assert_eq!(house.code(token, later(1)), "session-unknown");
    }
    assert_eq!(house.code(&kept, later(1)), "ok");
    let proof = ProvenFactor::for_tests(ada, AuthFactor::Totp);
    let complete = house
        .sessions
        .complete(&mut house.store, partial, proof, None, later(1), &OsEntropy);
    assert_eq!(block_on(complete).err().map(|error| error.code()), Some("session-stale"));
    let error = house
        .try_begin(ada, Stage::Full, later(1))
        .err()
        .expect("the password was checked before");
    assert_eq!(error.code(), "session-stale");
}

/// A backup that is put back brings the rows back, and raises the epochs.
#[test]
fn a_row_of_an_earlier_epoch_is_no_session() {
    let mut house = House::standard();
    let (ada, eve) = (user(), user());
    let ended = house.begin(ada, Stage::Full, START);
    let rows = [
        ended.session.record().clone(),
        house.begin(eve, Stage::Full, START).session.record().clone(),
    ];
    assert_eq!(block_on(house.store.end_sessions_of(ada)).expect("a store"), 1);
    assert_eq!(block_on(house.store.end_all_sessions()).expect("a store"), 1);
    for row in &rows {
        let refused = block_on(house.store.insert_session(row, 20)).expect("a store");
        assert_eq!(refused, SessionWrite::Stale);
    }
}

#[test]
fn one_more_than_allowed_ends_the_oldest_and_partial_ones_push_out_no_full_one() {
    let limits = SessionLimits {
        parallel: 3,
        ..SessionLimits::default()
    };
    let mut house = House::new(limits);
    let ada = user();
    let first = house.begin(ada, Stage::Full, START);
    let others: Vec<_> = (1..3).map(|at| house.begin(ada, Stage::Full, later(at))).collect();
    for at in 3..10 {
        house.begin(ada, Stage::SecondFactorPending, later(at));
    }
    assert_eq!(house.code(&first.token, later(10)), "ok");
    let fourth = house.begin(ada, Stage::Full, later(11));
    assert_eq!(fourth.evicted, [first.session.record().id]);
    assert_eq!(house.code(&first.token, later(12)), "session-unknown");
    for kept in others.iter().chain([&fourth]) {
        assert_eq!(house.code(&kept.token, later(12)), "ok");
    }
}

#[test]
fn a_user_ends_own_sessions_and_nobody_elses() {
    let mut house = House::standard();
    let (ada, eve) = (user(), user());
    let current = house.begin(ada, Stage::Full, START);
    let other = house.begin(ada, Stage::Full, START);
    let third = house.begin(ada, Stage::SecondFactorPending, START);
    let foreign = house.begin(eve, Stage::Full, START);
    let session = house.full(&current.token, START);
    let mut revoke = |id: SessionId| block_on(house.sessions.revoke(&mut house.store, &session, id)).expect("a store");
    assert_eq!(revoke(foreign.session.record().id), Revocation::NotFound);
    assert_eq!(revoke(session.id()), Revocation::Current);
    assert_eq!(revoke(other.session.record().id), Revocation::Ended);
    assert_eq!(revoke(other.session.record().id), Revocation::NotFound);
    assert_eq!(block_on(house.sessions.end_others(&mut house.store, &session)).expect("a store"), 1);
    assert_eq!(house.code(&third.token, START), "session-unknown");
    assert_eq!(house.code(&current.token, START), "ok");
    assert_eq!(house.code(&foreign.token, START), "ok");
    assert!(block_on(house.sessions.end(&mut house.store, session.record())).expect("a store"));
    assert_eq!(house.code(&current.token, START), "session-unknown");
}

#[test]
fn the_list_has_live_sessions_that_are_logged_in_newest_first() {
    let mut house = House::standard();
    let ada = user();
    let old = house.begin(ada, Stage::Full, START).session.record().id;
    let new = house.begin(ada, Stage::Full, later(60)).session.record().id;
    house.begin(ada, Stage::SecondFactorPending, later(61));
    house.begin(user(), Stage::Full, later(62));
    let mut list = |now| -> Vec<SessionId> {
        let listed = block_on(house.sessions.list(&mut house.store, ada, now)).expect("a store");
        assert!(listed.invalid.is_empty());
        listed.live.iter().map(|record| record.id).collect()
    };
    assert_eq!(list(later(63)), [new, old]);
    assert_eq!(list(later(86_400)), [new], "the idle one is left out");
    let ended = block_on(house.store.ended_sessions(later(400), START, 9)).expect("a store");
    let purged = block_on(house.store.purge_sessions(&ended, START, START)).expect("a store");
    assert_eq!((ended.len(), purged), (1, 0), "what has not ended then stays");
    let purged = block_on(house.store.purge_sessions(&ended, later(400), START)).expect("a store");
    assert_eq!(purged, 1, "the partial one");
}

#[test]
fn a_clock_that_is_set_back_ends_nothing_and_lengthens_nothing() {
    let mut house = House::standard();
    let issued = house.begin(user(), Stage::Full, later(3600));
    let session = house.full(&issued.token, START);
    assert!(!block_on(house.sessions.touch(&mut house.store, &session, START)).expect("a store"));
    assert_eq!(house.full(&issued.token, later(3601)).record().last_active, later(3600));
}

#[test]
fn stages_are_read_back_as_written_and_nothing_else_is_one() {
    for stage in Stage::ALL {
        assert_eq!(stage.as_str().parse(), Ok(stage));
    }
    for bad in ["", "Full", "full ", "admin"] {
        assert!(bad.parse::<Stage>().is_err());
    }
}
