//! A project's files through the port, by what its users rely on: nothing stale, nothing lost, nothing told that is a secret or a folder.

#![allow(clippy::disallowed_methods, reason = "files are changed as editors and other programs change them")]

use std::error::Error;
use std::fs;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use dango_actions::{FilesError, FilesProblem, ProjectFiles, VariableChange, VariableChanged, VariableEdit};
use dango_core::{Entropy, EntropyError, OsEntropy, SecretValue, SystemClock};
use dango_files::{KeyAccess, KeySource, VaultFiles};
use dango_keyring::{HolderError, KeySet, MasterKey};
use dango_secrets::References;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::project::Project;
use dango_secrets::storage::stamp;
use dango_vault::{EnvTargets, Keys, Protection, Vault, open_env};

struct Place {
    _directory: tempfile::TempDir,
    project: Project,
}

impl Place {
    fn with(env: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Project::init(directory.path(), &OsEntropy).expect("made");
        let project = Project::at(directory.path());
        fs::write(project.env_file(), env).expect("written");
        Self {
            _directory: directory,
            project,
        }
    }

    fn files(&self) -> VaultFiles {
        self.files_with(KeyAccess::default(), Arc::new(OsEntropy))
    }

    fn files_with(&self, access: KeyAccess, entropy: Arc<dyn Entropy>) -> VaultFiles {
        VaultFiles::new(
            self.project.clone(),
            Arc::new(KeySource::new(access)),
            entropy,
            Arc::new(SystemClock),
        )
    }

    fn env(&self) -> String {
        fs::read_to_string(self.project.env_file()).expect("is there")
    }

