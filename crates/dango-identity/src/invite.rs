//! Invitations: a link with which a new user chooses a password, once, within three days.

use std::time::Duration;

use async_trait::async_trait;
use dango_core::{Entropy, EntropyError, Timestamp};

use crate::account::{StoredPassword, User};
use crate::id::{InviteId, UserId};
use crate::instant::after;
use crate::key::TokenKey;
use crate::store::StoreError;
use crate::token::{PlainToken, TokenDigest, kind};

/// How long an invitation can be accepted.
pub const INVITE_TTL: Duration = Duration::from_secs(72 * 60 * 60);

/// What is stored of an invitation. Address and role are the user's: nothing in the link or in what is sent with it
/// can choose them.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The id, for audit records.
    pub id: InviteId,
    /// The digest of the token in the link.
    pub digest: TokenDigest<kind::Invite>,
    /// From then on it is void.
    pub expires_at: Timestamp,
}

impl Invite {
    /// Makes an invitation and the token for its link, which is shown once.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(key: &TokenKey, now: Timestamp, entropy: &dyn Entropy) -> Result<(Self, PlainToken<kind::Invite>), EntropyError> {
        let token = PlainToken::make(entropy)?;
        let invite = Self {
            id: InviteId::make(now, entropy)?,
            digest: token.digest(key),
            expires_at: after(now, INVITE_TTL),
        };
        Ok((invite, token))
    }
}

/// What became of a new invitation for somebody who was invited before.
#[derive(Clone, Debug)]
#[must_use]
pub enum ReplaceInvite {
    /// It is stored; every earlier link is dead.
    Replaced(User),
    /// There is no such user.
    NotFound,
    /// The account is switched off.
    Inactive,
    /// The user has a password already; a reset is what helps.
    AlreadyAccepted,
}

/// Invitations. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait InviteStore: Send {
    /// Puts an invitation in the place of all earlier ones of a user who has not accepted one yet.
    async fn replace_invite(&mut self, user: UserId, invite: &Invite, now: Timestamp) -> Result<ReplaceInvite, StoreError>;

    /// Finds the user whom a link invites, if it could be accepted now. It changes nothing, however often it is called.
    async fn find_invited(&mut self, digest: &TokenDigest<kind::Invite>, now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Accepts an invitation: it is removed and the password stored, if it is there, has not expired and the account is
    /// switched on. Answers the user if it happened: to one caller, however many try at once.
    async fn accept_invite(
        &mut self,
        digest: &TokenDigest<kind::Invite>,
        password: &StoredPassword,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;
}
