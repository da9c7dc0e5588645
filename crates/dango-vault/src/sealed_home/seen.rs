//! The highest revision of each row that this machine has seen, in memory and in `.dango/seen-rows`: what a database that was set back is found out by.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dango_core::Entropy;
use dango_secrets::home::{HomeError, SharedFile};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit, UpdateError};
use zeroize::Zeroizing;

const FILE: &str = "seen-rows";
const VERSION: &str = "dango:seen-rows:v1";

type Revisions = BTreeMap<SharedFile, u64>;

/// What was seen of one project. It only grows.
pub(super) struct SeenRows {
    path: PathBuf,
    project: String,
    entropy: Arc<dyn Entropy>,
    /// `None` until the note was read.
    seen: Mutex<Option<Seen>>,
}

/// What a process has seen.
struct Seen {
    revisions: Revisions,
    /// Those that it has not noted yet. Another process may have forgotten the rest since, for good reasons.
    unnoted: Revisions,
}

impl SeenRows {
    pub(super) fn of(project: &Project, id: &str, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            path: project.dango_dir().join(FILE),
            project: id.to_owned(),
            entropy,
            seen: Mutex::new(None),
        }
    }

    /// The revision below which a row is older than what was seen; 0 where none was.
    pub(super) fn floor(&self, file: SharedFile) -> Result<u64, HomeError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none() {
            *seen = Some(Seen {
                revisions: self.read()?,
                unnoted: Revisions::new(),
            });
        }
        Ok(seen
            .as_ref()
            .and_then(|seen| seen.revisions.get(&file))
            .copied()
            .unwrap_or_default())
    }

    /// Notes that a revision was seen. A machine that cannot write the note keeps it in memory: it is noted another time.
    pub(super) fn note(&self, file: SharedFile, revision: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is noted before it was asked what is noted already.
        let Some(all) = seen.as_mut() else { return };
        if all.revisions.get(&file).is_some_and(|seen| *seen >= revision) {
            return;
        }
        all.revisions.insert(file, revision);
        all.unnoted.insert(file, revision);
        let ours = all.unnoted.clone();
        drop(seen);
        let noted = storage::update(&self.path, self.entropy.as_ref(), |old| {
            // Other processes of this machine note there, too; what is malformed is left to be complained of.
            let Some(mut all) = old.map_or(Some(Revisions::new()), |old| self.parse(old)) else {
                return Ok::<_, Infallible>(Edit::Keep(()));
            };
            for (file, revision) in &ours {
                let noted = all.entry(*file).or_default();
                *noted = (*noted).max(*revision);
            }
            Ok(Edit::Replace(self.write(&all), ()))
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Ok(()), Some(all)) = (noted, seen.as_mut()) {
            all.unnoted.retain(|file, revision| ours.get(file) != Some(revision));
        }
    }

    /// Forgets it all.
    pub(super) fn clear(&self, entropy: &dyn Entropy) -> Result<(), UpdateError<Infallible>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = None;
        storage::remove(&self.path, entropy).map(drop)
    }

    fn read(&self) -> Result<Revisions, HomeError> {
        let failed = |source| HomeError::Seen {
            path: self.path.display().to_string(),
            source,
        };
        let contents = storage::read(&self.path).map_err(|error| failed(Some(error.into())))?;
        let revisions = contents.map_or(Some(Revisions::new()), |contents| self.parse(contents.bytes()));
        revisions.ok_or_else(|| failed(None))
    }

    /// What a note says of this project: nothing, if it is of another one.
    fn parse(&self, bytes: &[u8]) -> Option<Revisions> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if lines.next() != Some(VERSION) {
            return None;
        }
        if lines.next()?.strip_prefix("project ")? != self.project {
            return Some(Revisions::new());
        }
        lines
            .map(|line| {
                let (revision, name) = line.split_once(' ')?;
                let file = SharedFile::ALL.into_iter().find(|file| file.name() == name)?;
                Some((file, revision.parse().ok()?))
            })
            .collect()
    }

    fn write(&self, revisions: &Revisions) -> Zeroizing<Vec<u8>> {
        let lines = revisions.iter().map(|(file, revision)| format!("{revision} {}\n", file.name()));
        let text = format!("{VERSION}\nproject {}\n{}", self.project, lines.collect::<String>());
        Zeroizing::new(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn the_highest_revision_is_kept_over_processes_and_a_lower_one_changes_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let process = |id: &str| SeenRows::of(&project, id, Arc::new(OsEntropy));
        let (one, other) = (process("p"), process("p"));
        for process in [&one, &other] {
            assert_eq!(process.floor(SharedFile::Env).ok(), Some(0));
        }
        one.note(SharedFile::Env, 7);
        other.note(SharedFile::Env, 5);
        other.note(SharedFile::Secrets, 2);
        let later = process("p");
        assert_eq!(later.floor(SharedFile::Env).ok(), Some(7));
        assert_eq!(later.floor(SharedFile::Secrets).ok(), Some(2));
        assert_eq!(process("another").floor(SharedFile::Env).ok(), Some(0));
    }

    #[test]
    fn what_was_forgotten_is_noted_again_by_nobody_who_had_seen_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let process = || SeenRows::of(&project, "p", Arc::new(OsEntropy));
        let (server, mover) = (process(), process());
        for file in [SharedFile::Env, SharedFile::Secrets] {
            assert_eq!(server.floor(file).ok(), Some(0));
            server.note(file, 7);
        }
        mover.clear(&OsEntropy).expect("forgotten");
        server.note(SharedFile::Env, 8);
        let later = process();
        assert_eq!(later.floor(SharedFile::Secrets).ok(), Some(0));
        assert_eq!(later.floor(SharedFile::Env).ok(), Some(8));
    }

    #[test]
    fn a_note_that_is_none_is_an_error_and_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        for malformed in [
            "",
            "dango:seen-rows:v2\n",
            "dango:seen-rows:v1\n",
            "dango:seen-rows:v1\nproject p\n1 .env\nx secrets.toml\n",
        ] {
            let path = project.dango_dir().join(FILE);
            let bytes = || Zeroizing::new(malformed.as_bytes().to_vec());
            storage::update(&path, &OsEntropy, |_| Ok::<_, Infallible>(Edit::Replace(bytes(), ()))).expect("written");
            let seen = SeenRows::of(&project, "p", Arc::new(OsEntropy));
            assert_eq!(
                seen.floor(SharedFile::Env).err().map(|error| error.code()),
                Some("home_seen_malformed"),
                "{malformed:?}"
            );
            seen.note(SharedFile::Env, 9);
            let there = storage::read(&path).expect("read").expect("is there");
            assert_eq!(there.bytes(), malformed.as_bytes());
        }
    }
}
