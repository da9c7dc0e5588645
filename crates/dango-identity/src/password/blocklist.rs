//! The passwords that attackers try first: an exact set of 160,000, compiled in. Nothing is looked up outside.

use fst::Set;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Source, licence and digest are in `blocklist/README.md`.
static COMMON: &[u8] = include_bytes!("../../blocklist/common-passwords.fst");

/// How many characters an attacker's tool appends without being asked: a year, a digit, an exclamation mark.
const MAX_SUFFIX: usize = 6;

/// Whether a password is one of those that are tried first, in any mix of upper and lower case, with or without a
/// short tail of digits, signs and blanks.
///
/// It is exact: what is refused is on the list, or is on it but for such a tail.
#[must_use]
pub fn is_common_password(password: &str) -> bool {
    // The bytes are part of the program and a test reads them to the end: not to open would be a broken build.
    let Ok(set) = Set::new(COMMON) else { return false };
    let folded = fold(password);
    if set.contains(folded.as_str()) {
        return true;
    }
    let mut base = folded.as_str();
    for _ in 0..MAX_SUFFIX {
        match base.char_indices().next_back() {
            Some((at, last)) if !last.is_alphabetic() => base = &base[..at],
            _ => break,
        }
        if set.contains(base) {
            return true;
        }
    }
    false
}

/// The form that the list is in: NFC and case-folded.
pub(super) fn fold(password: &str) -> Zeroizing<String> {
    // Folding and composing at most triple the length each; one allocation leaves no copy behind.
    let folded = Zeroizing::new(caseless::default_case_fold_str(password));
    let mut composed = Zeroizing::new(String::with_capacity(folded.len() * 3));
    composed.extend(folded.nfc());
    composed
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use fst::{IntoStreamer, SetBuilder, Streamer};
    use sha2::{Digest, Sha256};

    use super::*;

    fn entries() -> Vec<String> {
        let set = Set::new(COMMON).expect("the list is compiled in");
        set.into_stream().into_strs().expect("text")
    }

    #[test]
    fn the_list_is_long_small_and_folded() {
        let entries = entries();
        assert!(entries.len() >= 100_000, "{}", entries.len());
        assert!(COMMON.len() <= 1_000_000, "{}", COMMON.len());
        for entry in &entries {
            assert!(entry.chars().count() >= 8 && *fold(entry) == *entry, "{entry}");
        }
    }

    #[test]
    fn every_entry_is_found_in_any_case_and_with_a_tail() {
        let entries = entries();
        for entry in &entries {
            assert!(is_common_password(entry), "{entry}");
        }
        for entry in entries.iter().step_by(97) {
            assert!(is_common_password(&entry.to_uppercase()), "{entry}");
            assert!(is_common_password(&format!("{entry}1")), "{entry}");
            assert!(is_common_password(&format!("{entry}2026!")), "{entry}");
        }
    }

    #[test]
    fn the_best_known_ones_are_on_it_and_good_ones_are_not() {
        for common in [
            "password",
            "Password1",
            "iloveyou",
            "12345678",
            "qwertyuiop",
            "P@ssw0rd",
            "p@ssw0rd2026!",
            "Sunshine 1",
            "trustno1",
            "football",
        ] {
            assert!(is_common_password(common), "{common}");
        }
        for good in [
            "correct horse battery staple",
            "passwordless is the future",
            "tr0ub4dor&3-dango",
            "k7Q-2fvm-9xTz",
            "",
            "1234567",
            "!!!!!!!",
        ] {
            assert!(!is_common_password(good), "{good}");
        }
    }

    #[test]
    fn the_file_is_the_one_that_the_readme_names_and_its_entries_make_it_again() {
        let readme = include_str!("../../blocklist/README.md");
        assert!(
            readme.contains(&HEXLOWER.encode(&Sha256::digest(COMMON))),
            "{}",
            HEXLOWER.encode(&Sha256::digest(COMMON))
        );
        let mut builder = SetBuilder::memory();
        let set = Set::new(COMMON).expect("the list is compiled in");
        let mut stream = set.into_stream();
        while let Some(entry) = stream.next() {
            builder.insert(entry).expect("in order");
        }
        assert!(builder.into_inner().expect("built") == COMMON);
    }
}
