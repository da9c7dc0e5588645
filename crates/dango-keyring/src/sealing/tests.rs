//! What opens and what does not, and what is never repeated.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use dango_core::OsEntropy;
use proptest::prelude::*;

use super::*;

const PURPOSES: [Purpose; 5] = [
    Purpose::SecretsToml,
    Purpose::DotEnv,
    Purpose::History,
    Purpose::Rotation,
    Purpose::Totp,
];

/// Never gives the same bytes twice, and never the bytes that were asked for.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer.iter_mut().zip(next.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

fn keys() -> KeySet {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
}

fn place(path: &str) -> Binding {
    Binding::path(&path.parse().expect("a path"))
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

fn seal(keys: &KeySet, binding: &Binding, plain: &str) -> Envelope {
    let mut count = SealCount::start(keys.active_id());
    keys.seal(Purpose::SecretsToml, binding, &secret(plain), &mut count, &OsEntropy)
        .expect("seals")
}

fn open(keys: &KeySet, binding: &Binding, text: &str) -> Result<Option<String>, OpenError> {
    match Envelope::parse(text)? {
        Some(envelope) => {
            let opened = keys.open(Purpose::SecretsToml, binding, &envelope)?;
            Ok(Some(opened.expose().to_owned()))
        }
        None => Ok(None),
    }
}

#[test]
fn what_is_sealed_opens_to_the_same_text() {
    let (keys, binding) = (keys(), place("a.b"));
    let long = "x".repeat(1 << 20);
    for plain in [
        "",
        "\"sk_live\"",
        "5432",
        "\"\"\"\nA\nB\n\"\"\"",
        "[1, { a = 2 }]",
        "é🍡\u{1}\r\n",
        &long,
    ] {
        let sealed = seal(&keys, &binding, plain).to_string();
        assert_eq!(open(&keys, &binding, &sealed).ok().flatten().as_deref(), Some(plain));
        assert!(plain.len() < 6 || !sealed.contains(plain));
    }
}

#[test]
fn every_single_bit_flip_of_an_envelope_fails_closed() {
    let (keys, binding) = (keys(), place("sources.stripe.api_key"));
    let sealed = seal(&keys, &binding, "\"sk_live_canary\"").to_string();
    let mut refused = 0;
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            // What is no UTF-8 any more is refused by whoever reads the file.
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(open(&keys, &binding, &text).is_err(), "bit {bit} of character {at}");
            refused += 1;
        }
    }
    assert_eq!(refused, sealed.len() * 7);
}

#[test]
fn every_single_bit_flip_of_nonce_ciphertext_and_tag_is_not_authentic() {
    let (keys, binding) = (keys(), place("a"));
    let sealed = seal(&keys, &binding, "\"value\"");
    for at in 0..sealed.sealed().len() {
        for bit in 0..8 {
            let mut bytes = sealed.sealed().to_vec();
            bytes[at] ^= 1 << bit;
            let changed = Envelope::new(sealed.key_id(), bytes);
            assert_eq!(
                keys.open(Purpose::SecretsToml, &binding, &changed).err(),
                Some(OpenError::NotAuthentic)
            );
        }
    }
}

