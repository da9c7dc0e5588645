//! Hashing and verifying, checked against other implementations of Argon2id and bcrypt.

use dango_core::{OsEntropy, SecretValue};
use data_encoding::BASE64_NOPAD;

use super::*;
use crate::password::ParseRecordError;

fn gate() -> Arc<HashingGate> {
    Arc::new(HashingGate::new(NonZeroUsize::MIN, 64))
}

fn identity(id: u8) -> IdentityKey {
    IdentityKey::parse(&SecretValue::new(format!("{id:02x}").repeat(32)).expect("text")).expect("a key")
}

fn pepper(id: u8) -> Pepper {
    Pepper::derive(&identity(id))
}

fn hasher(current: u8, retired: &[u8]) -> PasswordHasher {
    let retired = retired.iter().copied().map(pepper).collect();
    PasswordHasher::new(HashingCost::FLOOR, pepper(current), retired, gate(), &OsEntropy).expect("random")
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("short enough")
}

fn record(text: &str) -> PasswordRecord {
    PasswordRecord::parse(text).expect("a stored password")
}

#[test]
fn a_password_is_stored_as_a_keyed_argon2id_string_and_found_again() {
    let hasher = hasher(7, &[]);
    let stored = hasher.hash(&password("correct horse"), &OsEntropy).expect("hashed");
    let head = format!(
        "$argon2id$v=19$m=19456,t=2,p=1,keyid={}$",
        BASE64_NOPAD.encode(identity(7).id().as_bytes())
    );
    assert!(stored.as_str().starts_with(&head), "{}", stored.as_str());
    assert_eq!(hasher.verify(&password("correct horse"), Some(&stored)), Ok(Verdict::Matches));
    for wrong in ["correct horsf", "correct horse ", " correct horse", "Correct horse", ""] {
        assert_eq!(hasher.verify(&password(wrong), Some(&stored)), Ok(Verdict::Differs), "{wrong:?}");
    }
    let again = hasher.hash(&password("correct horse"), &OsEntropy).expect("hashed");
    assert_ne!(stored.as_str(), again.as_str());
    assert_eq!(format!("{stored:?}"), "PasswordRecord(argon2id)");
}

#[test]
fn the_last_character_of_a_long_password_counts_and_so_does_its_accent() {
    let hasher = hasher(7, &[]);
    let stored = hasher
        .hash(&password(&format!("{}caf\u{e9}", "long ".repeat(20))), &OsEntropy)
        .expect("hashed");
    let decomposed = password(&format!("{}cafe\u{301}", "long ".repeat(20)));
    assert_eq!(hasher.verify(&decomposed, Some(&stored)), Ok(Verdict::Matches));
    assert_eq!(
        hasher.verify(&password(&format!("{}cafe", "long ".repeat(20))), Some(&stored)),
        Ok(Verdict::Differs)
    );
}

#[test]
fn without_the_pepper_nobody_is_let_in() {
    let stored = hasher(7, &[]).hash(&password("correct horse"), &OsEntropy).expect("hashed");
    let stranger = hasher(8, &[]);
    assert_eq!(
        stranger.verify(&password("correct horse"), Some(&stored)),
        Ok(Verdict::UnknownPepper)
    );
    assert!(!stranger.knows_pepper_of(&stored) && hasher(7, &[]).knows_pepper_of(&stored));
    // A hash that claims another pepper's id is no hash of it.
    let id = |key| BASE64_NOPAD.encode(identity(key).id().as_bytes());
    let claimed = record(&stored.as_str().replace(&id(7), &id(8)));
    assert_eq!(stranger.verify(&password("correct horse"), Some(&claimed)), Ok(Verdict::Differs));
}

#[test]
fn a_retired_pepper_still_verifies_and_asks_for_a_new_hash() {
    let stored = hasher(7, &[]).hash(&password("correct horse"), &OsEntropy).expect("hashed");
    let rotated = hasher(8, &[7]);
    assert_eq!(
        rotated.verify(&password("correct horse"), Some(&stored)),
        Ok(Verdict::MatchesOutdated)
    );
    assert_eq!(rotated.verify(&password("wrong horse"), Some(&stored)), Ok(Verdict::Differs));
}

/// Made with argon2-cffi 25.1 (m = 7168, t = 5, p = 1) and with argon2-cffi's low-level interface at today's cost.
#[test]
fn hashes_of_another_implementation_are_verified_and_replaced() {
    let hasher = hasher(7, &[]);
    for stored in [OTHER_COST, NO_PEPPER] {
        assert_eq!(
            hasher.verify(&password("correct horse battery staple"), Some(&record(stored))),
            Ok(Verdict::MatchesOutdated),
            "{stored}"
        );
        assert_eq!(
            hasher.verify(&password("correct horse battery stapler"), Some(&record(stored))),
            Ok(Verdict::Differs),
            "{stored}"
        );
    }
}

