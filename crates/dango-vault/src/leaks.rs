//! Parts of values found in comments: any six bytes of a value as it is, in Base64, in hexadecimal digits or percent-encoded. Nothing is changed here.

use std::collections::HashMap;

use dango_secrets::Value;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use zeroize::Zeroizing;

/// How many bytes in a row give a value away.
const WINDOW: usize = 6;

/// Texts in which parts of values are looked for.
pub(crate) struct Leaks {
    windows: HashMap<[u8; WINDOW], Vec<usize>>,
    found: Vec<bool>,
}

impl Leaks {
    /// Takes note of every six bytes of some texts.
    pub(crate) fn within<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut windows: HashMap<[u8; WINDOW], Vec<usize>> = HashMap::new();
        let mut count = 0;
        for (index, text) in texts.into_iter().enumerate() {
            for window in text.as_bytes().windows(WINDOW).filter_map(|window| window.try_into().ok()) {
                let texts = windows.entry(window).or_default();
                if texts.last() != Some(&index) {
                    texts.push(index);
                }
            }
            count = index + 1;
        }
        Self {
            windows,
            found: vec![false; count],
        }
    }

    /// Looks for parts of a text.
    pub(crate) fn look_for(&mut self, text: &str) {
        if self.windows.is_empty() || text.len() < WINDOW {
            return;
        }
        let bytes = text.as_bytes();
        self.look_for_bytes(bytes);
        for encoding in [&HEXLOWER, &HEXUPPER] {
            self.look_for_bytes(&encode(encoding, bytes));
        }
        for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
            for phase in 0..3 {
                let mut shifted = Zeroizing::new(Vec::with_capacity(phase + bytes.len()));
                shifted.resize(phase, 0);
                shifted.extend_from_slice(bytes);
                let encoded = encode(encoding, &shifted);
                // A character holds six bits; the first may hold some of what stands before.
                self.look_for_bytes(&encoded[(phase * 8).div_ceil(WINDOW)..]);
            }
        }
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            self.look_for_bytes(&percent(bytes, digits));
        }
    }

    /// Looks for parts of every text in a value.
    pub(crate) fn look_for_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.look_for(&text.verbatim()),
            Value::Integer { text, .. } | Value::Float { text, .. } | Value::Datetime(text) => self.look_for(text),
            Value::Array(items) => items.iter().for_each(|item| self.look_for_value(item)),
            Value::Table(entries) => entries.iter().for_each(|(_, item)| self.look_for_value(item)),
            _ => {}
        }
    }

    /// Whether a text, by its number, holds a part of something that was looked for.
    pub(crate) fn is_found(&self, index: usize) -> bool {
        self.found.get(index) == Some(&true)
    }

    fn look_for_bytes(&mut self, bytes: &[u8]) {
        for window in bytes.windows(WINDOW) {
            for &index in self.windows.get(window).map_or(&[][..], Vec::as_slice) {
                self.found[index] = true;
            }
        }
    }
}

fn encode(encoding: &Encoding, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(encoding.encode(bytes).into_bytes())
}

/// Percent-encoding (RFC 3986 §2.1) of everything but unreserved characters.
fn percent(bytes: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(bytes.len() * 3));
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte);
        } else {
            encoded.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    #[test]
    fn parts_of_a_value_are_found_in_every_spelling_and_nothing_else_is() {
        let value = "pa ss/wörd";
        let hex = HEXLOWER.encode(&value.as_bytes()[2..8]);
        let shifted: Vec<String> = ["", "x", "xy"]
            .iter()
            .map(|before| BASE64.encode([before, value].concat().as_bytes()))
            .collect();
        let texts = [
            "# old: a ss/wö!",
            &format!("# {hex}"),
            &format!("# {}", HEXUPPER.encode(value.as_bytes())),
            &format!("# {}", shifted[0]),
            &format!("# {}", shifted[1]),
            &format!("# {}", shifted[2]),
            "# pa%20ss%2F",
            "# pa%20ss%2f",
            "# pa ss",
            "# the warehouse",
            "",
        ];
        let mut leaks = Leaks::within(texts);
        leaks.look_for(value);
        let found: Vec<bool> = (0..texts.len()).map(|index| leaks.is_found(index)).collect();
        assert_eq!(found, [true, true, true, true, true, true, true, true, false, false, false]);
    }
}