#[test]
fn a_cut_envelope_fails_closed_wherever_it_is_cut() {
    let (keys, binding) = (keys(), place("a"));
    let sealed = seal(&keys, &binding, "\"a value of some length\"").to_string();
    let header = sealed.rfind(':').expect("a colon") + 1;
    for end in header..sealed.len() {
        assert!(open(&keys, &binding, &sealed[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_moved_or_swapped_envelope_does_not_open() {
    let keys = keys();
    let places = [
        place("sources.a.key"),
        place("sources.b.key"),
        place("sources.\"a.key\""),
        Binding::variable(&"KEY".parse().expect("a name")),
        Binding::cell("sources", "a", "key"),
    ];
    for (index, from) in places.iter().enumerate() {
        let sealed = seal(&keys, from, "1").to_string();
        for (other, to) in places.iter().enumerate() {
            let opened = open(&keys, to, &sealed);
            assert_eq!(opened.is_ok(), index == other, "{from} at {to}");
            assert!(index == other || opened == Err(OpenError::NotAuthentic));
        }
    }
}

#[test]
fn an_envelope_opens_for_its_own_purpose_only() {
    let (keys, binding) = (keys(), place("a"));
    for sealed_for in PURPOSES {
        let mut count = SealCount::start(keys.active_id());
        let sealed = keys
            .seal(sealed_for, &binding, &secret("1"), &mut count, &OsEntropy)
            .expect("seals");
        for opened_for in PURPOSES {
            assert_eq!(keys.open(opened_for, &binding, &sealed).is_ok(), sealed_for == opened_for);
        }
    }
}

#[test]
fn a_retired_key_opens_and_a_forgotten_one_is_named() {
    let binding = place("a");
    let before = keys();
    let old = before.active_id();
    let sealed = seal(&before, &binding, "1").to_string();
    let after = before
        .rotate(MasterKey::make(&OsEntropy).expect("random"), None)
        .ok()
        .expect("room");
    assert_eq!(open(&after, &binding, &sealed).ok().flatten().as_deref(), Some("1"));
    assert_eq!(seal(&after, &binding, "1").key_id(), after.active_id());
    let after = after.without_retired();
    let error = open(&after, &binding, &sealed).expect_err("unknown");
    assert_eq!(error, OpenError::UnknownKey { id: old });
    assert!(error.to_string().contains(&old.to_string()));
}

#[test]
fn a_key_seals_2_to_the_32_times_and_not_once_more() {
    let (keys, binding) = (keys(), place("a"));
    let text = format!("{}:{}", keys.active_id(), SealCount::MOST - 1);
    let mut count: SealCount = text.parse().expect("a count");
    let mut try_once = || {
        let sealed = keys.seal(Purpose::SecretsToml, &binding, &secret("1"), &mut count, &OsEntropy);
        (sealed.map(|_| ()), count.seals())
    };
    let id = keys.active_id();
    assert_eq!(try_once(), (Ok(()), 4_294_967_296));
    for _ in 0..3 {
        assert_eq!(try_once(), (Err(SealError::Exhausted { id }), 4_294_967_296));
    }
    let mut beyond: SealCount = format!("{id}:{}", u64::MAX).parse().expect("a count");
    let refused = keys.seal(Purpose::SecretsToml, &binding, &secret("1"), &mut beyond, &OsEntropy);
    assert_eq!(refused.err(), Some(SealError::Exhausted { id }));
}

#[test]
fn a_count_is_for_one_key_and_counts_only_what_was_sealed() {
    let (keys, other, binding) = (keys(), keys(), place("a"));
    let mut count = SealCount::start(keys.active_id());
    for expected in 1..=3 {
        keys.seal(Purpose::DotEnv, &binding, &secret("1"), &mut count, &OsEntropy)
            .expect("seals");
        assert_eq!(count.seals(), expected);
    }
    let refused = other.seal(Purpose::DotEnv, &binding, &secret("1"), &mut count, &OsEntropy);
    assert!(matches!(refused, Err(SealError::CountOfAnotherKey { .. })));
    let refused = keys.seal(Purpose::DotEnv, &binding, &secret("1"), &mut count, &NoEntropy);
    assert!(matches!(refused, Err(SealError::Entropy(_))));
    assert_eq!(count.seals(), 3);
    assert_eq!(format!("{count}\n").parse(), Ok(count));
    for bad in ["", "3", "0123456789abcdef", "0123456789abcdef:", "0123456789abcdef:-1", "x:1"] {
        assert_eq!(bad.parse::<SealCount>(), Err(ParseCountError), "{bad}");
    }
}

#[test]
fn a_million_seals_never_repeat_a_nonce() {
    let (keys, binding, plain) = (keys(), place("a"), secret("1"));
    let mut count = SealCount::start(keys.active_id());
    let mut nonces: HashSet<[u8; 12]> = HashSet::with_capacity(1_000_000);
    for _ in 0..1_000_000 {
        let sealed = keys.seal(Purpose::DotEnv, &binding, &plain, &mut count, &OsEntropy).expect("seals");
        let nonce = sealed.sealed().first_chunk().expect("a nonce");
        assert!(nonces.insert(*nonce));
    }
    assert_eq!(count.seals(), 1_000_000);
}

#[test]
fn an_opener_opens_what_any_key_of_the_set_sealed_for_its_purpose_and_nothing_else() {
    let (before, binding) = (keys(), place("a"));
    let first = seal(&before, &binding, "1");
    let after = before
        .rotate(MasterKey::make(&OsEntropy).expect("random"), None)
        .ok()
        .expect("room");
    let second = seal(&after, &binding, "2");
    let opener = after.opener(Purpose::SecretsToml);
    let open =
        |opener: &Opener, binding: &Binding, envelope: &Envelope| opener.open(binding, envelope).map(|plain| plain.expose().to_owned());
    assert_eq!(open(&opener, &binding, &first), Ok("1".to_owned()));
    assert_eq!(open(&opener, &binding, &second), Ok("2".to_owned()));
    assert_eq!(open(&opener, &place("b"), &second), Err(OpenError::NotAuthentic));
    assert_eq!(
        open(&after.opener(Purpose::History), &binding, &second),
        Err(OpenError::NotAuthentic)
    );
    let id = second.key_id();
    assert_eq!(
        open(&keys().opener(Purpose::SecretsToml), &binding, &second),
        Err(OpenError::UnknownKey { id })
    );
}

#[test]
fn the_nonce_is_what_the_entropy_gave() {
    let (keys, binding) = (keys(), place("a"));
    let mut count = SealCount::start(keys.active_id());
    let entropy = Counting(AtomicU64::new(0x0102_0304_0506_0708));
    let sealed = keys
        .seal(Purpose::DotEnv, &binding, &secret("1"), &mut count, &entropy)
        .expect("seals");
    assert_eq!(sealed.sealed()[..12], [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]);
}

#[test]
fn no_error_repeats_the_value() {
    let (keys, binding) = (keys(), place("a"));
    let sealed = seal(&keys, &binding, "\"canary\"").to_string();
    let error = open(&keys, &place("b"), &sealed).expect_err("moved");
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert_eq!(error.code(), "not-authentic");
}

proptest! {
    #[test]
    fn any_text_comes_back_from_any_place(plain in "[^\\x00]{0,200}", parts in proptest::collection::vec("\\PC{0,12}", 1..4)) {
        let keys = keys();
        let path = dango_core::CredentialPath::from_parts(parts).expect("not empty");
        let binding = Binding::path(&path);
        let sealed = seal(&keys, &binding, &plain).to_string();
        prop_assert_eq!(open(&keys, &binding, &sealed), Ok(Some(plain)));
    }
}
