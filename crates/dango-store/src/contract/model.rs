//! A backend beside the store in memory: both are told the same at random, and must answer the same.

use std::sync::Arc;
use std::time::Duration;

use dango_audit::log;
use dango_audit::query::{ActorFilter, Filter, Order, PageLimit};
use dango_audit::{Erasure, Label};
use dango_core::Timestamp;
use dango_identity::{
    AccountKey, ApiKeyUse, AttemptKey, AttemptLimit, BootstrapClaim, ChargedAttempt, Client, ClientClass, ExternalIdentity, Link,
    LockoutPolicy, LoginCandidate, LoginCompletion, Retirement, Role, SecurityEpoch, SessionTouch, Stage, StoreError, TokenDigest,
    TotpStep, UserId,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::Make;
use super::sample::{
    Counting, active_totp, api_key, at, bytes, chain_key, device_id, draft, factor_id, invite, invited, key_id, later, password,
    password_record, pending_totp, recovery, session, session_id, temporary_password, user, user_id,
};
use crate::{BoxFuture, MemoryStore, Store, StoreExt, Transaction};

/// Compares a backend with the store in memory, in so many cases of up to 240 steps in a few transactions each.
///
/// Every method of every store is among the steps. After each transaction, committed or rolled back, all rows are compared.
pub fn agrees_with_memory(make: Make<'_>, cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(&steps(), |transactions| {
        let (store, memory): (Arc<dyn Store>, Arc<dyn Store>) = (make(), Arc::new(MemoryStore::new()));
        let begin = vec![(beginning(), End::Commit)];
        for (number, (steps, end)) in begin.into_iter().chain(transactions).enumerate() {
            let found = pollster::block_on(run(store.as_ref(), number, steps.clone(), end));
            let expected = pollster::block_on(run(memory.as_ref(), number, steps.clone(), end));
            for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
                prop_assert_eq!(found, expected, "step {} of {:?}", number, &steps);
            }
            prop_assert_eq!(found.len(), expected.len());
        }
        Ok::<_, TestCaseError>(())
    });
    if let Err(error) = ran {
        std::panic::resume_unwind(Box::new(error.to_string()));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Commit,
    RollBack,
}

/// A step: what to do, and small numbers that say with what.
#[derive(Clone, Copy, Debug)]
struct Step {
    verb: Verb,
    /// Which user.
    who: u32,
    /// Which session, key, factor, password, …
    what: u32,
    /// A number of seconds.
    when: i64,
    /// Which of two or four ways.
    how: u32,
}

impl Step {
    fn user(self) -> UserId {
        user_id(self.who)
    }

    fn now(self) -> Timestamp {
        at(self.when)
    }

    fn role(self) -> Role {
        [Role::Admin, Role::Editor, Role::Viewer][self.how as usize % 3]
    }
}

