//! First factors.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::*;
use crate::account::NewUser;
use crate::bootstrap::BootstrapStore;
use crate::id::DeviceId;
use crate::invite::Invite;
use crate::password::{HashPasswordError, HashingCost, HashingGate, PasswordHasher, PasswordRecord, Pepper};
use crate::session::Stage;
use crate::temporary::{hash_temporary_password, make_temporary_password};
use crate::testing::{RIGHT, START, WRONG, add_user, add_user_with, at, hashes_of, identity_key, race, right_record, token_key};

const EMAIL: &str = "ana@x.example";

fn house() -> (MemoryStore, User) {
    let store = MemoryStore::new();
    let user = add_user(&store, EMAIL, Role::Editor);
    (store, user)
}

#[test]
fn the_right_password_logs_in_by_any_spelling_of_the_address() {
    let (store, user) = house();
    for spelling in [EMAIL, "ANA@X.example", " ａｎａ@x.example "] {
        assert_eq!(log_in(&store, spelling, RIGHT, at(1)), Answer::Done(None), "{spelling}");
    }
    assert_eq!(log_in(&store, EMAIL, WRONG, at(2)), Answer::Invalid);
    let found = block_on(store.clone().find_user(user.id)).expect("found").expect("there");
    assert_eq!(found.last_login, Some(at(1)));
    assert_eq!(full_session(&store, EMAIL, RIGHT, at(3)).record().stage, Stage::Full);
}

#[test]
fn unknown_inactive_invited_and_wrong_are_one_answer_and_one_lock() {
    let (store, _) = house();
    let off = add_user(&store, "off@x.example", Role::Viewer);
    let _ = block_on(store.clone().deactivate_user(off.id, START)).expect("off");
    let (invite, _) = Invite::make(&token_key(), START, &OsEntropy).expect("random");
    let invited = NewUser::invited(
        "invited@x.example".parse().expect("an address"),
        Role::Viewer,
        invite,
        START,
        &OsEntropy,
    )
    .expect("random");
    let _ = block_on(store.clone().insert_user(&invited)).expect("inserted");
    let answers = |email: &str, typed: &str| -> Vec<Answer> { (0..7).map(|second| log_in(&store, email, typed, at(second))).collect() };
    let wrong = answers(EMAIL, WRONG);
    assert_eq!(wrong[..5], vec![Answer::Invalid; 5]);
    assert_eq!(wrong[5..], vec![Answer::Locked(Lock::Until(at(4 + 15 * 60))); 2]);
    for email in ["off@x.example", "invited@x.example", "nobody@x.example", "no address at all"] {
        assert_eq!(answers(email, RIGHT), wrong, "{email}");
    }
}

#[test]
fn whoever_is_refused_and_why_it_is_one_hash_of_the_same_cost() {
    let (store, _) = house();
    // As it stands in every store: read back from its text.
    let stored = PasswordRecord::parse(right_record().as_str()).expect("a stored password");
    let of_a_login = hashes_of(|| hasher().verify(&password(WRONG), Some(&stored))).1;
    assert_eq!(of_a_login, [(19_456, 2, 1, true, 16, 32)]);
    let off = add_user(&store, "off@x.example", Role::Viewer);
    let _ = block_on(store.clone().deactivate_user(off.id, START)).expect("off");
    for (email, typed) in [
        (EMAIL, WRONG),
        ("off@x.example", RIGHT),
        ("off@x.example", WRONG),
        ("nobody@x.example", RIGHT),
        ("no address at all", WRONG),
    ] {
        let (answer, hashes) = hashes_of(|| log_in(&store, email, typed, START));
        assert_eq!((answer, hashes), (Answer::Invalid, of_a_login.clone()), "{email}");
    }
    let (_, hashes) = hashes_of(|| log_in(&store, EMAIL, RIGHT, START));
    assert_eq!(hashes, of_a_login);
}

