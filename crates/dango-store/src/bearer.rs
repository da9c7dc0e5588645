//! What a request asks about whoever shows a token, read in one piece. Nothing of it is checked here.

use std::sync::Arc;

use dango_core::Timestamp;
use dango_identity::{
    ApiKeyRecord, AttemptKey, Email, Lock, LockoutPolicy, SecondFactorState, StoreError, StoredSession, TokenDigest, User, UserId,
    find_second_factor_state, kind,
};

use crate::failure::StoreFailure;
use crate::settings::Admission;
use crate::store::{Store, StoreExt};
use crate::transaction::Transaction;

/// What is known when somebody shows a token, as it was at one moment. Nothing in it has been checked.
#[derive(Clone, Debug)]
pub struct AtTheDoor<R> {
    /// Whether anybody is let in.
    pub admission: Admission,
    /// The row of the token with whoever it belongs to; nothing where there is no such row, or no such user.
    pub bearer: Option<(R, Standing)>,
}

/// An account with what lists and [`AtTheDoor`] show of it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The user.
    pub user: User,
    /// Whether any second factor is active.
    pub second_factor: SecondFactorState,
    /// Whether an app that makes codes is.
    pub totp_enabled: bool,
    /// The issuer of the oldest login at another provider.
    pub oauth_provider: Option<String>,
    /// What locks the account for clients that it does not know, or once did: a lock that has run out is still here.
    pub last_lock: Option<Lock>,
}

impl Standing {
    /// What locks the account at a moment for clients that it does not know.
    pub fn lock(&self, now: Timestamp) -> Option<Lock> {
        self.last_lock.filter(|lock| match lock {
            Lock::Until(end) => now < *end,
            Lock::Stopped => true,
        })
    }
}

/// Where the tries at an account are counted: rows know it by a keyed code of the address, so whoever has the key says which.
pub trait Budgets: Send + Sync {
    /// The budget of clients that an account does not know.
    fn of_strangers(&self, email: &Email) -> AttemptKey;

    /// When a budget is used up.
    fn policy(&self) -> &LockoutPolicy;
}

/// [`Store::session_at_the_door`] by a transaction, which every backend can do.
///
/// # Errors
///
/// [`StoreFailure`] if it cannot be read.
pub async fn session_at_the_door<S: Store + ?Sized>(
    store: &S,
    digest: TokenDigest<kind::Session>,
    budgets: Arc<dyn Budgets>,
) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
    let read = store.read(move |tx| {
        Box::pin(async move {
            let found = tx.find_session(&digest).await.map_err(failure)?;
            at_the_door(tx, found, |row| row.record.user, &*budgets).await.map_err(failure)
        })
    });
    read.await
}

/// [`Store::api_key_at_the_door`] by a transaction, which every backend can do.
///
/// # Errors
///
/// [`StoreFailure`] if it cannot be read.
pub async fn api_key_at_the_door<S: Store + ?Sized>(
    store: &S,
    digest: TokenDigest<kind::ApiKey>,
    budgets: Arc<dyn Budgets>,
) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
    let read = store.read(move |tx| {
        Box::pin(async move {
            let found = tx.find_api_key(&digest).await.map_err(failure)?;
            at_the_door(tx, found, |row| row.owner, &*budgets).await.map_err(failure)
        })
    });
    read.await
}

async fn at_the_door<R: Send>(
    tx: &mut dyn Transaction,
    row: Option<R>,
    owner: fn(&R) -> UserId,
    budgets: &dyn Budgets,
) -> Result<AtTheDoor<R>, StoreError> {
    let admission = tx.admission().await?;
    let owner = row.as_ref().map(owner);
    let user = match owner {
        Some(owner) => tx.find_user(owner).await?,
        None => None,
    };
    let Some((row, user)) = row.zip(user) else {
        return Ok(AtTheDoor { admission, bearer: None });
    };
    let links = tx.links_of(user.id).await?;
    let standing = Standing {
        second_factor: find_second_factor_state(tx, user.id).await?,
        totp_enabled: tx.active_totp(user.id).await?.is_some(),
        oauth_provider: links.into_iter().next().map(|link| link.identity.issuer().to_owned()),
        // At the beginning of time every lock is still to run out.
        last_lock: tx
            .find_lock(
                &budgets.of_strangers(&user.email),
                budgets.policy(),
                Timestamp::from_unix_micros(i64::MIN),
            )
            .await?,
        user,
    };
    Ok(AtTheDoor {
        admission,
        bearer: Some((row, standing)),
    })
}

fn failure(error: StoreError) -> StoreFailure {
    match StoreFailure::within(&error) {
        Some(failure) => failure.clone(),
        None => StoreFailure::unavailable(error),
    }
}
