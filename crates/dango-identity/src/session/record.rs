//! A session as a row: what is stored of it, and the code that makes a row a session.

use dango_core::Timestamp;

use super::{AuthContext, SessionLimits, Stage};
use crate::client::Client;
use crate::encoding::Fields;
use crate::epoch::SecurityEpoch;
use crate::id::{DeviceId, SessionId, UserId};
use crate::instant::{after, elapsed};
use crate::key::{SessionMacKey, same_code};
use crate::token::{TokenDigest, kind};

/// A session as a row.
///
/// # Security
///
/// The code covers every other field with a key that is not in the database. A row that was inserted, changed or copied by
/// hand is no session, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The row's id; it survives rotation.
    pub id: SessionId,
    /// The digest of the token; unique.
    pub digest: TokenDigest<kind::Session>,
    /// Whose session it is.
    pub user: UserId,
    /// How far it has come.
    pub stage: Stage,
    /// How its holder was proven.
    pub auth: AuthContext,
    /// The user's epoch when it was issued.
    pub epoch: SecurityEpoch,
    /// When it began; at the second factor it begins anew.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was last used, to within [`SessionLimits::touch_every`].
    pub last_active: Timestamp,
    /// Where the login came from.
    pub client: Client,
    /// The browser, where it was known.
    pub device: Option<DeviceId>,
    /// The code over all of the above.
    pub mac: [u8; 32],
}

/// What a use of a session writes down: the new time and the new code, together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTouch {
    /// The new [`SessionRecord::last_active`].
    pub last_active: Timestamp,
    /// The new [`SessionRecord::mac`].
    pub mac: [u8; 32],
}

impl SessionRecord {
    /// This record with the code that belongs to it.
    pub(super) fn authenticated(mut self, key: &SessionMacKey) -> Self {
        self.mac = self.code(key);
        self
    }

    /// Whether the code belongs to the record.
    pub(super) fn is_authentic(&self, key: &SessionMacKey) -> bool {
        same_code(&self.mac, &self.code(key))
    }

    /// The touch that says that the session was used now.
    pub(super) fn touch(&self, key: &SessionMacKey, now: Timestamp) -> SessionTouch {
        let touched = Self {
            last_active: now,
            ..self.clone()
        };
        SessionTouch {
            last_active: now,
            mac: touched.code(key),
        }
    }

    /// Why the session is over, if it is. Limits that have become tighter since it was issued hold for it, too.
    pub(super) fn over(&self, limits: &SessionLimits, now: Timestamp) -> Option<Over> {
        let span = if self.stage.is_partial() { limits.partial } else { limits.absolute };
        if now >= self.expires_at.min(after(self.created_at, span)) {
            Some(Over::Expired)
        } else if elapsed(self.last_active, now) >= limits.idle {
            Some(Over::Idle)
        } else {
            None
        }
    }

    fn code(&self, key: &SessionMacKey) -> [u8; 32] {
        let time = |at: Timestamp| at.unix_micros().to_be_bytes();
        let fields = Fields::of("dango:identity:v1:session")
            .with(self.id.as_bytes())
            .with(self.digest.as_bytes())
            .with(self.user.as_bytes())
            .with(self.stage.as_str())
            .with([self.auth.factors.bits()])
            .with(time(self.auth.authenticated_at))
            .with(time(self.auth.stepped_up_at))
            .with_option(self.auth.second_factor_at.map(time))
            .with(self.epoch.number().to_be_bytes())
            .with(time(self.created_at))
            .with(time(self.expires_at))
            .with(time(self.last_active))
            .with_option(self.client.address.map(|address| address.to_string()))
            .with_option(self.client.user_agent.as_ref().map(|agent| agent.as_str()))
            .with_option(self.device.as_ref().map(DeviceId::as_bytes));
        key.authenticate(fields.as_bytes())
    }
}

/// Why a session is over by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Its time is up.
    Expired,
    /// It was not used for too long.
    Idle,
}