macro_rules! verbs {
    ($($verb:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        enum Verb { $($verb),* }

        const VERBS: &[Verb] = &[$(Verb::$verb),*];
    };
}

verbs! {
    InsertUser, InviteUser, FindUser, FindByEmail, Candidate, CompleteLogin, ChangeRole, Deactivate, Reactivate, Delete, ChangeEmail,
    ChangePassword, ResetPassword, ReplaceInvite, FindInvited, AcceptInvite, OfferClaim, IsClaimOpen, UseClaim, Charge, ChargeAndRefund,
    Clear, Unlock, FindLock, Locks, PurgeAttempts, InsertFirstLink, FindLinked, RemoveLink, InsertSession, InsertStaleSession, FindSession,
    Rotate, Touch, ChargeSession, EndSession, EndSessionOf, EndExcept, EndOf, EndAll, PurgeSessions, PutPending, PutActive, Confirm, Advance,
    Consume, ReplaceRecovery, RemoveFactors, ChargeFactor, RefundFactor, InsertKey, RotateKey, FindKey, KeyOf, TouchKey, RevokeKey,
    RevokeFamily, RevokeKeysOf, Record, List, Erase, Prune, BeginAnew,
}

/// The verbs of one store and what more of it is needed, or all: where few are mixed, more of them find something.
const GROUPS: &[(std::ops::RangeInclusive<Verb>, &[Verb])] = &[
    (
        Verb::InsertUser..=Verb::UseClaim,
        &[
            Verb::InsertUser,
            Verb::InsertUser,
            Verb::InviteUser,
            Verb::CompleteLogin,
            Verb::CompleteLogin,
            Verb::ResetPassword,
        ],
    ),
    (Verb::Charge..=Verb::PurgeAttempts, &[Verb::Charge, Verb::Charge, Verb::Charge]),
    (Verb::InsertFirstLink..=Verb::RemoveLink, &[Verb::InviteUser, Verb::Delete]),
    (
        Verb::InsertSession..=Verb::PurgeSessions,
        &[
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::Deactivate,
        ],
    ),
    (
        Verb::PutPending..=Verb::RefundFactor,
        &[
            Verb::PutPending,
            Verb::PutPending,
            Verb::Confirm,
            Verb::Confirm,
            Verb::ChargeFactor,
            Verb::ChargeFactor,
        ],
    ),
    (
        Verb::InsertKey..=Verb::RevokeKeysOf,
        &[Verb::InsertKey, Verb::InsertKey, Verb::InsertKey, Verb::RotateKey],
    ),
    (
        Verb::Record..=Verb::BeginAnew,
        &[Verb::Record, Verb::Record, Verb::Record, Verb::Record, Verb::List, Verb::List],
    ),
    (Verb::InsertUser..=Verb::BeginAnew, &[]),
];

fn steps() -> impl Strategy<Value = Vec<(Vec<Step>, End)>> {
    let ends = prop_oneof![4 => Just(End::Commit), 1 => Just(End::RollBack)];
    let transactions = move |(range, more): (std::ops::RangeInclusive<Verb>, &[Verb])| {
        let verbs = VERBS.iter().filter(|verb| range.contains(verb)).chain(more).copied().collect();
        prop::collection::vec((prop::collection::vec(step(verbs), 10..60), ends.clone()), 2..5)
    };
    prop::sample::select(GROUPS).prop_flat_map(transactions)
}

fn step(verbs: Vec<Verb>) -> impl Strategy<Value = Step> {
    let times = prop::sample::select(vec![0, 1, 599, 600, 3599, 3600, 90_000, 200_000]);
    (prop::sample::select(verbs), 0_u32..4, 0_u32..8, times, 0_u32..4).prop_map(|(verb, who, what, when, how)| Step {
        verb,
        who,
        what,
        when,
        how,
    })
}

/// Two administrators and a viewer with sessions, so that most steps find something.
fn beginning() -> Vec<Step> {
    let step = |verb, who, how| Step {
        verb,
        who,
        what: who,
        when: 0,
        how,
    };
    vec![
        step(Verb::InsertUser, 0, 0),
        step(Verb::InsertUser, 1, 0),
        step(Verb::InsertUser, 2, 2),
        step(Verb::InsertSession, 0, 0),
        step(Verb::InsertSession, 2, 0),
        step(Verb::PutActive, 1, 0),
        step(Verb::InsertKey, 1, 0),
    ]
}

#[derive(Debug)]
enum Ended {
    RolledBack(Vec<String>),
    Failed(String),
}

impl<E: std::error::Error> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(format!("{error:?}"))
    }
}

/// What a store answers to the steps of a transaction, and what is in it afterwards.
async fn run(store: &dyn Store, number: usize, steps: Vec<Step>, end: End) -> Vec<String> {
    let work = store.write(move |tx| {
        Box::pin(async move {
            let mut answers = Vec::new();
            for (at, step) in steps.into_iter().enumerate() {
                let entropy = Counting::from(((number as u64) << 32) + ((at as u64) << 16));
                answers.push(obey(tx, step, &entropy).await?);
            }
            match end {
                End::Commit => Ok(answers),
                End::RollBack => Err(Ended::RolledBack(answers)),
            }
        })
    });
    let mut answers = match work.await {
        Ok(answers) | Err(Ended::RolledBack(answers)) => answers,
        Err(Ended::Failed(error)) => vec![error],
    };
    let dump = store.read(|tx| Box::pin(async move { dump(tx).await }));
    answers.extend(dump.await.unwrap_or_else(|error: Ended| vec![format!("{error:?}")]));
    answers
}

