//! The written forms of an identity key, and its id.

use data_encoding::{BASE64, BASE64URL};
use proptest::prelude::*;

use super::*;

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn parses(text: &str) -> Option<[u8; KEY_LENGTH]> {
    IdentityKey::parse(&secret(text)).ok().map(|key| *key.bytes)
}

fn sample() -> [u8; KEY_LENGTH] {
    std::array::from_fn(|i| (i as u8).wrapping_mul(37) | 0xc3)
}

#[test]
fn every_written_form_of_a_key_is_the_same_key() {
    let bytes = sample();
    let hex = HEXLOWER.encode(&bytes);
    assert_ne!(BASE64.encode(&bytes), BASE64URL.encode(&bytes));
    for text in [
        hex.clone(),
        hex.to_uppercase(),
        BASE64.encode(&bytes),
        BASE64URL.encode(&bytes),
        BASE64_NOPAD.encode(&bytes),
        BASE64URL_NOPAD.encode(&bytes),
    ] {
        assert_eq!(parses(&text), Some(bytes), "{text}");
        assert_eq!(parses(&format!(" {text}\n")), None, "white space is for files only");
        let file = IdentityKey::parse_file(&secret(&format!("\u{a0} {text}\r\n"))).expect("a file");
        assert_eq!(*file.bytes, bytes);
    }
}

#[test]
fn what_a_file_is_given_to_hold_reads_back() {
    let key = IdentityKey::from_bytes(Zeroizing::new(sample()));
    let again = IdentityKey::parse_file(&key.expose_text()).expect("reads");
    assert!(again.ct_eq(&key));
    assert_eq!(again.id(), key.id());
    assert_eq!(key.id().to_string().parse(), Ok(key.id()));
    assert!(!IdentityKey::from_bytes(Zeroizing::new([7; KEY_LENGTH])).ct_eq(&key));
}

#[test]
fn anything_else_is_refused_without_being_repeated() {
    let hex = HEXLOWER.encode(&sample());
    for text in [
        &hex[..63],
        &format!("{hex}0"),
        &format!("0x{}", &hex[2..]),
        &"A".repeat(42),
        // The last character holds two bits that no key has.
        &format!("{}B", "A".repeat(42)),
        &format!("{}=", "A".repeat(42)),
        &format!("{}==", "A".repeat(43)),
        "correct horse battery staple",
        "é",
    ] {
        let error = IdentityKey::parse(&secret(text)).err().expect("refused");
        assert_eq!(error, ParseIdentityKeyError::Form);
        assert!(!error.to_string().contains(text));
    }
    assert_eq!(IdentityKey::parse(&secret("")).err(), Some(ParseIdentityKeyError::Empty));
    assert_eq!(IdentityKey::parse_file(&secret("\n")).err(), Some(ParseIdentityKeyError::Empty));
}

proptest! {
    #[test]
    fn any_text_is_refused_or_is_one_of_the_forms(text in "[0-9a-fA-F]{64}|[A-Za-z0-9+/_=-]{40,46}|\\PC{0,70}") {
        if let Some(bytes) = parses(&text) {
            let same = text.trim_end_matches('=');
            let forms = [HEXLOWER.encode(&bytes), BASE64URL_NOPAD.encode(&bytes), BASE64_NOPAD.encode(&bytes)];
            prop_assert!(forms.iter().any(|form| form == same || *form == text.to_lowercase()));
        }
    }
}
