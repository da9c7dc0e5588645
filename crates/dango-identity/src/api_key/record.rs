//! An API key as a row: what it may do, how long, and the code that makes a row a key.

use std::fmt;
use std::time::Duration;

use dango_core::Timestamp;

use super::allow_list::AllowList;
use super::text::ApiKeyPrefix;
use crate::client::Client;
use crate::encoding::Fields;
use crate::id::{ApiKeyId, UserId};
use crate::instant::after;
use crate::key::{ApiKeyMacKey, same_code};
use crate::permission::{Permission, PermissionSet};
use crate::token::{TokenDigest, kind};

/// What its owner calls a key: 1 to 128 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyName(String);

impl ApiKeyName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ParseApiKeyNameError`].
    pub fn parse(text: &str) -> Result<Self, ParseApiKeyNameError> {
        let length = text.chars().take(129).count();
        if (1..=128).contains(&length) && !text.chars().any(char::is_control) && !text.trim().is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseApiKeyNameError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no name for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key has 1 to 128 characters, and not only blanks")]
pub struct ParseApiKeyNameError;

/// Whether a key may administer people, which no key may unless it was made for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Administration {
    /// It may not.
    #[default]
    Withheld,
    /// It may what its owner may.
    Granted,
}

/// What a key may do. It is never more than its owner may, at the moment of use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyScopes {
    /// These permissions only. Where there is no list, all of the owner's but [`PermissionSet::OF_KEYS_ALONE`], which have to be named.
    pub permissions: Option<PermissionSet>,
    /// Whether it may administer people.
    pub administration: Administration,
}

impl KeyScopes {
    /// What takes [`Administration::Granted`], whatever else is named.
    pub const ADMINISTRATION: PermissionSet = PermissionSet::of(&[Permission::UsersManage, Permission::AuthManage]);

    /// What the key may do while its owner has these permissions.
    pub fn effective(self, owner: PermissionSet) -> PermissionSet {
        let listed = match self.permissions {
            Some(listed) => listed.intersection(owner),
            None => owner.without(PermissionSet::OF_KEYS_ALONE),
        };
        match self.administration {
            Administration::Granted => listed,
            Administration::Withheld => listed.iter().filter(|one| !Self::ADMINISTRATION.contains(*one)).collect(),
        }
    }

    /// Whether one of these permissions is named.
    pub(super) fn names(self, permissions: PermissionSet) -> bool {
        let both = self.permissions.map(|listed| listed.intersection(permissions));
        both.is_some_and(|both| both != PermissionSet::EMPTY)
    }

    /// Whether the owner has all that the scopes name.
    pub fn are_within(self, owner: PermissionSet) -> bool {
        let listed = self.permissions.is_none_or(|listed| owner.covers(listed));
        let administers = self.administration == Administration::Withheld || owner.contains(Permission::UsersManage);
        listed && administers
    }
}

/// When and from where a key was last used, to within [`ApiKeyPolicy::touch_every`](super::ApiKeyPolicy::touch_every).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub client: Client,
}

/// An API key as a row.
///
/// # Security
///
/// The code covers all that says whose key it is and what it may do, with a key that is not in the database: a row that was
/// inserted or changed by hand is no key. It does not cover `revoked_at` and `last_used`, which stores write alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The row's id.
    pub id: ApiKeyId,
    /// The id of the first of the keys that were rotated into this one; its own id where there was none.
    pub family: ApiKeyId,
    /// Whose key it is.
    pub owner: UserId,
    /// What the owner calls it.
    pub name: ApiKeyName,
    /// The first characters of the key.
    pub prefix: ApiKeyPrefix,
    /// The digest of the key; unique.
    pub digest: TokenDigest<kind::ApiKey>,
    /// What it may do.
    pub scopes: KeyScopes,
    /// From where.
    pub allow_list: AllowList,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it ends because another has taken its place.
    pub retiring_until: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Its last use.
    pub last_used: Option<ApiKeyUse>,
    /// The code.
    pub mac: [u8; 32],
}

/// What a key is at a moment; computed, so that no job can forget to change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiKeyState {
    /// It works.
    Active,
    /// It works, and another has taken its place.
    Retiring {
        /// Until then.
        until: Timestamp,
    },
    /// It worked until another had taken its place.
    Retired,
    /// Its time is up.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl ApiKeyRecord {
    /// What the key is at a moment.
    pub fn state(&self, now: Timestamp) -> ApiKeyState {
        if self.revoked_at.is_some() {
            return ApiKeyState::Revoked;
        }
        match (self.retiring_until, self.expires_at) {
            (Some(until), _) if now >= until => ApiKeyState::Retired,
            (_, Some(expires_at)) if now >= expires_at => ApiKeyState::Expired,
            (Some(until), _) => ApiKeyState::Retiring { until },
            (None, _) => ApiKeyState::Active,
        }
    }

    /// Whether the last use was written down long enough ago for another.
    pub(super) fn is_touch_due(&self, every: Duration, now: Timestamp) -> bool {
        self.last_used.as_ref().is_none_or(|last| now >= after(last.at, every))
    }

    /// This record with the code that belongs to it.
    pub(super) fn authenticated(mut self, key: &ApiKeyMacKey) -> Self {
        self.mac = self.code(key);
        self
    }

    /// Whether the code belongs to the record.
    pub(super) fn is_authentic(&self, key: &ApiKeyMacKey) -> bool {
        same_code(&self.mac, &self.code(key))
    }

    fn code(&self, key: &ApiKeyMacKey) -> [u8; 32] {
        let time = |at: Timestamp| at.unix_micros().to_be_bytes();
        let names = |set: PermissionSet| set.iter().map(Permission::name).collect::<Vec<_>>().join(" ");
        let administers = u8::from(self.scopes.administration == Administration::Granted);
        let fields = Fields::of("dango:identity:v1:api-key")
            .with(self.id.as_bytes())
            .with(self.family.as_bytes())
            .with(self.owner.as_bytes())
            .with(self.name.as_str())
            .with(self.prefix.as_str())
            .with(self.digest.as_bytes())
            .with_option(self.scopes.permissions.map(names))
            .with([administers])
            .with(self.allow_list.to_string())
            .with(time(self.created_at))
            .with_option(self.expires_at.map(time))
            .with_option(self.retiring_until.map(time));
        key.authenticate(fields.as_bytes())
    }
}