    fn document(&self) -> EnvDocument {
        EnvDocument::parse(self.env().as_bytes()).expect("parses")
    }
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn set(key: &str, value: &str) -> VariableChange {
    let (key, value) = (key.parse().expect("a name"), secret(value));
    VariableChange {
        edit: VariableEdit::Set { key, value },
        by: "ada@x.example".to_owned(),
    }
}

fn delete(key: &str) -> VariableChange {
    VariableChange {
        edit: VariableEdit::Delete { key: key.to_owned() },
        by: "ada@x.example".to_owned(),
    }
}

fn keys(files: &VaultFiles) -> Vec<String> {
    let listing = files.list().expect("listed");
    listing.variables.iter().map(|variable| variable.key.clone()).collect()
}

fn code<T>(answer: &Result<T, FilesError>) -> (&'static str, &'static str) {
    answer
        .as_ref()
        .map_or_else(|error| (error.code(), error.word().as_str()), |_| ("ok", ""))
}

/// Writes over a file where it stands, as some editors do.
fn write_in_place(path: &PathBuf, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("opened");
    file.rewind().expect("at the start");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn an_edit_in_place_of_equal_size_is_seen_at_once_however_fast_it_comes() {
    let place = Place::with("K000=1\n");
    let files = place.files();
    for number in 0..500 {
        let key = format!("K{number:03}");
        write_in_place(&place.project.env_file(), &format!("{key}=1\n"));
        assert_eq!(keys(&files), [key]);
    }
}

#[test]
fn a_listing_is_the_same_one_until_a_file_changes() {
    let place = Place::with("A=1\n");
    fs::write(
        place.project.secrets_toml(),
        "[sources.stripe]\nkey = 'x'\n[dango.oauth.x]\nprovider = 'google'\n",
    )
    .expect("written");
    let files = place.files();
    let first = files.list().expect("listed");
    assert_eq!((first.variables.len(), first.credentials.len(), first.connections.len()), (1, 1, 1));
    for _ in 0..1000 {
        assert!(Arc::ptr_eq(&first, &files.list().expect("listed")));
    }
    // The one file may change without the other.
    fs::write(place.project.secrets_toml(), "").expect("written");
    let second = files.list().expect("listed");
    assert_eq!(
        (second.variables.len(), second.credentials.len(), second.connections.len()),
        (1, 0, 0)
    );
    assert!(Arc::ptr_eq(&first.variables, &second.variables));
    fs::remove_file(place.project.env_file()).expect("removed");
    assert_eq!(keys(&files), Vec::<String>::new());
    files.change(&[set("B", "1")]);
    assert_eq!(keys(&files), ["B"]);
}

#[test]
fn a_stamp_that_is_old_enough_is_trusted_and_any_change_after_it_is_seen() {
    struct Later;
    impl dango_core::Clock for Later {
        fn now(&self) -> dango_core::Timestamp {
            dango_core::Timestamp::from_unix_micros(SystemClock.now().unix_micros() + 10_000_000)
        }

        fn local_offset_seconds(&self, _: dango_core::Timestamp) -> i32 {
            0
        }
    }
    let place = Place::with("A=1\n");
    let files = VaultFiles::new(
        place.project.clone(),
        Arc::new(KeySource::new(KeyAccess::default())),
        Arc::new(OsEntropy),
        Arc::new(Later),
    );
    assert_eq!(keys(&files), ["A"]);
    let old = stamp(&place.project.env_file()).expect("asked");
    while stamp(&place.project.env_file()).expect("asked") == old {
        write_in_place(&place.project.env_file(), "B=1\n");
    }
    assert_eq!(keys(&files), ["B"]);
}

#[test]
fn a_file_that_does_not_parse_is_told_by_its_place_and_nothing_is_written() {
    let place = Place::with("A=1\n");
    let files = place.files();
    let broken = b"A=1\nB=c\xffanary\n";
    fs::write(place.project.env_file(), broken).expect("written");
    let answers = files.change(&[set("C", "1"), delete("A")]);
    let listed = files.list().map(|_| VariableChanged::Deleted);
    assert_eq!(answers.len(), 2);
    for answer in answers.iter().chain([&listed]) {
        let error = answer.as_ref().expect_err("refused");
        assert_eq!((error.code(), error.word().as_str()), ("file_unparsable", "env_not_utf8"));
        assert!(matches!(
            error.problem(),
            FilesProblem::Unparsable {
                file: ".env",
                line: 2,
                column: 4,
                ..
            }
        ));
    }
    assert_eq!(fs::read(place.project.env_file()).expect("is there"), broken);
    fs::write(place.project.env_file(), "A=1\n").expect("written");
    fs::write(place.project.secrets_toml(), "[a]\nb = \n").expect("written");
    let error = files.list().expect_err("refused");
    assert!(matches!(
        error.problem(),
        FilesProblem::Unparsable {
            file: ".dlt/secrets.toml",
            line: 2,
            ..
        }
    ));
    assert_eq!(code(&files.change(&[set("C", "1")])[0]), ("ok", ""), "the other file is none of it");
    fs::write(place.project.secrets_toml(), "").expect("written");
    assert_eq!(keys(&files), ["A", "C"]);
}

#[test]
fn a_line_that_no_value_can_stand_beside_is_told_by_its_place() {
    let place = Place::with("K=1\nK: 2\n");
    let answers = place.files().change(&[
        set("K", "3"),
        set("D", "${HOME}"),
        set("E", "dango:v1:0123456789abcdef:AAAA"),
        delete("F"),
    ]);
    let codes: Vec<_> = answers.iter().map(code).collect();
    let expected = [
        ("file_unparsable", "env_other_line"),
        ("invalid_value", "env_value_reference"),
        ("invalid_value", "value-is-envelope"),
        ("not_found", "env_key_not_found"),
    ];
    assert_eq!(codes, expected);
    assert_eq!(place.env(), "K=1\nK: 2\n");
}

/// Does something the first time that a name for a temporary file is needed: after the file was read, before it is replaced.
struct Between<F>(F, AtomicUsize);

impl<F: Fn() + Send + Sync> Entropy for Between<F> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
            (self.0)();
        }
        OsEntropy.fill(buffer)
    }
}

#[test]
fn what_an_editor_saves_in_between_is_kept_and_the_changes_are_made_on_it() {
    let place = Place::with("A=1\nB=2\n");
    let path = place.project.env_file();
    let save = move || fs::write(&path, "# mine\nA=1\nEDITOR=yes\n").expect("written");
    let files = place.files_with(KeyAccess::default(), Arc::new(Between(save, AtomicUsize::new(0))));
    let answers = files.change(&[set("C", "3"), delete("B"), set("A", "one")]);
    assert_eq!(place.env(), "# mine\nA=one\nEDITOR=yes\nC=3\n");
    assert_eq!(
        answers.iter().map(code).collect::<Vec<_>>(),
        [("ok", ""), ("not_found", "env_key_not_found"), ("ok", "")]
    );
}

