//! Six bytes in a row of a secret, as they are or encoded, looked for in every file below a folder. Which secrets is the tests' business.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use data_encoding::{BASE64, BASE64URL, Encoding, HEXLOWER, HEXUPPER};

/// As many bytes of a value as say something about it.
const WINDOW: usize = 6;

/// Every window of some values in every form, by the form's length.
pub struct Windows(BTreeMap<usize, HashSet<Vec<u8>>>);

impl Windows {
    /// Takes every window of these values; one that is shorter than a window has none.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut windows = Self(BTreeMap::new());
        for window in values.into_iter().flat_map(|value| value.as_bytes().windows(WINDOW)) {
            windows.add(window);
        }
        windows
    }

    /// The places below a folder that hold a window, in contents or name, hidden ones included: the path, and the form as it stands there.
    ///
    /// # Panics
    ///
    /// When a file cannot be read.
    #[must_use]
    pub fn found_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display())) {
            let entry = entry.expect("a scratch folder is readable");
            let path = entry.path();
            let mut places = self.find(entry.file_name().as_encoded_bytes());
            let kind = entry.file_type().expect("an entry has a kind");
            if kind.is_file() {
                places.extend(self.find(&fs::read(&path).expect("a scratch file is readable")));
            } else if kind.is_dir() {
                found.extend(self.found_below(&path));
            }
            found.extend(places.into_iter().map(|form| format!("{}: {form}", path.display())));
        }
        found
    }

    /// The forms that bytes hold.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (length, forms) in &self.0 {
            let held = bytes.windows(*length).filter(|window| forms.contains(*window));
            found.extend(held.map(|window| String::from_utf8_lossy(window).into_owned()));
        }
        found
    }

    fn add(&mut self, window: &[u8]) {
        self.add_form(window.to_vec());
        self.add_form(HEXLOWER.encode(window).into_bytes());
        self.add_form(HEXUPPER.encode(window).into_bytes());
        for before in 0..3 {
            let aligned = [&[0; 2][..before], window].concat();
            // Only the characters of which every bit is the window's.
            let clean = (before * 8).div_ceil(6)..(before + WINDOW) * 8 / 6;
            for encoding in [BASE64, BASE64URL] {
                self.add_form(encoding.encode(&aligned).as_bytes()[clean.clone()].to_vec());
            }
        }
        for is_kept in [|byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), |_| false] {
            for digits in [HEXLOWER, HEXUPPER] {
                self.add_form(percent_encoded(window, is_kept, &digits));
            }
        }
    }

    fn add_form(&mut self, form: Vec<u8>) {
        self.0.entry(form.len()).or_default().insert(form);
    }
}

fn percent_encoded(bytes: &[u8], is_kept: fn(u8) -> bool, digits: &Encoding) -> Vec<u8> {
    let encode = |byte: &u8| {
        if is_kept(*byte) {
            vec![*byte]
        } else {
            format!("%{}", digits.encode(&[*byte])).into_bytes()
        }
    };
    bytes.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "Zq8/+Lw4?Vx";

    fn is_found(text: impl AsRef<[u8]>) -> bool {
        !Windows::of([VALUE]).find(text.as_ref()).is_empty()
    }

    #[test]
    fn a_part_of_a_value_is_found_in_every_encoding_and_position() {
        for part in [VALUE, &VALUE[..6], &VALUE[5..], &VALUE[2..9]] {
            assert!(is_found(format!("<{part}>")), "{part}");
            for before in ["", "a", "ab", "abc"] {
                let text = format!("{before}{part}{before}");
                assert!(is_found(BASE64.encode(text.as_bytes())), "{text}");
                assert!(is_found(BASE64URL.encode(text.as_bytes())), "{text}");
                assert!(is_found(HEXLOWER.encode(text.as_bytes())) && is_found(HEXUPPER.encode(text.as_bytes())));
            }
        }
        assert!(is_found("x=%2F%2BLw4%3F") && is_found("x=%2f%2bLw4%3f"));
    }

    #[test]
    fn five_bytes_are_no_window() {
        assert!(!is_found("Zq8/+ Lw4?V") && !is_found(BASE64.encode(b"<Zq8/+>")));
    }

    #[test]
    fn files_are_found_by_contents_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".hidden")).unwrap();
        fs::write(folder.path().join(".hidden/a"), "x +Lw4?V x").unwrap();
        fs::write(folder.path().join("8+Lw4?Vx"), "").unwrap();
        fs::write(folder.path().join("clean"), "nothing").unwrap();
        let found = Windows::of([VALUE.replace('/', "").as_str()]).found_below(folder.path());
        assert!(found.iter().any(|place| place.contains(".hidden/a")), "{found:?}");
        assert!(found.iter().any(|place| place.contains("8+Lw4?Vx")), "{found:?}");
        assert!(!found.iter().any(|place| place.contains("clean")), "{found:?}");
    }
}
