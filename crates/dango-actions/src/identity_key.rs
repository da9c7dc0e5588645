//! Where the identity key comes from: the environment, or `.dango/identity.key`, which is made on first need. What is derived from it is `dango-identity`'s.

use std::path::{Path, PathBuf};

use dango_audit::query::{Filter, PageLimit};
use dango_audit::{Detail, Event, Target, TargetKind, Word, log};
use dango_core::{Entropy, EntropyError, SecretValue};
use dango_identity::{IdentityKey, ParseIdentityKeyError};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Contents, Edit, ReadError, UpdateError, WriteError};
use zeroize::Zeroizing;

use crate::actions::Actions;
use crate::audit::AuditError;
use crate::permit::{Machine, Permit};
use crate::unit::Record;

/// Permission bits that let others than the owner at a file.
const OTHERS: u32 = 0o077;

/// What the process environment says of the identity key.
#[derive(Clone, Default)]
pub struct IdentityKeyEnvironment {
    /// `DANGO_IDENTITY_KEY`; the empty one is set, too.
    pub key: Option<SecretValue>,
    /// `DANGO_IDENTITY_KEY_FILE`.
    pub key_file: Option<PathBuf>,
}

/// The identity key of one project, and the way to it.
///
/// A key in the environment is the only one that is looked at where there is one. A file that cannot be used is never replaced.
///
/// ```
/// use dango_actions::{IdentityKeyEnvironment, IdentityKeyFile};
/// use dango_core::OsEntropy;
/// use dango_secrets::project::Project;
///
/// # let directory = tempfile::tempdir()?;
/// let place = IdentityKeyFile::new(&Project::at(directory.path()), IdentityKeyEnvironment::default());
/// assert!(place.load()?.is_none());
/// let made = place.load_or_make(&OsEntropy)?;
/// let found = place.load()?.expect("it was made");
/// assert!(made.is_new && found.ct_eq(&made.key));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct IdentityKeyFile {
    path: PathBuf,
    environment: IdentityKeyEnvironment,
}

/// The identity key, and whether it was made just now.
pub struct FoundIdentityKey {
    /// The key.
    pub key: IdentityKey,
    /// Whether this call has made it: then somebody has to be told.
    pub is_new: bool,
}

/// Why there is no identity key. None of them repeats what was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityKeyError {
    /// Two variables, and nobody knows which is meant.
    #[error("DANGO_IDENTITY_KEY and DANGO_IDENTITY_KEY_FILE are both set")]
    Twice,
    /// What the variable holds is no key.
    #[error("what is in DANGO_IDENTITY_KEY cannot be used")]
    Variable(#[source] ParseIdentityKeyError),
    /// What a file holds is no key.
    #[error("{} cannot be used", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: ParseIdentityKeyError,
    },
    /// The file that `DANGO_IDENTITY_KEY_FILE` names is not there.
    #[error("there is no {}, which DANGO_IDENTITY_KEY_FILE names", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or write the file, so it is no secret any more.
    #[error("{} may be read or written by others than its owner (mode {mode:04o}), so it is not used", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The new key could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl IdentityKeyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Twice => "identity-key-twice-in-environment",
            Self::Variable(cause) | Self::Malformed { cause, .. } => cause.code(),
            Self::Missing { .. } => "identity-key-missing",
            Self::Exposed { .. } => "identity-key-exposed",
            Self::Read(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::Entropy(_) => "no-randomness",
        }
    }
}

impl IdentityKeyFile {
    /// The key of a project; nothing is looked at yet.
    pub fn new(project: &Project, environment: IdentityKeyEnvironment) -> Self {
        Self {
            path: project.dango_dir().join("identity.key"),
            environment,
        }
    }

    /// Whether the environment gives the key: then the project's own file does not count, and none is made.
    pub const fn is_in_environment(&self) -> bool {
        self.environment.key.is_some() || self.environment.key_file.is_some()
    }

    /// The project's own file, whether or not it is there or counts.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fetches the key; `None` where the environment gives none and the project has none yet.
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`].
    ///
    /// # Security
    ///
    /// The project's file is refused if others may read it. One that the environment names is the operator's business: what mounts
    /// secrets into containers often gives them other modes.
    pub fn load(&self) -> Result<Option<IdentityKey>, IdentityKeyError> {
        match (&self.environment.key, &self.environment.key_file) {
            (Some(_), Some(_)) => Err(IdentityKeyError::Twice),
            (Some(text), None) => IdentityKey::parse(text).map(Some).map_err(IdentityKeyError::Variable),
            (None, Some(path)) => {
                let contents = storage::read(path)?.ok_or_else(|| IdentityKeyError::Missing { path: path.clone() })?;
                parse(path, &contents).map(Some)
            }
            (None, None) => {
                let Some(contents) = storage::read(&self.path)? else {
                    return Ok(None);
                };
                if contents.mode() & OTHERS != 0 {
                    return Err(IdentityKeyError::Exposed {
                        path: self.path.clone(),
                        mode: contents.mode() & 0o7777,
                    });
                }
                parse(&self.path, &contents).map(Some)
            }
        }
    }

    /// Fetches the key, and makes one where there is none: 0600 from its creation. Of two programs at once, one makes it.
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`]; then there is no new key.
    pub fn load_or_make(&self, entropy: &dyn Entropy) -> Result<FoundIdentityKey, IdentityKeyError> {
        if let Some(key) = self.load()? {
            return Ok(FoundIdentityKey { key, is_new: false });
        }
        let made = storage::update(&self.path, entropy, |there| {
            if there.is_some() {
                return Ok(Edit::Keep(None));
            }
            let key = IdentityKey::make(entropy)?;
            let mut text = Zeroizing::new(Vec::with_capacity(65));
            text.extend_from_slice(key.expose_text().expose().as_bytes());
            text.push(b'\n');
            Ok(Edit::Replace(text, Some(key)))
        });
        match made {
            Ok(Some(key)) => Ok(FoundIdentityKey { key, is_new: true }),
            Ok(None) => {
                let key = self.load()?.ok_or_else(|| IdentityKeyError::Missing { path: self.path.clone() })?;
                Ok(FoundIdentityKey { key, is_new: false })
            }
            Err(UpdateError::Edit(error)) => Err(IdentityKeyError::Entropy(error)),
            Err(UpdateError::Read(error)) => Err(error.into()),
            Err(UpdateError::Write(error)) => Err(error.into()),
        }
    }
}

