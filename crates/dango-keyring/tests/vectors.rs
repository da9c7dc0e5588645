//! What an independent program makes from `docs/formats/envelope.md` (`vectors/make.py`), byte for byte; how the vectors are made is not here.

use std::sync::Mutex;

use dango_core::{Entropy, EntropyError, SecretValue};
use dango_keyring::{
    Binding, Envelope, FileSeal, KeySet, MasterKey, Purpose, RowPlace, SealCount, SealState, SealedValues, UnwrapError, WrappedKeys,
};
use data_encoding::HEXLOWER;
use serde_json::Value;

/// Gives out the bytes that a vector prescribes, in their order.
struct Prescribed(Mutex<Vec<u8>>);

impl Prescribed {
    fn of(texts: &[&Value]) -> Self {
        Self(Mutex::new(texts.iter().flat_map(|text| hex(text)).collect()))
    }
}

impl Entropy for Prescribed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let mut bytes = self.0.lock().expect("one thread");
        if bytes.len() < buffer.len() {
            return Err(EntropyError);
        }
        buffer.copy_from_slice(&bytes.drain(..buffer.len()).collect::<Vec<u8>>());
        Ok(())
    }
}

fn vectors(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors/vectors.json")).expect("JSON");
    let some = all[name].as_array().expect("an array").clone();
    assert!(!some.is_empty(), "{name}");
    some
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).expect("hex")
}

fn secret(value: &Value) -> SecretValue {
    SecretValue::new(text(value).to_owned()).expect("no NUL")
}

fn keys(case: &Value) -> KeySet {
    KeySet::parse(&secret(&case["key"])).expect("a key")
}

fn purpose(case: &Value) -> Purpose {
    let all = [
        Purpose::SecretsToml,
        Purpose::DotEnv,
        Purpose::History,
        Purpose::Rotation,
        Purpose::Totp,
    ];
    all.into_iter()
        .find(|purpose| purpose.as_str() == text(&case["purpose"]))
        .expect("a purpose")
}

fn binding(case: &Value) -> Binding {
    let part = |index: usize| text(&case["parts"][index]);
    match text(&case["kind"]) {
        "path" => Binding::path(&part(0).parse().expect("a path")),
        "variable" => Binding::variable(&part(0).parse().expect("a name")),
        kind => {
            assert_eq!(kind, "cell");
            Binding::cell(part(0), part(1), part(2))
        }
    }
}

fn sealed_values(case: &Value) -> SealedValues {
    let mut values = SealedValues::new();
    for value in case["values"].as_array().expect("an array") {
        let envelope = Envelope::parse(text(&value[1])).expect("whole").expect("an envelope");
        match purpose(case) {
            Purpose::DotEnv => values.add_variable(&text(&value[0]).parse().expect("a name"), &envelope),
            _ => values.add_path(&text(&value[0]).parse().expect("a path"), &envelope),
        }
    }
    values
}

#[test]
fn envelopes_of_the_other_program_open_and_ours_are_the_same() {
    for case in vectors("envelopes") {
        let (keys, purpose, binding) = (keys(&case), purpose(&case), binding(&case));
        let theirs = Envelope::parse(text(&case["envelope"])).expect("whole").expect("an envelope");
        assert_eq!(theirs.key_id().to_string(), text(&case["key_id"]));
        let opened = keys.open(purpose, &binding, &theirs).expect("opens");
        assert_eq!(opened.expose(), text(&case["plain"]));

        let mut count = SealCount::start(keys.active_id());
        let nonce = Prescribed::of(&[&case["nonce"]]);
        let ours = keys.seal(purpose, &binding, &secret(&case["plain"]), &mut count, &nonce);
        assert_eq!(ours.expect("seals").to_string(), text(&case["envelope"]));
    }
}

#[test]
fn no_envelope_opens_where_another_belongs() {
    let cases = vectors("envelopes");
    for (index, case) in cases.iter().enumerate() {
        for (other, place) in cases.iter().enumerate() {
            let envelope = Envelope::parse(text(&case["envelope"])).expect("whole").expect("an envelope");
            let opened = keys(place).open(purpose(place), &binding(place), &envelope);
            assert_eq!(opened.is_ok(), index == other, "{index} at {other}");
        }
    }
}

