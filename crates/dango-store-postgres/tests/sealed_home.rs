//! Projects kept in a real database by several machines: the suite of all homes, a move there and back, and what a thief finds in the files of the server.

mod database;

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dango_core::{OsEntropy, SecretValue};
use dango_keyring::{KeySet, MasterKey};
use dango_secrets::home::{Home, SharedFile, contract};
use dango_secrets::project::Project;
use dango_secrets::storage::Edit;
use dango_store_postgres::{PostgresStore, ProjectRows};
use dango_vault::{SealedHome, move_to_directory, move_to_rows};
use database::Databases;
use tempfile::TempDir;
use zeroize::Zeroizing;

const CANARY: &str = "canary-51c0ffee";

fn key() -> SecretValue {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None).to_text()
}

/// A machine: a directory of its own with a project, and a store of its own.
fn machine(store: &Arc<PostgresStore>, key: &SecretValue, id: &str) -> (TempDir, Project, SealedHome) {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::at(directory.path());
    let (rows, key) = (Arc::new(ProjectRows::of(Arc::clone(store))), key.clone());
    let keys = move || Ok(KeySet::parse(&key).expect("a set"));
    let home = SealedHome::new(rows, &project, id, Box::new(keys), Arc::new(OsEntropy));
    (directory, project, home)
}

fn set(project: &Project, file: SharedFile, text: &str) {
    let edit = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(text.as_bytes().to_vec()), ()));
    project.update(file, &OsEntropy, edit).expect("written");
}

#[test]
fn sealed_rows_in_postgres_are_a_home() {
    let databases = Databases::start();
    let name = databases.make();
    // Two servers, each with connections of its own.
    let stores = [(); 2].map(|()| databases.open(&name));
    let (key, made, directories) = (key(), AtomicUsize::new(0), RefCell::new(Vec::new()));
    contract::homes(&|| {
        let id = format!("p{}", made.fetch_add(1, Ordering::SeqCst));
        let homes = stores.each_ref().map(|store| machine(store, &key, &id));
        let (_, project, home) = &homes[0];
        move_to_rows(project, home, &OsEntropy).expect("founded");
        homes.map(|(directory, _, home)| -> Arc<dyn Home> {
            directories.borrow_mut().push(directory);
            Arc::new(home)
        })
    });
}

#[test]
fn a_project_moves_there_and_back_and_a_dump_gives_nothing_away() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    let key = key();
    let (_directory, project, home) = machine(&store, &key, "p");
    for file in SharedFile::ALL {
        set(&project, file, &format!("{CANARY} of {}\n", file.name()));
    }
    move_to_rows(&project, &home, &OsEntropy).expect("moved");
    let (_other_directory, other, other_home) = machine(&store, &key, "p");
    let other = other.kept_in(Arc::new(other_home));
    for file in SharedFile::ALL {
        let contents = other.read(file).expect("read").expect("is there");
        assert_eq!(contents.bytes(), format!("{CANARY} of {}\n", file.name()).as_bytes());
    }
    let dump = databases.server.sql(
        &name,
        "SELECT project, name, revision, key_id, encode(sealed, 'escape'), changed_at FROM dango.project_files",
    );
    // Sealed bytes may be line feeds, so the lines are not counted.
    let count = databases.server.sql(&name, "SELECT count(*) FROM dango.project_files");
    assert_eq!(count, SharedFile::ALL.len().to_string());
    assert!(!dump.contains("canary"), "{dump}");
    set(&other, SharedFile::Env, "CHANGED=1\n");
    move_to_directory(&project, &home, "in files", &OsEntropy).expect("moved back");
    let env = project.env().expect("read").expect("is there");
    assert_eq!(env.bytes(), b"CHANGED=1\n");
    assert_eq!(other.env().err().map(|error| error.code()), Some("home_moved"));
}
