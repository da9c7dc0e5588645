//! The way from a server to the project's key: its environment, and a keyring that is not waited for as a person would.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_core::{Clock, Entropy, SecretValue, Timestamp};
use dango_keyring::{HolderError, KeySet, SessionBus};
use dango_secrets::project::Project;
use dango_vault::{KeyEnvironment, ProjectKeys};

/// How long a keyring may take: it answers at once, unless it is locked and asks somebody.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long a keyring that did not answer is not asked again, so that changes that need no key are not held up by every one that does.
const QUIET_MICROS: i64 = 30_000_000;

/// What the environment of the server says of keys.
#[derive(Default)]
pub struct KeyAccess {
    /// `DANGO_KEY`.
    pub key: Option<SecretValue>,
    /// `DANGO_KEY_FILE`.
    pub key_file: Option<PathBuf>,
    /// Whether there is said to be a D-Bus session.
    pub has_bus: bool,
    /// `DANGO_PASSPHRASE`. Nobody is asked for one.
    pub passphrase: Option<SecretValue>,
}

/// Fetches the keys of one project, anew for every use: what rotation, an import or a lock has done meanwhile counts.
pub struct KeySource {
    access: KeyAccess,
    silent_since: Mutex<Option<Timestamp>>,
}

impl KeySource {
    /// A source over what the environment says.
    pub fn new(access: KeyAccess) -> Self {
        Self {
            access,
            silent_since: Mutex::new(None),
        }
    }

    /// Fetches the keys. A keyring that did not answer is left alone for half a minute.
    ///
    /// # Errors
    ///
    /// What the holder of the key says.
    pub fn load(&self, project: &Project, clock: &dyn Clock, entropy: &Arc<dyn Entropy>) -> Result<KeySet, HolderError> {
        if self.is_silent(clock.now()) {
            return Err(HolderError::TimedOut { after: PATIENCE });
        }
        let keys = ProjectKeys::new(project.clone(), self.environment(), Arc::clone(entropy)).with_patience(PATIENCE);
        let loaded = keys.load();
        let is_silent = matches!(loaded, Err(HolderError::TimedOut { .. }));
        *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner) = is_silent.then(|| clock.now());
        loaded
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        let since = *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| (0..QUIET_MICROS).contains(&now.unix_micros().saturating_sub(since.unix_micros())))
    }

    fn environment(&self) -> KeyEnvironment {
        let passphrase = self.access.passphrase.clone();
        KeyEnvironment {
            key: self.access.key.clone(),
            key_file: self.access.key_file.clone(),
            bus: if self.access.has_bus {
                SessionBus::Announced
            } else {
                SessionBus::Unannounced
            },
            passphrase: Box::new(move || passphrase.clone().ok_or(HolderError::NoPassphrase)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    #[test]
    fn a_keyring_that_did_not_answer_is_left_alone_for_a_while() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let (clock, entropy): (_, Arc<dyn Entropy>) = (Hand(AtomicI64::new(QUIET_MICROS)), Arc::new(dango_core::OsEntropy));
        let source = KeySource::new(KeyAccess::default());
        *source.silent_since.lock().expect("not poisoned") = Some(clock.now());
        let code = || source.load(&project, &clock, &entropy).err().map(|error| error.code());
        assert_eq!(code(), Some("keyring-timeout"));
        clock.0.store(2 * QUIET_MICROS - 1, Ordering::SeqCst);
        assert_eq!(code(), Some("keyring-timeout"));
        clock.0.store(2 * QUIET_MICROS, Ordering::SeqCst);
        assert_eq!(code(), Some("key-not-chosen"));
        assert_eq!(*source.silent_since.lock().expect("not poisoned"), None);
    }
}
