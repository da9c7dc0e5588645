//! What comes of an import, thing by thing: what is taken, what is not and why. A dry run and a run say the same.

use std::fmt;

use dango_audit::Label;
use dango_identity::{Activity, ApiKeyName, ApiKeyPrefix, Email, ParseEmailError, Role};

/// What an import does, or did.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// The users that are taken over, by the time they were made.
    pub users: Vec<ImportedUser>,
    /// Those that are not.
    pub skipped: Vec<SkippedUser>,
    /// What becomes of the audit log, if there is one.
    pub events: Option<ImportedEvents>,
}

impl ImportReport {
    /// How many API keys are taken over.
    pub fn api_keys(&self) -> usize {
        let keys = self.users.iter().flat_map(|user| &user.api_keys);
        keys.filter(|key| key.skipped.is_none()).count()
    }
}

/// A user who is taken over.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// The address.
    pub email: Email,
    /// The role.
    pub role: Role,
    /// Whether the account is switched on; one that was off stays off.
    pub activity: Activity,
    /// How the user gets in.
    pub entry: FirstEntry,
    /// The second factor, if it was on.
    pub second_factor: Option<ImportedFactor>,
    /// The keys of the user, those that are not taken over, too.
    pub api_keys: Vec<ImportedKey>,
}

/// How somebody who was taken over gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstEntry {
    /// With the password they had.
    Password,
    /// With the password they had, which they then have to change.
    PasswordToChange,
    /// Not without a new invitation or a reset by an administrator.
    Invitation(NoPassword),
}

impl FirstEntry {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordToChange => "password_to_change",
            Self::Invitation(why) => why.as_str(),
        }
    }
}

/// Why there is no password to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPassword {
    /// The user was invited and has not chosen one. The link is an earlier server's and opens nothing here.
    Invited,
    /// The user logged in with another provider.
    OtherProvider,
    /// What is stored is no hash that could be verified.
    Unreadable,
    /// None was ever set.
    NeverSet,
}

impl NoPassword {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::OtherProvider => "other_provider",
            Self::Unreadable => "password_unreadable",
            Self::NeverSet => "no_password",
        }
    }
}

/// A second factor that is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedFactor {
    /// How many recovery codes were left.
    pub recovery_codes: usize,
}

/// An API key, taken over or not.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// The first characters of the key.
    pub prefix: ApiKeyPrefix,
    /// Why it is not taken over, if it is not.
    pub skipped: Option<KeySkipped>,
}

/// Why an API key is not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySkipped {
    /// It was revoked.
    Revoked,
    /// Its time is up.
    Expired,
    /// Its owner is switched off, or has yet to be invited.
    OwnerLocked,
    /// It is there already.
    Duplicate,
    /// What is stored of it is not the hash of a key, or not a time.
    Unreadable,
}

impl KeySkipped {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::OwnerLocked => "owner_cannot_log_in",
            Self::Duplicate => "duplicate",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A user who is not taken over.
#[derive(Clone, Debug)]
pub struct SkippedUser {
    /// What served as the address, made harmless for a terminal.
    pub email: Label,
    /// Why.
    pub reason: UserSkipped,
}

/// Why a user is not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserSkipped {
    /// An earlier import took this very user; whoever was removed since stays removed.
    ImportedBefore,
    /// Somebody has this address, or one that nobody can tell from it.
    EmailTaken,
    /// It is no address.
    EmailInvalid(ParseEmailError),
    /// There is no such role.
    RoleUnknown,
    /// The second factor is on and its secret cannot be read: without it a password alone would open the account.
    SecondFactorUnreadable,
}

impl UserSkipped {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImportedBefore => "imported_before",
            Self::EmailTaken => "email_taken",
            Self::EmailInvalid(_) => "email_invalid",
            Self::RoleUnknown => "role_unknown",
            Self::SecondFactorUnreadable => "second_factor_unreadable",
        }
    }
}

impl fmt::Display for UserSkipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImportedBefore => f.write_str("was imported before"),
            Self::EmailTaken => f.write_str("a user with this e-mail address exists already"),
            Self::EmailInvalid(error) => error.fmt(f),
            Self::RoleUnknown => f.write_str("there is no such role"),
            Self::SecondFactorUnreadable => f.write_str("the secret of the second factor cannot be read"),
        }
    }
}

/// What becomes of the lines of an earlier Dango's audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedEvents {
    /// How many are taken over.
    pub imported: u64,
    /// How many are there already.
    pub known: u64,
    /// How many are no records.
    pub malformed: u64,
    /// Which lines these are, the first [`BAD_LINES`] of them.
    pub bad_lines: Vec<BadLine>,
}

/// How many lines that are no records are named.
pub const BAD_LINES: usize = 100;

/// A line of an audit log that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineProblem {
    /// It is longer than any record.
    TooLong,
    /// It is no JSON object.
    NotAnObject,
    /// It does not say when.
    NoTime,
    /// It does not say what, or something unheard of.
    UnknownEvent,
}

impl LineProblem {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAnObject => "not_an_object",
            Self::NoTime => "no_time",
            Self::UnknownEvent => "unknown_event",
        }
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "it is too long for a record",
            Self::NotAnObject => "it is not a JSON object",
            Self::NoTime => "it has no time",
            Self::UnknownEvent => "there is no event of that name",
        })
    }
}
