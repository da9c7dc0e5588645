//! A project kept as sealed rows, by what its machines rely on: in the modules beside this one; here is what they share.
#![allow(clippy::panic, reason = "the functions that tests share fail as tests do")]

mod answers;
mod moves;
mod rivals;
mod theft;
mod values;

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use dango_core::{OsEntropy, SecretValue};
use dango_keyring::{HolderError, KeySet, MasterKey};
use dango_secrets::home::{Home, MemoryRows, SharedFile, contract};
use dango_secrets::project::Project;
use dango_secrets::storage::{Edit, UpdateError};
use dango_vault::{SealedHome, move_to_rows};
use tempfile::TempDir;
use zeroize::Zeroizing;

const ID: &str = "0123456789abcdef0123456789abcdef";

/// Where the machines have their key from: the text of a set, or nothing.
#[derive(Clone)]
struct Keyring(Arc<Mutex<Option<SecretValue>>>);

impl Keyring {
    fn new() -> Self {
        let keys = KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None);
        Self(Arc::new(Mutex::new(Some(keys.to_text()))))
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        let text = self.0.lock().expect("not poisoned").clone().ok_or(HolderError::NotChosen)?;
        Ok(KeySet::parse(&text).expect("a set"))
    }

    fn hold(&self, keys: Option<&KeySet>) {
        *self.0.lock().expect("not poisoned") = keys.map(KeySet::to_text);
    }
}

/// A machine: a directory of its own, and the way to the rows.
struct Machine {
    directory: TempDir,
    rows: Arc<MemoryRows>,
    keyring: Keyring,
}

impl Machine {
    fn new(rows: &Arc<MemoryRows>, keyring: &Keyring) -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            rows: Arc::clone(rows),
            keyring: keyring.clone(),
        }
    }

    /// The project with its files in the machine's directory.
    fn beside(&self) -> Project {
        Project::at(self.directory.path())
    }

    /// The home, as a process that was started now has it.
    fn home(&self) -> SealedHome {
        self.home_of(ID)
    }

    fn home_of(&self, id: &str) -> SealedHome {
        let keyring = self.keyring.clone();
        let rows: Arc<MemoryRows> = Arc::clone(&self.rows);
        SealedHome::new(rows, &self.beside(), id, Box::new(move || keyring.load()), Arc::new(OsEntropy))
    }

    /// The project with its files in rows.
    fn project(&self) -> Project {
        self.beside().kept_in(Arc::new(self.home()))
    }
}

/// Rows of a project without any file, a machine that uses them, and the key.
fn founded() -> (Arc<MemoryRows>, Machine, Keyring) {
    let (rows, keyring) = (Arc::new(MemoryRows::new()), Keyring::new());
    let machine = Machine::new(&rows, &keyring);
    move_to_rows(&machine.beside(), &machine.home(), &OsEntropy).expect("moved");
    (rows, machine, keyring)
}

fn set(project: &Project, file: SharedFile, text: &str) -> Result<(), UpdateError<Infallible>> {
    project.update(file, &OsEntropy, |_| {
        Ok(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()))
    })
}

fn text(project: &Project, file: SharedFile) -> Option<String> {
    let contents = project.read(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    contents.map(|contents| String::from_utf8(contents.bytes().to_vec()).expect("text"))
}

fn append(project: &Project, line: &str) -> Result<(), UpdateError<Infallible>> {
    project.update(SharedFile::Env, &OsEntropy, |old| {
        let mut new = old.unwrap_or_default().to_vec();
        new.extend_from_slice(line.as_bytes());
        Ok(Edit::Replace(Zeroizing::new(new), ()))
    })
}

/// Why a file cannot be read.
fn refusal(project: &Project, file: SharedFile) -> Option<&'static str> {
    project.read(file).err().map(|error| error.code())
}

#[test]
fn sealed_rows_are_a_home() {
    let machines = RefCell::new(Vec::new());
    contract::homes(&|| {
        let (rows, one, keyring) = founded();
        let other = Machine::new(&rows, &keyring);
        let homes: [Arc<dyn Home>; 2] = [Arc::new(one.home()), Arc::new(other.home())];
        machines.borrow_mut().extend([one, other]);
        homes
    });
}