#[test]
fn a_locked_account_refuses_the_right_password_until_the_last_second() {
    let (store, _) = house();
    for _ in 0..5 {
        assert_eq!(log_in(&store, EMAIL, WRONG, START), Answer::Invalid);
    }
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(899)), Answer::Locked(Lock::Until(at(900))));
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(900)), Answer::Done(None));
}

#[test]
fn a_login_forgets_the_failures_before_it() {
    let (store, _) = house();
    for round in 0..3 {
        for _ in 0..4 {
            assert_eq!(log_in(&store, EMAIL, WRONG, at(round)), Answer::Invalid);
        }
        assert_eq!(log_in(&store, EMAIL, RIGHT, at(round)), Answer::Done(None));
    }
}

#[test]
fn a_hundred_guesses_at_once_are_five_guesses() {
    let (store, _) = house();
    for (email, round) in [(EMAIL, 0), ("nobody@x.example", 1)] {
        let answers = race(100, |_| log_in(&store, email, WRONG, at(round)));
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Invalid).count(), 5, "{email}");
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Invalid | Answer::Locked(_))));
    }
}

#[test]
fn strangers_do_not_lock_out_a_browser_that_the_account_knows() {
    let (store, _) = house();
    let device = ClientClass::Trusted(DeviceId::make(START, &OsEntropy).expect("random"));
    for _ in 0..6 {
        let _ = log_in(&store, EMAIL, WRONG, START);
    }
    assert!(matches!(log_in(&store, EMAIL, RIGHT, at(1)), Answer::Locked(_)));
    assert_eq!(log_in_as(&store, EMAIL, RIGHT, device, at(1)), Answer::Done(None));
    for _ in 0..5 {
        assert_eq!(log_in_as(&store, EMAIL, WRONG, device, at(2)), Answer::Invalid);
    }
    assert!(matches!(log_in_as(&store, EMAIL, RIGHT, device, at(2)), Answer::Locked(_)));
    let key = rules().account_key(&EMAIL.parse().expect("an address"));
    assert!(block_on(store.clone().unlock_account(&key, rules().lockout(), at(3))).expect("unlocked"));
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(3)), Answer::Done(None));
    assert_eq!(log_in_as(&store, EMAIL, RIGHT, device, at(3)), Answer::Done(None));
    assert!(!block_on(store.clone().unlock_account(&key, rules().lockout(), at(4))).expect("unlocked"));
}

#[test]
fn every_question_for_a_password_shares_the_budget() {
    let (store, _) = house();
    let session = full_session(&store, EMAIL, RIGHT, START);
    let check = |typed: &str| {
        let check = block_on(rules().begin_password_check(&mut store.clone(), &session, at(1)))?;
        let checked = check.verify(hasher(), &password(typed));
        Ok(block_on(checked.settle(&rules(), &mut store.clone(), at(1))))
    };
    for _ in 0..3 {
        assert!(matches!(check(WRONG), Ok(Err(LoginError::InvalidCredentials))));
    }
    assert!(matches!(check(RIGHT), Ok(Ok(_))), "a right one costs nothing");
    for _ in 0..2 {
        assert_eq!(log_in(&store, EMAIL, WRONG, at(1)), Answer::Invalid);
    }
    let refused: Result<Result<ProvenPassword, _>, BeginCheckError> = check(RIGHT);
    assert!(matches!(refused, Err(BeginCheckError::Begin(BeginLoginError::Locked { .. }))));
    assert!(matches!(log_in(&store, EMAIL, RIGHT, at(1)), Answer::Locked(_)));
}

