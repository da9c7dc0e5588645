//! One variable set or removed on a server: read, edited here by the rules of `.env`, replaced there; again, if somebody was faster.

use std::cell::Cell;
use std::time::Duration;

use dango_core::{SecretValue, VariableName};
use dango_secrets::dotenv::{Binding, EnvDocument, EnvEditError, EnvError};
use dango_secrets::{References, SetOutcome};
use zeroize::Zeroizing;

use crate::access::Access;
use crate::failure::SessionError;
use crate::session::{Replaced, Session};

/// How often it is started again because the file was changed in between.
const ATTEMPTS: u32 = 100;
/// The longest pause before another attempt, times the number of attempts.
const PAUSE: Duration = Duration::from_millis(20);
/// What programs end with that do not know an argument, and shells where a program cannot be run.
const NOT_UNDERSTOOD: [i32; 3] = [2, 126, 127];
/// The longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Whether a binding holds an encrypted value, which is the caller's knowledge.
pub type Encrypted<'a> = dyn Fn(&Binding) -> bool + 'a;

/// Why a variable was not set or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The file there is no `.env`.
    #[error(".env there cannot be read: {0}")]
    Contents(#[from] EnvError),
    /// The edit itself was refused.
    #[error(transparent)]
    Edit(#[from] EnvEditError),
    /// The value there is encrypted, and there is no `dango` that could encrypt the new one.
    #[error("{key} is encrypted there, and there is no dango on the server to seal the file anew")]
    Encrypted {
        /// The key.
        key: String,
    },
    /// The `dango` on the server did not do it.
    #[error("dango on the server: {said}")]
    There {
        /// What it said; it never says values.
        said: String,
    },
    /// The file was changed again and again.
    #[error(".env there was changed by others each time before it could be replaced")]
    Busy,
}

impl ChangeError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Session(error) => error.code(),
            Self::Contents(error) => error.code(),
            Self::Edit(error) => error.code(),
            Self::Encrypted { .. } => "remote_encrypted",
            Self::There { .. } => "remote_dango_refused",
            Self::Busy => "remote_busy",
        }
    }
}

/// What a session has read, as a document; a missing file is an empty one.
///
/// # Errors
///
/// [`EnvError`] for bytes that are no `.env`.
pub fn parse_contents(session: &Session) -> Result<EnvDocument, EnvError> {
    EnvDocument::parse(session.contents().unwrap_or_default())
}

/// Sets a variable, to be read back exactly by python-dotenv and node dotenv. Every other byte stays; `${` in the value is no reference.
///
/// Where there is a `dango` on the server it does it, so that its audit log and its history know, too; a program of that name that does not know
/// what it is asked is left alone.
///
/// # Errors
///
/// [`ChangeError`]; nothing was changed, but for [`SessionError::OutcomeUnknown`] and [`SessionError::NotDurable`].
pub fn set_variable(
    access: &Access<'_>,
    key: &VariableName,
    value: &SecretValue,
    encrypted: &Encrypted<'_>,
) -> Result<SetOutcome, ChangeError> {
    let is_understood = Cell::new(true);
    repeated(access, |session| {
        let document = parse_contents(&session)?;
        let before = document.bindings().rfind(|binding| binding.key() == key.as_str());
        let is_encrypted = before.is_some_and(encrypted);
        let set = document.set(key, value, References::Literal);
        let is_same = !is_encrypted && session.is_private() && matches!(set, Ok((_, SetOutcome::Unchanged)));
        if session.has_dango() && is_understood.get() && !is_same {
            let outcome = before.map_or(SetOutcome::Created, |_| SetOutcome::Replaced);
            is_understood.set(delegate(session, key, Some(value))?);
            return Ok(is_understood.get().then_some(outcome));
        }
        if is_encrypted {
            return Err(ChangeError::Encrypted { key: key.to_string() });
        }
        let (edited, outcome) = set?;
        Ok(exchange(session, &edited)?.then_some(outcome))
    })
}

/// Removes a variable, every binding of it; answers how many there were.
///
/// # Errors
///
/// [`ChangeError`], with [`EnvEditError::NotFound`] where there is none; otherwise as [`set_variable`].
pub fn unset_variable(access: &Access<'_>, key: &str, encrypted: &Encrypted<'_>) -> Result<usize, ChangeError> {
    let is_understood = Cell::new(true);
    repeated(access, |session| {
        let document = parse_contents(&session)?;
        let (edited, removed) = document.unset(key)?;
        if session.has_dango()
            && is_understood.get()
            && let Ok(name) = key.parse()
        {
            is_understood.set(delegate(session, &name, None)?);
            return Ok(is_understood.get().then_some(removed));
        }
        if document.bindings().any(|binding| binding.key() == key && encrypted(binding)) {
            return Err(ChangeError::Encrypted { key: key.to_owned() });
        }
        Ok(exchange(session, &edited)?.then_some(removed))
    })
}

/// Puts an edited document in the place of what was read; `false` where somebody else was faster.
///
/// What did not change is not written, unless others may read the file.
pub(crate) fn exchange(session: Session, edited: &EnvDocument) -> Result<bool, SessionError> {
    let new = edited.text().as_bytes();
    if session.is_private() && session.contents().unwrap_or_default() == new {
        session.close();
        return Ok(true);
    }
    Ok(session.replace(new)? == Replaced::Done)
}

/// Opens sessions until one of them was not too late.
fn repeated<T>(access: &Access<'_>, mut attempt: impl FnMut(Session) -> Result<Option<T>, ChangeError>) -> Result<T, ChangeError> {
    for number in 1..=ATTEMPTS {
        if let Some(done) = attempt(access.open()?)? {
            return Ok(done);
        }
        pause(access, number);
    }
    Err(ChangeError::Busy)
}

/// Waits for a random while, so that two who were in each other's way are not again.
fn pause(access: &Access<'_>, number: u32) {
    let mut random = [0xff];
    // Without randomness the pause is the longest.
    let _ = access.entropy.fill(&mut random);
    let longest = (PAUSE * number).min(LONGEST_PAUSE);
    std::thread::sleep(longest * u32::from(random[0]) / 255);
}

/// Has the `dango` on the server make the change; `false` where it is another program, or too old to know how, and has therefore done nothing.
fn delegate(session: Session, key: &VariableName, value: Option<&SecretValue>) -> Result<bool, ChangeError> {
    let there = session.delegate(key, value)?;
    if there.status == 0 {
        return Ok(true);
    }
    if NOT_UNDERSTOOD.contains(&there.status) {
        return Ok(false);
    }
    // Whatever runs there under that name: what it was given is not printed here.
    let text = match value {
        Some(value) if !value.expose().is_empty() => Zeroizing::new(there.said.replace(value.expose(), "***")),
        _ => there.said,
    };
    let said = text.lines().find_map(|line| line.strip_prefix("error: "));
    Err(ChangeError::There {
        said: said.map_or_else(|| format!("exit status {}", there.status), |said| said.chars().take(300).collect()),
    })
}
