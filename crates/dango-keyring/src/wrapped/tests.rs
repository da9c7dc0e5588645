//! What a passphrase opens, and that nothing else does.

use dango_core::OsEntropy;
use proptest::prelude::*;

use super::*;
use crate::key::MasterKey;

fn keys() -> KeySet {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn wrap(keys: &KeySet, passphrase: &str) -> String {
    WrappedKeys::wrap(keys, &secret(passphrase), &OsEntropy).expect("wraps").to_string()
}

fn parse(text: &str) -> Result<WrappedKeys, ParseWrappedError> {
    text.parse()
}

#[test]
fn the_passphrase_brings_back_active_and_retired_keys() {
    let keys = keys()
        .rotate(MasterKey::make(&OsEntropy).expect("random"), None)
        .ok()
        .expect("room");
    let text = wrap(&keys, "päss phrase 🍡 ");
    let wrapped = parse(&text).expect("parses");
    assert_eq!(wrapped.active_id(), Some(keys.active_id()));
    assert!(wrapped.unwrap(&secret("päss phrase 🍡 ")).is_ok_and(|back| back.ct_eq(&keys)));
    for wrong in ["päss phrase 🍡", "", "pass phrase 🍡 "] {
        assert_eq!(wrapped.unwrap(&secret(wrong)).err(), Some(UnwrapError::NotOpened));
    }
}

#[test]
fn line_ends_and_blank_lines_around_do_no_harm() {
    let keys = keys();
    let text = wrap(&keys, "p");
    let sent = format!("\r\n{}\r\n", text.replace('\n', "\r\n"));
    assert!(
        parse(&sent)
            .expect("parses")
            .unwrap(&secret("p"))
            .is_ok_and(|back| back.ct_eq(&keys))
    );
}

#[test]
fn a_changed_header_does_not_open() {
    let text = wrap(&keys(), "p");
    let other_id = keys().active_id().to_string();
    let id = parse(&text)
        .ok()
        .and_then(|wrapped| wrapped.active_id())
        .expect("an id")
        .to_string();
    for changed in [
        text.replace("t=3", "t=4"),
        text.replace(&id, &other_id),
        text.replace(&id, &format!("{id} {other_id}")),
    ] {
        assert_ne!(changed, text);
        let opened = parse(&changed).expect("parses").unwrap(&secret("p"));
        assert_eq!(opened.err(), Some(UnwrapError::NotOpened));
    }
}

#[test]
fn changed_data_does_not_open() {
    let wrapped = parse(&wrap(&keys(), "p")).expect("parses");
    for at in [0, 11, 12, wrapped.data.len() / 2, wrapped.data.len() - 1] {
        let mut changed = wrapped.clone();
        changed.data[at] ^= 1;
        assert_eq!(changed.unwrap(&secret("p")).err(), Some(UnwrapError::NotOpened), "byte {at}");
    }
}

#[test]
fn every_wrapping_has_a_salt_and_a_nonce_of_its_own() {
    let keys = keys();
    let (one, other) = (wrap(&keys, "p"), wrap(&keys, "p"));
    let (one, other) = (parse(&one).expect("parses"), parse(&other).expect("parses"));
    assert_ne!(one.salt, other.salt);
    assert_ne!(one.data[..12], other.data[..12]);
}

#[test]
fn an_empty_passphrase_is_refused() {
    let refused = WrappedKeys::wrap(&keys(), &secret(""), &OsEntropy);
    assert_eq!(refused.err(), Some(WrapError::EmptyPassphrase));
}

#[test]
fn no_key_is_in_the_text_or_in_what_debug_shows() {
    let keys = keys();
    let text = wrap(&keys, "passphrase");
    let bare = keys.to_text();
    let key = bare.expose().rsplit('.').next().expect("a key");
    assert!(!text.contains(key) && !text.contains("passphrase"));
    let shown = format!("{:?}", parse(&text).expect("parses"));
    assert!(!shown.contains(key), "{shown}");
}

#[test]
fn a_malformed_text_is_refused_with_its_line() {
    let text = wrap(&keys(), "p");
    let lines: Vec<&str> = text.lines().collect();
    for missing in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(missing);
        let refused = parse(&fewer.join("\n"));
        assert!(
            matches!(refused, Err(ParseWrappedError::Malformed { .. })),
            "without line {}",
            missing + 1
        );
    }
    assert_eq!(parse(&format!("{text}more")).err(), Some(ParseWrappedError::Malformed { line: 6 }));
    assert_eq!(parse("").err(), Some(ParseWrappedError::Malformed { line: 1 }));
    assert_eq!(
        parse(&text.replacen("v1", "v10", 1)).err(),
        Some(ParseWrappedError::Malformed { line: 1 })
    );
    assert_eq!(parse(&"x".repeat(1 << 20)).err(), Some(ParseWrappedError::TooLong));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_without_work(
        text in "(dango:wrapped-keys:v1\n)?(kdf argon2id v=19 m=[0-9]{1,10} t=[0-9]{1,3} p=[0-9]\n)?(salt [a-zA-Z]{22}\n)?(keys( [0-9a-f]{16}){1,3}\n)?(data [a-zA-Z]{0,60}\n)?"
    ) {
        let _ = parse(&text);
    }
}
