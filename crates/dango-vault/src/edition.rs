//! One edit of one file: the keys it turned out to need, and the values that it took away. What becomes of them is in `vault`.

use std::sync::Arc;

use dango_core::Entropy;
use dango_keyring::{Binding, HolderError, KeySet};
use zeroize::Zeroizing;

use crate::keys::Keys;
use crate::sealer::Sealer;

/// What an edit may use and leaves behind.
pub struct Edition<'a> {
    keys: &'a Keys<'a>,
    entropy: &'a dyn Entropy,
    sealer: Option<Sealer<'a>>,
    by: Option<String>,
    kept: Vec<Kept>,
}

/// A value that was replaced or removed.
pub(crate) struct Kept {
    pub(crate) binding: Binding,
    pub(crate) spelling: Zeroizing<String>,
    /// Who changed it, where that is not the one that the vault knows.
    pub(crate) by: Option<String>,
}

impl Kept {
    pub(crate) fn new(binding: Binding, spelling: &str) -> Self {
        Self {
            binding,
            spelling: Zeroizing::new(spelling.to_owned()),
            by: None,
        }
    }
}

impl<'a> Edition<'a> {
    /// An edit that may use these keys, which are fetched only if it does.
    pub fn new(keys: &'a Keys<'a>, entropy: &'a dyn Entropy) -> Self {
        Self {
            keys,
            entropy,
            sealer: None,
            by: None,
            kept: Vec::new(),
        }
    }

    /// The keys.
    ///
    /// # Errors
    ///
    /// As [`Keys::fetch`].
    pub fn keys(&self) -> Result<&'a KeySet, Arc<HolderError>> {
        self.keys.fetch()
    }

    /// What seals; one for the whole edit.
    ///
    /// # Errors
    ///
    /// As [`Keys::fetch`].
    pub fn sealer(&mut self) -> Result<&mut Sealer<'a>, Arc<HolderError>> {
        let keys = self.keys.fetch()?;
        let entropy = self.entropy;
        Ok(self.sealer.get_or_insert_with(|| Sealer::new(keys, entropy)))
    }

    /// Says who makes the changes from here on.
    pub(crate) fn act_as(&mut self, by: &str) {
        self.by = Some(by.to_owned());
    }

    /// Keeps a value for the history.
    pub(crate) fn keep(&mut self, kept: Kept) {
        let by = self.by.clone();
        self.kept.push(Kept { by, ..kept });
    }

    pub(crate) fn take_kept(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.kept)
    }

    /// How often it has sealed; `None` where it never could have.
    pub(crate) fn count(&self) -> Option<dango_keyring::SealCount> {
        self.sealer.as_ref().map(Sealer::count)
    }
}