/// Made with Python's bcrypt 5.0, cost 12, as earlier Dango versions did.
#[test]
fn bcrypt_hashes_of_earlier_versions_are_verified_once_and_replaced() {
    let hasher = hasher(7, &[]);
    let stored = record(BCRYPT);
    assert_eq!(
        hasher.verify(&password("correct horse battery staple"), Some(&stored)),
        Ok(Verdict::MatchesOutdated)
    );
    assert_eq!(
        hasher.verify(&password("correct horse battery stapler"), Some(&stored)),
        Ok(Verdict::Differs)
    );
    assert_eq!(format!("{stored:?}"), "PasswordRecord(bcrypt)");
    // bcrypt reads 72 bytes and ignores the rest; nothing that was typed is ignored here.
    let stored = record(BCRYPT_72);
    assert_eq!(
        hasher.verify(&password(&"x".repeat(72)), Some(&stored)),
        Ok(Verdict::MatchesOutdated)
    );
    assert_eq!(hasher.verify(&password(&"x".repeat(73)), Some(&stored)), Ok(Verdict::Differs));
}

#[test]
fn an_account_without_a_password_takes_the_same_path_and_never_matches() {
    let hasher = hasher(7, &[]);
    assert_eq!(hasher.verify(&password("anything"), None), Ok(Verdict::Differs));
    // What stands in for it is of today's cost, keyed like a real one.
    let real = record(hasher.hash(&password("x"), &OsEntropy).expect("hashed").as_str());
    let Kind::Argon2id(real) = &real.kind else { panic!("argon2id") };
    assert_eq!(real.params, hasher.dummy.params);
    assert_eq!(
        (real.salt.len(), real.output.len()),
        (hasher.dummy.salt.len(), hasher.dummy.output.len())
    );
}

#[test]
fn the_hasher_of_defaults_hashes_at_the_default_cost_under_the_key() {
    let stored = PasswordHasher::with_defaults(&identity(7), &OsEntropy)
        .expect("random")
        .hash(&password("correct horse"), &OsEntropy)
        .expect("hashed");
    let verified = hasher(7, &[]).verify(&password("correct horse"), Some(&stored));
    assert_eq!(verified, Ok(Verdict::Matches));
}

#[test]
fn a_cost_below_the_floor_or_beyond_reason_is_refused() {
    for (memory, passes, lanes) in [
        (8, 2, 1),
        (19_455, 2, 1),
        (19_456, 1, 1),
        (19_456, 2, 0),
        (300_000, 2, 1),
        (19_456, 33, 1),
        (19_456, 2, 17),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        assert_eq!(HashingCost::new(memory, passes, lanes), Err(WeakCost), "{memory} {passes} {lanes}");
    }
    assert_eq!(HashingCost::new(19_456, 2, 1), Ok(HashingCost::default()));
    let dearer = HashingCost::new(32_768, 3, 2).expect("strong enough");
    let today = PasswordHasher::new(dearer, pepper(7), Vec::new(), gate(), &OsEntropy).expect("random");
    let stored = hasher(7, &[]).hash(&password("correct horse"), &OsEntropy).expect("hashed");
    assert_eq!(
        today.verify(&password("correct horse"), Some(&stored)),
        Ok(Verdict::MatchesOutdated)
    );
    assert!(
        today
            .hash(&password("x"), &OsEntropy)
            .expect("hashed")
            .as_str()
            .contains("m=32768,t=3,p=2,keyid=")
    );
}

#[test]
fn a_damaged_or_ruinous_row_is_no_stored_password() {
    let good = hasher(7, &[]).hash(&password("x"), &OsEntropy).expect("hashed");
    for bad in [
        String::new(),
        "correct horse".to_owned(),
        good.as_str().replace("m=19456", "m=4194304"),
        good.as_str().replace("t=2", "t=4000000"),
        good.as_str().replace("p=1", "p=1000"),
        good.as_str().replace("argon2id", "argon2i"),
        good.as_str().replace("v=19", "v=16"),
        good.as_str()[..good.as_str().len() - 30].to_owned(),
        good.as_str().rsplit_once('$').map(|(head, _)| head.to_owned()).expect("parts"),
        BCRYPT.replace("$12$", "$31$"),
        BCRYPT.replace("$2b$", "$2x$"),
        BCRYPT[..59].to_owned(),
        format!("{BCRYPT}x"),
    ] {
        assert_eq!(PasswordRecord::parse(&bad).err(), Some(ParseRecordError), "{bad}");
    }
    assert_eq!(record(good.as_str()).as_str(), good.as_str());
}

#[test]
fn a_full_gate_says_busy_and_nothing_else() {
    let shut = Arc::new(HashingGate::new(NonZeroUsize::MIN, 0));
    let hasher = PasswordHasher::new(HashingCost::FLOOR, pepper(7), Vec::new(), Arc::clone(&shut), &OsEntropy).expect("random");
    let inside = shut.enter(|| hasher.verify(&password("x"), None));
    assert_eq!(inside, Ok(Err(HashPasswordError::Busy(Busy))));
}

const OTHER_COST: &str = "$argon2id$v=19$m=7168,t=5,p=1$0CWNNu0Uxl1LPUK6D7Vr7A$XlGn0Fyo+RWICnWDmwJ7aSsyLy6awSd3zLTXsnH7Rrs";
const NO_PEPPER: &str = "$argon2id$v=19$m=19456,t=2,p=1$xAbhu3YpwPBZ6l/r+oukhQ$jNGd5wVAx/EJzIFxqbvp/Dh3qPw3hWKOpF+f/YVAy+s";
const BCRYPT: &str = "$2b$12$5J/D.l49ZR4OyJz0Cyf2sO2c16HunuiwikY1XOPV4eDeLcnr3w8Ya";
const BCRYPT_72: &str = "$2b$04$hmVzNXR9oamU9XaSpKG5AutkCPjMXoe7JdDdmVd4LPC0nBxUJrPmS";