/// Everything that the stores show of themselves.
async fn dump(tx: &mut dyn Transaction) -> Result<Vec<String>, Ended> {
    let mut rows = vec![format!("{:?}", tx.users().await?)];
    for number in 0..4 {
        let id = user_id(number);
        rows.push(candidate(tx.find_candidate(id).await?));
        rows.push(format!("{:?}", tx.sessions_of(id).await?));
        rows.push(format!("{:?} {:?}", tx.pending_totp(id).await?, tx.active_totp(id).await?));
        rows.push(format!("{:?} {}", tx.factors_of(id).await?, tx.count_recovery_codes(id).await?));
        rows.push(format!("{:?}", tx.api_keys_of(id).await?));
        rows.push(format!("{:?}", tx.links_of(id).await?));
    }
    rows.push(format!("{:?}", log::verify(tx, &chain_key(), &[]).await?));
    rows.push(format!("{:?}", tx.head().await?));
    Ok(rows)
}

/// A candidate with the text of the password, which shows nothing of itself.
fn candidate(candidate: Option<LoginCandidate>) -> String {
    let text = candidate
        .as_ref()
        .and_then(|found| found.password.as_ref())
        .map(|password| password.record.as_str());
    format!("{text:?} {candidate:?}")
}

/// The epoch that a user is in.
async fn epoch(tx: &mut dyn Transaction, id: UserId) -> Result<SecurityEpoch, StoreError> {
    Ok(tx.find_user(id).await?.map_or(SecurityEpoch::default(), |user| user.epoch))
}

/// Does what a step says, as far as a real caller could, and answers what the store did.
fn obey<'t>(tx: &'t mut dyn Transaction, step: Step, entropy: &'t Counting) -> BoxFuture<'t, Result<String, Ended>> {
    Box::pin(async move {
        match step.verb as usize {
            verb if verb <= Verb::UseClaim as usize => people(tx, step).await,
            verb if verb <= Verb::RemoveLink as usize => budgets_and_links(tx, step).await,
            verb if verb <= Verb::PurgeSessions as usize => sessions(tx, step).await,
            verb if verb <= Verb::RefundFactor as usize => factors(tx, step).await,
            verb if verb <= Verb::RevokeKeysOf as usize => keys(tx, step).await,
            _ => records(tx, step, entropy).await,
        }
    })
}

async fn people(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    let claim = TokenDigest::from_bytes(bytes(40, step.what % 2));
    let invitation = TokenDigest::from_bytes(bytes(6, step.what));
    Ok(match step.verb {
        Verb::InsertUser => format!("{:?}", tx.insert_user(&user(step.who, step.role(), now)).await?),
        // The invitation of one user must not be another's, too.
        Verb::InviteUser => format!("{:?}", tx.insert_user(&invited(step.who, step.role(), now)).await?),
        Verb::FindUser => format!("{:?}", tx.find_user(id).await?),
        Verb::FindByEmail => {
            let email = format!("USER{}@example.com", step.who).parse().expect("an address");
            format!("{:?}", tx.find_user_by_email(&email).await?)
        }
        Verb::Candidate => {
            let email = format!("USER{}@example.com", step.who).parse().expect("an address");
            candidate(tx.find_candidate_by_email(&email).await?)
        }
        Verb::CompleteLogin => {
            let epoch = if step.how == 0 {
                SecurityEpoch::default()
            } else {
                epoch(tx, id).await?
            };
            let stored = tx
                .find_candidate(id)
                .await?
                .and_then(|found| found.password)
                .map(|stored| stored.record);
            let proven = if step.how == 1 { Some(password_record(99)) } else { stored };
            let upgrade = password_record(step.what);
            let login = LoginCompletion {
                user: id,
                epoch,
                password: proven.as_ref(),
                upgrade: (step.how == 3).then_some(&upgrade),
                now,
            };
            format!("{:?}", tx.complete_login(&login).await?)
        }
        Verb::ChangeRole => format!("{:?}", tx.change_role(id, step.role(), now).await?),
        Verb::Deactivate => format!("{:?}", tx.deactivate_user(id, now).await?),
        Verb::Reactivate => format!("{:?}", tx.reactivate_user(id, now).await?),
        Verb::Delete => format!("{:?}", tx.delete_user(id).await?),
        Verb::ChangeEmail => {
            let email = format!("user{}@example.com", step.what % 6).parse().expect("an address");
            format!("{:?}", tx.change_email(id, &email, now).await?)
        }
        Verb::ChangePassword => {
            let epoch = if step.how == 0 {
                SecurityEpoch::default()
            } else {
                epoch(tx, id).await?
            };
            // A user whom nobody knows has no epoch to be right about.
            if tx.find_user(id).await?.is_none() {
                return Ok("nobody".to_owned());
            }
            format!("{:?}", tx.change_password(id, epoch, &password(step.what, now)).await?)
        }
        Verb::ResetPassword => {
            let new = if step.how == 0 {
                password(step.what, now)
            } else {
                temporary_password(step.what, now)
            };
            format!("{:?}", tx.reset_password(id, &new).await?)
        }
        // Tokens are made once: two users never have the same invitation.
        Verb::ReplaceInvite if step.what % 5 == step.who => format!("{:?}", tx.replace_invite(id, &invite(step.what, now), now).await?),
        Verb::ReplaceInvite => "another's".to_owned(),
        Verb::FindInvited => format!("{:?}", tx.find_invited(&invitation, now).await?),
        Verb::AcceptInvite => format!("{:?}", tx.accept_invite(&invitation, &password(step.what, now), now).await?),
        Verb::OfferClaim => {
            let claim = BootstrapClaim {
                digest: claim,
                expires_at: later(now, 3600),
            };
            format!("{:?}", tx.offer_claim(&claim).await?)
        }
        Verb::IsClaimOpen => format!("{:?}", tx.is_claim_open(&claim, now).await?),
        _ => format!("{:?}", tx.use_claim(&claim, &user(step.who, Role::Admin, now), now).await?),
    })
}

