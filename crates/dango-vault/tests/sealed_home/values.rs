//! The vault over rows does what it does over files: names, history, seals, rotation.

use std::cell::RefCell;

use dango_core::{CredentialPath, SystemClock};
use dango_keyring::{HolderKind, KeyHolder};
use dango_secrets::References;
use dango_secrets::Value;
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_vault::{EnvTargets, Keys, Protection, Selection, Targets, Vault, count_of, open_secrets, rotate};

use super::*;

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

/// What a path says once it is open.
fn value(project: &Project, keys: &Keys<'_>, at: &str) -> String {
    let document = SecretsDocument::parse(text(project, SharedFile::Secrets).expect("is there").as_bytes()).expect("TOML");
    let opened = open_secrets(&document, Selection::All, keys).expect("opens");
    match opened.value(&path(at)) {
        Some(Value::String(text)) => text.verbatim().to_string(),
        _ => panic!("no string at {at}"),
    }
}

#[test]
fn what_one_machine_sets_another_has_with_its_history() {
    let (rows, machine, keyring) = founded();
    let set_keys = keyring.load().expect("there");
    let keys = Keys::at_hand(&set_keys);
    let another = Machine::new(&rows, &keyring);
    let (one, other) = (machine.project(), another.project());
    let ana = Vault::new(&one, &keys, &OsEntropy, &SystemClock, "ana");
    let ben = Vault::new(&other, &keys, &OsEntropy, &SystemClock, "ben");
    let at = path("sources.stripe.api_key");
    ana.set_secrets(&[(at.clone(), string("first"))], Protection::Encrypt).expect("set");
    ben.set_secrets(&[(at.clone(), string("second"))], Protection::Encrypt)
        .expect("set");
    assert_eq!(value(&one, &keys, "sources.stripe.api_key"), "second");
    let history = ana.secret_history(&at).expect("read");
    assert_eq!(history.iter().map(|value| value.actor.as_str()).collect::<Vec<_>>(), ["ben"]);
    ana.rollback_secret(&at, 1).expect("rolled back");
    assert_eq!(value(&other, &keys, "sources.stripe.api_key"), "first");
    // Three values and two of the history, counted in one place for both machines.
    assert_eq!(count_of(&other, set_keys.active_id()).expect("read").seals(), 5);
    let document = SecretsDocument::parse(text(&one, SharedFile::Secrets).expect("there").as_bytes()).expect("TOML");
    assert!(ana.check_secrets(&document).expect("checked").is_none());
    assert!(ben.check_secrets(&document).expect("checked").is_none());
    for name in ["secrets.toml", ".env"] {
        let left = [
            machine.directory.path().join(".dlt").join(name),
            machine.directory.path().join(name),
        ];
        assert!(left.iter().all(|path| !path.exists()), "nothing of it is on the machine");
    }
}

#[test]
fn fifty_changes_over_two_machines_are_fifty_values() {
    let (rows, machine, keyring) = founded();
    let other = Machine::new(&rows, &keyring);
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (project, keyring) = ([&machine, &other][number % 2].project(), &keyring);
            scope.spawn(move || {
                let set = keyring.load().expect("there");
                let keys = Keys::at_hand(&set);
                let vault = Vault::new(&project, &keys, &OsEntropy, &SystemClock, "ana");
                let values = [(path(&format!("sources.s{number}.key")), string(&number.to_string()))];
                while let Err(error) = vault.set_secrets(&values, Protection::Encrypt) {
                    assert_eq!(error.code(), "file_locked", "{error}");
                }
            });
        }
    });
    let set = keyring.load().expect("there");
    let keys = Keys::at_hand(&set);
    for number in 0..50 {
        assert_eq!(
            value(&other.project(), &keys, &format!("sources.s{number}.key")),
            number.to_string()
        );
    }
    assert_eq!(
        count_of(&machine.project(), set.active_id()).expect("read").seals(),
        50,
        "no edit was asked twice"
    );
}

/// A keyring as a holder that keeps.
struct Holder<'k>(&'k Keyring, RefCell<Vec<usize>>);

impl KeyHolder for Holder<'_> {
    fn kind(&self) -> HolderKind {
        HolderKind::File
    }

    fn describe(&self) -> String {
        "a test".to_owned()
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        self.0.load()
    }

    fn store(&self, keys: &KeySet) -> Result<(), HolderError> {
        self.1.borrow_mut().push(keys.retired_ids().count());
        self.0.hold(Some(keys));
        Ok(())
    }

    fn delete(&self) -> Result<(), HolderError> {
        self.0.hold(None);
        Ok(())
    }
}

#[test]
fn rotation_reaches_every_row_and_machines_go_on_with_the_new_key() {
    let (rows, machine, keyring) = founded();
    let another = Machine::new(&rows, &keyring);
    let (one, other) = (machine.project(), another.project());
    let old = keyring.load().expect("there");
    {
        let keys = Keys::at_hand(&old);
        let vault = Vault::new(&one, &keys, &OsEntropy, &SystemClock, "ana");
        vault
            .set_secrets(&[(path("sources.stripe.api_key"), string("kept"))], Protection::Encrypt)
            .expect("set");
    }
    set(&other, SharedFile::Sources, "sources: {}\n").expect("written");
    let holder = Holder(&keyring, RefCell::default());
    let report = rotate(&one, &holder, &OsEntropy, &SystemClock).expect("rotated");
    assert!(report.still_needed.is_empty());
    assert_eq!(holder.1.into_inner(), [1, 0], "the old key was kept until nothing needed it");
    let active = report.active.to_string();
    for ((_, name), row) in rows.dump() {
        assert_eq!(row.key, active, "{name}");
    }
    // This one still has what it derived from the old key.
    assert_eq!(text(&other, SharedFile::Sources).as_deref(), Some("sources: {}\n"));
    append(&other, "A=1\n").expect("written");
    let new = keyring.load().expect("there");
    assert_eq!(value(&other, &Keys::at_hand(&new), "sources.stripe.api_key"), "kept");
    keyring.hold(Some(&old));
    let behind = Machine::new(&rows, &keyring).project();
    assert_eq!(refusal(&behind, SharedFile::Secrets), Some("home_key_unknown"));
}

#[test]
fn everything_is_encrypted_within_as_well_and_comes_back() {
    let (_, machine, keyring) = founded();
    let project = machine.project();
    set(&project, SharedFile::Env, "TOKEN=abcdef # abcdef\n").expect("written");
    set(&project, SharedFile::Secrets, "[a]\nb = 'abcdef'\n").expect("written");
    let set_keys = keyring.load().expect("there");
    let keys = Keys::at_hand(&set_keys);
    let vault = Vault::new(&project, &keys, &OsEntropy, &SystemClock, "ana");
    vault.encrypt_env(EnvTargets::All).expect("encrypted");
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    assert!(!text(&project, SharedFile::Env).expect("there").contains("abcdef"));
    vault.decrypt_env(EnvTargets::All).expect("decrypted");
    vault.decrypt_secrets(Targets::All).expect("decrypted");
    assert_eq!(text(&project, SharedFile::Env).as_deref(), Some("TOKEN=abcdef # abcdef\n"));
    assert_eq!(text(&project, SharedFile::Secrets).as_deref(), Some("[a]\nb = 'abcdef'\n"));
}
