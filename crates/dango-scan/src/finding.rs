//! What a search answers: where something stands and what it is, and a fingerprint that gives nothing of it away.

use std::collections::HashMap;
use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// How a known value is spelled where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spelling {
    /// As it is.
    Plain,
    /// In base64, hexadecimal digits, percent-encoded, escaped or the like.
    Encoded,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A value that the project stores, by the path of its credential or the name of its variable.
    Known {
        /// That path or name.
        path: String,
        /// How it is spelled.
        spelling: Spelling,
    },
    /// Something in the format of a well-known token.
    Token {
        /// The format, for people.
        what: &'static str,
    },
}

/// Something that must not be where it is. Ordered by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, below the folder that the survey is told from; where the name holds something secret itself, `***` stands in its place.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The rule, a stable word.
    pub rule: &'static str,
    /// What it is.
    pub subject: Subject,
    /// The first commit that has it, in a history.
    pub commit: Option<String>,
    /// What a baseline knows it by.
    pub fingerprint: Fingerprint,
}

impl Finding {
    /// The stored value's path, where it is one.
    pub fn path(&self) -> Option<&str> {
        match &self.subject {
            Subject::Known { path, .. } => Some(path),
            Subject::Token { .. } => None,
        }
    }
}

/// 64 bits that name a finding in a baseline, as 16 hexadecimal digits.
///
/// # Security
///
/// It covers the rule, the file, and, for tokens of a random format alone, the token's digest. Of everything that a person may have thought up,
/// stored values included, it covers only which of them it is in the file: nothing can be guessed against it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Its 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads one back.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_digits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether two places hold the same text; in memory only, for it says much about a weak one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mark([u8; 16]);

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(***)")
    }
}

impl Mark {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut mark = [0; 16];
        mark.copy_from_slice(&Sha256::digest(text)[..16]);
        Self(mark)
    }
}

/// Gives the findings of one file their fingerprints, in the order of their places.
#[derive(Default)]
pub(crate) struct Fingerprints {
    counted: HashMap<(&'static str, String), u64>,
}

impl Fingerprints {
    /// `random` is the token's mark where its format is random enough that the digest gives nothing away.
    pub(crate) fn make(&mut self, file: &str, rule: &'static str, subject: &Subject, random: Option<Mark>) -> Fingerprint {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        add(b"dango scan 1");
        add(rule.as_bytes());
        add(file.as_bytes());
        match (subject, random) {
            (Subject::Token { .. }, Some(Mark(mark))) => add(&mark),
            (subject, _) => {
                let name = match subject {
                    Subject::Known { path, .. } => path.as_str(),
                    Subject::Token { .. } => "",
                };
                let count = self.counted.entry((rule, name.to_owned())).or_default();
                *count += 1;
                add(name.as_bytes());
                add(&count.to_be_bytes());
            }
        }
        Fingerprint(HEXLOWER.encode(&digest.finalize()[..8]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(path: &str) -> Subject {
        Subject::Known {
            path: path.to_owned(),
            spelling: Spelling::Plain,
        }
    }

    #[test]
    fn the_second_occurrence_in_a_file_is_another_finding_and_its_line_does_not_matter() {
        let mut first = Fingerprints::default();
        let a = first.make("a.py", "known-value", &known("x"), None);
        let b = first.make("a.py", "known-value", &known("x"), None);
        assert_ne!(a, b);
        assert_eq!(Fingerprints::default().make("a.py", "known-value", &known("x"), None), a);
        assert_ne!(Fingerprints::default().make("b.py", "known-value", &known("x"), None), a);
        assert_eq!(Fingerprint::parse(a.as_str()), Some(a));
    }

    #[test]
    fn a_random_token_is_told_by_itself_and_anything_else_only_by_its_place() {
        let token = Subject::Token { what: "a token" };
        let of = |mark| Fingerprints::default().make("a.py", "github-token", &token, mark);
        assert_ne!(of(Some(Mark::of(b"one"))), of(Some(Mark::of(b"two"))));
        assert_eq!(of(None), of(None));
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "0123", "0123456789abcdeF", "0123456789abcdef0"] {
            assert_eq!(Fingerprint::parse(text), None);
        }
    }
}
