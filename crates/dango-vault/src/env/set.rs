//! A variable set, encrypted where it is to be; so a value is stored, too, that no spelling of `.env` holds.

use dango_core::{SecretValue, VariableName};
use dango_keyring::{Purpose, SealError};
use dango_secrets::dotenv::{EnvDocument, EnvEditError, EnvPiece};
use dango_secrets::{References, SetOutcome};

use super::plain::EnvPlain;
use super::{binding, envelope, open};
use crate::edition::{Edition, Kept};
use crate::error::VaultError;
use crate::sealer::is_envelope;
use crate::secrets::Protection;

/// What setting a variable did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvSetReport {
    /// What happened to it.
    pub outcome: SetOutcome,
    /// Whether it is encrypted now.
    pub encrypted: bool,
}

/// Why a variable was not set.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvSetError {
    /// The file cannot hold the value.
    #[error(transparent)]
    Edit(#[from] EnvEditError),
    /// It is to be encrypted, and was not.
    #[error("{key} was not encrypted")]
    Seal {
        /// The variable.
        key: VariableName,
        /// Why.
        #[source]
        source: SealError,
    },
    /// It is to be encrypted, and refers to a variable.
    #[error("{key} cannot be encrypted: it refers to a variable, and encrypted values are never expanded")]
    Reference {
        /// The variable.
        key: VariableName,
    },
}

impl EnvSetError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edit(error) => error.code(),
            Self::Seal { source, .. } => source.code(),
            Self::Reference { .. } => "not-encryptable",
        }
    }
}

/// Whether new variables of a document are encrypted by habit: at least one is, and none that could be is not.
pub fn env_habit(document: &EnvDocument) -> bool {
    let mut habit = false;
    for bound in document.bindings().filter(|bound| bound.has_value()) {
        match envelope(bound) {
            Some(_) => habit = true,
            None if bound.has_reference() || bound.key().parse::<VariableName>().is_err() => {}
            None => return false,
        }
    }
    habit
}

/// Makes a document in which a variable has a value, encrypted where it is to be.
///
/// With [`References::Expand`] a value with references stays plain, unless it is to be encrypted, which is refused.
///
/// # Errors
///
/// [`VaultError::EnvSet`], and [`VaultError::Keys`] where a key is needed and not to be had.
pub fn set_env(
    document: &EnvDocument,
    key: &VariableName,
    value: &SecretValue,
    references: References,
    protection: Protection,
    edition: &mut Edition<'_>,
) -> Result<(EnvDocument, EnvSetReport), VaultError> {
    if is_envelope(value) {
        return Err(VaultError::IsEnvelope { place: key.to_string() });
    }
    let old = document.bindings().rfind(|bound| bound.key() == key.as_str());
    let old_envelope = old.and_then(envelope);
    let refers = references == References::Expand && is_reference(value);
    if protection == Protection::Encrypt && refers {
        return Err(EnvSetError::Reference { key: key.clone() }.into());
    }
    let by_habit = old_envelope.is_some() || env_habit(document);
    let encrypts = !refers && (protection == Protection::Encrypt || (protection == Protection::Habit && by_habit));
    let old_plain = match &old_envelope {
        Some(envelope) => open(&edition.keys()?.opener(Purpose::DotEnv), key.as_str(), envelope).ok(),
        None => None,
    };
    let is_same = old_plain.as_ref().is_some_and(|plain| plain.value().expose() == value.expose());
    if encrypts && is_same {
        let report = EnvSetReport {
            outcome: SetOutcome::Unchanged,
            encrypted: true,
        };
        return Ok((document.clone(), report));
    }
    let (edited, mut outcome) = if encrypts {
        let plain = EnvPlain::of_value(value);
        let plain = plain.to_secret().ok_or(VaultError::Nul)?;
        let sealed = edition
            .sealer()?
            .seal(Purpose::DotEnv, &binding(key), &plain)
            .map_err(|source| EnvSetError::Seal { key: key.clone(), source })?;
        let sealed = SecretValue::new(sealed.to_string()).map_err(|_| VaultError::Nul)?;
        document.set(key, &sealed, References::Literal).map_err(EnvSetError::from)?
    } else {
        document.set(key, value, references).map_err(EnvSetError::from)?
    };
    // Encrypted or made plain again, it is the value that it was.
    if is_same || (encrypts && old.is_some_and(|bound| bound.expose() == Some(value.expose()))) {
        outcome = SetOutcome::Unchanged;
    }
    let has_encrypted = encrypts || document.bindings().any(|bound| envelope(bound).is_some());
    if outcome == SetOutcome::Replaced && has_encrypted {
        let old_plain = match (&old_envelope, old) {
            (None, Some(bound)) => plain_of(document, bound.line()),
            _ => old_plain,
        };
        keep(key, old_plain, edition);
    }
    Ok((
        edited,
        EnvSetReport {
            outcome,
            encrypted: encrypts,
        },
    ))
}

/// Makes a document without a variable; its last value is kept for the history where the file has encrypted values.
pub(crate) fn unset_env(document: &EnvDocument, key: &str, edition: &mut Edition<'_>) -> Result<(EnvDocument, usize), VaultError> {
    let (edited, count) = document.unset(key).map_err(EnvSetError::from)?;
    let has_encrypted = document.bindings().any(|bound| envelope(bound).is_some());
    let last = document.bindings().rfind(|bound| bound.key() == key);
    if let (true, Some(bound), Ok(name)) = (has_encrypted, last, key.parse::<VariableName>()) {
        let plain = match envelope(bound) {
            Some(envelope) => open(&edition.keys()?.opener(Purpose::DotEnv), key, &envelope).ok(),
            None => plain_of(document, bound.line()),
        };
        keep(&name, plain, edition);
    }
    Ok((edited, count))
}

fn is_reference(value: &SecretValue) -> bool {
    let text = zeroize::Zeroizing::new(format!("V='{}'", value.expose().replace(['\'', '\\'], "")));
    let document = EnvDocument::parse(text.as_bytes()).ok();
    document.is_some_and(|document| {
        document
            .bindings()
            .any(|bound| bound.pieces().iter().any(|piece| matches!(piece, EnvPiece::Reference { .. })))
    })
}

/// The value that begins on a line, without the comment behind it.
fn plain_of(document: &EnvDocument, line: usize) -> Option<EnvPlain> {
    let spelled = document.spelled();
    let found = spelled.iter().find(|spelled| spelled.binding.line() == line)?;
    EnvPlain::parse_spelling(found.spelling?)
}

fn keep(name: &VariableName, plain: Option<EnvPlain>, edition: &mut Edition<'_>) {
    if let Some(plain) = plain.and_then(|plain| plain.to_secret()) {
        edition.keep(Kept::new(binding(name), plain.expose()));
    }
}
