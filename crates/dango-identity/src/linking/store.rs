//! Where links are kept: the trait that every backend implements.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{ExternalIdentity, LinkPermit};
use crate::account::User;
use crate::id::UserId;
use crate::store::StoreError;

/// An identity at another provider that opens an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose account.
    pub user: UserId,
    /// The identity.
    pub identity: ExternalIdentity,
    /// Since when.
    pub linked_at: Timestamp,
}

/// What became of a new link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum InsertLink {
    /// It is stored, or was already.
    Inserted,
    /// The identity opens another account.
    IdentityTaken,
    /// The user has another identity of this issuer.
    IssuerTaken,
    /// There is no such user.
    NotFound,
}

/// What became of a link that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RemoveLink {
    /// It is gone.
    Removed,
    /// The user has no identity of this issuer linked.
    NotFound,
    /// Without it nothing would open the account.
    LastFactor,
}

/// Links. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait LinkStore: Send {
    /// Finds the user whom an identity opens.
    async fn find_linked(&mut self, identity: &ExternalIdentity) -> Result<Option<User>, StoreError>;

    /// The links of a user, oldest first.
    async fn links_of(&mut self, user: UserId) -> Result<Vec<Link>, StoreError>;

    /// Stores a link that was permitted.
    async fn insert_link(&mut self, permit: &LinkPermit) -> Result<InsertLink, StoreError>;

    /// Stores a link at the first use of a provider, if the user has none at all.
    async fn insert_first_link(&mut self, link: &Link) -> Result<InsertLink, StoreError>;

    /// Removes a link, if the user keeps a password or another link.
    async fn remove_link(&mut self, user: UserId, issuer: &str) -> Result<RemoveLink, StoreError>;
}
