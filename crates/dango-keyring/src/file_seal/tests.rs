//! Removing, swapping, rolling back and adding encrypted values behind the program's back, and what is named then.

use std::collections::BTreeMap;

use dango_core::{OsEntropy, SecretValue};
use proptest::prelude::*;

use super::*;
use crate::sealing::SealCount;

fn keys() -> KeySet {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
}

fn envelope(keys: &KeySet, name: &str) -> Envelope {
    let plain = SecretValue::new("\"value\"".to_owned()).expect("no NUL");
    let mut count = SealCount::start(keys.active_id());
    keys.seal(Purpose::SecretsToml, &place(name), &plain, &mut count, &OsEntropy)
        .expect("seals")
}

fn place(name: &str) -> Binding {
    Binding::path(&name.parse().expect("a path"))
}

/// A file as names and envelopes.
#[derive(Clone)]
struct File(Vec<(&'static str, Envelope)>);

impl File {
    fn of(keys: &KeySet, names: &[&'static str]) -> Self {
        Self(names.iter().map(|name| (*name, envelope(keys, name))).collect())
    }

    fn values(&self) -> SealedValues {
        let mut values = SealedValues::new();
        for (name, envelope) in &self.0 {
            values.add_path(&name.parse().expect("a path"), envelope);
        }
        values
    }

    fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(other, _)| *other != name).cloned().collect())
    }

    fn with(&self, keys: &KeySet, name: &'static str) -> Self {
        let mut file = self.without(name);
        file.0.push((name, envelope(keys, name)));
        file
    }
}

fn changes(removed: &[&str], replaced: &[&str], added: &[&str]) -> Option<SealChanges> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(SealChanges {
        removed: own(removed),
        replaced: own(replaced),
        added: own(added),
    })
}

const INTACT: SealState = SealState::Intact { newer: None };

#[test]
fn a_file_is_intact_in_any_order_of_its_values() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let mut file = File::of(&keys, &["a", "b", "c"]);
    let (seal, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    assert_eq!(seal.counter(), 1);
    assert_eq!(sealer.check(&file.values(), Some(&seal), Some(&seen)), INTACT);
    file.0.reverse();
    assert_eq!(sealer.check(&file.values(), Some(&seal), Some(&seen)), INTACT);
    // A fresh clone has seen nothing, and gets the state to keep.
    let first = sealer.check(&file.values(), Some(&seal), None);
    assert_eq!(first, SealState::Intact { newer: Some(seen) });
}

#[test]
fn removed_replaced_and_added_values_are_named() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a", "b", "c", "d"]);
    let (seal, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let changed = file.without("a").with(&keys, "c").with(&keys, "e");
    let changes = changes(&["a"], &["c"], &["e"]);
    for (found, expected) in [
        (Some(&seal), SealState::Changed { changes: changes.clone() }),
        (None, SealState::Missing { changes }),
    ] {
        assert_eq!(sealer.check(&changed.values(), found, Some(&seen)), expected);
    }
    assert_eq!(
        sealer.check(&changed.values(), Some(&seal), None),
        SealState::Changed { changes: None }
    );
}

#[test]
fn an_older_file_and_an_older_value_are_named() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let old = File::of(&keys, &["a", "b"]);
    let (old_seal, old_seen) = sealer.seal(&old.values(), None, None).expect("seals");
    let new = old.with(&keys, "a").with(&keys, "c");
    let (new_seal, new_seen) = sealer.seal(&new.values(), Some(&old_seal), Some(&old_seen)).expect("seals");
    assert_eq!(new_seal.counter(), 2);
    assert_eq!(
        sealer.check(&old.values(), Some(&old_seal), Some(&new_seen)),
        SealState::RolledBack {
            seen: 2,
            found: 1,
            changes: changes(&["c"], &["a"], &[])
        }
    );
    // Only one value put back, under the new seal.
    let mixed = File(vec![old.0[0].clone(), new.0[0].clone(), new.0[2].clone()]);
    assert_eq!(
        sealer.check(&mixed.values(), Some(&new_seal), Some(&new_seen)),
        SealState::Changed {
            changes: changes(&[], &["a"], &[])
        }
    );
    // The project that has seen only the older one takes the newer for what it is.
    assert_eq!(
        sealer.check(&new.values(), Some(&new_seal), Some(&old_seen)),
        SealState::Intact { newer: Some(new_seen) }
    );
}

