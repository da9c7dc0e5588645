//! Why nothing came of an operation on API keys.

use dango_core::EntropyError;

use crate::id::{ApiKeyId, UserId};
use crate::store::StoreError;

/// No key was made, and none was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeApiKeyError {
    /// The session's holder has to be proven again.
    #[error("making a key needs a proof that is at most minutes old")]
    ProofTooOld,
    /// Keys have to end.
    #[error("a key needs an end")]
    ExpiryRequired,
    /// The end is not in the future.
    #[error("the end of a key lies in the future")]
    ExpiryPast,
    /// The end is too far away.
    #[error("the end of the key is too far away")]
    ExpiryTooFar,
    /// The old key would go on working for too long.
    #[error("the old key would go on working for too long")]
    OverlapTooLong,
    /// The owner may not do what the key should.
    #[error("the key would be allowed more than its owner")]
    ScopeExceedsOwner,
    /// The owner has no such key that could be replaced.
    #[error("no such key that works and is not being replaced")]
    NotFound,
    /// Every key that was made begins like another of the owner's.
    #[error("every key made begins like another")]
    PrefixesTaken,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MakeApiKeyError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProofTooOld => "proof-too-old",
            Self::ExpiryRequired => "expiry-required",
            Self::ExpiryPast => "expiry-past",
            Self::ExpiryTooFar => "expiry-too-far",
            Self::OverlapTooLong => "overlap-too-long",
            Self::ScopeExceedsOwner => "scope-exceeds-owner",
            Self::NotFound => "api-key-not-found",
            Self::PrefixesTaken => "prefixes-taken",
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

/// A key that does not count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckApiKeyError {
    /// No such key.
    #[error("no such key")]
    Unknown,
    /// A row that this program did not write: inserted or changed by hand, or written under another identity key.
    #[error("the row of key {id} was not written under this identity key")]
    RowInvalid {
        /// The id that the row claims.
        id: ApiKeyId,
    },
    /// Somebody ended it.
    #[error("key {id} was revoked")]
    Revoked {
        /// The key.
        id: ApiKeyId,
        /// Whose it was.
        owner: UserId,
    },
    /// Its time is up.
    #[error("key {id} has expired")]
    Expired {
        /// The key.
        id: ApiKeyId,
        /// Whose it was.
        owner: UserId,
    },
    /// Another has taken its place, and somebody still uses it: its family is revoked.
    #[error("key {id} was used after another had taken its place")]
    Retired {
        /// The key.
        id: ApiKeyId,
        /// Whose it was.
        owner: UserId,
        /// How many keys were revoked because of it.
        revoked: u64,
    },
    /// It may not be used from there.
    #[error("key {id} may not be used from this address")]
    AddressRefused {
        /// The key.
        id: ApiKeyId,
        /// Whose it is.
        owner: UserId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CheckApiKeyError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "api-key-unknown",
            Self::RowInvalid { .. } => "api-key-row-invalid",
            Self::Revoked { .. } => "api-key-revoked",
            Self::Expired { .. } => "api-key-expired",
            Self::Retired { .. } => "api-key-retired",
            Self::AddressRefused { .. } => "api-key-address-refused",
            Self::Store(error) => error.code(),
        }
    }
}

/// Nothing was taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportApiKeyError {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportApiKeyError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}
