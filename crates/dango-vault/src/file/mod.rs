//! The two kinds of files that hold encrypted values, seen alike: where their values are and where their seal stands.

mod env;
mod secrets;
mod seen;

use dango_keyring::{Binding, Envelope, FileSeal, MalformedEnvelope, Purpose, SealedValues};
use dango_secrets::home::SharedFile;

use crate::error::VaultError;

pub(crate) use seen::{keep_seen, load_seen, seen_key};

/// One encrypted value of a file.
pub(crate) struct Sealed<P> {
    /// Where it stands, for the file itself.
    pub(crate) place: P,
    /// What it is bound to; `None` where the key is none that anything is bound to.
    pub(crate) binding: Option<Binding>,
    /// Its name for people.
    pub(crate) name: String,
    pub(crate) envelope: Result<Envelope, MalformedEnvelope>,
}

/// A file of which some values are encrypted and which has a seal over them.
pub(crate) trait SealedFile: Clone {
    /// What its values are sealed for.
    const PURPOSE: Purpose;
    /// Its name for people.
    const NAME: &'static str;
    /// The file itself.
    const FILE: SharedFile;
    /// The file in `.dango/` with the state that was seen last.
    const SEEN: &'static str;
    /// What tells its values apart.
    type Place: Clone;

    fn parse(bytes: &[u8]) -> Result<Self, VaultError>;
    fn text(&self) -> &str;
    fn sealed(&self) -> Vec<Sealed<Self::Place>>;
    /// All values that the seal covers.
    fn sealed_values(&self) -> SealedValues;
    fn seal(&self) -> Option<FileSeal>;
    /// The same file with this seal, or without one.
    fn with_seal(&self, seal: Option<&FileSeal>) -> Result<Self, VaultError>;
    /// The same file with other envelopes for some values.
    fn with_envelopes(&self, envelopes: &[(Self::Place, Envelope)]) -> Result<Self, VaultError>;

    /// Names and envelopes, to tell whether any changed.
    fn fingerprint(&self) -> Vec<(String, Option<String>)> {
        let sealed = self.sealed().into_iter();
        sealed
            .map(|value| (value.name, value.envelope.ok().map(|envelope| envelope.to_string())))
            .collect()
    }
}
