//! Several variables for a server at once: a plan of what would change, and the change itself, all of it or nothing.

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_secrets::References;
use dango_secrets::dotenv::{Assignment, EnvDocument, EnvEditError, EnvError};

use crate::access::Access;
use crate::change::{Encrypted, exchange, parse_contents};
use crate::digest::Digest;
use crate::failure::SessionError;
use crate::session::Session;

/// One credential that is to be sent.
pub struct Item {
    /// Where it is here.
    pub path: CredentialPath,
    /// What it is called there.
    pub key: VariableName,
    /// Its value.
    pub value: SecretValue,
}

/// What sending a value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is no such variable yet.
    Added,
    /// There is another value.
    Changed,
    /// There is the same value already.
    Same,
}

impl Change {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }
}

/// What a push would do to the file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each item, in their order.
    pub changes: Vec<Change>,
    /// The keys that are on the server and not among the items; they stay.
    pub only_there: Vec<String>,
    digest: Digest,
    is_private: bool,
}

impl Plan {
    /// Whether there is nothing to send.
    pub fn is_done(&self) -> bool {
        self.is_private && self.changes.iter().all(|change| *change == Change::Same)
    }
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The file there is no `.env`.
    #[error(".env there cannot be read: {0}")]
    Contents(#[from] EnvError),
    /// A value that the file cannot hold.
    #[error("{path} cannot be sent")]
    Edit {
        /// The credential.
        path: CredentialPath,
        /// Why.
        #[source]
        source: EnvEditError,
    },
    /// The value there is encrypted.
    #[error("{key} is encrypted there")]
    Encrypted {
        /// The key.
        key: VariableName,
    },
    /// The file is not what the plan was made for.
    #[error(".env there was changed since the plan was made")]
    Outdated,
}

impl PushError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Session(error) => error.code(),
            Self::Contents(error) => error.code(),
            Self::Edit { source, .. } => source.code(),
            Self::Encrypted { .. } => "remote_encrypted",
            Self::Outdated => "remote_plan_outdated",
        }
    }
}

/// Says what sending the items would change. Everything that would keep them from being sent is an error here already.
///
/// # Errors
///
/// [`PushError`]; nothing is changed here in any case.
pub fn plan(access: &Access<'_>, items: &[Item], encrypted: &Encrypted<'_>) -> Result<Plan, PushError> {
    let session = access.open()?;
    let document = parse_contents(&session)?;
    let plan = planned(&session, &document, items);
    edited(&document, items, encrypted)?;
    session.close();
    Ok(plan)
}

/// Sends the items as a plan says: one replacement of the file, with every other byte as it was.
///
/// # Errors
///
/// [`PushError`]: nothing was changed, but for [`SessionError::OutcomeUnknown`] and [`SessionError::NotDurable`].
pub fn push(access: &Access<'_>, items: &[Item], plan: &Plan, encrypted: &Encrypted<'_>) -> Result<(), PushError> {
    let session = access.open()?;
    if *session.digest() != plan.digest {
        return Err(PushError::Outdated);
    }
    let document = parse_contents(&session)?;
    let edited = edited(&document, items, encrypted)?;
    match exchange(session, &edited)? {
        true => Ok(()),
        false => Err(PushError::Outdated),
    }
}

fn planned(session: &Session, document: &EnvDocument, items: &[Item]) -> Plan {
    let change = |item: &Item| match document.bindings().rfind(|binding| binding.key() == item.key.as_str()) {
        None => Change::Added,
        Some(binding) if binding.expose() == Some(item.value.expose()) && !binding.has_reference() => Change::Same,
        Some(_) => Change::Changed,
    };
    let is_sent = |key: &&str| items.iter().any(|item| item.key.as_str() == *key);
    let only_there = document.keys().into_iter().filter(|key| !is_sent(key));
    Plan {
        changes: items.iter().map(change).collect(),
        only_there: only_there.map(str::to_owned).collect(),
        digest: session.digest().clone(),
        is_private: session.is_private(),
    }
}

/// The document with every item in it.
fn edited(document: &EnvDocument, items: &[Item], encrypted: &Encrypted<'_>) -> Result<EnvDocument, PushError> {
    let encrypted_there = |item: &&Item| {
        let there = document.bindings().rfind(|binding| binding.key() == item.key.as_str());
        there.is_some_and(encrypted)
    };
    if let Some(item) = items.iter().find(encrypted_there) {
        return Err(PushError::Encrypted { key: item.key.clone() });
    }
    let assignments: Vec<Assignment<'_>> = items.iter().map(|item| (&item.key, &item.value)).collect();
    let edited = document.set_each(&assignments, References::Literal);
    edited.map_err(|(index, source)| PushError::Edit {
        path: items[index].path.clone(),
        source,
    })
}
