//! Second factors in the ceremony.

use super::*;
use crate::factor::{RecoveryCode, SecondFactors, TotpCode};
use crate::password::PasswordRecord;
use crate::session::{CheckSessionError, IssuedSession};
use crate::testing::{RIGHT, START, WRONG, add_user_with, at, identity_key, race};

const EMAIL: &str = "ana@x.example";

struct House {
    store: MemoryStore,
    user: User,
    factors: SecondFactors,
    secret: Vec<u8>,
    recovery: Vec<String>,
}

/// A user whose app was enrolled with the code of second 0.
fn house() -> House {
    house_with(crate::testing::right_record())
}

/// The same, with this hash of the password.
fn house_with(record: PasswordRecord) -> House {
    let store = MemoryStore::new();
    let user = add_user_with(&store, EMAIL, Role::Editor, StoredPassword::chosen(record, START));
    let factors = SecondFactors::new(&identity_key());
    let enrolment = block_on(factors.begin_enrolment(&mut store.clone(), user.id, ("Dango", EMAIL), at(0), &OsEntropy)).expect("begun");
    let secret = data_encoding::BASE32_NOPAD
        .decode(enrolment.secret.expose_base32().expose().as_bytes())
        .expect("base32");
    let code = TotpCode::parse(&app_code(&secret, at(0))).expect("digits");
    let confirmed = block_on(factors.finish_enrolment(&mut store.clone(), user.id, &code, at(0), &OsEntropy)).expect("confirmed");
    let recovery = confirmed
        .codes
        .codes()
        .iter()
        .map(|code| code.expose_text().expose().to_owned())
        .collect();
    House {
        store,
        user,
        factors,
        secret,
        recovery,
    }
}

/// What an app shows.
fn app_code(secret: &[u8], now: Timestamp) -> String {
    totp_rs::Builder::new()
        .with_secret(secret)
        .build_noncompliant()
        .generate(now.unix_micros() as u64 / 1_000_000)
        .to_string()
}

impl House {
    fn partial(&self, now: Timestamp) -> Session<Partial> {
        partial_session(&self.store, EMAIL, RIGHT, now)
    }

    fn finish(&self, session: Session<Partial>, code: &SecondFactorCode, now: Timestamp) -> Result<SecondFactorPassed, SecondFactorError> {
        let (sessions, rules) = (sessions(), rules());
        block_on(rules.finish_second_factor(&mut self.store.clone(), (&sessions, &self.factors), session, code, now, &OsEntropy))
    }

    fn code(&self, now: Timestamp) -> SecondFactorCode {
        totp(&app_code(&self.secret, now))
    }

    /// A code of the form, and not one that is right around this time.
    fn wrong_code(&self, now: Timestamp) -> SecondFactorCode {
        let near: Vec<String> = [0, 30, 60]
            .map(|seconds| app_code(&self.secret, crate::instant::after(now, std::time::Duration::from_secs(seconds))))
            .to_vec();
        let wrong = (0..)
            .map(|number| format!("{number:06}"))
            .find(|code| !near.contains(code))
            .expect("one of a million");
        totp(&wrong)
    }

    /// The session again, as another request of its holder finds it.
    fn again(&self, issued: &IssuedSession, now: Timestamp) -> Result<AnySession, CheckSessionError> {
        block_on(sessions().check(&mut self.store.clone(), &issued.token, now))
    }

    fn issue_partial(&self, now: Timestamp) -> IssuedSession {
        let LoginStep::SecondFactor(pending) = step(&self.store, EMAIL, RIGHT, now) else {
            panic!("a second factor")
        };
        let new = pending.into_session(Default::default(), None);
        block_on(sessions().begin(&mut self.store.clone(), new, now, &OsEntropy)).expect("issued")
    }
}

fn totp(text: &str) -> SecondFactorCode {
    SecondFactorCode::Totp(TotpCode::parse(text).expect("digits"))
}

fn recovery(text: &str) -> SecondFactorCode {
    SecondFactorCode::Recovery(RecoveryCode::parse(text).expect("a code"))
}

