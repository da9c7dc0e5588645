//! The project's keys, fetched when something is to be opened or sealed and not before, and at most once.

use std::cell::OnceCell;
use std::sync::Arc;

use dango_keyring::{HolderError, KeySet};

/// Keys that are at hand, or a way to fetch them.
///
/// A file without encrypted values never asks for them. What was fetched, or why nothing was, is kept.
pub struct Keys<'a>(Source<'a>);

enum Source<'a> {
    AtHand(&'a KeySet),
    Lazy {
        load: Box<dyn Fn() -> Result<KeySet, HolderError> + 'a>,
        loaded: OnceCell<Result<KeySet, Arc<HolderError>>>,
    },
}

impl<'a> Keys<'a> {
    /// Keys that were fetched already.
    pub fn at_hand(keys: &'a KeySet) -> Self {
        Self(Source::AtHand(keys))
    }

    /// Keys that are fetched on first need.
    pub fn lazy(load: impl Fn() -> Result<KeySet, HolderError> + 'a) -> Self {
        Self(Source::Lazy {
            load: Box::new(load),
            loaded: OnceCell::new(),
        })
    }

    /// The keys.
    ///
    /// # Errors
    ///
    /// What the holder said the one time that it was asked.
    pub fn fetch(&self) -> Result<&KeySet, Arc<HolderError>> {
        match &self.0 {
            Source::AtHand(keys) => Ok(keys),
            Source::Lazy { load, loaded } => loaded.get_or_init(|| load().map_err(Arc::new)).as_ref().map_err(Arc::clone),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use dango_core::OsEntropy;
    use dango_keyring::MasterKey;

    use super::*;

    #[test]
    fn the_holder_is_asked_once_and_only_on_need() {
        let asked = Cell::new(0);
        let keys = Keys::lazy(|| {
            asked.set(asked.get() + 1);
            Ok(KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None))
        });
        assert_eq!(asked.get(), 0);
        let ids: Vec<_> = (0..3).map(|_| keys.fetch().map(KeySet::active_id).ok()).collect();
        assert!(ids.iter().all(|id| id.is_some() && *id == ids[0]));
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn a_refusal_is_kept_too() {
        let asked = Cell::new(0);
        let keys = Keys::lazy(|| {
            asked.set(asked.get() + 1);
            Err(HolderError::Locked { source: None })
        });
        assert_eq!(keys.fetch().err().map(|error| error.code()), Some("keyring-locked"));
        assert!(keys.fetch().is_err());
        assert_eq!(asked.get(), 1);
    }
}
