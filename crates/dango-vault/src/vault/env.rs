//! What a vault does with `.env`; the steps that both files share are one up.

use dango_core::{SecretValue, VariableName};
use dango_secrets::References;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::home::SharedFile;

use super::Vault;
use crate::env::{self, EnvChange, EnvChanged, EnvEncryptReport, EnvPlain, EnvSetReport, EnvTargets, decrypt_env, encrypt_env, set_env};
use crate::error::VaultError;
use crate::history::PreviousValue;
use crate::secrets::Protection;

impl Vault<'_> {
    /// Encrypts values of `.env`.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn encrypt_env(&self, targets: EnvTargets<'_>) -> Result<EnvEncryptReport, VaultError> {
        self.seal_asides(SharedFile::Env)?;
        self.update(|document: &EnvDocument, edition| Ok(encrypt_env(document, targets, edition.sealer()?)?))
    }

    /// Decrypts values of `.env`.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn decrypt_env(&self, targets: EnvTargets<'_>) -> Result<Vec<VariableName>, VaultError> {
        self.update(|document: &EnvDocument, edition| Ok(decrypt_env(document, targets, edition.keys()?)?))
    }

    /// Sets a variable of `.env`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn set_env(
        &self,
        key: &VariableName,
        value: &SecretValue,
        references: References,
        protection: Protection,
    ) -> Result<EnvSetReport, VaultError> {
        self.update(|document: &EnvDocument, edition| set_env(document, key, value, references, protection, edition))
    }

    /// Removes a variable of `.env`, and says how many lines went.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn unset_env(&self, key: &str) -> Result<usize, VaultError> {
        self.update(|document: &EnvDocument, edition| env::unset_env(document, key, edition))
    }

    /// Makes many changes of `.env` in one save, in their order, each with an answer of its own: one that is refused spoils no other.
    ///
    /// Each is as [`Vault::set_env`], literal and encrypted by habit, or [`Vault::unset_env`]. What would refuse all of them though
    /// only some need it, such as a key that cannot be fetched, makes each be saved by itself.
    ///
    /// # Errors
    ///
    /// [`VaultError`] of the file itself, which cannot be read, parsed or written; it is then as it was, but for
    /// [`WriteError::NotDurable`](dango_secrets::storage::WriteError::NotDurable).
    pub fn change_env(&self, changes: &[EnvChange<'_>]) -> Result<Vec<Result<EnvChanged, VaultError>>, VaultError> {
        let one_by_one = |change| match self.change_env_at_once(std::slice::from_ref(change)) {
            Ok(mut only) => only.pop(),
            Err(error) => Some(Err(error)),
        };
        match self.change_env_at_once(changes) {
            Err(error) if error.is_of_file() => Err(error),
            Err(error) if changes.len() < 2 => Ok(vec![Err(error)]),
            Err(_) => Ok(changes.iter().filter_map(one_by_one).collect()),
            answers => answers,
        }
    }

    fn change_env_at_once(&self, changes: &[EnvChange<'_>]) -> Result<Vec<Result<EnvChanged, VaultError>>, VaultError> {
        self.update(|document: &EnvDocument, edition| Ok(env::change_env(document, changes, edition)))
    }

    /// Accepts the encrypted values of `.env` as they are.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn reseal_env(&self) -> Result<(), VaultError> {
        self.reseal::<EnvDocument>()
    }

    /// The previous values of a variable, the latest first; no key is needed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Read`] and [`VaultError::History`].
    pub fn env_history(&self, key: &VariableName) -> Result<Vec<PreviousValue>, VaultError> {
        Ok(self.history()?.list(&env::binding(key)))
    }

    /// Puts a previous value back; encrypted, unless the present value is plain.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn rollback_env(&self, key: &VariableName, number: usize) -> Result<EnvSetReport, VaultError> {
        let plain = self.previous(&env::binding(key), number)?;
        let plain = EnvPlain::parse(&plain).ok_or(VaultError::Nul)?;
        let refers = plain.has_reference();
        let references = if refers { References::Expand } else { References::Literal };
        self.update(|document: &EnvDocument, edition| {
            let present = document.bindings().rfind(|bound| bound.key() == key.as_str());
            let is_plain = present.is_some_and(|bound| !env::is_encrypted_binding(bound));
            let protection = if is_plain || refers {
                Protection::Plain
            } else {
                Protection::Encrypt
            };
            set_env(document, key, &plain.value(), references, protection, edition)
        })
    }
}
