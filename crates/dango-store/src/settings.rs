//! What a project has decided about itself, and what a list of people needs in one reading. No rule about either lives here.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{StoreError, UserId};

/// Whether anybody is let in at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Whoever proves who they are is.
    #[default]
    Open,
    /// Nobody is: no sign-in, no session and no API key counts, until it is open again.
    Closed,
}

impl Admission {
    /// The word that is stored. It never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Takes the word back; none for another.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|admission| admission.as_str() == word)
    }
}

/// The settings of a project: one row. A project that has none yet has the default of each.
#[async_trait]
pub trait SettingsStore: Send {
    /// Whether anybody is let in.
    async fn admission(&mut self) -> Result<Admission, StoreError>;

    /// Says whether anybody is let in; answers whether that is a change.
    async fn set_admission(&mut self, admission: Admission, now: Timestamp) -> Result<bool, StoreError>;
}

/// Facts about all users at once, for lists: one statement each, however many there are.
#[async_trait]
pub trait DirectoryStore: Send {
    /// Who has a second factor that is active. Recovery codes are none by themselves.
    async fn enrolled_users(&mut self) -> Result<HashSet<UserId>, StoreError>;

    /// Of everybody with a login at other providers, the issuer of the oldest.
    async fn first_issuers(&mut self) -> Result<HashMap<UserId, String>, StoreError>;
}