async fn budgets_and_links(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now, policy) = (step.user(), step.now(), LockoutPolicy::default());
    let account = AccountKey::from_bytes(bytes(30, step.what % 2));
    let client = if step.how == 0 {
        ClientClass::Trusted(device_id(step.what % 2))
    } else {
        ClientClass::Untrusted
    };
    let key = AttemptKey { account, client };
    let identity = ExternalIdentity::new(&format!("https://{}.example", step.how % 2), &step.what.to_string()).expect("printable");
    Ok(match step.verb {
        Verb::Charge => {
            let mut answers = Vec::new();
            for _ in 0..3 {
                answers.push(tx.charge_attempt(&key, &policy, now).await?);
            }
            format!("{answers:?}")
        }
        Verb::ChargeAndRefund => {
            let charge = tx.charge_attempt(&key, &policy, now).await?;
            if let dango_identity::Charge::Granted { window } = charge {
                tx.refund_attempt(&ChargedAttempt { key, window }, &policy).await?;
            }
            format!("{charge:?}")
        }
        Verb::Clear => format!("{:?}", tx.clear_attempts(&key).await?),
        Verb::Unlock => format!("{:?}", tx.unlock_account(&account, &policy, now).await?),
        Verb::FindLock => format!("{:?}", tx.find_lock(&key, &policy, now).await?),
        Verb::Locks => {
            let mut locks: Vec<_> = tx.locks(&policy, now).await?;
            locks.sort_by_key(|view| *view.account.as_bytes());
            format!(
                "{:?}",
                locks
                    .iter()
                    .map(|view| (view.account.as_bytes()[31], view.lock))
                    .collect::<Vec<_>>()
            )
        }
        Verb::PurgeAttempts => format!("{:?}", tx.purge_attempts(&policy, now).await?),
        Verb::InsertFirstLink => {
            let link = Link {
                user: id,
                identity,
                linked_at: now,
            };
            format!("{:?}", tx.insert_first_link(&link).await?)
        }
        Verb::FindLinked => format!("{:?}", tx.find_linked(&identity).await?),
        _ => format!("{:?}", tx.remove_link(id, identity.issuer()).await?),
    })
}