fn into_partial(session: Result<AnySession, CheckSessionError>) -> Session<Partial> {
    match session {
        Ok(AnySession::Partial(session)) => session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_and_a_code_log_in_and_the_partial_session_is_gone() {
    let house = house();
    let partial = house.issue_partial(at(60));
    let passed = house
        .finish(into_partial(house.again(&partial, at(60))), &house.code(at(60)), at(60))
        .expect("passed");
    assert!(matches!(passed.issued.session, AnySession::Full(_)) && passed.obligation.is_none());
    assert_eq!((passed.user.id, passed.recovery_codes_left), (house.user.id, 10));
    assert!(house.again(&partial, at(61)).is_err(), "the partial session is gone");
    assert!(house.again(&passed.issued, at(61)).is_ok());
    assert_eq!(passed.issued.session.record().auth.aal(), crate::session::Aal::Two);
}

#[test]
fn the_code_of_the_enrolment_and_a_code_that_was_used_are_refused() {
    let house = house();
    assert!(matches!(
        house.finish(house.partial(at(1)), &house.code(at(0)), at(1)),
        Err(SecondFactorError::InvalidCode)
    ));
    assert!(house.finish(house.partial(at(60)), &house.code(at(60)), at(60)).is_ok());
    assert!(matches!(
        house.finish(house.partial(at(61)), &house.code(at(60)), at(61)),
        Err(SecondFactorError::InvalidCode)
    ));
}

#[test]
fn of_fifty_logins_with_the_same_code_at_once_one_succeeds() {
    let house = house();
    let sessions: Vec<_> = (0..20).map(|_| house.issue_partial(at(60))).collect();
    let code = app_code(&house.secret, at(60));
    let passed = race(50, |number| {
        let Ok(AnySession::Partial(session)) = house.again(&sessions[number % 20], at(60)) else {
            return false;
        };
        house.finish(session, &totp(&code), at(60)).is_ok()
    });
    assert_eq!(passed.iter().filter(|passed| **passed).count(), 1);
}

#[test]
fn of_twenty_logins_with_the_same_recovery_code_at_once_one_succeeds() {
    let house = house();
    let sessions: Vec<_> = (0..20).map(|_| house.issue_partial(at(60))).collect();
    let left = race(20, |number| {
        let Ok(AnySession::Partial(session)) = house.again(&sessions[number], at(60)) else {
            return None;
        };
        house
            .finish(session, &recovery(&house.recovery[3]), at(60))
            .ok()
            .map(|passed| passed.recovery_codes_left)
    });
    assert_eq!(left.into_iter().flatten().collect::<Vec<_>>(), [9]);
}

#[test]
fn a_right_password_before_every_wrong_code_resets_nothing() {
    let house = house();
    for _ in 0..5 {
        let session = house.partial(at(60));
        assert!(matches!(
            house.finish(session, &house.wrong_code(at(60)), at(60)),
            Err(SecondFactorError::InvalidCode)
        ));
    }
    assert!(matches!(log_in(&house.store, EMAIL, RIGHT, at(60)), Answer::Locked(_)));
}

#[test]
fn passwords_and_codes_are_counted_together_and_only_the_last_factor_clears() {
    let house = house();
    for _ in 0..2 {
        assert_eq!(log_in(&house.store, EMAIL, WRONG, at(60)), Answer::Invalid);
    }
    assert!(house.finish(house.partial(at(60)), &house.wrong_code(at(60)), at(60)).is_err());
    assert!(house.finish(house.partial(at(60)), &house.wrong_code(at(60)), at(60)).is_err());
    assert!(house.finish(house.partial(at(60)), &house.code(at(60)), at(60)).is_ok());
    for _ in 0..4 {
        assert_eq!(log_in(&house.store, EMAIL, WRONG, at(61)), Answer::Invalid);
    }
    assert_eq!(log_in(&house.store, EMAIL, RIGHT, at(61)), Answer::SecondFactor);
}

#[test]
fn the_failure_that_locks_the_account_ends_the_partial_session_for_good() {
    let house = house();
    let partial = house.issue_partial(at(60));
    for _ in 0..5 {
        let session = into_partial(house.again(&partial, at(60)));
        assert!(matches!(
            house.finish(session, &house.wrong_code(at(60)), at(60)),
            Err(SecondFactorError::InvalidCode)
        ));
    }
    let key = rules().account_key(&house.user.email);
    assert!(block_on(house.store.clone().unlock_account(&key, rules().lockout(), at(61))).expect("unlocked"));
    assert!(house.again(&partial, at(61)).is_err());
}

#[test]
fn a_partial_session_of_a_locked_account_is_ended_by_its_next_try() {
    let house = house();
    let partial = house.issue_partial(at(60));
    for _ in 0..5 {
        assert_eq!(log_in(&house.store, EMAIL, WRONG, at(60)), Answer::Invalid);
    }
    let session = into_partial(house.again(&partial, at(60)));
    assert!(matches!(
        house.finish(session, &house.code(at(60)), at(60)),
        Err(SecondFactorError::Locked(Lock::Until(_)))
    ));
    assert!(house.again(&partial, at(60)).is_err());
}

#[test]
fn parallel_guesses_at_the_second_factor_never_exceed_the_budget() {
    let house = house();
    let sessions: Vec<_> = (0..20).map(|_| house.issue_partial(at(60))).collect();
    let guesses = race(60, |number| {
        let Ok(AnySession::Partial(session)) = house.again(&sessions[number % 20], at(60)) else {
            return false;
        };
        matches!(
            house.finish(session, &house.wrong_code(at(60)), at(60)),
            Err(SecondFactorError::InvalidCode)
        )
    });
    assert_eq!(guesses.iter().filter(|guess| **guess).count(), 5);
}

#[test]
fn an_account_that_changes_between_the_factors_lets_nobody_in() {
    let house = house();
    let partial = house.issue_partial(at(60));
    let session = into_partial(house.again(&partial, at(60)));
    let _ = block_on(house.store.clone().deactivate_user(house.user.id, at(60))).expect("off");
    assert!(matches!(
        house.finish(session, &house.code(at(60)), at(60)),
        Err(SecondFactorError::SessionEnded)
    ));
    let _ = block_on(house.store.clone().reactivate_user(house.user.id, at(61))).expect("on");
    assert!(house.again(&partial, at(61)).is_err());
}

#[test]
fn a_login_at_another_provider_stops_at_the_second_factor() {
    let house = house();
    let step = block_on(rules().admit_external(&mut house.store.clone(), &house.user, at(60)))
        .expect("answered")
        .expect("let in");
    let AnySession::Partial(session) = open_session(&house.store, step, at(60)) else {
        panic!("partial")
    };
    let passed = house.finish(session, &house.code(at(60)), at(60)).expect("passed");
    assert!(matches!(passed.issued.session, AnySession::Full(_)));
}

/// Hashes of [`RIGHT`]: bcrypt at cost 12, as earlier Dango versions had it (made with Python's bcrypt 5.0), and Argon2id with less
/// memory (made with argon2-cffi 25.1).
fn outdated() -> [PasswordRecord; 2] {
    [
        "$2b$12$5J/D.l49ZR4OyJz0Cyf2sO2c16HunuiwikY1XOPV4eDeLcnr3w8Ya",
        "$argon2id$v=19$m=7168,t=5,p=1$0CWNNu0Uxl1LPUK6D7Vr7A$XlGn0Fyo+RWICnWDmwJ7aSsyLy6awSd3zLTXsnH7Rrs",
    ]
    .map(|text| PasswordRecord::parse(text).expect("a record"))
}

#[test]
fn an_outdated_hash_is_replaced_when_the_password_is_proven_although_the_second_factor_is_still_to_come() {
    for old in outdated() {
        let house = house_with(old.clone());
        let session = house.partial(at(60));
        let upgraded = stored(&house.store, &house.user).record;
        assert!(
            upgraded.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1,"),
            "{}",
            upgraded.as_str()
        );
        let now = block_on(house.store.clone().find_user(house.user.id))
            .expect("found")
            .expect("there");
        assert_eq!(now.epoch, house.user.epoch, "nothing that was issued ends by it");

        // A wrong code does not undo it, and the login goes on.
        let wrong = house.wrong_code(at(60));
        assert!(matches!(house.finish(session, &wrong, at(60)), Err(SecondFactorError::InvalidCode)));
        assert_eq!(stored(&house.store, &house.user).record.as_str(), upgraded.as_str());
        let session = house.partial(at(90));
        assert!(house.finish(session, &house.code(at(90)), at(90)).is_ok());
        assert_eq!(
            stored(&house.store, &house.user).record.as_str(),
            upgraded.as_str(),
            "it is replaced once"
        );
    }
}

#[test]
fn a_password_that_was_changed_meanwhile_is_not_undone_by_the_replacement_of_its_hash() {
    for old in outdated() {
        let house = house_with(old.clone());
        let checked = begin(&house.store, EMAIL, at(60))
            .expect("admitted")
            .verify(hasher(), &password(RIGHT), &OsEntropy);
        let chosen = StoredPassword::chosen(hasher().hash(&password(WRONG), &OsEntropy).expect("hashed"), at(61));
        let user = house.user.id;
        assert!(block_on(house.store.clone().change_password(user, house.user.epoch, &chosen)).expect("changed"));
        assert!(matches!(settle(&house.store, checked, at(61)), Err(LoginError::InvalidCredentials)));
        assert_eq!(stored(&house.store, &house.user).record.as_str(), chosen.record.as_str());
        let upgrade = hasher().hash(&password(RIGHT), &OsEntropy).expect("hashed");
        assert!(!block_on(house.store.clone().upgrade_password(user, &old, &upgrade)).expect("answered"));
        assert_eq!(stored(&house.store, &house.user).record.as_str(), chosen.record.as_str());
    }
}
