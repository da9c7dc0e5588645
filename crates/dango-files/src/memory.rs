//! The listing as it was read last, and whether it still holds: one question to the system a file, no reading, no waiting for others.

use std::sync::{Arc, PoisonError, RwLock};

use dango_actions::{FilesError, ListedVariable, SecretsListing};
use dango_core::Clock;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_secrets::storage::{Contents, Fingerprint, Stamp};

use crate::listing::{Credentials, list_credentials, list_variables};
use crate::problem::{of_document_error, of_env_error, of_read_error};

/// What is known of a project's files.
pub(crate) struct Memory {
    project: Project,
    last: RwLock<Option<Arc<Remembered>>>,
}

struct Remembered {
    env: Part<Arc<[ListedVariable]>>,
    secrets: Part<Credentials>,
    listing: Result<Arc<SecretsListing>, FilesError>,
}

/// What was made of one file.
#[derive(Clone)]
struct Part<T> {
    /// Its state before it was read; `None` where there was no file.
    stamp: Option<Stamp>,
    /// Whether any change since then shows in the stamp.
    is_settled: bool,
    /// The contents, where there were any, so that a file that is read again need not be parsed again.
    contents: Option<Fingerprint>,
    made: Result<T, FilesError>,
}

impl Memory {
    pub(crate) fn new(project: &Project) -> Self {
        Self {
            project: project.clone(),
            last: RwLock::new(None),
        }
    }

    /// The listing of the files as they are now.
    pub(crate) fn list(&self, clock: &dyn Clock) -> Result<Arc<SecretsListing>, FilesError> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone();
        let env = self.project.stamp(SharedFile::Env).map_err(of_read_error)?;
        let secrets = self.project.stamp(SharedFile::Secrets).map_err(of_read_error)?;
        if let Some(last) = &last
            && last.env.holds(env)
            && last.secrets.holds(secrets)
        {
            return last.listing.clone();
        }
        let now = Arc::new(self.read(last.as_deref(), clock)?);
        // Whoever was faster has read files that are at most as new; if these are older, their stamps say so to the next one.
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&now));
        now.listing.clone()
    }

    /// Reads what has changed, or may have.
    fn read(&self, last: Option<&Remembered>, clock: &dyn Clock) -> Result<Remembered, FilesError> {
        let variables = |bytes: &[u8]| Ok(list_variables(&EnvDocument::parse(bytes).map_err(of_env_error)?));
        let credentials = |bytes: &[u8]| Ok(list_credentials(&SecretsDocument::parse(bytes).map_err(of_document_error)?, clock));
        let (env, same_env) = Part::read((&self.project, SharedFile::Env), last.map(|last| &last.env), clock, variables)?;
        let (secrets, same_secrets) = Part::read(
            (&self.project, SharedFile::Secrets),
            last.map(|last| &last.secrets),
            clock,
            credentials,
        )?;
        let listing = match last {
            // The same listing stays the same one, so that what was made of it can be kept, too.
            Some(last) if same_env && same_secrets => last.listing.clone(),
            _ => combine(&env.made, &secrets.made),
        };
        Ok(Remembered { env, secrets, listing })
    }
}

impl<T: Clone> Part<T> {
    fn holds(&self, stamp: Option<Stamp>) -> bool {
        self.is_settled && self.stamp == stamp
    }

    /// Reads a file, and says whether it was what it was before.
    fn read(
        (project, file): (&Project, SharedFile),
        last: Option<&Self>,
        clock: &dyn Clock,
        make: impl FnOnce(&[u8]) -> Result<T, FilesError>,
    ) -> Result<(Self, bool), FilesError> {
        // In this order: the time, the stamp, the contents. A change after the time shows, and so does one between stamp and contents.
        let now = clock.now();
        let stamp = project.stamp(file).map_err(of_read_error)?;
        if let Some(last) = last
            && last.holds(stamp)
        {
            return Ok((last.clone(), true));
        }
        let is_settled = stamp.is_none_or(|stamp| stamp.is_settled(now));
        let read = project.read(file).map_err(of_read_error)?;
        let contents = read.as_ref().map(Contents::fingerprint);
        let same = last.filter(|last| last.contents == contents);
        let made = match same {
            Some(last) => last.made.clone(),
            None => make(read.as_ref().map_or(&[], |read| read.bytes())),
        };
        let part = Self {
            stamp,
            is_settled,
            contents,
            made,
        };
        Ok((part, same.is_some()))
    }
}

fn combine(
    env: &Result<Arc<[ListedVariable]>, FilesError>,
    secrets: &Result<Credentials, FilesError>,
) -> Result<Arc<SecretsListing>, FilesError> {
    let (variables, secrets) = (env.clone()?, secrets.clone()?);
    Ok(Arc::new(SecretsListing {
        variables,
        credentials: secrets.credentials,
        connections: secrets.connections,
    }))
}

#[cfg(test)]
mod tests {
    use dango_core::{OsEntropy, SystemClock, Timestamp};

    use super::*;

    /// So many seconds from now.
    struct Ahead(i64);

    impl Clock for Ahead {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(SystemClock.now().unix_micros() + self.0 * 1_000_000)
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    #[test]
    fn what_was_read_right_after_a_change_is_read_again_although_its_stamp_is_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        Project::init(directory.path(), &OsEntropy).expect("made");
        let memory = Memory::new(&Project::at(directory.path()));
        let holds = |clock: &Ahead| {
            let listing = memory.list(clock).expect("listed");
            let last = memory.last.read().expect("not poisoned").clone().expect("remembered");
            (last.env.holds(last.env.stamp), last.secrets.holds(last.secrets.stamp), listing)
        };
        let (env, secrets, first) = holds(&Ahead(-1));
        assert!(!env && !secrets, "another change could have the same time");
        let (env, secrets, second) = holds(&Ahead(10));
        assert!(env && secrets);
        assert!(Arc::ptr_eq(&first, &second), "what did not change is not made anew");
    }
}
