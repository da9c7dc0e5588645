//! A new key for everything, interrupted wherever it can be.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use dango_core::{Entropy, EntropyError};
use dango_keyring::{HolderError, HolderKind, KeyHolder};
use dango_secrets::dotenv::EnvDocument;
use dango_vault::{
    EnvTargets, Keys, Protection, RotationReport, Selection, Targets, VaultError, open_env, open_secrets, protected_by, rotate,
};

use super::*;

/// Keeps keys as text, as holders do, and can fail behind every store.
struct Memory {
    text: RefCell<String>,
    fails: bool,
}

impl Memory {
    fn of(set: &KeySet) -> Self {
        Self {
            text: RefCell::new(set.to_text().expose().to_owned()),
            fails: false,
        }
    }

    fn keys(&self) -> KeySet {
        KeySet::parse(&secret(&self.text.borrow())).expect("keys")
    }
}

impl KeyHolder for Memory {
    fn kind(&self) -> HolderKind {
        HolderKind::File
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        Ok(self.keys())
    }

    fn store(&self, keys: &KeySet) -> Result<(), HolderError> {
        keys.to_text().expose().clone_into(&mut self.text.borrow_mut());
        if self.fails {
            Err(HolderError::Failed { source: None })
        } else {
            Ok(())
        }
    }

    fn delete(&self) -> Result<(), HolderError> {
        Err(HolderError::ReadOnly { kind: HolderKind::File })
    }
}

/// Randomness that ends after some calls: every nonce, every key and every file written takes one, so it stops everywhere.
struct Ending(AtomicUsize);

impl Entropy for Ending {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| EntropyError)?;
        OsEntropy.fill(buffer)
    }
}

fn filled(memory: &Memory) -> Place {
    let place = Place::with(
        "[sources.x]\na = 'value-a'\nb = { c = 'value-b', d = 7 } # value-b\n",
        "A=value-c\nB=\"value d\" # x\n",
    );
    let set = memory.keys();
    let keys = Keys::at_hand(&set);
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    vault.encrypt_env(EnvTargets::All).expect("encrypted");
    vault
        .set_secrets(&[(path("sources.x.a"), string("value-e"))], Protection::Habit)
        .expect("set");
    place
}

/// Opens everything with the keys that are held now.
fn assert_opens(place: &Place, memory: &Memory, when: &str) {
    let set = memory.keys();
    let keys = Keys::at_hand(&set);
    let opened = open_secrets(&place.document(), Selection::All, &keys).unwrap_or_else(|error| panic!("{when}: {error}"));
    assert_eq!(text_at(&opened, "sources.x.a"), "value-e");
    assert_eq!(text_at(&opened, "sources.x.b.c"), "value-b");
    let env = EnvDocument::parse(place.env().as_bytes()).expect("UTF-8");
    let env = open_env(&env, &keys).unwrap_or_else(|error| panic!("{when}: {error}"));
    assert_eq!(
        env.bindings().filter_map(|bound| bound.expose()).collect::<Vec<_>>(),
        ["value-c", "value d"]
    );
    let vault = vault(place, &keys);
    assert_eq!(vault.secret_history(&path("sources.x.a")).expect("listed").len(), 1);
}

fn run(place: &Place, memory: &Memory, entropy: &dyn Entropy) -> Result<RotationReport, VaultError> {
    rotate(&place.project, memory, entropy, &SystemClock)
}

#[test]
fn everything_is_under_the_new_key_and_the_old_one_is_forgotten() {
    let memory = Memory::of(&key_set());
    let place = filled(&memory);
    let old = memory.keys().active_id();
    let report = run(&place, &memory, &OsEntropy).expect("rotated");
    assert_ne!(report.active, old);
    assert_eq!(
        (report.resumed, report.encrypted, report.left.len(), report.still_needed.len()),
        (false, 6, 0, 0)
    );
    assert_eq!(memory.keys().retired_ids().count(), 0);
    assert_eq!(protected_by(&place.project).expect("counted"), [(report.active, 6)]);
    assert_opens(&place, &memory, "at the end");
    let set = memory.keys();
    let keys = Keys::at_hand(&set);
    assert_eq!(vault(&place, &keys).check_secrets(&place.document()).expect("checked"), None);
    vault(&place, &keys).decrypt_secrets(Targets::All).expect("decrypted");
    assert!(place.secrets().contains("b = { c = 'value-b', d = 7 } # value-b\n"));
}

