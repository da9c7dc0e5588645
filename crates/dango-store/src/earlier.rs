//! What the database of an earlier Dango holds, as plain rows, and why it could not be read. What becomes of the rows is not decided here.

use std::error::Error;
use std::sync::Arc;

use dango_core::SecretValue;

/// The people of an earlier Dango (`.dango/auth.db`), as they stand there: nothing is checked but that it is readable.
///
/// Sessions, failed logins and locks are not read. There is no `Debug` on the rows: what one logs in with is in them.
pub struct EarlierDatabase {
    /// The number of the newest migration that it has been through, 1 to [`EarlierDatabase::NEWEST`].
    pub schema_version: u32,
    /// Its users, in the order of the table.
    pub users: Vec<EarlierUser>,
    /// Its API keys, in the order of the table.
    pub api_keys: Vec<EarlierApiKey>,
}

impl EarlierDatabase {
    /// The newest schema that is known here: that of getdango 1.0.13.
    pub const NEWEST: u32 = 6;
}

/// A user of an earlier Dango. Times are texts as they were written; columns that the schema did not have yet are empty.
pub struct EarlierUser {
    /// The id, a UUID of version 4.
    pub id: String,
    /// What served as the address; earlier versions took any text.
    pub email: String,
    /// The role's name.
    pub role: String,
    /// Whether the account is switched on.
    pub is_active: bool,
    /// The bcrypt string.
    pub password_hash: Option<SecretValue>,
    /// Whether a password of the user's own has to be chosen.
    pub must_change_password: bool,
    /// When the password was set.
    pub password_changed_at: Option<String>,
    /// The secret of the second factor, in base32; also while it is only being set up.
    pub totp_secret: Option<SecretValue>,
    /// Whether the second factor is on.
    pub totp_enabled: bool,
    /// A JSON array with the SHA-256 of each recovery code that is left, in hexadecimal digits.
    pub recovery_codes: Option<SecretValue>,
    /// The other provider with which the user logs in.
    pub oauth_provider: Option<String>,
    /// Whether an invitation was sent that was not accepted. Its link cannot be taken over.
    pub is_invited: bool,
    /// When that invitation ends.
    pub invite_expires_at: Option<String>,
    /// When the user was made.
    pub created_at: String,
    /// When the user last logged in.
    pub last_login: Option<String>,
}

/// An API key of an earlier Dango.
pub struct EarlierApiKey {
    /// Whose it is.
    pub user_id: String,
    /// What its owner calls it.
    pub name: String,
    /// The first characters of the key; empty in the oldest schema.
    pub prefix: String,
    /// SHA-256 of the key, in hexadecimal digits.
    pub key_hash: SecretValue,
    /// Whether it was not revoked.
    pub is_active: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
}

/// Nothing was read from the database of an earlier Dango. It is as it was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EarlierError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It is a directory, a device or the like.
    #[error("it is not a file")]
    NotAFile,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[source] Arc<dyn Error + Send + Sync>),
    /// It is no database, or another program's.
    #[error("it is not the user database of an earlier Dango")]
    Foreign,
    /// What it holds is not what was put in.
    #[error("the database is damaged")]
    Damaged(#[source] Arc<dyn Error + Send + Sync>),
    /// It was written by a version that is not known here.
    #[error("the database has schema version {found}, and this version of Dango reads up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Whoever wrote it last was broken off, and what is to be undone stands beside it.
    #[error("the database was left in the middle of a change")]
    Unfinished,
    /// It was written to all the while.
    #[error("the database is being written to and does not come to rest")]
    Busy,
    /// There is more in it than such a database ever holds.
    #[error("the database is larger than {limit}")]
    TooLarge {
        /// What it may be, such as `128 MiB`.
        limit: &'static str,
    },
}

impl EarlierError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "earlier-missing",
            Self::NotAFile => "earlier-not-a-file",
            Self::Unreadable(_) => "earlier-unreadable",
            Self::Foreign => "earlier-foreign",
            Self::Damaged(_) => "earlier-damaged",
            Self::Newer { .. } => "earlier-newer",
            Self::Unfinished => "earlier-unfinished",
            Self::Busy => "earlier-busy",
            Self::TooLarge { .. } => "earlier-too-large",
        }
    }

    /// Takes a cause that makes the file unreadable.
    pub fn unreadable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreadable(Arc::from(cause.into()))
    }

    /// Takes a cause that says that the database is damaged.
    pub fn damaged(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Damaged(Arc::from(cause.into()))
    }
}
