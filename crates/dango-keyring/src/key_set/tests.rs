//! What a set of keys keeps over rotation and through its text form.

use dango_core::OsEntropy;
use proptest::prelude::*;

use super::*;

fn key(byte: u8) -> MasterKey {
    MasterKey::from_bytes(&[byte; KEY_LENGTH])
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_micros(seconds * 1_000_000))
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn rotated(set: KeySet, by: MasterKey, created: Option<Timestamp>) -> KeySet {
    set.rotate(by, created).ok().expect("room")
}

fn parsed(text: &str) -> Result<KeySet, ParseKeysError> {
    KeySet::parse(&secret(text))
}

#[test]
fn rotation_keeps_every_key_until_it_is_told_to_forget() {
    let set = rotated(rotated(KeySet::new(key(1), at(10)), key(2), at(20)), key(3), None);
    assert_eq!(set.active_id(), key(3).id());
    assert_eq!(set.retired_ids().collect::<Vec<_>>(), [key(2).id(), key(1).id()]);
    assert!(set.find(key(1).id()).is_some_and(|found| found.ct_eq(&key(1))));
    assert_eq!(set.created(key(2).id()), at(20));
    assert_eq!(set.created(key(3).id()), None);
    assert!(set.contains(key(1).id()));
    let set = set.without_retired();
    assert!(!set.contains(key(1).id()));
    assert_eq!(set.ids().collect::<Vec<_>>(), [key(3).id()]);
}

#[test]
fn the_text_brings_back_keys_roles_and_times() {
    let set = rotated(rotated(KeySet::new(key(1), at(1_763_765_640)), key(2), None), key(3), at(0));
    let text = set.to_text();
    assert!(!text.expose().contains(char::is_whitespace));
    let back = KeySet::parse(&text).expect("parses");
    assert!(back.ct_eq(&set));
    for id in set.ids() {
        assert_eq!(back.created(id), set.created(id));
    }
    assert_eq!(back.to_text().expose(), text.expose());
    let with_line_ends = format!(" {}\r\n", text.expose());
    assert!(parsed(&with_line_ends).is_ok_and(|back| back.ct_eq(&set)));
}

#[test]
fn the_largest_set_fits_into_an_entry_of_windows() {
    let mut set = KeySet::new(key(0), at(99_999_999_999));
    for byte in 1..16 {
        set = rotated(set, key(byte), at(99_999_999_999));
    }
    assert!(set.to_text().expose().len() <= 1280, "{}", set.to_text().expose().len());
    assert!(KeySet::parse(&set.to_text()).is_ok());
    let (error, set) = set.rotate(key(99), None).err().expect("full");
    assert_eq!(error, TooManyKeys);
    assert_eq!(set.active_id(), key(15).id());
    let one_more = format!(
        "{},{}",
        set.to_text().expose(),
        &KeySet::new(key(77), None).to_text().expose()[PREFIX.len()..]
    );
    assert_eq!(parsed(&one_more).err(), Some(ParseKeysError::TooMany(TooManyKeys)));
}

#[test]
fn a_file_with_one_key_is_what_the_environment_takes() {
    let set = KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None);
    let file = set.to_key_file();
    assert_eq!(file.expose().len(), 65);
    assert!(MasterKey::parse_file(&file).is_ok_and(|key| key.ct_eq(set.active())));
    assert!(KeySet::parse(&file).is_ok_and(|back| back.ct_eq(&set)));
    let rotated = rotated(set, key(2), None);
    assert!(KeySet::parse(&rotated.to_key_file()).is_ok_and(|back| back.ct_eq(&rotated)));
}

#[test]
fn a_damaged_text_is_refused_and_not_repeated() {
    let set = rotated(KeySet::new(key(1), at(1)), key(2), at(2));
    let text = set.to_text();
    let text = text.expose();
    let id = set.active_id();
    let other_key = text.replacen("AgIC", "AgID", 1);
    assert_eq!(parsed(&other_key).err(), Some(ParseKeysError::WrongId { id }));
    let entry = text[PREFIX.len()..].split(',').next().unwrap_or_default();
    assert_eq!(parsed(&format!("{text},{entry}")).err(), Some(ParseKeysError::Twice { id }));
    for bad in [
        PREFIX.to_owned(),
        format!("{text},"),
        text.replacen(".2.", ".02.", 1),
        text.replacen(".2.", ".9223372036854775807.", 1),
        text.replacen(".2.", "..", 1),
        format!("{text}="),
        format!("{text}.1"),
    ] {
        assert_eq!(parsed(&bad).err(), Some(ParseKeysError::Form));
    }
    assert_eq!(parsed("dango:keys:v2:x").err(), Some(ParseKeysError::Key(ParseKeyError::Form)));
    assert_eq!(parsed("").err(), Some(ParseKeysError::Key(ParseKeyError::Empty)));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(dango:keys:v1:)?[0-9a-zA-Z.,_-]{0,200}") {
        let _ = parsed(&text);
    }

    #[test]
    fn any_cut_of_a_set_is_refused_or_a_smaller_set(end in 0_usize..240) {
        let set = rotated(rotated(KeySet::new(key(1), at(1)), key(2), at(2)), key(3), at(3));
        let text = set.to_text();
        let end = end.min(text.expose().len() - 1);
        if let Ok(cut) = parsed(&text.expose()[..end]) {
            prop_assert!(cut.retired.len() < set.retired.len());
        }
    }
}