#[test]
fn who_guesses_within_a_session_gets_no_second_budget_outside_of_it() {
    let (store, _) = house();
    let device = DeviceId::make(START, &OsEntropy).expect("random");
    let LoginStep::Done(authenticated) = step(&store, EMAIL, RIGHT, START) else {
        panic!("done")
    };
    let new = authenticated.into_session(Default::default(), Some(device));
    let issued = block_on(sessions().begin(&mut store.clone(), new, START, &OsEntropy)).expect("issued");
    let AnySession::Full(session) = issued.session else {
        panic!("full")
    };
    let begin_check = || block_on(rules().begin_password_check(&mut store.clone(), &session, at(1)));
    // Strangers cannot keep the session from proving itself.
    for _ in 0..5 {
        assert_eq!(log_in(&store, EMAIL, WRONG, START), Answer::Invalid);
    }
    let checked = begin_check().expect("admitted").verify(hasher(), &password(RIGHT));
    assert!(block_on(checked.settle(&rules(), &mut store.clone(), at(1))).is_ok());
    assert!(
        matches!(log_in(&store, EMAIL, RIGHT, at(2)), Answer::Locked(_)),
        "nor does that unlock them"
    );
    let key = rules().account_key(&EMAIL.parse().expect("an address"));
    let _ = block_on(store.clone().unlock_account(&key, rules().lockout(), at(3))).expect("unlocked");
    for _ in 0..5 {
        let checked = begin_check().expect("admitted").verify(hasher(), &password(WRONG));
        assert!(block_on(checked.settle(&rules(), &mut store.clone(), at(1))).is_err());
    }
    assert!(begin_check().is_err());
    assert!(matches!(log_in(&store, EMAIL, RIGHT, at(1)), Answer::Locked(_)));
}

#[test]
fn what_changes_between_the_two_transactions_counts() {
    type Change = fn(&MemoryStore, &User);
    let changes: [(&str, Change); 4] = [
        ("switched off", |store, user| {
            let _ = block_on(store.clone().deactivate_user(user.id, at(1))).expect("changed");
        }),
        ("deleted", |store, user| {
            let _ = block_on(store.clone().delete_user(user.id)).expect("changed");
        }),
        ("changed its password", |store, user| {
            let new = StoredPassword::chosen(right_record(), at(1));
            assert!(block_on(store.clone().change_password(user.id, user.epoch, &new)).expect("changed"));
        }),
        ("moved to another address", |store, user| {
            let _ = block_on(
                store
                    .clone()
                    .change_email(user.id, &"eva@x.example".parse().expect("an address"), at(1)),
            )
            .expect("changed");
        }),
    ];
    for (what, change) in changes {
        let (store, user) = house();
        let checked = begin(&store, EMAIL, START)
            .expect("admitted")
            .verify(hasher(), &password(RIGHT), &OsEntropy);
        change(&store, &user);
        assert!(
            matches!(settle(&store, checked, at(2)), Err(LoginError::InvalidCredentials)),
            "{what}"
        );
    }
}

#[test]
fn a_try_that_could_not_be_computed_costs_nothing() {
    let (store, _) = house();
    let gate = Arc::new(HashingGate::new(NonZeroUsize::MIN, 0));
    let busy = PasswordHasher::new(
        HashingCost::FLOOR,
        Pepper::derive(&identity_key()),
        Vec::new(),
        Arc::clone(&gate),
        &OsEntropy,
    )
    .expect("random");
    for _ in 0..20 {
        let attempt = begin(&store, EMAIL, START).expect("admitted");
        let checked = gate.enter(|| attempt.verify(&busy, &password(WRONG), &OsEntropy)).expect("inside");
        assert!(matches!(
            settle(&store, checked, START),
            Err(LoginError::Hash(HashPasswordError::Busy(_)))
        ));
    }
    assert_eq!(log_in(&store, EMAIL, RIGHT, START), Answer::Done(None));
}

#[test]
fn an_attempt_that_is_dropped_stays_a_failure() {
    let (store, _) = house();
    for _ in 0..5 {
        drop(begin(&store, EMAIL, START).expect("admitted"));
    }
    assert!(matches!(begin(&store, EMAIL, START), Err(BeginLoginError::Locked { .. })));
}