impl Actions {
    /// Records that the identity key was made, once in a chain; answers whether it did.
    ///
    /// The key is older than the chain, which it keys. So this comes first in a new one, and what does not come about because the
    /// program dies before is made up for by calling this again.
    ///
    /// Permission: the machine. Audit: `identity_key_created`.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; never [`AuditError::NotFound`].
    pub async fn record_identity_key(&self, permit: &Permit<Machine>) -> Result<bool, AuditError> {
        self.act(permit, |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::IdentityKeyCreated)
                    .on(Target::of(TargetKind::Key))
                    .with(Detail::File, Word::new("identity.key"));
                let told = Filter {
                    event: Some(Event::IdentityKeyCreated),
                    ..Filter::default()
                };
                let told = log::list(&mut *unit.tx, &told, PageLimit::default()).await?;
                if !told.events.is_empty() {
                    return Ok(Ok(false));
                }
                unit.succeed(record).await?;
                Ok(Ok(true))
            })
        })
        .await
    }
}

fn parse(path: &Path, contents: &Contents) -> Result<IdentityKey, IdentityKeyError> {
    let malformed = |cause| IdentityKeyError::Malformed {
        path: path.to_owned(),
        cause,
    };
    let text = SecretValue::from_utf8(contents.bytes().to_vec()).map_err(|_| malformed(ParseIdentityKeyError::Form))?;
    IdentityKey::parse_file(&text).map_err(malformed)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files as others leave them")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use dango_core::OsEntropy;

    use super::*;

    fn place(directory: &Path, environment: IdentityKeyEnvironment) -> IdentityKeyFile {
        IdentityKeyFile::new(&Project::at(directory), environment)
    }

    fn secret(text: &str) -> Option<SecretValue> {
        Some(SecretValue::new(text.to_owned()).expect("no NUL"))
    }

    fn code(answer: Result<Option<IdentityKey>, IdentityKeyError>) -> Option<&'static str> {
        answer.err().map(|error| error.code())
    }

    #[test]
    fn many_at_once_make_one_key_that_only_its_owner_reads() {
        let directory = tempfile::tempdir().expect("a directory");
        let keys: Vec<FoundIdentityKey> = std::thread::scope(|scope| {
            let one = || place(directory.path(), IdentityKeyEnvironment::default()).load_or_make(&OsEntropy);
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
            let answers = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            answers.map(|answer| answer.expect("a key")).collect()
        });
        assert_eq!(keys.iter().filter(|found| found.is_new).count(), 1);
        assert!(keys.iter().all(|found| found.key.ct_eq(&keys[0].key)));
        let mode = std::fs::metadata(directory.path().join(".dango/identity.key")).expect("made");
        assert_eq!(mode.permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path(), IdentityKeyEnvironment::default());
        place.load_or_make(&OsEntropy).expect("made");
        let set_mode = |mode| std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(mode)).expect("ours");
        for mode in [0o640, 0o604, 0o620, 0o601] {
            set_mode(mode);
            assert_eq!(code(place.load()), Some("identity-key-exposed"), "{mode:o}");
        }
        set_mode(0o600);
        for text in ["", "canary", "ab\n", &"zz".repeat(32)] {
            std::fs::write(place.path(), text).expect("ours");
            let error = place.load_or_make(&OsEntropy).err().expect("refused");
            assert!(matches!(error, IdentityKeyError::Malformed { .. }));
            assert!(!format!("{error} {error:?}").contains("canary"));
            assert_eq!(std::fs::read_to_string(place.path()).expect("there"), text);
        }
    }

    #[test]
    fn the_environment_comes_first_and_two_keys_in_it_are_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("given");
        std::fs::write(&file, format!("  {}\n", "cd".repeat(32))).expect("ours");
        let with = |key, key_file| place(directory.path(), IdentityKeyEnvironment { key, key_file });
        let (hex, path) = ("cd".repeat(32), Some(file.clone()));
        let of_variable = with(secret(&hex), None).load_or_make(&OsEntropy).expect("a key");
        let of_file = with(None, path.clone()).load_or_make(&OsEntropy).expect("a key");
        assert!(of_variable.key.ct_eq(&of_file.key) && !of_variable.is_new && !of_file.is_new);
        assert!(!directory.path().join(".dango").exists(), "nothing is made beside it");
        assert_eq!(code(with(secret(&hex), path).load()), Some("identity-key-twice-in-environment"));
        assert_eq!(code(with(secret(""), None).load()), Some("identity-key-empty"));
        assert_eq!(code(with(secret(&format!("{hex}\n")), None).load()), Some("identity-key-malformed"));
        assert_eq!(
            code(with(None, Some(directory.path().join("gone"))).load()),
            Some("identity-key-missing")
        );
    }
}
