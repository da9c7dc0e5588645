//! Keys in a file, bare or under a passphrase. The file itself is the caller's, who knows how to write one safely; no file is touched here.

use dango_core::{Entropy, SecretValue};

use super::{HolderError, HolderKind, KeyHolder};
use crate::key_set::KeySet;
use crate::wrapped::WrappedKeys;

/// What went wrong with a file, as the caller's storage says it.
pub type KeyFileError = Box<dyn std::error::Error + Send + Sync>;

/// A file that holds keys: read and written whole, 0600 from its creation, by the caller's storage.
pub trait KeyFile {
    /// The file's name, for messages.
    fn name(&self) -> String;

    /// Reads it; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Whatever the storage says.
    fn read(&self) -> Result<Option<SecretValue>, KeyFileError>;

    /// Writes it whole, in place of what is there.
    ///
    /// # Errors
    ///
    /// Whatever the storage says; the file is then as it was.
    fn write(&self, text: &SecretValue) -> Result<(), KeyFileError>;

    /// Removes it; says whether there was one.
    ///
    /// # Errors
    ///
    /// Whatever the storage says.
    fn remove(&self) -> Result<bool, KeyFileError>;
}

/// Keys in a file as they are: whoever reads the file has them.
pub struct FileHolder<F> {
    file: F,
}

impl<F: KeyFile> FileHolder<F> {
    /// Keys in this file.
    pub fn new(file: F) -> Self {
        Self { file }
    }
}

impl<F: KeyFile> KeyHolder for FileHolder<F> {
    fn kind(&self) -> HolderKind {
        HolderKind::File
    }

    fn describe(&self) -> String {
        format!("the key file {}", self.file.name())
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        let text = read(&self.file, || self.describe())?;
        KeySet::parse(&text).map_err(|source| HolderError::Unreadable {
            place: self.describe(),
            source,
        })
    }

    fn store(&self, keys: &KeySet) -> Result<(), HolderError> {
        self.file.write(&keys.to_key_file()).map_err(|source| failed(&self.file, source))?;
        if self.load()?.ct_eq(keys) {
            Ok(())
        } else {
            Err(HolderError::NotKept { place: self.describe() })
        }
    }

    fn delete(&self) -> Result<(), HolderError> {
        remove(&self.file, || self.describe())
    }
}

/// Keys in a file that only a passphrase opens.
pub struct PassphraseHolder<'a, F> {
    file: F,
    passphrase: SecretValue,
    entropy: &'a dyn Entropy,
}

impl<'a, F: KeyFile> PassphraseHolder<'a, F> {
    /// Keys in this file, under this passphrase.
    pub fn new(file: F, passphrase: SecretValue, entropy: &'a dyn Entropy) -> Self {
        Self { file, passphrase, entropy }
    }

    fn read_wrapped(&self) -> Result<WrappedKeys, HolderError> {
        let text = read(&self.file, || self.describe())?;
        text.expose().parse().map_err(|source| HolderError::UnreadableWrapped {
            place: self.describe(),
            source,
        })
    }
}

impl<F: KeyFile> KeyHolder for PassphraseHolder<'_, F> {
    fn kind(&self) -> HolderKind {
        HolderKind::Passphrase
    }

    fn describe(&self) -> String {
        format!("the file {} under a passphrase", self.file.name())
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        Ok(self.read_wrapped()?.unwrap(&self.passphrase)?)
    }

    fn store(&self, keys: &KeySet) -> Result<(), HolderError> {
        let text = WrappedKeys::wrap(keys, &self.passphrase, self.entropy)?.to_string();
        let written = SecretValue::new(text.clone()).map_err(|error| failed(&self.file, Box::new(error)))?;
        self.file.write(&written).map_err(|source| failed(&self.file, source))?;
        // That the text opens is known; trying it again would cost as much as the first time.
        if self.read_wrapped()?.to_string() == text {
            Ok(())
        } else {
            Err(HolderError::NotKept { place: self.describe() })
        }
    }

    fn delete(&self) -> Result<(), HolderError> {
        remove(&self.file, || self.describe())
    }
}

fn read(file: &impl KeyFile, place: impl FnOnce() -> String) -> Result<SecretValue, HolderError> {
    let text = file.read().map_err(|source| failed(file, source))?;
    text.ok_or_else(|| HolderError::Missing { place: place() })
}

fn remove(file: &impl KeyFile, place: impl FnOnce() -> String) -> Result<(), HolderError> {
    if file.remove().map_err(|source| failed(file, source))? {
        Ok(())
    } else {
        Err(HolderError::Missing { place: place() })
    }
}

fn failed(file: &impl KeyFile, source: KeyFileError) -> HolderError {
    HolderError::File {
        place: file.name(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use dango_core::OsEntropy;

    use super::*;
    use crate::key::MasterKey;

    #[derive(Default)]
    struct Memory {
        text: RefCell<Option<String>>,
        forgets: bool,
    }

    impl KeyFile for &Memory {
        fn name(&self) -> String {
            ".dango/key".to_owned()
        }

        fn read(&self) -> Result<Option<SecretValue>, KeyFileError> {
            Ok(self.text.borrow().clone().map(SecretValue::new).transpose()?)
        }

        fn write(&self, text: &SecretValue) -> Result<(), KeyFileError> {
            if !self.forgets {
                *self.text.borrow_mut() = Some(text.expose().to_owned());
            }
            Ok(())
        }

        fn remove(&self) -> Result<bool, KeyFileError> {
            Ok(self.text.borrow_mut().take().is_some())
        }
    }

    fn keys() -> KeySet {
        KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
    }

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.to_owned()).expect("no NUL")
    }

    fn code<T>(result: Result<T, HolderError>) -> Option<&'static str> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn a_key_file_keeps_keys_until_they_are_deleted() {
        let memory = Memory::default();
        let holder = FileHolder::new(&memory);
        assert_eq!(code(holder.load()), Some("key-missing"));
        let keys = keys();
        holder.store(&keys).expect("stores");
        assert!(holder.load().is_ok_and(|back| back.ct_eq(&keys)));
        holder.delete().expect("deletes");
        assert_eq!(code(holder.delete()), Some("key-missing"));
    }

    #[test]
    fn keys_under_a_passphrase_open_with_it_alone() {
        let memory = Memory::default();
        let keys = keys();
        PassphraseHolder::new(&memory, secret("right"), &OsEntropy)
            .store(&keys)
            .expect("stores");
        let right = PassphraseHolder::new(&memory, secret("right"), &OsEntropy).load();
        assert!(right.is_ok_and(|back| back.ct_eq(&keys)));
        let wrong = PassphraseHolder::new(&memory, secret("wrong"), &OsEntropy).load();
        assert_eq!(code(wrong), Some("passphrase-wrong"));
    }

    #[test]
    fn a_file_that_does_not_keep_what_it_is_given_is_found_out() {
        let memory = Memory {
            text: RefCell::new(Some("ab".repeat(32))),
            forgets: true,
        };
        assert_eq!(code(FileHolder::new(&memory).store(&keys())), Some("key-not-kept"));
        let holder = PassphraseHolder::new(&memory, secret("p"), &OsEntropy);
        assert_eq!(code(holder.store(&keys())), Some("wrapped-keys-malformed"));
    }

    #[test]
    fn a_damaged_file_is_named_and_not_repeated() {
        let memory = Memory {
            text: RefCell::new(Some("canary".to_owned())),
            forgets: false,
        };
        let error = FileHolder::new(&memory).load().err().expect("damaged");
        assert_eq!(error.to_string(), "what is in the key file .dango/key cannot be read as a key");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
