//! The state of a file that was seen last: its seal and a keyed fingerprint of each encrypted value, as an authenticated text for `.dango/`.

use std::collections::BTreeMap;

use super::{FileSeal, FileSealer, SealedValues};
use crate::binding::Binding;
use crate::derivation::{DerivedKey, Role};
use crate::encoding::{base64url, parse_base64url_array, parse_number};
use crate::envelope::Envelope;
use crate::fingerprint::Fingerprint;
use crate::key::KeyId;

const VERSION: &str = "dango:seen:v1";

/// What a file's encrypted values were when this project saw them last; it holds neither values nor ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenState {
    key_id: KeyId,
    counter: u64,
    digest: [u8; 32],
    /// Sorted by name, then by fingerprint.
    values: Vec<(String, Fingerprint)>,
}

impl SeenState {
    /// The counter of the seal that was seen last.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// The key of the seal and of the fingerprints.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Whether the file held no encrypted value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn new(seal: &FileSeal, values: Vec<(String, Fingerprint)>) -> Self {
        Self {
            key_id: seal.key_id,
            counter: seal.counter,
            digest: seal.digest,
            values,
        }
    }

    /// Whether this is the state that a seal stands for.
    pub(super) fn is_of(&self, seal: &FileSeal) -> bool {
        self.digest == seal.digest && self.counter == seal.counter && self.key_id == seal.key_id
    }

    pub(super) fn values(&self) -> &[(String, Fingerprint)] {
        &self.values
    }

    pub(super) fn replace(&mut self, key: &DerivedKey, edits: &BTreeMap<Binding, Option<Envelope>>) {
        let fingerprint = |(binding, envelope): (&Binding, &Option<Envelope>)| {
            let (name, envelope) = (binding.name(), envelope.as_ref());
            let fingerprint = envelope.map(|envelope| Fingerprint::of_sealed(key, name, &envelope.to_string()));
            (name.to_owned(), fingerprint)
        };
        replace_each(&mut self.values, edits.iter().map(fingerprint).collect());
        sort(&mut self.values);
    }

    pub(super) fn fingerprints(key: &DerivedKey, values: &SealedValues) -> Vec<(String, Fingerprint)> {
        let fingerprint = |(name, envelope): &(String, String)| (name.clone(), Fingerprint::of_sealed(key, name, envelope));
        let mut fingerprints: Vec<_> = values.values.iter().map(fingerprint).collect();
        sort(&mut fingerprints);
        fingerprints
    }
}

impl FileSealer<'_> {
    /// Writes a state as lines: version, purpose, key, counter, digest, one line a value, and a code over all of them.
    ///
    /// # Errors
    ///
    /// [`ParseSeenError::UnknownKey`] where the state was made with a key that is not at hand.
    pub fn write_seen(&self, seen: &SeenState) -> Result<String, ParseSeenError> {
        let master = self.keys.find(seen.key_id).ok_or(ParseSeenError::UnknownKey { id: seen.key_id })?;
        let mut text = format!(
            "{VERSION}\npurpose {}\nkey {}\ncounter {}\ndigest {}\n",
            self.purpose,
            seen.key_id,
            seen.counter,
            base64url(&seen.digest)
        );
        for (name, fingerprint) in &seen.values {
            // No name holds a line feed, so it may stand last on its line as it is.
            text.push_str(&format!("value {} {name}\n", base64url(fingerprint.as_bytes())));
        }
        let code = self.key(master, Role::Seen).authenticate(text.as_bytes());
        text.push_str(&format!("mac {}\n", base64url(&code)));
        Ok(text)
    }

    /// Reads what [`FileSealer::write_seen`] wrote for the same file.
    ///
    /// # Errors
    ///
    /// [`ParseSeenError`]; the caller warns, and goes on as if no state had been kept.
    pub fn parse_seen(&self, text: &str) -> Result<SeenState, ParseSeenError> {
        let mut reader = Lines { text, line: 0 };
        reader.expect(VERSION)?;
        reader.expect(&format!("purpose {}", self.purpose))?;
        let key_id = reader.member("key", |text| text.parse::<KeyId>().ok())?;
        let counter = reader.member("counter", parse_number)?;
        let digest = reader.member("digest", parse_base64url_array)?;
        let mut values = Vec::new();
        while reader.text.starts_with("value ") {
            values.push(reader.member("value", parse_value)?);
        }
        let covered = &text[..text.len() - reader.text.len()];
        let code = reader.member("mac", parse_base64url_array)?;
        if !reader.text.is_empty() {
            return Err(reader.malformed());
        }
        let master = self.keys.find(key_id).ok_or(ParseSeenError::UnknownKey { id: key_id })?;
        if !self.key(master, Role::Seen).verify(covered.as_bytes(), &code) {
            return Err(ParseSeenError::NotAuthentic);
        }
        Ok(SeenState {
            key_id,
            counter,
            digest,
            values,
        })
    }
}

