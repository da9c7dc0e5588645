//! A project's encrypted files on disk, by what a user relies on: in the modules beside this one; here is what they share.
#![allow(clippy::panic, reason = "the functions that tests share fail as tests do")]

mod changes;
mod connections;
mod dotenv;
mod leaks;
mod rotation;
mod seals;
mod values;

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;

use dango_core::{CredentialPath, OsEntropy, SecretValue, SystemClock};
use dango_keyring::{KeySet, MasterKey};
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_secrets::project::Project;
use dango_secrets::storage::Edit;
use dango_secrets::{References, Value};
use dango_vault::{Keys, Vault};
use zeroize::Zeroizing;

/// A project in a directory of its own.
struct Place {
    _directory: tempfile::TempDir,
    project: Project,
}

impl Place {
    fn with(secrets: &str, env: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let place = Self {
            _directory: directory,
            project,
        };
        place.write_secrets(secrets);
        place.write_env(env);
        place
    }

    fn write_secrets(&self, text: &str) {
        let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()));
        self.project.update_secrets(&OsEntropy, edit).expect("written");
    }

    fn write_env(&self, text: &str) {
        let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()));
        self.project.update_env(&OsEntropy, edit).expect("written");
    }

    fn secrets(&self) -> String {
        fs::read_to_string(self.project.secrets_toml()).expect("is there")
    }

    fn env(&self) -> String {
        fs::read_to_string(self.project.env_file()).expect("is there")
    }

    fn document(&self) -> SecretsDocument {
        SecretsDocument::parse(self.secrets().as_bytes()).expect("TOML")
    }

    /// Every file of the project, by name.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.project.root().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.push((path.display().to_string(), fs::read(&path).expect("readable")));
                }
            }
        }
        files
    }
}

fn key_set() -> KeySet {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
}

fn vault<'a>(place: &'a Place, keys: &'a Keys<'a>) -> Vault<'a> {
    Vault::new(&place.project, keys, &OsEntropy, &SystemClock, "ana")
}

fn path(text: &str) -> CredentialPath {
    text.parse().expect("a path")
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn string(text: &str) -> NewValue {
    NewValue::String {
        text: secret(text),
        references: References::Literal,
    }
}

fn text_at(document: &SecretsDocument, at: &str) -> String {
    match document.value(&path(at)) {
        Some(Value::String(text)) => text.verbatim().to_string(),
        _ => panic!("no string at {at}"),
    }
}

fn corpus() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dango-secrets/tests/corpus");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("readable")))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "the corpus is complete");
    files
}
