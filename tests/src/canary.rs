//! A secret that exists nowhere else, and the search for it in all the forms in which it could have leaked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

use crate::process::Output;

/// A secret value of one test.
pub struct Canary {
    value: String,
}

impl Canary {
    /// Makes a value that no other test and no file has.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            value: format!("canary-{name}-{}-{number}-dO.not%leak", std::process::id()),
        }
    }

    /// Takes a secret that another program has made, to be looked for.
    #[must_use]
    pub fn of(value: &str) -> Self {
        Self { value: value.to_owned() }
    }

    /// The value itself, to be stored.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Says whether bytes hold the value, as it is or encoded.
    #[must_use]
    pub fn is_in(&self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        self.forms()
            .iter()
            .any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
    }

    /// Checks that a command said nothing of the value.
    ///
    /// # Panics
    ///
    /// When it did, with the stream's name.
    #[track_caller]
    pub fn assert_absent_from(&self, output: &Output) {
        assert!(!self.is_in(&output.stdout), "the canary is on stdout");
        assert!(!self.is_in(&output.stderr), "the canary is on stderr");
    }

    /// The files below a folder that hold the value or are named after it, hidden ones included; links are not followed.
    #[must_use]
    pub fn files_below(&self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![folder.to_path_buf()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display())) {
                let entry = entry.unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
                let kind = entry.file_type().expect("an entry has a kind");
                let named = self.is_in(entry.file_name().as_encoded_bytes());
                let held = kind.is_file() && self.is_in(fs::read(entry.path()).expect("a scratch file is readable"));
                if named || held {
                    found.push(entry.path());
                }
                if kind.is_dir() {
                    waiting.push(entry.path());
                }
            }
        }
        found.sort();
        found
    }

    /// The value as it is, and the forms in which it usually escapes a search.
    fn forms(&self) -> Vec<String> {
        let bytes = self.value.as_bytes();
        let mut forms = vec![
            self.value.clone(),
            HEXLOWER.encode(bytes),
            HEXUPPER.encode(bytes),
            self.value.replace('%', "%25"),
        ];
        for skipped in 0..3 {
            // Base64 of longer text holds that of the value from one of three positions on; its last bytes depend on what follows.
            let whole = &bytes[skipped..];
            let whole = &whole[..whole.len() / 3 * 3];
            forms.extend([BASE64.encode(whole), BASE64URL.encode(whole)]);
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_as_it_is_and_in_every_encoding_and_position() {
        let canary = Canary::new("forms");
        let value = canary.value();
        assert!(canary.is_in(format!("key = \"{value}\"")));
        assert!(canary.is_in(HEXLOWER.encode(format!("x{value}").as_bytes())));
        for before in ["", "a", "ab", "abc"] {
            assert!(
                canary.is_in(BASE64.encode(format!("{before}{value}{before}").as_bytes())),
                "{before:?}"
            );
        }
        assert!(!canary.is_in(Canary::new("forms").value()));
    }

    #[test]
    fn files_are_found_by_contents_and_by_name() {
        let canary = Canary::new("files");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".hidden")).unwrap();
        fs::write(folder.path().join(".hidden/a"), format!("x{}", canary.value())).unwrap();
        fs::write(folder.path().join(canary.value()), "").unwrap();
        fs::write(folder.path().join("clean"), "nothing").unwrap();
        assert_eq!(
            canary.files_below(folder.path()),
            [folder.path().join(".hidden/a"), folder.path().join(canary.value())]
        );
    }
}
