//! Rotations over real files: every step ended where it may end, values of others left alone, nothing left behind.
#![allow(clippy::disallowed_methods, reason = "tests write scratch files")]

use std::fs;
use std::path::Path;

use dango_core::{CredentialPath, OsEntropy, SystemClock, Timestamp};
use dango_secrets::project::Project;
use dango_vault::{Keys, Targets, open_secrets};

use super::*;
use crate::note::Purpose;

const OLD: &str = "canary-old";
const NEW: &str = "canary-new";
const SECRETS: &str = "# head\n[sources.shop]\napi_key = 'canary-old' # mine\nother = 1\n";
const ENV: &str = "A=1\nTOKEN=canary-old\n";

struct World {
    directory: tempfile::TempDir,
    project: Project,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for folder in [".dlt", ".dango"] {
            fs::create_dir(directory.path().join(folder)).expect("a folder");
        }
        fs::write(directory.path().join(".dlt/secrets.toml"), SECRETS).expect("written");
        fs::write(directory.path().join(".env"), ENV).expect("written");
        let project = Project::at(directory.path());
        Self { directory, project }
    }

    fn with<T>(&self, act: impl FnOnce(&Vault<'_>) -> T) -> T {
        let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NoPassphrase));
        act(&Vault::new(&self.project, &keys, &OsEntropy, &SystemClock, "ana"))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }

    fn begin(&self) -> Rotation {
        let note = Note::new(Purpose::Rotation, Stage::Taken, Timestamp::from_unix_micros(0));
        self.with(|vault| Rotation::begin(vault, "shop".to_owned(), note, changes()))
            .expect("begins")
    }

    fn load(&self) -> Option<Rotation> {
        self.with(|vault| Rotation::load(vault, "shop")).expect("reads")
    }
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn changes() -> Vec<Change> {
    let path: CredentialPath = "sources.shop.api_key".parse().expect("a path");
    vec![
        Change {
            place: ValuePlace::Secret(path),
            old: secret(&format!("'{OLD}'")),
            new: Some(secret(&format!("\"{NEW}\""))),
            refused: None,
        },
        Change {
            place: ValuePlace::Variable("TOKEN".parse().expect("a name")),
            old: secret(OLD),
            new: Some(secret(NEW)),
            refused: None,
        },
    ]
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[test]
fn both_files_get_the_new_value_and_nothing_of_the_old_one_is_left() {
    let world = World::new();
    let mut rotation = world.begin();
    assert_eq!(
        (world.read(".dlt/secrets.toml"), world.read(".env")),
        (SECRETS.to_owned(), ENV.to_owned())
    );
    assert_eq!(mode(&world.directory.path().join(".dango/rotations")), 0o600);
    world.with(|vault| rotation.write(vault)).expect("writes");
    assert_eq!(world.read(".dlt/secrets.toml"), SECRETS.replace("'canary-old'", "\"canary-new\""));
    assert_eq!(world.read(".env"), ENV.replace(OLD, NEW));
    world.with(|vault| rotation.forget(vault, AsideRole::Old)).expect("forgets");
    assert!(world.load().is_none());
    assert!(!world.read(".dango/rotations").contains("canary"));
}

#[test]
fn whoever_comes_after_a_crash_goes_on_at_every_stage() {
    for stage in [Stage::Taken, Stage::Writing, Stage::Written, Stage::Returning] {
        for written in [&[][..], &[0][..], &[1][..], &[0, 1][..]] {
            for back in [false, true] {
                let world = World::new();
                let mut rotation = world.begin();
                // As a process leaves it that died between two steps.
                let note = Note { stage, ..rotation.note() };
                world.with(|vault| rotation.annotate(vault, note)).expect("notes");
                for &index in written {
                    let only = [rotation.changes[index].clone()];
                    world
                        .with(|vault| rotation.exchange(vault, &only, Direction::Forth))
                        .expect("writes");
                }
                let mut resumed = world.load().expect("is there");
                let (secrets, env) = match back {
                    true => {
                        assert!(world.with(|vault| resumed.put_back(vault)).expect("goes back").is_empty());
                        (OLD, OLD)
                    }
                    false => {
                        world.with(|vault| resumed.write(vault)).expect("goes on");
                        (NEW, NEW)
                    }
                };
                assert!(world.read(".dlt/secrets.toml").contains(secrets), "{stage:?} {written:?}");
                assert!(world.read(".env").contains(env), "{stage:?} {written:?}");
            }
        }
    }
}

#[test]
fn what_somebody_else_has_stored_meanwhile_is_left_alone_in_both_directions() {
    let world = World::new();
    let mut rotation = world.begin();
    fs::write(world.directory.path().join(".env"), "TOKEN=somebody-elses\n").expect("written");
    let error = world.with(|vault| rotation.write(vault)).expect_err("changed");
    assert_eq!(error.code(), "value-changed");
    assert!(!error.to_string().contains("somebody"), "{error}");
    let left = world.with(|vault| rotation.put_back(vault)).expect("goes back");
    assert_eq!(left, [ValuePlace::Variable("TOKEN".parse().expect("a name"))]);
    assert_eq!(world.read(".env"), "TOKEN=somebody-elses\n");
    assert!(world.read(".dlt/secrets.toml").contains(OLD));
}

#[test]
fn an_exposed_value_goes_where_it_still_is_and_what_somebody_stored_instead_of_it_stays() {
    for (instead, expected) in [("TOKEN=somebody-elses\n", "TOKEN=somebody-elses\n"), ("A=1\n", "A=1\n")] {
        let world = World::new();
        let mut rotation = world.begin();
        fs::write(world.directory.path().join(".env"), instead).expect("written");
        let left = world.with(|vault| rotation.write_around(vault)).expect("goes around");
        assert_eq!(left, [ValuePlace::Variable("TOKEN".parse().expect("a name"))]);
        assert_eq!(world.read(".env"), expected);
        assert!(world.read(".dlt/secrets.toml").contains(NEW));
        assert_eq!(world.load().expect("is there").note().stage, Stage::Written);
    }
}

#[test]
fn another_value_takes_the_place_of_one_that_was_refused_and_either_way_back_is_open() {
    let another = || vec![secret("'canary-another'"), secret("canary-another")];
    for back in [false, true] {
        let world = World::new();
        let mut rotation = world.begin();
        let _ = world.with(|vault| rotation.write_around(vault)).expect("writes");
        let refused = Note {
            purpose: Purpose::Exposure,
            answer: Answer::Refused,
            ..rotation.note()
        };
        world.with(|vault| rotation.annotate(vault, refused)).expect("notes");
        world.with(|vault| rotation.give(vault, another())).expect("takes it");
        // The other one is refused, too, before it is stored: then it stands as before.
        world.with(|vault| rotation.take_back(vault)).expect("lets it go");
        assert_eq!((rotation.note(), rotation.is_stored()), (refused, true));
        assert!(!world.read(".dango/rotations").contains("another"));
        world.with(|vault| rotation.give(vault, another())).expect("takes it");
        let mut resumed = world.load().expect("is there");
        assert_eq!((resumed.note().stage, resumed.note().answer), (Stage::Taken, Answer::Unknown));
        assert!(resumed.is_stored());
        let (left, there, gone) = match back {
            true => (world.with(|vault| resumed.put_back(vault)), OLD, AsideRole::New),
            false => (world.with(|vault| resumed.write_around(vault)), "canary-another", AsideRole::Old),
        };
        assert!(left.expect("exchanged").is_empty());
        for file in [".dlt/secrets.toml", ".env"] {
            assert!(world.read(file).contains(there) && !world.read(file).contains(NEW), "{file}");
        }
        world.with(|vault| resumed.forget(vault, gone)).expect("forgets");
        assert!(world.load().is_none());
    }
}

#[test]
fn a_value_that_became_a_reference_is_somebody_elses_change() {
    let world = World::new();
    let mut rotation = world.begin();
    let text = SECRETS.replace("'canary-old'", "\"${TOKEN}\"");
    fs::write(world.directory.path().join(".dlt/secrets.toml"), &text).expect("written");
    assert_eq!(
        world.with(|vault| rotation.write(vault)).expect_err("changed").code(),
        "value-changed"
    );
    assert_eq!(world.read(".dlt/secrets.toml"), text);
}

#[test]
fn an_encrypting_project_has_no_value_in_the_clear_and_none_in_its_history() {
    let world = World::new();
    let set = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&OsEntropy).expect("random"), None);
    let keys = Keys::at_hand(&set);
    let vault = Vault::new(&world.project, &keys, &OsEntropy, &SystemClock, "ana");
    let _ = vault.encrypt_secrets(Targets::All).expect("encrypts");
    let note = Note::new(Purpose::Rotation, Stage::Taken, Timestamp::from_unix_micros(0));
    let changes: Vec<Change> = changes().into_iter().take(1).collect();
    let mut rotation = Rotation::begin(&vault, "shop".to_owned(), note, changes).expect("begins");
    assert!(!world.read(".dango/rotations").contains("canary"));
    rotation.write(&vault).expect("writes");
    assert!(!world.read(".dlt/secrets.toml").contains("canary"));
    let path: CredentialPath = "sources.shop.api_key".parse().expect("a path");
    assert_eq!(vault.secret_history(&path).expect("reads").len(), 1);
    let resumed = Rotation::load(&vault, "shop").expect("opens").expect("is there");
    resumed.forget(&vault, AsideRole::Old).expect("forgets");
    assert!(vault.secret_history(&path).expect("reads").is_empty());
    let document = dango_secrets::document::SecretsDocument::parse(world.read(".dlt/secrets.toml").as_bytes()).expect("parses");
    let opened = open_secrets(&document, dango_vault::Selection::All, &keys).expect("opens");
    let Some(dango_secrets::Value::String(text)) = opened.value(&path) else {
        panic!("no string")
    };
    assert_eq!(text.verbatim().as_str(), NEW);
}
