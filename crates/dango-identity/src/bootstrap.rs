//! The first administrator: a claim that is printed to the terminal once and makes one account, never two.

use std::time::Duration;

use async_trait::async_trait;
use dango_core::{Entropy, EntropyError, Timestamp};

use crate::account::NewUser;
use crate::instant::after;
use crate::key::TokenKey;
use crate::store::StoreError;
use crate::token::{PlainToken, TokenDigest, kind};

/// How long a claim can be used; the next start prints another.
pub const BOOTSTRAP_TTL: Duration = Duration::from_secs(72 * 60 * 60);

/// What is stored of a claim.
#[derive(Clone, Debug)]
pub struct BootstrapClaim {
    /// The digest of the token.
    pub digest: TokenDigest<kind::BootstrapClaim>,
    /// From then on it is void.
    pub expires_at: Timestamp,
}

impl BootstrapClaim {
    /// Makes a claim and its token.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    ///
    /// # Security
    ///
    /// Whoever has the token becomes the administrator. Print it to the terminal of whoever started the server, and never
    /// answer a request with it.
    pub fn make(key: &TokenKey, now: Timestamp, entropy: &dyn Entropy) -> Result<(Self, PlainToken<kind::BootstrapClaim>), EntropyError> {
        let token = PlainToken::make(entropy)?;
        let claim = Self {
            digest: token.digest(key),
            expires_at: after(now, BOOTSTRAP_TTL),
        };
        Ok((claim, token))
    }
}

/// What became of a claim that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum UseClaim {
    /// The administrator is stored; no claim is left.
    Claimed,
    /// It is unknown, used, replaced or expired, or there is an administrator already.
    Gone,
    /// Another user has this address. The claim is still good.
    EmailTaken,
}

/// The claim. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait BootstrapStore: Send {
    /// Puts a claim in the place of any earlier one, if there is no working administrator. Answers whether it happened.
    async fn offer_claim(&mut self, claim: &BootstrapClaim) -> Result<bool, StoreError>;

    /// Whether a claim could be used now. It changes nothing.
    async fn is_claim_open(&mut self, digest: &TokenDigest<kind::BootstrapClaim>, now: Timestamp) -> Result<bool, StoreError>;

    /// Uses a claim: inserts the administrator and removes the claim, if it is there, has not expired and there is no
    /// working administrator.
    async fn use_claim(
        &mut self,
        digest: &TokenDigest<kind::BootstrapClaim>,
        admin: &NewUser,
        now: Timestamp,
    ) -> Result<UseClaim, StoreError>;
}
