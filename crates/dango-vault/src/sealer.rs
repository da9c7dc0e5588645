//! Sealing several values in a row; how many is known afterwards, and is counted on disk before any of them is written.

use dango_core::{Entropy, SecretValue};
use dango_keyring::{Binding, Envelope, KeySet, Purpose, SealCount, SealError};

/// Seals with the active key of a set, and counts.
///
/// Its count begins at nothing: whoever writes what was sealed adds it to the key's count first, see `counts`.
pub struct Sealer<'a> {
    keys: &'a KeySet,
    entropy: &'a dyn Entropy,
    count: SealCount,
}

impl<'a> Sealer<'a> {
    /// Seals with the active key.
    pub fn new(keys: &'a KeySet, entropy: &'a dyn Entropy) -> Self {
        Self {
            keys,
            entropy,
            count: SealCount::start(keys.active_id()),
        }
    }

    /// The keys.
    pub fn keys(&self) -> &'a KeySet {
        self.keys
    }

    /// How many values it has sealed, and with which key.
    pub fn count(&self) -> SealCount {
        self.count
    }

    pub(crate) fn seal(&mut self, purpose: Purpose, binding: &Binding, plain: &SecretValue) -> Result<Envelope, SealError> {
        self.keys.seal(purpose, binding, plain, &mut self.count, self.entropy)
    }
}

/// Whether a text would be taken for an encrypted value, a damaged one included.
pub(crate) fn is_envelope(text: &SecretValue) -> bool {
    !matches!(Envelope::parse(text.expose()), Ok(None))
}

/// A text that was read from a file, as a secret of its own.
pub(crate) fn secret(text: &str) -> Option<SecretValue> {
    SecretValue::new(text.to_owned()).ok()
}