#[test]
fn many_at_once_and_another_vault_lose_nothing() {
    let place = Place::with("# a project\nFIRST='1'\n");
    let files = place.files();
    let start = Barrier::new(11);
    std::thread::scope(|scope| {
        for thread in 0..10 {
            let (files, start) = (&files, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..5 {
                    let keys = ["X", "Y"].map(|half| format!("T{thread}_{number}{half}"));
                    let answers = files.change(&keys.map(|key| set(&key, "value")));
                    assert!(answers.iter().all(Result::is_ok));
                    assert!(files.list().is_ok(), "what others read parses");
                }
            });
        }
        start.wait();
        let none = Keys::lazy(|| Err(HolderError::NotChosen));
        let vault = Vault::new(&place.project, &none, &OsEntropy, &SystemClock, "cli");
        for number in 0..25 {
            let key = format!("CLI_{number}").parse().expect("a name");
            vault
                .set_env(&key, &secret("value"), References::Literal, Protection::Habit)
                .expect("set");
        }
    });
    assert_eq!(keys(&files).len(), 1 + 100 + 25);
    assert!(place.env().starts_with("# a project\nFIRST='1'\n"));
}

#[test]
fn values_are_encrypted_by_habit_and_without_the_key_only_what_needs_it_is_refused() {
    let place = Place::with("A=first-value\n");
    let text = secret(&"ab".repeat(32));
    let set_of_keys = KeySet::new(MasterKey::parse(&text).expect("a key"), None);
    let at_hand = Keys::at_hand(&set_of_keys);
    let vault = Vault::new(&place.project, &at_hand, &OsEntropy, &SystemClock, "cli");
    vault.encrypt_env(EnvTargets::All).expect("encrypted");
    let with_key = place.files_with(
        KeyAccess {
            key: Some(text.clone()),
            ..KeyAccess::default()
        },
        Arc::new(OsEntropy),
    );
    assert!(
        with_key
            .change(&[set("B", "${any} text"), set("A", "second")])
            .iter()
            .all(Result::is_ok)
    );
    let opened = open_env(&place.document(), &at_hand).expect("opens");
    let values: Vec<_> = opened.bindings().map(|bound| (bound.key(), bound.expose())).collect();
    assert_eq!(values, [("A", Some("second")), ("B", Some("${any} text"))]);
    let history = vault.env_history(&"A".parse().expect("a name")).expect("listed");
    assert_eq!(history[0].actor, "ada@x.example");
    let listing = with_key.list().expect("listed");
    assert!(listing.variables.iter().all(|variable| variable.is_encrypted));
    assert!(!format!("{listing:?}").contains("second"));

    fs::write(place.project.env_file(), format!("PLAIN=1\n{}", place.env())).expect("written");
    let without = place.files();
    let answers = without.change(&[set("NEW", "2"), set("A", "3"), delete("B")]);
    let refused = ("encryption_key_unavailable", "key-not-chosen");
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), [("ok", ""), refused, refused]);
    assert!(place.env().contains("NEW=2"));
    assert_eq!(keys(&without), ["PLAIN", "A", "B", "NEW"]);
}

#[test]
fn what_a_person_is_told_names_no_folder_and_the_cause_does() {
    let place = Place::with("");
    fs::remove_file(place.project.env_file()).expect("removed");
    fs::create_dir(place.project.env_file()).expect("made");
    let files = place.files();
    let refused = [
        files.list().map(|_| VariableChanged::Deleted),
        files.change(&[set("A", "canary")]).remove(0),
    ];
    for answer in refused {
        let error = answer.expect_err("refused");
        assert_eq!((error.code(), error.word().as_str()), ("file_unusable", "file_not_regular"));
        assert!(!error.to_string().contains('/'), "{error}");
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(cause.contains(&place.project.env_file().display().to_string()), "{cause}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