/// Takes out what has the name of an edit, and puts in what the edit has for it; the order is to be made anew.
fn replace_each<N: Ord, V>(values: &mut Vec<(N, V)>, edits: BTreeMap<N, Option<V>>) {
    values.retain(|(name, _)| !edits.contains_key(name));
    values.extend(edits.into_iter().filter_map(|(name, value)| Some((name, value?))));
}

fn sort(values: &mut [(String, Fingerprint)]) {
    values.sort_unstable_by(|one, other| (&one.0, one.1.as_bytes()).cmp(&(&other.0, other.1.as_bytes())));
}

fn parse_value(text: &str) -> Option<(String, Fingerprint)> {
    let (fingerprint, name) = text.split_once(' ')?;
    Some((name.to_owned(), Fingerprint::parse_base64url(fingerprint)?))
}

struct Lines<'a> {
    /// What is still to be read.
    text: &'a str,
    /// The line read last, from 1.
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, ParseSeenError> {
        self.line += 1;
        let (line, rest) = self.text.split_once('\n').ok_or_else(|| self.malformed())?;
        self.text = rest;
        Ok(line)
    }

    fn expect(&mut self, expected: &str) -> Result<(), ParseSeenError> {
        if self.next()? == expected { Ok(()) } else { Err(self.malformed()) }
    }

    fn member<T>(&mut self, word: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, ParseSeenError> {
        let value = self.next()?.strip_prefix(word).and_then(|rest| rest.strip_prefix(' '));
        value.and_then(parse).ok_or_else(|| self.malformed())
    }

    fn malformed(&self) -> ParseSeenError {
        ParseSeenError::Malformed { line: self.line }
    }
}

/// Why the state that was seen last cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseSeenError {
    /// Its text is not of the form.
    #[error("line {line} is not what a last seen state has there")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// It was made with a key that is not at hand.
    #[error("the last seen state was made with the key {id}, which is not at hand")]
    UnknownKey {
        /// The key.
        id: KeyId,
    },
    /// It was changed by something without the key.
    #[error("the last seen state was changed by something that does not have the key")]
    NotAuthentic,
}

impl ParseSeenError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "seen-state-malformed",
            Self::UnknownKey { .. } => "seen-state-unknown-key",
            Self::NotAuthentic => "seen-state-not-authentic",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    /// A name that counts how often it is compared.
    #[derive(Clone, Copy, Debug)]
    struct Counted<'c>(u32, &'c Cell<u64>);

    impl Ord for Counted<'_> {
        fn cmp(&self, other: &Self) -> Ordering {
            self.1.set(self.1.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted<'_> {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counted<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }

    impl Eq for Counted<'_> {}

    #[test]
    #[expect(clippy::mutable_key_type, reason = "what is counted has no part in the order")]
    fn an_edit_of_everything_takes_about_as_many_steps_for_each_value_however_many_there_are() {
        let steps_for_each = |count: u32| {
            let steps = Cell::new(0);
            let name = |number| Counted(number, &steps);
            let mut values: Vec<_> = (0..count).map(|number| (name(number), 'a')).collect();
            let edits: BTreeMap<_, _> = (0..count).map(|number| (name(number), (number % 2 == 0).then_some('b'))).collect();
            steps.set(0);
            replace_each(&mut values, edits);
            assert!(values.iter().all(|(name, value)| name.0 % 2 == 0 && *value == 'b'));
            assert_eq!(values.len(), count as usize / 2);
            steps.get() / u64::from(count)
        };
        let (few, many) = (steps_for_each(100), steps_for_each(10_000));
        assert!(many <= few * 4, "{few} for each of a hundred, {many} for each of ten thousand");
    }

    #[test]
    fn names_that_stand_more_than_once_are_replaced_by_one_and_others_stay() {
        let mut values = vec![("a", 1), ("a", 2), ("b", 3), ("c", 4)];
        replace_each(&mut values, BTreeMap::from([("a", Some(9)), ("c", None), ("gone", None)]));
        assert_eq!(values, [("b", 3), ("a", 9)]);
    }
}