async fn sessions(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    let digest = TokenDigest::from_bytes(bytes(2, step.what));
    let epoch = epoch(tx, id).await?;
    let mut record = session(step.what, id, epoch, now);
    if step.how == 1 {
        record.stage = Stage::SecondFactorPending;
    }
    Ok(match step.verb {
        // A session of somebody who is not there, or with the id of another, is made by nobody.
        Verb::InsertSession | Verb::InsertStaleSession if tx.find_user(id).await?.is_none() => "nobody".to_owned(),
        Verb::InsertSession | Verb::InsertStaleSession if taken(tx, step.what).await? => "taken".to_owned(),
        Verb::InsertSession => format!("{:?}", tx.insert_session(&record, 2).await?),
        Verb::InsertStaleSession => {
            record.epoch = epoch.next();
            format!("{:?}", tx.insert_session(&record, 2).await?)
        }
        Verb::FindSession => format!("{:?}", tx.find_session(&digest).await?),
        Verb::Rotate => {
            if let Some(stored) = tx.find_session(&digest).await? {
                record.user = stored.record.user;
                record.epoch = if step.how == 3 { stored.epoch.next() } else { stored.epoch };
            } else if tx.find_user(id).await?.is_none() {
                return Ok("nobody".to_owned());
            }
            if step.how == 2 {
                record.id = session_id(step.what + 1);
            }
            format!("{:?}", tx.rotate_session(&digest, &record, 2).await?)
        }
        Verb::Touch => {
            let touch = SessionTouch {
                last_active: now,
                mac: bytes(10, step.what),
            };
            format!("{:?}", tx.touch_session(&digest, &touch).await?)
        }
        Verb::ChargeSession => {
            let mut answers = Vec::new();
            for _ in 0..3 {
                answers.push(tx.charge_session_attempt(&digest, 2).await?);
            }
            format!("{answers:?}")
        }
        Verb::EndSession => format!("{:?}", tx.end_session(&digest).await?),
        Verb::EndSessionOf => format!("{:?}", tx.end_session_of(id, session_id(step.what)).await?),
        Verb::EndExcept => format!("{:?}", tx.end_sessions_except(id, session_id(step.what)).await?),
        Verb::EndOf => format!("{:?}", tx.end_sessions_of(id).await?),
        Verb::EndAll => format!("{:?}", tx.end_all_sessions().await?),
        _ => format!("{:?}", tx.purge_sessions(now, at(step.when - 1000)).await?),
    })
}

async fn taken(tx: &mut dyn Transaction, number: u32) -> Result<bool, StoreError> {
    Ok(tx.find_session(&TokenDigest::from_bytes(bytes(2, number))).await?.is_some())
}

async fn factors(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    if tx.find_user(id).await?.is_none() {
        return Ok("nobody".to_owned());
    }
    // Ids are made once: those of one user are never another's.
    let number = step.who * 10 + step.what;
    let limit = AttemptLimit {
        attempts: 3,
        window: Duration::from_secs(3600),
    };
    Ok(match step.verb {
        Verb::PutPending | Verb::PutActive if holds(tx, id, number).await? => "taken".to_owned(),
        Verb::PutPending => format!("{:?}", tx.put_pending_totp(&pending_totp(number, id, now)).await?),
        Verb::PutActive => {
            let (record, codes) = (active_totp(number, id, now), recovery(number, id, now));
            format!("{:?}", tx.put_active_totp(&record, &codes).await?)
        }
        Verb::Confirm => {
            let pending = tx.pending_totp(id).await?.map_or(factor_id(number), |record| record.id);
            let (step_number, codes) = (TotpStep::from_number(50), recovery(number, id, now));
            format!("{:?}", tx.confirm_totp(pending, step_number, &codes, now).await?)
        }
        Verb::Advance => {
            let active = tx.active_totp(id).await?.map_or(factor_id(number), |record| record.id);
            format!(
                "{:?}",
                tx.advance_totp_step(active, TotpStep::from_number(48 + u64::from(step.what) * 8))
                    .await?
            )
        }
        Verb::Consume => {
            let set = tx.factors_of(id).await?.len();
            let mut answers = Vec::new();
            for code in 0..100 {
                answers.push(
                    tx.consume_recovery_code(id, &TokenDigest::from_bytes(bytes(7, step.who * 100 + code)))
                        .await?,
                );
            }
            format!("{set} {answers:?}")
        }
        Verb::ReplaceRecovery => format!("{:?}", tx.replace_recovery_codes(&recovery(number, id, now)).await?),
        Verb::RemoveFactors => format!("{:?}", tx.remove_factors(id).await?),
        Verb::ChargeFactor => format!("{:?}", tx.charge_factor_attempt(id, limit, now).await?),
        _ => format!("{:?}", tx.refund_factor_attempt(id, now).await?),
    })
}

