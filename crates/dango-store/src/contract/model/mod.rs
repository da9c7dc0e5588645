//! A backend beside the store in memory: both are told the same at random, and must answer the same.

mod people;
mod proofs;
mod records;
mod step;

use std::sync::{Arc, LazyLock};

use dango_audit::log;
use dango_identity::{
    AccountKey, AttemptKey, ClientClass, Email, LockoutPolicy, LoginCandidate, SecurityEpoch, StoreError, TokenDigest, UserId,
};
use people::{budgets_and_links, people};
use proofs::{factors, keys, sessions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use records::records;
use step::{End, Step, Verb, beginning, steps};

use super::Make;
use super::sample::{Counting, bytes, chain_key, user_id};
use crate::{BoxFuture, Budgets, MemoryStore, Store, StoreExt, StoreFailure, Transaction};

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
    answers.extend(doors(store).await.unwrap_or_else(|failure| vec![format!("{failure:?}")]));
    answers
}

/// What the store says of whoever shows a token that there is, and of one that there is not.
async fn doors(store: &dyn Store) -> Result<Vec<String>, StoreFailure> {
    let digests = store.read(|tx| {
        Box::pin(async move {
            let (mut sessions, mut keys) = (vec![TokenDigest::from_bytes([0; 32])], vec![TokenDigest::from_bytes([0; 32])]);
            for number in 0..4 {
                sessions.extend(tx.sessions_of(user_id(number)).await?.iter().map(|stored| stored.record.digest));
                keys.extend(tx.api_keys_of(user_id(number)).await?.iter().map(|record| record.digest));
            }
            Ok::<_, Ended>((sessions, keys))
        })
    });
    let (sessions, keys) = digests.await.unwrap_or_default();
    let mut answers = Vec::new();
    for digest in sessions {
        answers.push(format!("{:?}", store.session_at_the_door(digest, Arc::new(SampleBudgets)).await?));
    }
    for digest in keys {
        answers.push(format!("{:?}", store.api_key_at_the_door(digest, Arc::new(SampleBudgets)).await?));
    }
    Ok(answers)
}

/// The budgets of the steps, each of which belongs to every other user.
struct SampleBudgets;

impl Budgets for SampleBudgets {
    fn of_strangers(&self, email: &Email) -> AttemptKey {
        let digits = email.as_str().chars().filter_map(|character| character.to_digit(10));
        AttemptKey {
            account: AccountKey::from_bytes(bytes(30, digits.sum::<u32>() % 2)),
            client: ClientClass::Untrusted,
        }
    }

    fn policy(&self) -> &LockoutPolicy {
        static POLICY: LazyLock<LockoutPolicy> = LazyLock::new(LockoutPolicy::default);
        &POLICY
    }
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
            verb if verb <= Verb::TakeFlow as usize => budgets_and_links(tx, step).await,
            verb if verb <= Verb::PurgeSessions as usize => sessions(tx, step).await,
            verb if verb <= Verb::RefundFactor as usize => factors(tx, step).await,
            verb if verb <= Verb::RevokeKeysOf as usize => keys(tx, step).await,
            _ => records(tx, step, entropy).await,
        }
    })
}