#[test]
fn interrupted_anywhere_every_value_opens_and_the_next_call_goes_on() {
    let mut interrupted = 0;
    for calls in 0.. {
        let memory = Memory::of(&key_set());
        let place = filled(&memory);
        let before = memory.keys().active_id();
        let ended = run(&place, &memory, &Ending(AtomicUsize::new(calls))).is_err();
        assert_opens(&place, &memory, &format!("after {calls} calls"));
        let made = memory.keys().active_id();
        let report = run(&place, &memory, &OsEntropy).expect("goes on");
        if ended && made != before {
            assert_eq!((report.active, report.resumed), (made, true), "after {calls} calls");
        }
        assert_eq!(memory.keys().retired_ids().count(), 0);
        assert!(
            protected_by(&place.project)
                .expect("counted")
                .iter()
                .all(|(id, _)| *id == report.active)
        );
        assert_opens(&place, &memory, &format!("resumed after {calls} calls"));
        let set = memory.keys();
        let keys = Keys::at_hand(&set);
        assert_eq!(vault(&place, &keys).check_secrets(&place.document()).expect("checked"), None);
        if !ended {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 10, "{interrupted}");
}

#[test]
fn a_holder_that_fails_behind_its_back_loses_nothing() {
    let mut memory = Memory::of(&key_set());
    let place = filled(&memory);
    memory.fails = true;
    assert!(matches!(run(&place, &memory, &OsEntropy), Err(VaultError::Store(_))));
    assert_opens(&place, &memory, "stored and told otherwise");
    assert!(run(&place, &memory, &OsEntropy).is_err(), "all is done but forgetting the old key");
    assert_opens(&place, &memory, "resumed and told otherwise");
    memory.fails = false;
    run(&place, &memory, &OsEntropy).expect("rotated");
    assert_opens(&place, &memory, "at the end");
}

#[test]
fn values_of_an_unknown_key_are_named_and_left_alone() {
    let memory = Memory::of(&key_set());
    let place = filled(&memory);
    let stranger = key_set();
    let other = Place::with("[sources.z]\nforeign = 'value-z'\n", "");
    vault(&other, &Keys::at_hand(&stranger))
        .encrypt_secrets(Targets::All)
        .expect("encrypted");
    let foreign = text_at(&other.document(), "sources.z.foreign");
    place.write_secrets(&format!("[sources.z]\nforeign = \"{foreign}\"\n{}", place.secrets()));
    let report = run(&place, &memory, &OsEntropy).expect("rotated");
    assert_eq!(
        report.left.iter().map(|value| value.place.as_str()).collect::<Vec<_>>(),
        ["sources.z.foreign"]
    );
    assert_eq!(text_at(&place.document(), "sources.z.foreign"), foreign);
    // The file was changed by hand, so its seal is that of the old key until somebody accepts it.
    assert_eq!(report.still_needed.len(), 1);
    let set = memory.keys();
    let keys = Keys::at_hand(&set);
    let warning = vault(&place, &keys)
        .check_secrets(&place.document())
        .expect("checked")
        .expect("a value more");
    assert_eq!(
        warning.changes().map(|changes| changes.added.clone()),
        Some(vec!["sources.z.foreign".to_owned()])
    );
    vault(&place, &keys).reseal_secrets().expect("accepted");
    let report = run(&place, &memory, &OsEntropy).expect("goes on");
    assert_eq!((report.resumed, report.still_needed.len()), (true, 0));
}

#[test]
fn a_process_with_the_old_key_cannot_write_with_it_any_more() {
    let memory = Memory::of(&key_set());
    let place = filled(&memory);
    let old = memory.keys();
    run(&place, &memory, &OsEntropy).expect("rotated");
    let keys = Keys::at_hand(&old);
    let late = vault(&place, &keys).set_secrets(&[(path("sources.x.a"), string("late-value"))], Protection::Encrypt);
    assert_eq!(late.err().map(|error| error.code()), Some("key-retired"));
    assert_opens(&place, &memory, "unchanged");
}