/// Made with Python's bcrypt 5.0 at cost 4, as earlier Dango versions did at 12.
const BCRYPT: &str = "$2b$04$3mjYxe0RJZ/E94GT7rNGsuDMbqw0bZN2tYh0Oi3iLlJ9Cq3eERo/y";

#[test]
fn a_hash_of_an_earlier_version_is_replaced_at_the_first_login() {
    let store = MemoryStore::new();
    let old = StoredPassword::chosen(PasswordRecord::parse(BCRYPT).expect("a record"), START);
    let user = add_user_with(&store, EMAIL, Role::Editor, old);
    assert_eq!(log_in(&store, EMAIL, WRONG, START), Answer::Invalid);
    assert_eq!(stored(&store, &user).record.as_str(), BCRYPT);
    assert_eq!(log_in(&store, EMAIL, RIGHT, START), Answer::Done(None));
    let upgraded = stored(&store, &user).record;
    assert!(upgraded.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1,"));
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(1)), Answer::Done(None));
    assert_eq!(stored(&store, &user).record.as_str(), upgraded.as_str());
}

#[test]
fn two_logins_at_once_that_replace_one_hash_both_succeed() {
    let store = MemoryStore::new();
    let old = StoredPassword::chosen(PasswordRecord::parse(BCRYPT).expect("a record"), START);
    let user = add_user_with(&store, EMAIL, Role::Editor, old);
    let verify = || {
        begin(&store, EMAIL, START)
            .expect("admitted")
            .verify(hasher(), &password(RIGHT), &OsEntropy)
    };
    let (one, two) = (verify(), verify());
    assert!(matches!(settle(&store, one, START), Ok(LoginStep::Done(_))));
    let upgraded = stored(&store, &user).record;
    assert!(matches!(settle(&store, two, START), Ok(LoginStep::Done(_))));
    assert_eq!(stored(&store, &user).record.as_str(), upgraded.as_str(), "it is replaced once");

    // But not where the password itself was changed between the two steps.
    let late = verify();
    let chosen = StoredPassword::chosen(hasher().hash(&password(WRONG), &OsEntropy).expect("hashed"), at(1));
    assert!(block_on(store.clone().reset_password(user.id, &chosen)).expect("reset").is_some());
    assert!(matches!(settle(&store, late, at(1)), Err(LoginError::InvalidCredentials)));
    assert_eq!(stored(&store, &user).record.as_str(), chosen.record.as_str());
}

#[test]
fn a_temporary_password_opens_one_login_within_a_day_and_has_to_be_changed() {
    let store = MemoryStore::new();
    let temporary = make_temporary_password(&OsEntropy).expect("random");
    let typed = temporary.expose().to_owned();
    let made = hash_temporary_password(&temporary, hasher(), START, &OsEntropy).expect("hashed");
    let user = add_user_with(&store, EMAIL, Role::Editor, made.clone());
    let late = add_user_with(&store, "late@x.example", Role::Editor, made.clone());
    let day = 24 * 60 * 60;
    assert_eq!(log_in(&store, "late@x.example", &typed, at(day)), Answer::Invalid);
    assert!(late.must_change_password);

    let step = step(&store, EMAIL, &typed, at(day - 1));
    assert!(matches!(&step, LoginStep::Done(done) if done.obligation() == Some(Obligation::PasswordChange)));
    let AnySession::Restricted(session, Obligation::PasswordChange) = open_session(&store, step, at(day - 1)) else {
        panic!("restricted")
    };
    assert_eq!(log_in(&store, EMAIL, &typed, at(day - 1)), Answer::Invalid, "it is used up");

    let check = |now| {
        block_on(rules().begin_password_check(&mut store.clone(), &session, now))
            .expect("admitted")
            .verify(hasher(), &temporary)
    };
    assert!(
        block_on(check(at(day)).settle(&rules(), &mut store.clone(), at(day))).is_err(),
        "void after a day"
    );
    let proven = block_on(check(at(day - 1)).settle(&rules(), &mut store.clone(), at(day - 1))).expect("still the current password");
    assert_eq!(check_new_password(&temporary, &password(&typed)), Err(PasswordUnchanged));
    assert_eq!(check_new_password(&temporary, &password(RIGHT)), Ok(()));
    let chosen = StoredPassword::chosen(right_record(), at(day - 1));
    assert!(block_on(store.clone().change_password(proven.user(), proven.epoch(), &chosen)).expect("stored"));
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(day + 1)), Answer::Done(None));
    assert!(
        !block_on(store.clone().find_user(user.id))
            .expect("found")
            .expect("there")
            .must_change_password
    );
}

