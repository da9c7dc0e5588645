//! A login through a store, for programs that embed people and no more. With sessions, device cookies and audit records it is a use case, and lives above.

use std::sync::Arc;

use dango_core::{Entropy, Timestamp};
use dango_identity::{BeginLoginError, ClientClass, LoginError, LoginRules, LoginStep, Password, PasswordHasher, StoreError};

use crate::store::{Store, StoreExt};

/// Logs somebody in with a password: charges the try in one transaction, compares outside of any, settles it in a second.
///
/// Whatever the answer is, both transactions are committed: a failure that was rolled back would be a guess that was free. The
/// client is a stranger to every account ([`ClientClass::Untrusted`]); no session is issued and nothing is recorded.
///
/// It hashes on the thread that runs it, which takes some 20 ms of a core, and may wait for its turn.
///
/// # Errors
///
/// [`LogInError::Login`] for every reason why nobody is let in; [`LogInError::Begin`] where there were too many failures.
pub async fn log_in(
    store: &dyn Store,
    rules: &Arc<LoginRules>,
    hasher: &PasswordHasher,
    typed_email: &str,
    password: &Password,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<LoginStep, LogInError> {
    let (charging, typed) = (Arc::clone(rules), typed_email.to_owned());
    let begun = store.write(move |tx| {
        Box::pin(async move { Ok::<_, StoreError>(charging.begin_login(tx, &typed, &|_| ClientClass::Untrusted, now).await) })
    });
    let checked = begun.await??.verify(hasher, password, entropy);
    let settling = Arc::clone(rules);
    let settled = store.write(move |tx| Box::pin(async move { Ok::<_, StoreError>(checked.settle(&settling, tx, now).await) }));
    Ok(settled.await??)
}

/// Nobody was logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// The try was not admitted.
    #[error(transparent)]
    Begin(#[from] BeginLoginError),
    /// The try was made and failed.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl LogInError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Begin(error) => error.code(),
            Self::Login(error) => error.code(),
        }
    }
}

impl From<StoreError> for LogInError {
    fn from(error: StoreError) -> Self {
        Self::Login(error.into())
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use dango_identity::{IdentityKey, LockoutPolicy, NewUser, Role, StoredPassword};
    use pollster::block_on;

    use super::*;
    use crate::memory::MemoryStore;

    const RIGHT: &str = "correct horse battery staple";

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).expect("short enough")
    }

    #[test]
    fn failures_are_kept_and_lock_and_the_lock_ends() {
        let (store, key) = (MemoryStore::new(), IdentityKey::make(&OsEntropy).expect("random"));
        let at = |seconds: i64| Timestamp::from_unix_micros(1_795_000_000_000_000 + seconds * 1_000_000);
        let hasher = PasswordHasher::with_defaults(&key, &OsEntropy).expect("random");
        let chosen = StoredPassword::chosen(hasher.hash(&password(RIGHT), &OsEntropy).expect("hashed"), at(0));
        let ana = "ana@example.com".parse().expect("an address");
        let ana = NewUser::with_password(ana, Role::Editor, chosen, at(0), &OsEntropy).expect("random");
        let inserted = store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.insert_user(&ana).await }));
        let _ = block_on(inserted).expect("inserted");

        let rules = Arc::new(LoginRules::new(&key, LockoutPolicy::default()));
        let code = |email: &str, typed: &str, seconds: i64| {
            let step = block_on(log_in(&store, &rules, &hasher, email, &password(typed), at(seconds), &OsEntropy));
            step.map_or_else(|error| error.code(), |_| "ok")
        };
        assert_eq!(code("Ana@Example.com", RIGHT, 1), "ok");
        for email in ["ana@example.com", "nobody@example.com"] {
            let codes = [2, 3, 4, 5, 6, 7].map(|seconds| code(email, "wrong horse battery staple", seconds));
            assert_eq!(codes[..5], ["invalid-credentials"; 5], "{email}");
            assert_eq!(codes[5], "account-locked", "{email}");
        }
        assert_eq!(code("ana@example.com", RIGHT, 8), "account-locked");
        assert_eq!(code("ana@example.com", RIGHT, 8 + 15 * 60), "ok");
    }
}