#[test]
fn every_value_removed_together_with_the_seal_is_still_noticed() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a"]);
    let (_, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    assert_eq!(
        sealer.check(&SealedValues::new(), None, Some(&seen)),
        SealState::Missing {
            changes: changes(&["a"], &[], &[])
        }
    );
    assert_eq!(sealer.check(&file.values(), None, None), SealState::Missing { changes: None });
    assert_eq!(sealer.check(&SealedValues::new(), None, None), INTACT);
}

#[test]
fn decrypting_the_last_value_leaves_a_file_without_a_seal_that_an_older_one_cannot_pose_as() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a"]);
    let (seal, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let (_, seen) = sealer.seal(&SealedValues::new(), Some(&seal), Some(&seen)).expect("seals");
    assert_eq!(sealer.check(&SealedValues::new(), None, Some(&seen)), INTACT);
    assert!(matches!(
        sealer.check(&file.values(), Some(&seal), Some(&seen)),
        SealState::RolledBack { seen: 2, found: 1, .. }
    ));
}

#[test]
fn two_files_with_the_same_counter_are_told_apart() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let (mine, theirs) = (File::of(&keys, &["a"]), File::of(&keys, &["b"]));
    let (_, seen) = sealer.seal(&mine.values(), None, None).expect("seals");
    let (seal, _) = sealer.seal(&theirs.values(), None, None).expect("seals");
    assert_eq!(
        sealer.check(&theirs.values(), Some(&seal), Some(&seen)),
        SealState::Changed {
            changes: changes(&["a"], &[], &["b"])
        }
    );
}

#[test]
fn an_edit_of_a_broken_file_hides_nothing_but_itself() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a", "b", "c"]);
    let (seal, mut seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let edited = file.without("a").with(&keys, "b").without("c");
    let envelope = edited.0.last().map(|(_, envelope)| envelope.clone());
    sealer.note_edits(&mut seen, &BTreeMap::from([(place("b"), envelope), (place("c"), None)]));
    assert_eq!(
        sealer.check(&edited.values(), Some(&seal), Some(&seen)),
        SealState::Changed {
            changes: changes(&["a"], &[], &[])
        }
    );
    // `reseal` accepts the file as it is.
    let (seal, seen) = sealer.seal(&edited.values(), Some(&seal), Some(&seen)).expect("seals");
    assert_eq!(seal.counter(), 2);
    assert_eq!(sealer.check(&edited.values(), Some(&seal), Some(&seen)), INTACT);
}

#[test]
fn a_seal_is_for_one_purpose_counter_and_key() {
    let keys = keys();
    let file = File::of(&keys, &["a"]);
    let (seal, _) = keys
        .file_sealer(Purpose::SecretsToml)
        .seal(&file.values(), None, None)
        .expect("seals");
    let other_purpose = keys.file_sealer(Purpose::DotEnv).check(&file.values(), Some(&seal), None);
    assert_eq!(other_purpose, SealState::Changed { changes: None });
    let other_counter = FileSeal {
        counter: 9,
        ..seal.clone()
    };
    assert_eq!(
        keys.file_sealer(Purpose::SecretsToml)
            .check(&file.values(), Some(&other_counter), None),
        SealState::Changed { changes: None }
    );
    let stranger = self::keys();
    assert_eq!(
        stranger.file_sealer(Purpose::SecretsToml).check(&file.values(), Some(&seal), None),
        SealState::UnknownKey { id: keys.active_id() }
    );
}

#[test]
fn a_seal_survives_rotation_while_the_old_key_is_kept() {
    let keys = keys();
    let file = File::of(&keys, &["a", "b"]);
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let (seal, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let text = sealer.write_seen(&seen).expect("writes");
    let rotated = keys.rotate(MasterKey::make(&OsEntropy).expect("random"), None).ok().expect("room");
    let sealer = rotated.file_sealer(Purpose::SecretsToml);
    let seen = sealer.parse_seen(&text).expect("reads");
    assert_eq!(sealer.check(&file.values(), Some(&seal), Some(&seen)), INTACT);
    assert_eq!(
        sealer.check(&file.without("b").values(), Some(&seal), Some(&seen)),
        SealState::Changed {
            changes: changes(&["b"], &[], &[])
        }
    );
    let (seal, seen) = sealer.seal(&file.values(), Some(&seal), Some(&seen)).expect("seals");
    assert_eq!((seal.key_id(), seal.counter()), (rotated.active_id(), 2));
    assert_eq!(seen.key_id(), rotated.active_id());
}

#[test]
fn a_forged_counter_neither_runs_out_nor_turns_back() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a"]);
    let (seal, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let forged = |counter| FileSeal { counter, ..seal.clone() };
    let next =
        |before: &FileSeal, seen: Option<&SeenState>| sealer.seal(&file.values(), Some(before), seen).map(|(seal, _)| seal.counter());
    assert_eq!(next(&forged(LARGEST_COUNTER), Some(&seen)), Ok(2));
    assert_eq!(next(&forged(7), Some(&seen)), Ok(8));
    assert_eq!(next(&forged(0), Some(&seen)), Ok(2));
    assert_eq!(next(&forged(7), None), Ok(8));
}

#[test]
fn a_duplicate_variable_counts_twice() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::DotEnv);
    let name: VariableName = "A".parse().expect("a name");
    let (one, other) = (envelope(&keys, "A"), envelope(&keys, "A"));
    let values = |envelopes: &[&Envelope]| {
        let mut values = SealedValues::new();
        envelopes.iter().for_each(|envelope| values.add_variable(&name, envelope));
        values
    };
    let (seal, seen) = sealer.seal(&values(&[&one, &other]), None, None).expect("seals");
    assert_eq!(sealer.check(&values(&[&other, &one]), Some(&seal), Some(&seen)), INTACT);
    assert_eq!(
        sealer.check(&values(&[&other]), Some(&seal), Some(&seen)),
        SealState::Changed {
            changes: changes(&[], &["A"], &[])
        }
    );
}

