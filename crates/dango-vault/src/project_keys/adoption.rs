//! A project gets its key: a new one, or one that is brought from a backup. A key that is there is never replaced.

use std::sync::Arc;

use dango_core::{Clock, EntropyError};
use dango_keyring::{HolderError, HolderKind, KeyHolder, KeyId, KeySet, MasterKey};

use super::choice::{make_project_id, write_project_id};
use super::{Choice, ProjectKeys, WRAPPED_KEYS};
use crate::counts::readmit;
use crate::error::VaultError;
use crate::rotation::protected_by;

/// What is to happen where the project's old key is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostKey {
    /// Nothing is made: the values that it sealed are to be saved first.
    Refuse,
    /// A new key is made; what the old one sealed stays closed.
    Accept,
}

/// What became of a key that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It was put into its place.
    Stored,
    /// It was in another place, and is now in this one alone.
    Moved {
        /// Where it was.
        from: HolderKind,
    },
    /// It was there already.
    Unchanged,
}

/// What a place holds, compared with keys that are brought.
enum Held {
    Nothing,
    Same,
    Other { place: String, id: KeyId },
}

/// Why a project did not get a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// It has one.
    #[error("this project has the encryption key {id} already, in {place}")]
    AlreadyThere {
        /// The place.
        place: String,
        /// The key.
        id: KeyId,
    },
    /// The environment gives it one.
    #[error("the environment gives this project an encryption key already, in {place}")]
    InEnvironment {
        /// The variable or the file.
        place: String,
    },
    /// Values are encrypted with keys that are gone or not here.
    #[error("{} encrypted {count} of the values here, and no new key opens them", keys(.ids))]
    Lost {
        /// How many values.
        count: usize,
        /// Their keys.
        ids: Vec<KeyId>,
    },
    /// The environment is not written.
    #[error("a key cannot be put into the environment of this process")]
    Environment,
    /// The place cannot be used.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A file of the project cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

fn keys(ids: &[KeyId]) -> String {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("the key{} {}", if ids.len() == 1 { "" } else { "s" }, names.join(", "))
}

impl AdoptError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyThere { .. } => "key-already-there",
            Self::InEnvironment { .. } => "key-in-environment",
            Self::Lost { .. } => "key-lost",
            Self::Environment => "holder-read-only",
            Self::Holder(error) => error.code(),
            Self::Entropy(_) => "no-randomness",
            Self::Vault(error) => error.code(),
        }
    }
}

impl ProjectKeys {
    /// Makes a key, puts it into a place and notes that.
    ///
    /// # Errors
    ///
    /// [`AdoptError`]; then nothing has changed.
    pub fn create(&self, kind: HolderKind, lost: LostKey, clock: &dyn Clock) -> Result<KeyId, AdoptError> {
        if kind == HolderKind::Environment {
            return Err(AdoptError::Environment);
        }
        self.decide(|| {
            self.refuse_second(kind)?;
            let used = protected_by(&self.project)?;
            if lost == LostKey::Refuse && !used.is_empty() {
                return Err(AdoptError::Lost {
                    count: used.iter().map(|(_, count)| count).sum(),
                    ids: used.into_iter().map(|(id, _)| id).collect(),
                });
            }
            let keys = KeySet::new(MasterKey::make(self.entropy.as_ref())?, Some(clock.now()));
            self.store(&keys, kind)?;
            let key_id = keys.active_id();
            Ok((Choice { kind, key_id }, key_id))
        })
    }

    /// Refuses where the project has a key already, so that nobody is asked for a passphrase in vain.
    ///
    /// # Errors
    ///
    /// [`AdoptError`], as [`ProjectKeys::create`] would give it.
    pub fn refuse_second(&self, kind: HolderKind) -> Result<(), AdoptError> {
        if let Some(holder) = self.environment_holder()? {
            holder.load()?;
            let place = holder.describe();
            return Err(AdoptError::InEnvironment { place });
        }
        self.present(kind)?.map_or(Ok(()), Err)
    }

    /// Puts a key that was brought into a place and notes that; the same key in another place goes from there.
    ///
    /// # Errors
    ///
    /// [`AdoptError`]; then nothing has changed.
    pub fn adopt(&self, keys: &KeySet, kind: HolderKind) -> Result<Adopted, AdoptError> {
        if kind == HolderKind::Environment {
            return Err(AdoptError::Environment);
        }
        let adopted = self.decide(|| {
            let adopted = match self.chosen()? {
                None => self.put_first(keys, kind)?,
                Some(old) => match self.held(old, keys)? {
                    Held::Nothing => self.put_first(keys, kind)?,
                    Held::Same => self.put_again(keys, old, kind)?,
                    Held::Other { place, id } => return Err(AdoptError::AlreadyThere { place, id }),
                },
            };
            let key_id = keys.active_id();
            Ok((Choice { kind, key_id }, adopted))
        })?;
        // Only once the new place is noted, so that a crash leaves a key that is found.
        if let Adopted::Moved { from } = adopted {
            self.holder(from)?.delete()?;
        }
        Ok(adopted)
    }

