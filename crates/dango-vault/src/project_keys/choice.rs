//! What a project notes of its key: its own id, and in which place the key was put. The key itself is never here.

use std::path::PathBuf;

use dango_core::{Entropy, EntropyError};
use dango_keyring::{HolderError, HolderKind, KeyId};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit, UpdateError};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::AdoptError;
use crate::error::VaultError;

const VERSION: &str = "dango:key-holder:v1";

/// The place that was chosen for the key of this project on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The place.
    pub kind: HolderKind,
    /// The key that was put there, or that rotation put there last.
    pub key_id: KeyId,
}

impl Choice {
    /// Reads `.dango/key-holder`; `None` where nothing was chosen.
    pub(crate) fn read(project: &Project) -> Result<Option<Self>, HolderError> {
        let place = || ".dango/key-holder".to_owned();
        let contents = storage::read(&path(project)).map_err(|source| HolderError::File {
            place: place(),
            source: source.into(),
        })?;
        let Some(contents) = contents else { return Ok(None) };
        let text = std::str::from_utf8(contents.bytes()).unwrap_or_default();
        let mut lines = text.lines();
        let malformed = |line| HolderError::ChoiceMalformed { place: place(), line };
        if lines.next() != Some(VERSION) {
            return Err(malformed(1));
        }
        let kind = lines
            .next()
            .and_then(|line| line.strip_prefix("holder "))
            .and_then(HolderKind::parse);
        // A key in the environment is never noted: it is there or it is not.
        let kind = kind.filter(|kind| *kind != HolderKind::Environment).ok_or_else(|| malformed(2))?;
        let key_id = lines.next().and_then(|line| line.strip_prefix("key ")?.parse().ok());
        Ok(Some(Self {
            kind,
            key_id: key_id.ok_or_else(|| malformed(3))?,
        }))
    }

    /// Notes the choice.
    pub(crate) fn write(self, project: &Project, entropy: &dyn Entropy) -> Result<(), VaultError> {
        storage::update(&path(project), entropy, |_| Ok(Edit::Replace(self.to_bytes(), ()))).map_err(VaultError::from)
    }

    /// Notes a choice that is made while nobody else can make one.
    pub(super) fn decide<T>(
        project: &Project,
        entropy: &dyn Entropy,
        decision: &mut dyn FnMut() -> Result<(Self, T), AdoptError>,
    ) -> Result<T, AdoptError> {
        let decided = storage::update(&path(project), entropy, |_| {
            decision().map(|(choice, outcome)| Edit::Replace(choice.to_bytes(), outcome))
        });
        decided.map_err(|error| match error {
            UpdateError::Edit(error) => error,
            UpdateError::Read(error) => VaultError::from(error).into(),
            UpdateError::Write(error) => VaultError::from(error).into(),
        })
    }

    fn to_bytes(self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(format!("{VERSION}\nholder {}\nkey {}\n", self.kind, self.key_id).into_bytes())
    }
}

fn path(project: &Project) -> PathBuf {
    project.dango_dir().join("key-holder")
}

/// The id under which the keyring knows the project: 32 hexadecimal digits in `.dango/project-id`. No secret.
///
/// # Errors
///
/// [`VaultError::ProjectId`] where there is something else in its place, and those of reading.
pub fn project_id(project: &Project) -> Result<Option<String>, VaultError> {
    let contents = storage::read(&id_path(project))?;
    contents.map_or(Ok(None), |contents| parse_id(contents.bytes()).map(Some))
}

/// The id of a project, under which its keys and its rows are found from other machines; one is made where there is none.
///
/// # Errors
///
/// [`VaultError::ProjectId`] where there is something else in its place, and those of reading and writing.
pub fn identify(project: &Project, entropy: &dyn Entropy) -> Result<String, VaultError> {
    if let Some(id) = project_id(project)? {
        return Ok(id);
    }
    match write_project_id(project, &make_project_id(entropy)?, entropy) {
        // Another process was faster.
        Ok(()) | Err(VaultError::ProjectId) => project_id(project)?.ok_or(VaultError::ProjectId),
        Err(error) => Err(error),
    }
}

/// An id that no other project has.
pub(crate) fn make_project_id(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let mut random = [0; 16];
    entropy.fill(&mut random)?;
    Ok(HEXLOWER.encode(&random))
}

/// Gives the project its id; one that it has is not replaced.
///
/// # Errors
///
/// [`VaultError::ProjectId`] where it has one, and those of reading and writing.
pub fn write_project_id(project: &Project, id: &str, entropy: &dyn Entropy) -> Result<(), VaultError> {
    storage::update(&id_path(project), entropy, |old| match old {
        Some(_) => Err(VaultError::ProjectId),
        None => Ok(Edit::Replace(Zeroizing::new(format!("{id}\n").into_bytes()), ())),
    })
    .map_err(VaultError::from)
}

fn id_path(project: &Project) -> PathBuf {
    project.dango_dir().join("project-id")
}

/// An id that people wrote is taken, too, if every keyring can have it as an account.
fn parse_id(bytes: &[u8]) -> Result<String, VaultError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    let is_id = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_id { Ok(text.to_owned()) } else { Err(VaultError::ProjectId) }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn a_project_is_identified_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let first = identify(&project, &OsEntropy).expect("made");
        assert_eq!(first.len(), 32);
        assert_eq!(identify(&project, &OsEntropy).ok(), Some(first));
    }

    #[test]
    fn an_id_is_made_once_and_a_damaged_one_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        assert_eq!(project_id(&project).expect("readable"), None);
        let made = make_project_id(&OsEntropy).expect("random");
        assert_eq!(made.len(), 32);
        write_project_id(&project, &made, &OsEntropy).expect("written");
        assert_eq!(project_id(&project).expect("readable"), Some(made));
        assert!(write_project_id(&project, "another", &OsEntropy).is_err());
        storage::update(&id_path(&project), &OsEntropy, |_| {
            Ok::<_, std::convert::Infallible>(Edit::Replace(Zeroizing::new(b"a b\n".to_vec()), ()))
        })
        .expect("written");
        assert_eq!(project_id(&project).map_err(|error| error.code()), Err("project-id-malformed"));
    }

    #[test]
    fn a_choice_comes_back_and_a_damaged_one_names_its_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        assert!(Choice::read(&project).expect("readable").is_none());
        let choice = Choice {
            kind: HolderKind::Passphrase,
            key_id: "0123456789abcdef".parse().expect("an id"),
        };
        choice.write(&project, &OsEntropy).expect("written");
        assert_eq!(Choice::read(&project).expect("readable"), Some(choice));
        for (text, line) in [
            ("", 1),
            ("dango:key-holder:v1\nholder env\nkey 0123456789abcdef\n", 2),
            ("dango:key-holder:v1\nholder file\nkey x\n", 3),
        ] {
            storage::update(&path(&project), &OsEntropy, |_| {
                Ok::<_, std::convert::Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()))
            })
            .expect("written");
            let found = Choice::read(&project).err().map(|error| error.to_string());
            assert_eq!(
                found,
                Some(format!("line {line} of .dango/key-holder does not say where the encryption key is"))
            );
        }
    }
}
