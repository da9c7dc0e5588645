//! What is asked at each request, in one statement: whose a token is, and how they stand. One statement is one moment and one round trip.
//! The statement is a function of the database, which keeps its plan: planning it anew took longer than all the rest.
//!
//! How often somebody tried to log in to the account is found by a code of the address, which the program makes and the database cannot.
//! So the statement is asked with the code that the same token led to last time, and again with the right one where that was another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dango_core::Timestamp;
use dango_identity::{AccountKey, ApiKeyRecord, AttemptState, Email, SecondFactorState, StoredSession, TokenDigest, User, kind};
use dango_store::{Admission, AtTheDoor, Budgets, Standing, StoreFailure};

use crate::column::Columns;
use crate::connection::{Row, RowBytes, Statement, query};
use crate::line::{Borrowed, Line};
use crate::migration::{LATEST, let_on, refused_by};
use crate::tables::{api_key, attempt, session, user};

/// Where the columns of each part begin.
const BUDGET: usize = 4;
const USER: usize = 12;
const TOKEN: usize = 24;

/// What stands in the database beside the tables: `$1` is the token's digest, `$2` the account's code. Behind the same columns of the account
/// come those that [`session::stored_behind`] reads, or [`api_key::key_behind`]. `$3` is the version of this program.
const FIND_SESSION: &str = concat!(
    "SELECT ",
    refused_by!("$3"),
    ", found.* FROM dango.session_at_the_door($1, $2) AS found"
);
const FIND_KEY: &str = concat!(
    "SELECT ",
    refused_by!("$3"),
    ", found.* FROM dango.api_key_at_the_door($1, $2) AS found"
);

/// It waits for nobody for long. Nothing is written, but only a server that can be written to knows what was taken away just now: one that
/// follows it refuses to begin.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '5s'";

/// The most tokens of which it is remembered where they led. It is all forgotten then.
const REMEMBERED: usize = 65_536;

/// Where tokens led last time.
#[derive(Default)]
pub(crate) struct Door {
    accounts: Mutex<HashMap<[u8; 32], AccountKey>>,
}

/// What one asking found.
struct Found<R> {
    admission: Admission,
    bearer: Option<(R, User)>,
    has_totp: bool,
    issuer: Option<String>,
    tries: Option<AttemptState>,
}

impl Door {
    /// See [`dango_store::Store::session_at_the_door`].
    pub(crate) async fn session(
        &self,
        line: &Arc<Line>,
        digest: &TokenDigest<kind::Session>,
        budgets: &dyn Budgets,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        self.ask(line, FIND_SESSION, *digest.as_bytes(), session::stored_behind, budgets)
            .await
    }

    /// See [`dango_store::Store::api_key_at_the_door`].
    pub(crate) async fn api_key(
        &self,
        line: &Arc<Line>,
        digest: &TokenDigest<kind::ApiKey>,
        budgets: &dyn Budgets,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        self.ask(line, FIND_KEY, *digest.as_bytes(), api_key::key_behind, budgets).await
    }

    async fn ask<R: Send>(
        &self,
        line: &Arc<Line>,
        sql: &'static str,
        digest: [u8; 32],
        read: fn(&Row<'_>, usize) -> Result<R, StoreFailure>,
        budgets: &dyn Budgets,
    ) -> Result<AtTheDoor<R>, StoreFailure> {
        let mut account = self.accounts().get(&digest).copied();
        loop {
            let code = account.map(|account| account.as_bytes().to_vec());
            let statement = query(sql).bind(digest.to_vec()).bind(code.unwrap_or_default()).bind(LATEST);
            let found = one(line, statement, |row| found(row, read)).await?;
            let Some((row, user)) = found.bearer else {
                return Ok(AtTheDoor {
                    admission: found.admission,
                    bearer: None,
                });
            };
            let right = of(budgets, &user.email);
            if account != Some(right) {
                self.remember(digest, right);
                account = Some(right);
                continue;
            }
            let standing = Standing {
                second_factor: match found.has_totp {
                    true => SecondFactorState::Active,
                    false => SecondFactorState::Absent,
                },
                totp_enabled: found.has_totp,
                oauth_provider: found.issuer,
                // At the beginning of time every lock is still to run out.
                last_lock: found
                    .tries
                    .and_then(|tries| tries.lock(budgets.policy(), Timestamp::from_unix_micros(i64::MIN))),
                user,
            };
            return Ok(AtTheDoor {
                admission: found.admission,
                bearer: Some((row, standing)),
            });
        }
    }

    fn remember(&self, digest: [u8; 32], account: AccountKey) {
        let mut accounts = self.accounts();
        if accounts.len() >= REMEMBERED {
            accounts.clear();
        }
        accounts.insert(digest, account);
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], AccountKey>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(budgets: &dyn Budgets, email: &Email) -> AccountKey {
    budgets.of_strangers(email).account
}

fn found<R>(row: &Row<'_>, read: fn(&Row<'_>, usize) -> Result<R, StoreFailure>) -> Result<Found<R>, StoreFailure> {
    let columns = &mut Columns::of(row);
    let_on(columns)?;
    let (has_totp, issuer) = (columns.flag()?, columns.optional_text()?.map(str::to_owned));
    let admission = columns
        .optional_text()?
        .map(|word| Admission::from_word(word).ok_or_else(|| columns.bad()));
    let admission = admission.transpose()?.unwrap_or_default();
    // A row without its key is none.
    let tries = row.blob_at(BUDGET)?.map(|_| attempt::budget_behind(row, BUDGET)).transpose()?;
    let owner = row.blob_at(USER)?.map(|_| user::user_behind(row, USER)).transpose()?;
    let bearer = owner.map(|owner| Ok((read(row, TOKEN)?, owner))).transpose()?;
    Ok(Found {
        admission,
        bearer,
        has_totp,
        issuer,
        tries: tries.map(|budget| budget.state),
    })
}

/// Reads the one row that there always is. Whoever hangs up meanwhile breaks nothing off: what is asked here lasts shorter than making another
/// connection does.
async fn one<T>(line: &Arc<Line>, statement: Statement, read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
    let (borrowed, line) = (line.borrow().await?, Arc::clone(line));
    let asked = tokio::spawn(async move { ask(&line, borrowed, &statement).await });
    let found = asked.await.unwrap_or(Err(StoreFailure::Interrupted))?;
    let row = found.iter().flatten().next().ok_or(StoreFailure::Foreign)?;
    read(&Row(row))
}

/// Asks on a connection, or on another where that one broke while it was idle.
async fn ask(line: &Line, mut borrowed: Borrowed, statement: &Statement) -> Result<Vec<Vec<RowBytes>>, StoreFailure> {
    let mut found = borrowed.connection.alone(BEGIN, &[statement]).await;
    if let Err(StoreFailure::Unavailable(_)) = found
        && borrowed.is_old
    {
        borrowed = line.renew(borrowed).await?;
        found = borrowed.connection.alone(BEGIN, &[statement]).await;
    }
    // One that has not answered may still be about to. What was refused was answered, and its transaction has ended with it.
    if !matches!(found, Err(StoreFailure::Unavailable(_))) {
        line.give_back(borrowed);
    }
    found
}