#[test]
fn file_seals_of_the_other_program_hold_and_ours_are_the_same() {
    for case in vectors("file_seals") {
        let (keys, values) = (keys(&case), sealed_values(&case));
        let sealer = keys.file_sealer(purpose(&case));
        let theirs = FileSeal::parse_comment(text(&case["comment"])).expect("a seal");
        let counter = case["counter"].as_i64().expect("a counter");
        assert_eq!((theirs.counter(), theirs.digest_text().as_str()), (counter, text(&case["digest"])));

        let seen = sealer.parse_seen(text(&case["seen"])).expect("a state");
        assert_eq!(sealer.check(&values, Some(&theirs), Some(&seen)), SealState::Intact { newer: None });
        let SealState::Intact { newer: Some(newer) } = sealer.check(&values, Some(&theirs), None) else {
            panic!("not intact")
        };
        assert_eq!(sealer.write_seen(&newer).expect("writes"), text(&case["seen"]));

        // The counter goes on from the one before; the last one of all has none before that is believed.
        let before = FileSeal::from_members(&theirs.key_id().to_string(), counter - 1, &theirs.digest_text());
        if counter < 1 << 48 {
            let (ours, state) = sealer.seal(&values, before.as_ref(), None).expect("seals");
            assert_eq!(ours.to_comment(), text(&case["comment"]));
            assert_eq!(sealer.write_seen(&state).expect("writes"), text(&case["seen"]));
        } else {
            assert!(sealer.seal(&values, Some(&theirs), Some(&seen)).is_err());
        }
    }
}

#[test]
fn rows_of_the_other_program_open_and_ours_are_the_same() {
    for case in vectors("rows") {
        let sealer = keys(&case).row_sealer();
        let place = RowPlace {
            project: text(&case["project"]),
            name: text(&case["name"]),
            revision: case["revision"].as_u64().expect("a number"),
        };
        let ours = sealer.seal(&place, &hex(&case["plain"]), &Prescribed::of(&[&case["nonce"]]));
        assert_eq!(ours.expect("seals"), hex(&case["sealed"]));
        let opened = sealer.open(&place, sealer.active_id(), &hex(&case["sealed"])).expect("opens");
        assert_eq!(*opened, hex(&case["plain"]));
    }
}

#[test]
fn sets_of_keys_are_read_and_written_alike() {
    for case in vectors("key_sets") {
        let read = KeySet::parse(&secret(&case["text"])).expect("a set");
        assert_eq!(read.to_text().expose(), text(&case["text"]));
        let active = MasterKey::parse(&secret(&case["keys"][0]["key"])).expect("a key");
        assert_eq!(read.active_id(), active.id());
        let created = read.created(read.active_id()).map(|at| at.unix_micros() / 1_000_000);
        assert_eq!(created, case["keys"][0]["created"].as_i64());
    }
}

#[test]
fn keys_under_a_passphrase_are_opened_and_wrapped_alike() {
    for case in vectors("wrapped") {
        let keys = KeySet::parse(&secret(&case["keys"])).expect("a set");
        let theirs: WrappedKeys = text(&case["text"]).parse().expect("wrapped keys");
        assert_eq!(theirs.active_id(), Some(keys.active_id()));
        assert!(theirs.unwrap(&secret(&case["passphrase"])).expect("opens").ct_eq(&keys));
        let wrong = SecretValue::new("wrong".to_owned()).expect("no NUL");
        assert_eq!(theirs.unwrap(&wrong).err(), Some(UnwrapError::NotOpened));

        if case["default_cost"] == true {
            let entropy = Prescribed::of(&[&case["salt"], &case["nonce"]]);
            let ours = WrappedKeys::wrap(&keys, &secret(&case["passphrase"]), &entropy).expect("wraps");
            assert_eq!(ours.to_string(), text(&case["text"]));
        }
    }
}

#[test]
fn fingerprints_of_values_are_the_same() {
    for case in vectors("value_fingerprints") {
        let key = MasterKey::parse(&secret(&case["key"])).expect("a key");
        assert_eq!(key.fingerprint(&secret(&case["plain"])).to_string(), text(&case["fingerprint"]));
    }
}
