//! A project's files changed with everything that belongs to it: count, history, seal and last seen state, each at its time.

mod aside;
mod env;
mod exchange;

use std::collections::BTreeMap;
use std::sync::Arc;

use dango_core::{Clock, CredentialPath, Entropy, SecretValue};
use dango_keyring::{Binding, Envelope, SealState, SeenState};
use dango_secrets::document::{NewValue, SecretsDocument, ValueText};
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_secrets::storage::Edit;
use zeroize::Zeroizing;

pub use self::aside::RotationLease;
pub use self::exchange::{Exchange, spell};
use crate::counts;
use crate::edition::{Edition, Kept};
use crate::error::VaultError;
use crate::file::{SealedFile, keep_seen, load_seen, seen_key};
use crate::history::{History, PreviousValue};
use crate::keys::Keys;
use crate::project_keys::Choice;
use crate::sealer::Sealer;
use crate::secrets::{
    self, EncryptReport, Protection, Removal, SetError, SetReport, Targets, decrypt_secrets, encrypt_secrets, set_secrets,
};
use crate::warning::SealWarning;

/// A project with its keys: every change of a file that may hold encrypted values goes through here.
///
/// A change that touches nothing encrypted asks for no key. The order of a change is: what was sealed is counted, values that go
/// are kept in the history, the file is replaced, its new state is noted as seen. A crash in between loses nothing and
/// undercounts nothing.
pub struct Vault<'a> {
    project: &'a Project,
    keys: &'a Keys<'a>,
    entropy: &'a dyn Entropy,
    clock: &'a dyn Clock,
    actor: &'a str,
}

impl<'a> Vault<'a> {
    /// A project; `actor` is who the history will say has changed a value.
    pub fn new(project: &'a Project, keys: &'a Keys<'a>, entropy: &'a dyn Entropy, clock: &'a dyn Clock, actor: &'a str) -> Self {
        Self {
            project,
            keys,
            entropy,
            clock,
            actor,
        }
    }

    /// Compares `.dlt/secrets.toml`, as it was read, with its seal and with what was seen last.
    ///
    /// # Errors
    ///
    /// [`VaultError::Keys`] where there is something to check and no key to do it with; [`VaultError::Read`].
    pub fn check_secrets(&self, document: &SecretsDocument) -> Result<Option<SealWarning>, VaultError> {
        self.check(document)
    }

    /// Compares `.env`, as it was read, with its seal and with what was seen last.
    ///
    /// # Errors
    ///
    /// As [`Vault::check_secrets`].
    pub fn check_env(&self, document: &EnvDocument) -> Result<Option<SealWarning>, VaultError> {
        self.check(document)
    }