#[test]
fn a_temporary_password_opens_one_login_however_many_try_at_once() {
    let store = MemoryStore::new();
    let temporary = make_temporary_password(&OsEntropy).expect("random");
    let made = hash_temporary_password(&temporary, hasher(), START, &OsEntropy).expect("hashed");
    let _ = add_user_with(&store, EMAIL, Role::Editor, made);
    let answers = race(5, |_| log_in(&store, EMAIL, temporary.expose(), at(1)));
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::Done(_))).count(), 1);
}

#[test]
fn a_role_that_must_have_a_second_factor_can_only_enrol() {
    let (store, user) = house();
    let strict = rules().with_second_factor_for(&[Role::Editor]);
    let checked = begin(&store, EMAIL, START)
        .expect("admitted")
        .verify(hasher(), &password(RIGHT), &OsEntropy);
    let Ok(LoginStep::Done(done)) = block_on(checked.settle(&strict, &mut store.clone(), START)) else {
        panic!("done")
    };
    assert_eq!(done.obligation(), Some(Obligation::Enrolment));
    assert_eq!(done.into_session(Default::default(), None).stage, Stage::EnrolmentRequired);
    assert_eq!(strict.obligation(&user, SecondFactorState::Active), None);
    let both = User {
        must_change_password: true,
        ..user
    };
    assert_eq!(
        strict.obligation(&both, SecondFactorState::Absent),
        Some(Obligation::PasswordChange)
    );
}

#[test]
fn a_login_at_another_provider_goes_through_the_same_gates() {
    let (store, user) = house();
    let admit = |user: &User, now| block_on(rules().admit_external(&mut store.clone(), user, now)).expect("answered");
    assert!(matches!(admit(&user, START), Some(LoginStep::Done(done)) if done.obligation().is_none()));
    let temporary = hash_temporary_password(&password(RIGHT), hasher(), START, &OsEntropy).expect("hashed");
    let due = block_on(store.clone().reset_password(user.id, &temporary))
        .expect("reset")
        .expect("there");
    assert!(matches!(admit(&due, START), Some(LoginStep::Done(done)) if done.obligation() == Some(Obligation::PasswordChange)));
    assert!(admit(&user, START).is_none(), "everything issued before has ended");
    let _ = block_on(store.clone().deactivate_user(user.id, at(1))).expect("off");
    let off = block_on(store.clone().find_user(user.id)).expect("found").expect("there");
    assert!(admit(&off, at(2)).is_none());
}

#[test]
fn a_claim_makes_an_administrator_who_can_log_in() {
    let store = MemoryStore::new();
    let (claim, token) = crate::bootstrap::BootstrapClaim::make(&token_key(), START, &OsEntropy).expect("random");
    assert!(block_on(store.clone().offer_claim(&claim)).expect("offered"));
    let chosen = StoredPassword::chosen(right_record(), START);
    let admin = NewUser::with_password(EMAIL.parse().expect("an address"), Role::Admin, chosen, START, &OsEntropy).expect("random");
    let used = block_on(store.clone().use_claim(&token.digest(&token_key()), &admin, at(1))).expect("used");
    assert_eq!(used, crate::bootstrap::UseClaim::Claimed);
    assert_eq!(log_in(&store, EMAIL, RIGHT, at(2)), Answer::Done(None));
}