    /// Notes which key rotation has put into the chosen place.
    ///
    /// # Errors
    ///
    /// [`VaultError`] where the note cannot be written.
    pub fn note_rotation(&self, key_id: KeyId) -> Result<(), VaultError> {
        let choice = Choice::read(&self.project).map_err(Arc::new)?;
        match choice {
            Some(Choice { kind, .. }) => Choice { kind, key_id }.write(&self.project, self.entropy.as_ref()),
            None => Ok(()),
        }
    }

    /// Puts keys into a place. A project that the keyring has no name for yet is given one once the keyring has taken the keys.
    fn store(&self, keys: &KeySet, kind: HolderKind) -> Result<(), AdoptError> {
        if kind != HolderKind::Keyring || self.project_id()?.is_some() {
            return Ok(self.holder(kind)?.store(keys)?);
        }
        let id = make_project_id(self.entropy.as_ref())?;
        self.keyring(id.clone()).store(keys)?;
        Ok(write_project_id(&self.project, &id, self.entropy.as_ref())?)
    }

    /// Decides under the lock of the note, so that of two at once one sees what the other did.
    fn decide<T>(&self, mut decision: impl FnMut() -> Result<(Choice, T), AdoptError>) -> Result<T, AdoptError> {
        Choice::decide(&self.project, self.entropy.as_ref(), &mut decision)
    }

    fn put_first(&self, keys: &KeySet, kind: HolderKind) -> Result<Adopted, AdoptError> {
        match self.held(kind, keys)? {
            Held::Nothing => self.store(keys, kind)?,
            Held::Same => {}
            Held::Other { place, id } => return Err(AdoptError::AlreadyThere { place, id }),
        }
        self.readmit(keys)?;
        Ok(Adopted::Stored)
    }

    fn put_again(&self, keys: &KeySet, old: HolderKind, kind: HolderKind) -> Result<Adopted, AdoptError> {
        self.readmit(keys)?;
        if old == kind && kind != HolderKind::Passphrase {
            return Ok(Adopted::Unchanged);
        }
        // The same keys under a passphrase are from now on under the one that was given.
        self.store(keys, kind)?;
        if old == kind {
            return Ok(Adopted::Stored);
        }
        Ok(Adopted::Moved { from: old })
    }

    /// What a place holds, compared with some keys; for what is under a passphrase the ids say it, so that nobody needs the old one.
    fn held(&self, kind: HolderKind, keys: &KeySet) -> Result<Held, HolderError> {
        if kind == HolderKind::Passphrase {
            let Some(wrapped) = self.wrapped()? else { return Ok(Held::Nothing) };
            let ids = wrapped.active_id().into_iter().chain(wrapped.retired_ids());
            let is_same = ids.eq(std::iter::once(keys.active_id()).chain(keys.retired_ids()));
            let place = WRAPPED_KEYS.to_owned();
            return Ok(match wrapped.active_id() {
                Some(id) if !is_same => Held::Other { place, id },
                _ => Held::Same,
            });
        }
        if kind == HolderKind::Keyring && self.project_id()?.is_none() {
            return Ok(Held::Nothing);
        }
        let holder = self.holder(kind)?;
        match holder.load() {
            Ok(present) if present.ct_eq(keys) => Ok(Held::Same),
            Ok(present) => Ok(Held::Other {
                place: holder.describe(),
                id: present.active_id(),
            }),
            Err(HolderError::Missing { .. }) => Ok(Held::Nothing),
            Err(error) => Err(error),
        }
    }

    /// A key that rotation had replaced may seal again once it is brought back on purpose.
    fn readmit(&self, keys: &KeySet) -> Result<(), VaultError> {
        readmit(&self.project, keys.active_id(), self.entropy.as_ref())
    }

    /// The key that is there already, as the reason to make none; in the place that was chosen, or in the one that is to be.
    fn present(&self, wanted: HolderKind) -> Result<Option<AdoptError>, AdoptError> {
        let chosen = self.chosen()?;
        if chosen == Some(HolderKind::Passphrase) {
            let id = self.wrapped()?.and_then(|wrapped| wrapped.active_id());
            let place = WRAPPED_KEYS.to_owned();
            return Ok(id.map(|id| AdoptError::AlreadyThere { place, id }));
        }
        let looked_at = match (chosen, wanted) {
            (Some(kind), _) => kind,
            (None, HolderKind::Keyring) => HolderKind::Keyring,
            // That a keyring which nobody chose is locked or gone is no reason to make no file.
            (None, _) => return Ok(None),
        };
        if looked_at == HolderKind::Keyring && self.project_id()?.is_none() {
            // Nothing can be kept there under an id that does not exist; the keyring is asked when it is to store.
            return Ok(None);
        }
        let holder = self.holder(looked_at)?;
        match holder.load() {
            Ok(keys) => Ok(Some(AdoptError::AlreadyThere {
                place: holder.describe(),
                id: keys.active_id(),
            })),
            Err(HolderError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