/// Whether an enrolment with this number is there already.
async fn holds(tx: &mut dyn Transaction, user: UserId, number: u32) -> Result<bool, StoreError> {
    let held = [tx.pending_totp(user).await?, tx.active_totp(user).await?];
    Ok(held.iter().flatten().any(|record| record.id == factor_id(number)))
}

async fn keys(tx: &mut dyn Transaction, step: Step) -> Result<String, Ended> {
    let (id, now) = (step.user(), step.now());
    if tx.find_user(id).await?.is_none() {
        return Ok("nobody".to_owned());
    }
    let digest = TokenDigest::from_bytes(bytes(4, step.what));
    Ok(match step.verb {
        Verb::InsertKey => format!("{:?}", tx.insert_api_key(&api_key(step.what, id, now)).await?),
        Verb::RotateKey => {
            let old = Retirement {
                id: key_id(step.what),
                until: later(now, 60),
                mac: bytes(11, step.what),
            };
            format!("{:?}", tx.rotate_api_key(&old, &api_key((step.what + 1) % 10, id, now)).await?)
        }
        Verb::FindKey => format!("{:?}", tx.find_api_key(&digest).await?),
        Verb::KeyOf => format!("{:?}", tx.api_key_of(id, key_id(step.what)).await?),
        Verb::TouchKey => {
            let client = if step.how == 0 {
                Client::default()
            } else {
                session(0, id, SecurityEpoch::default(), now).client
            };
            let used = ApiKeyUse { at: now, client };
            format!("{:?}", tx.touch_api_key(key_id(step.what), &used, at(step.when - 60)).await?)
        }
        Verb::RevokeKey => format!("{:?}", tx.revoke_api_key(id, key_id(step.what), now).await?),
        Verb::RevokeFamily => format!("{:?}", tx.revoke_api_key_family(key_id(step.what / 4), now).await?),
        _ => format!("{:?}", tx.revoke_api_keys_of(id, now).await?),
    })
}

async fn records(tx: &mut dyn Transaction, step: Step, entropy: &Counting) -> Result<String, Ended> {
    let key = chain_key();
    let label = format!("user{}@EXAMPLE.com", step.what % 5);
    Ok(match step.verb {
        Verb::Record => format!("{:?}", log::record(tx, &key, entropy, &draft(step.who, step.now())).await?),
        Verb::List => {
            let filter = Filter {
                since: (step.how == 1).then(|| step.now()),
                until: (step.how == 2).then(|| step.now()),
                actor: (step.how == 3).then(|| ActorFilter::new(&label)),
                order: if step.what.is_multiple_of(2) {
                    Order::NewestFirst
                } else {
                    Order::OldestFirst
                },
                ..Filter::default()
            };
            let limit = PageLimit::new(step.what + 1).unwrap_or_default();
            format!("{:?}", log::list(tx, &filter, limit).await?)
        }
        Verb::Erase => {
            let erasure = Erasure::Label(Label::new(&format!("User{}@example.com", step.who)));
            format!("{:?}", log::erase(tx, &key, entropy, &erasure, erased(step)).await?)
        }
        Verb::Prune => format!("{:?}", log::prune(tx, &key, step.now()).await?),
        _ => format!("{:?}", log::begin_anew(tx, &key, entropy, begun(step)).await?),
    })
}

fn erased(step: Step) -> dango_audit::Draft {
    let ended = dango_audit::Stage::Ended(dango_audit::Outcome::Success);
    dango_audit::Draft::new(
        step.now(),
        dango_audit::Event::PersonalDataErased,
        dango_audit::Actor::system(),
        ended,
    )
}

fn begun(step: Step) -> dango_audit::Draft {
    let ended = dango_audit::Stage::Ended(dango_audit::Outcome::Success);
    dango_audit::Draft::new(
        step.now(),
        dango_audit::Event::AuditChainStarted,
        dango_audit::Actor::system(),
        ended,
    )
}