#[test]
fn a_seal_has_one_text_form() {
    let keys = keys();
    let (seal, _) = keys
        .file_sealer(Purpose::DotEnv)
        .seal(&SealedValues::new(), None, None)
        .expect("seals");
    let line = seal.to_comment();
    assert_eq!(FileSeal::parse_comment(&line), Some(seal.clone()));
    assert_eq!(FileSeal::parse_comment(&format!("{line}\r\n")), Some(seal.clone()));
    let members = FileSeal::from_members(&seal.key_id().to_string(), seal.counter(), &seal.digest_text());
    assert_eq!(members.as_ref(), Some(&seal));
    for bad in [
        &line[1..],
        &line[..line.len() - 1],
        &format!("{line}="),
        &line.replacen(":1:", ":01:", 1),
        &line.replacen(":1:", ":-1:", 1),
        &line.replacen(":1:", ":9223372036854775807:", 1),
        &line.replacen("v1", "v2", 1),
    ] {
        assert_eq!(FileSeal::parse_comment(bad), None, "{bad}");
    }
    assert!(FileSeal::is_comment(&line[..20]) && !FileSeal::is_comment("# a comment"));
}

#[test]
fn the_seen_state_is_read_back_and_every_change_of_a_byte_is_noticed() {
    let keys = keys();
    let sealer = keys.file_sealer(Purpose::SecretsToml);
    let file = File::of(&keys, &["a", "sources.\"my db\".\"p\\nw\""]);
    let (_, seen) = sealer.seal(&file.values(), None, None).expect("seals");
    let text = sealer.write_seen(&seen).expect("writes");
    assert_eq!(text.lines().count(), 8);
    assert_eq!(sealer.parse_seen(&text), Ok(seen));
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(sealer.parse_seen(&changed).is_err(), "byte {at}");
        assert!(sealer.parse_seen(&text[..at]).is_err(), "cut at {at}");
    }
    let stranger = self::keys();
    assert_eq!(
        stranger.file_sealer(Purpose::SecretsToml).parse_seen(&text),
        Err(ParseSeenError::UnknownKey { id: keys.active_id() })
    );
    assert_eq!(
        keys.file_sealer(Purpose::DotEnv).parse_seen(&text),
        Err(ParseSeenError::Malformed { line: 2 })
    );
    // A value's line taken out, the rest left as it was.
    let line = text.lines().find(|line| line.starts_with("value ")).expect("a value");
    let shorter = text.replacen(&format!("{line}\n"), "", 1);
    assert_eq!(sealer.parse_seen(&shorter), Err(ParseSeenError::NotAuthentic));
    assert_eq!(sealer.parse_seen(&format!("{text}x")), Err(ParseSeenError::Malformed { line: 8 }));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(dango:seen:v1\n)?(purpose [.]env\n)?((key|counter|digest|value|mac) [0-9a-zA-Z_-]{0,43}\n){0,6}") {
        prop_assert!(keys().file_sealer(Purpose::DotEnv).parse_seen(&text).is_err());
    }

    #[test]
    fn any_line_is_a_seal_or_not(text in "(# dango:seal:v1:)?([0-9a-f]{16}:)?[0-9]{0,20}:?[0-9a-zA-Z_-]{0,44}") {
        if let Some(seal) = FileSeal::parse_comment(&text) {
            prop_assert_eq!(seal.to_comment(), text);
        }
    }
}
