//! What is laid aside: kept, read, noted about and forgotten, and who may do so at a time. The file's form is in `crate::aside`.

use std::time::Duration;

use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::home::{HomeLease, SharedFile};
use dango_secrets::storage::Edit;

use super::Vault;
use crate::aside::{Aside, AsideError, Asides, Entry, Stored, ValuePlace, is_field};
use crate::counts;
use crate::env::EnvPlain;
use crate::error::VaultError;
use crate::file::SealedFile;
use crate::history::History;
use crate::sealer::Sealer;
use crate::vault::exchange::text_of_spelling;

/// The right to exchange the values of one name, until it is dropped. A process that dies gives it back.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub struct RotationLease {
    _lease: HomeLease,
}

impl Vault<'_> {
    /// Waits until nobody else exchanges values under that name, at most `patience`.
    ///
    /// # Errors
    ///
    /// [`VaultError::Write`] where another process has it for longer, or the lock cannot be made.
    pub fn lease_rotation(&self, name: &str, patience: Duration) -> Result<RotationLease, VaultError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        // Names that no file should have share one lock, which only makes them exclude each other.
        let name = match !name.is_empty() && name.len() <= 64 && name.chars().all(is_plain) {
            true => format!("rotation-{name}"),
            false => "rotation".to_owned(),
        };
        let lease = self.project().lease(&name, patience)?;
        Ok(RotationLease { _lease: lease })
    }

    /// Lays values aside under a name, in the place of what was there; sealed where the file of their place has an encrypted value.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; what was laid aside before is then as it was.
    pub fn lay_aside(&self, aside: &Aside) -> Result<(), VaultError> {
        if !is_field(&aside.name) || !is_field(&aside.note) {
            return Err(AsideError::NotALine.into());
        }
        let (secrets, env) = (self.seals::<SecretsDocument>()?, self.seals::<EnvDocument>()?);
        self.change_asides(|asides| {
            let mut sealer = None;
            let mut values = Vec::with_capacity(aside.values.len());
            for value in &aside.values {
                let is_sealed = match value.place {
                    ValuePlace::Secret(_) => secrets,
                    ValuePlace::Variable(_) => env,
                };
                values.push(match is_sealed {
                    true => {
                        let sealer = match &mut sealer {
                            Some(sealer) => sealer,
                            none => none.insert(Sealer::new(self.keys.fetch()?, self.entropy)),
                        };
                        Stored::seal(&aside.name, value, sealer)?
                    }
                    false => Stored::plain(value),
                });
            }
            if let Some(sealer) = sealer {
                counts::add(self.project, sealer.count(), self.entropy)?;
            }
            asides.put(Entry {
                name: aside.name.clone(),
                note: aside.note.clone(),
                values,
            });
            Ok(true)
        })
    }

    /// What is laid aside under a name.
    ///
    /// # Errors
    ///
    /// [`VaultError::Aside`] where a value does not open, [`VaultError::Keys`] where a key is needed and not to be had, [`VaultError::Read`].
    pub fn aside(&self, name: &str) -> Result<Option<Aside>, VaultError> {
        let asides = self.asides_file()?;
        let Some(entry) = asides.find(name) else { return Ok(None) };
        let keys = match entry.is_sealed() {
            true => Some(self.keys.fetch()?),
            false => None,
        };
        let values = entry.values.iter().map(|stored| stored.open(name, keys));
        Ok(Some(Aside {
            name: entry.name.clone(),
            note: entry.note.clone(),
            values: values.collect::<Result<_, _>>()?,
        }))
    }

    /// The names under which something is laid aside, each with its note; no key is needed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Read`] and [`VaultError::Aside`].
    pub fn asides(&self) -> Result<Vec<(String, String)>, VaultError> {
        let asides = self.asides_file()?;
        let entries = asides.entries().iter();
        Ok(entries.map(|entry| (entry.name.clone(), entry.note.clone())).collect())
    }

    /// The names under which a value of a place is laid aside, each with its note; no key is needed.
    ///
    /// # Errors
    ///
    /// As [`Vault::asides`].
    pub fn asides_of(&self, place: &ValuePlace) -> Result<Vec<(String, String)>, VaultError> {
        let asides = self.asides_file()?;
        let entries = asides.entries().iter();
        let has = entries.filter(|entry| entry.values.iter().any(|value| value.is_at(place)));
        Ok(has.map(|entry| (entry.name.clone(), entry.note.clone())).collect())
    }

    /// Writes another note to what is laid aside under a name; its values stay, and no key is needed.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the note is then as it was.
    pub fn note_aside(&self, name: &str, note: &str) -> Result<(), VaultError> {
        if !is_field(note) {
            return Err(AsideError::NotALine.into());
        }
        self.change_asides(|asides| {
            let entry = asides.entries_mut().iter_mut().find(|entry| entry.name == name);
            Ok(entry.is_some_and(|entry| std::mem::replace(&mut entry.note, note.to_owned()) != note))
        })
    }

    /// Forgets what is laid aside under a name; answers whether there was anything.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; it is then still there.
    pub fn forget_aside(&self, name: &str) -> Result<(), VaultError> {
        self.change_asides(|asides| Ok(asides.remove(name)))
    }

    /// Takes a value out of the history of its place; answers how often it was there.
    ///
    /// The value is given as it is laid aside, see [`AsideValue`](crate::AsideValue).
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the history is then as it was.
    pub fn forget_previous(&self, place: &ValuePlace, value: &dango_core::SecretValue) -> Result<usize, VaultError> {
        let binding = place.binding();
        let text = match place {
            ValuePlace::Secret(_) => text_of_spelling(value),
            ValuePlace::Variable(_) => Some(value.clone()),
        };
        let Some(text) = text else { return Ok(0) };
        if self.history()?.list(&binding).is_empty() {
            return Ok(0);
        }
        let keys = self.keys.fetch()?;
        let is_it = |kept: &dango_core::SecretValue| {
            let kept = match place {
                ValuePlace::Secret(_) => text_of_spelling(kept),
                ValuePlace::Variable(_) => EnvPlain::parse(kept).map(|plain| plain.value()),
            };
            kept.is_some_and(|kept| kept.expose() == text.expose())
        };
        let gone = self.project.update(SharedFile::History, self.entropy, |old| {
            let mut history = History::parse(old.unwrap_or_default())?;
            Ok::<_, VaultError>(match history.forget(keys, &binding, &is_it) {
                0 => Edit::Keep(0),
                gone => Edit::Replace(history.to_bytes(), gone),
            })
        });
        Ok(gone?)
    }

    /// Seals what is laid aside of a file that has, or is about to have, an encrypted value.
    pub(super) fn seal_asides(&self, file: SharedFile) -> Result<(), VaultError> {
        // Most projects have none: then not even a lock is left behind.
        if self.project.stamp(SharedFile::Rotations)?.is_none() {
            return Ok(());
        }
        self.change_asides(|asides| {
            let mut sealer = None;
            for entry in asides.entries_mut() {
                for value in entry.values.iter_mut().filter(|value| value.is_plain() && value.is_in(file)) {
                    let sealer = match &mut sealer {
                        Some(sealer) => sealer,
                        none => none.insert(Sealer::new(self.keys.fetch()?, self.entropy)),
                    };
                    *value = Stored::seal(&entry.name, &value.open(&entry.name, None)?, sealer)?;
                }
            }
            match sealer {
                Some(sealer) => counts::add(self.project, sealer.count(), self.entropy).map(|()| true),
                None => Ok(false),
            }
        })
    }

    fn asides_file(&self) -> Result<Asides, VaultError> {
        let contents = self.project.read(SharedFile::Rotations)?;
        Ok(Asides::parse(contents.as_ref().map_or(&[], |contents| contents.bytes()))?)
    }

    fn change_asides(&self, mut change: impl FnMut(&mut Asides) -> Result<bool, VaultError>) -> Result<(), VaultError> {
        let changed = self.project.update(SharedFile::Rotations, self.entropy, |old| {
            let mut asides = Asides::parse(old.unwrap_or_default())?;
            Ok::<_, VaultError>(match change(&mut asides)? {
                true => Edit::Replace(asides.to_bytes(), ()),
                false => Edit::Keep(()),
            })
        });
        Ok(changed?)
    }

    /// Whether a file has an encrypted value.
    fn seals<F: SealedFile>(&self) -> Result<bool, VaultError> {
        let contents = self.project.read(F::FILE)?;
        let file = F::parse(contents.as_ref().map_or(&[], |contents| contents.bytes()))?;
        Ok(!file.sealed().is_empty())
    }
}