    /// Encrypts values of `.dlt/secrets.toml`, and what is laid aside of it.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn encrypt_secrets(&self, targets: Targets<'_>) -> Result<EncryptReport, VaultError> {
        self.seal_asides(SharedFile::Secrets)?;
        self.update(|document: &SecretsDocument, edition| Ok(encrypt_secrets(document, targets, edition.sealer()?)?))
    }

    /// Decrypts values of `.dlt/secrets.toml`.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn decrypt_secrets(&self, targets: Targets<'_>) -> Result<Vec<CredentialPath>, VaultError> {
        self.update(|document: &SecretsDocument, edition| Ok(decrypt_secrets(document, targets, edition.keys()?)?))
    }

    /// Sets values of `.dlt/secrets.toml`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn set_secrets(&self, values: &[(CredentialPath, NewValue)], protection: Protection) -> Result<SetReport, VaultError> {
        self.update(|document: &SecretsDocument, edition| set_secrets(document, values, protection, edition))
    }

    /// Removes a value or a table of `.dlt/secrets.toml`, and says how many values went.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn unset_secret(&self, path: &CredentialPath, what: Removal) -> Result<usize, VaultError> {
        self.update(|document: &SecretsDocument, edition| {
            if what == Removal::Value && document.contains_table(path) {
                return Err(SetError::IsTable { path: path.clone() }.into());
            }
            secrets::unset_secret(document, path, edition)
        })
    }

    /// Removes several values or tables of `.dlt/secrets.toml` in one step, and says how many values went; what is not there is passed over.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn unset_secrets(&self, paths: &[CredentialPath]) -> Result<usize, VaultError> {
        self.update(|document: &SecretsDocument, edition| secrets::unset_secrets(document, paths, edition))
    }

    /// Changes `.dlt/secrets.toml` in any other way; the edit may be asked several times.
    ///
    /// # Errors
    ///
    /// Those of the edit, and [`VaultError`]; the file is then as it was.
    pub fn edit_secrets<T>(
        &self,
        edit: impl FnMut(&SecretsDocument, &mut Edition<'a>) -> Result<(SecretsDocument, T), VaultError>,
    ) -> Result<T, VaultError> {
        self.update(edit)
    }

    /// Accepts the encrypted values of `.dlt/secrets.toml` as they are.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn reseal_secrets(&self) -> Result<(), VaultError> {
        self.reseal::<SecretsDocument>()
    }

    /// The previous values of a path, the latest first; no key is needed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Read`] and [`VaultError::History`].
    pub fn secret_history(&self, path: &CredentialPath) -> Result<Vec<PreviousValue>, VaultError> {
        Ok(self.history()?.list(&secrets::binding(path)))
    }

    /// Puts a previous value back; encrypted, unless the present value is plain.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn rollback_secret(&self, path: &CredentialPath, number: usize) -> Result<SetReport, VaultError> {
        let spelling = self.previous(&secrets::binding(path), number)?;
        let text = ValueText::parse(spelling.expose()).ok_or(VaultError::Nul)?;
        let value = text.to_new_value().ok_or(VaultError::Nul)?;
        let refers = text.value().has_reference();
        self.update(|document: &SecretsDocument, edition| {
            let is_plain = document.value(path).is_some_and(|value| !secrets::is_encrypted(&value));
            let protection = if is_plain || refers {
                Protection::Plain
            } else {
                Protection::Encrypt
            };
            set_secrets(document, &[(path.clone(), value.clone())], protection, edition)
        })
    }

    pub(crate) const fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    pub(crate) const fn project(&self) -> &'a Project {
        self.project
    }

    fn history(&self) -> Result<History, VaultError> {
        let contents = self.project.read(SharedFile::History)?;
        Ok(History::parse(contents.as_ref().map_or(&[], |contents| contents.bytes()))?)
    }

    fn previous(&self, binding: &Binding, number: usize) -> Result<SecretValue, VaultError> {
        let history = self.history()?;
        Ok(history.open(self.keys.fetch()?, binding, number)?)
    }

    fn check<F: SealedFile>(&self, file: &F) -> Result<Option<SealWarning>, VaultError> {
        let (values, seal) = (file.sealed_values(), file.seal());
        if values.is_empty() && seal.is_none() && !seen_key::<F>(self.project)?.is_some_and(|(has_values, _)| has_values) {
            return Ok(None);
        }
        let keys = self.keys.fetch()?;
        let (seen, unreadable) = match load_seen::<F>(self.project, keys)? {
            Ok(seen) => (seen, None),
            Err(error) => (None, Some(error)),
        };
        let state = keys.file_sealer(F::PURPOSE).check(&values, seal.as_ref(), seen.as_ref());
        match (&state, &unreadable) {
            (SealState::Intact { newer: Some(newer) }, None) => {
                // A project that can only be read is used all the same; it is noted another time.
                let _ = keep_seen::<F>(self.project, keys, newer, self.entropy);
                Ok(None)
            }
            (SealState::Intact { .. }, None) => Ok(None),
            _ => Ok(Some(SealWarning::new(F::NAME, state, unreadable))),
        }
    }

    fn update<F: SealedFile, T>(&self, mut edit: impl FnMut(&F, &mut Edition<'a>) -> Result<(F, T), VaultError>) -> Result<T, VaultError> {
        let mut seen = None;
        let result = self.project.update(F::FILE, self.entropy, |bytes| {
            let old = F::parse(bytes.unwrap_or_default())?;
            let mut edition = Edition::new(self.keys, self.entropy);
            let (new, result) = edit(&old, &mut edition)?;
            let (new, now) = self.with_new_seal(&old, new)?;
            seen = now;
            if new.text() == old.text() {
                return Ok(Edit::Keep(result));
            }
            if let Some(count) = edition.count() {
                counts::add(self.project, count, self.entropy)?;
                self.refuse_other_key(&old, count)?;
            }
            self.keep(&edition.take_kept())?;
            if old.sealed().is_empty() && !new.sealed().is_empty() {
                self.seal_asides(F::FILE)?;
            }
            Ok(Edit::Replace(Zeroizing::new(new.text().as_bytes().to_vec()), result))
        })?;
        self.note::<F>(seen.as_ref())?;
        Ok(result)
    }

    /// A file of which no value opens with our keys gets no value under them, unless that key was chosen for the project: a key
    /// that the environment happens to give would make it a file that nobody can open whole.
    fn refuse_other_key<F: SealedFile>(&self, old: &F, count: dango_keyring::SealCount) -> Result<(), VaultError> {
        let sealed = old.sealed().into_iter().filter_map(|value| value.envelope.ok());
        let mut ids = sealed.map(|envelope| envelope.key_id()).peekable();
        let (Some(&found), true) = (ids.peek(), count.seals() > 0) else {
            return Ok(());
        };
        let keys = self.keys.fetch()?;
        let chosen = Choice::read(self.project).map_err(Arc::new)?;
        if ids.any(|id| keys.contains(id)) || chosen.is_some_and(|choice| choice.key_id == keys.active_id()) {
            return Ok(());
        }
        Err(VaultError::OtherKey {
            file: F::NAME,
            found,
            active: keys.active_id(),
        })
    }

    fn reseal<F: SealedFile>(&self) -> Result<(), VaultError> {
        let mut seen = None;
        self.project.update(F::FILE, self.entropy, |bytes| {
            let old = F::parse(bytes.unwrap_or_default())?;
            let (values, seal) = (old.sealed_values(), old.seal());
            let nothing_was_seen = seen_key::<F>(self.project)?.is_none();
            if values.is_empty() && seal.is_none() && nothing_was_seen {
                return Ok(Edit::Keep(()));
            }
            let keys = self.keys.fetch()?;
            let before = load_seen::<F>(self.project, keys)?.ok().flatten();
            let (seal, state) = keys.file_sealer(F::PURPOSE).seal(&values, seal.as_ref(), before.as_ref())?;
            seen = Some(state);
            let new = old.with_seal((!values.is_empty()).then_some(&seal))?;
            Ok(if new.text() == old.text() {
                Edit::Keep(())
            } else {
                Edit::Replace(Zeroizing::new(new.text().as_bytes().to_vec()), ())
            })
        })?;
        self.note::<F>(seen.as_ref())
    }

    /// The edited file with the seal that belongs to it, and the state to note once it is written.
    fn with_new_seal<F: SealedFile>(&self, old: &F, new: F) -> Result<(F, Option<SeenState>), VaultError> {
        if old.fingerprint() == new.fingerprint() {
            return Ok((new, None));
        }
        let keys = self.keys.fetch()?;
        let sealer = keys.file_sealer(F::PURPOSE);
        let seen = load_seen::<F>(self.project, keys)?.ok().flatten();
        let seal = old.seal();
        if let SealState::Intact { .. } = sealer.check(&old.sealed_values(), seal.as_ref(), seen.as_ref()) {
            let values = new.sealed_values();
            let (seal, state) = sealer.seal(&values, seal.as_ref(), seen.as_ref())?;
            return Ok((new.with_seal((!values.is_empty()).then_some(&seal))?, Some(state)));
        }
        // What is wrong with the file stays to be seen; only this edit is none of it.
        let seen = seen.map(|mut seen| {
            note_edits(&sealer, &mut seen, old, &new);
            seen
        });
        Ok((new, seen))
    }

    fn note<F: SealedFile>(&self, seen: Option<&SeenState>) -> Result<(), VaultError> {
        match seen {
            Some(seen) => keep_seen::<F>(self.project, self.keys.fetch()?, seen, self.entropy),
            None => Ok(()),
        }
    }

    /// Puts values into the history.
    fn keep(&self, kept: &[Kept]) -> Result<(), VaultError> {
        if kept.is_empty() {
            return Ok(());
        }
        let keys = self.keys.fetch()?;
        self.project
            .update(SharedFile::History, self.entropy, |old| {
                let mut history = History::parse(old.unwrap_or_default())?;
                let mut sealer = Sealer::new(keys, self.entropy);
                for value in kept {
                    let by = value.by.as_deref().unwrap_or(self.actor);
                    history.add(&value.binding, &value.spelling, self.clock.now(), by, &mut sealer)?;
                }
                counts::add(self.project, sealer.count(), self.entropy)?;
                Ok(Edit::Replace(history.to_bytes(), ()))
            })
            .map_err(VaultError::from)
    }
}

/// Notes every encrypted value that an edit of ours changed, so that it is not reported as somebody else's change.
pub(crate) fn note_edits<F: SealedFile>(sealer: &dango_keyring::FileSealer<'_>, seen: &mut SeenState, old: &F, new: &F) {
    // Of values in one place the last one counts.
    let sealed = |file: &F| -> BTreeMap<Binding, Option<Envelope>> {
        let values = file.sealed().into_iter();
        values.filter_map(|value| Some((value.binding?, value.envelope.ok()))).collect()
    };
    let (mut before, mut edits) = (sealed(old), sealed(new));
    edits.retain(|binding, now| before.remove(binding).flatten() != *now);
    let gone = before.into_iter().filter(|(_, envelope)| envelope.is_some());
    edits.extend(gone.map(|(binding, _)| (binding, None)));
    sealer.note_edits(seen, &edits);
}
