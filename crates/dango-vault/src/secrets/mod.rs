//! `.dlt/secrets.toml` as a document with encrypted values; no file is touched here.

mod decrypt;
mod encrypt;
mod open;
mod set;

use dango_core::CredentialPath;
use dango_keyring::{Binding, Envelope, MalformedEnvelope};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;

pub use decrypt::decrypt_secrets;
pub use encrypt::{EncryptError, EncryptReport, LeftPlain, LeftReason, encrypt_secrets};
pub use open::{Selection, open_secrets};
pub use set::{Protection, Removal, SetError, SetReport, secrets_habit, set_secrets};
pub(crate) use set::{unset_secret, unset_secrets};

/// The tables whose values are credentials.
const CREDENTIAL_TABLES: [&str; 2] = ["sources", "destination"];

/// The table in Dango's own that is the seal.
const SEAL: &str = "seal";

/// The table that holds Dango's own records, which stay readable.
pub(crate) const OWN_TABLE: &str = "dango";

/// Which values are meant.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// Every value under `sources` and `destination`; of what is encrypted, every one wherever it is.
    All,
    /// These values, and those in these tables.
    Paths(&'a [CredentialPath]),
}

/// Whether a path is that of the seal, or in it: a record over the encrypted values, no credential.
pub fn is_seal(path: &CredentialPath) -> bool {
    matches!(path.parts(), [own, seal, ..] if own == OWN_TABLE && seal == SEAL)
}

/// Whether a value is an encrypted one, a damaged one included.
pub fn is_encrypted(value: &Value) -> bool {
    envelope(value).is_some()
}

/// The envelope that a value is; `None` for plain values, text that merely begins with `dango:` included.
pub(crate) fn envelope(value: &Value) -> Option<Result<Envelope, MalformedEnvelope>> {
    match value {
        Value::String(text) if !text.has_reference() => Envelope::parse(&text.verbatim()).transpose(),
        _ => None,
    }
}

/// Whether an array holds an encrypted value somewhere.
fn holds_encrypted(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| is_encrypted(item) || holds_encrypted(item)),
        Value::Table(entries) => entries.iter().any(|(_, item)| is_encrypted(item) || holds_encrypted(item)),
        _ => false,
    }
}

/// Whether `encrypt --all` covers a path.
fn is_credential(path: &CredentialPath) -> bool {
    path.parts()
        .first()
        .is_some_and(|first| CREDENTIAL_TABLES.contains(&first.as_str()))
}

/// Every encrypted value that is none in an array, with its path.
pub(crate) fn sealed(document: &SecretsDocument) -> Vec<(CredentialPath, Result<Envelope, MalformedEnvelope>)> {
    let entries = document.entries().into_iter();
    entries.filter_map(|entry| Some((entry.path, envelope(&entry.value)?))).collect()
}

pub(crate) fn binding(path: &CredentialPath) -> Binding {
    Binding::path(path)
}
