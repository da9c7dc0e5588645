//! The one encoding of several fields as bytes: each preceded by its length, so no two lists of fields encode alike; and base64url.

use data_encoding::{BASE64URL_NOPAD, DecodeError};

/// Fields, each preceded by its length in bytes as 8 bytes, big-endian.
#[derive(Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// Adds one field.
    pub(crate) fn add(&mut self, field: &[u8]) {
        self.bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(field);
    }

    /// Adds one field, for chains.
    pub(crate) fn with(mut self, field: impl AsRef<[u8]>) -> Self {
        self.add(field.as_ref());
        self
    }

    /// All fields.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All fields, taken.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Writes base64url without padding (RFC 4648 §5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Reads base64url without padding; only the one form that [`base64url`] writes.
pub(crate) fn parse_base64url(text: &str) -> Result<Vec<u8>, DecodeError> {
    BASE64URL_NOPAD.decode(text.as_bytes())
}

/// Reads base64url of exactly `N` bytes.
pub(crate) fn parse_base64url_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    parse_base64url(text).ok()?.try_into().ok()
}

/// Reads a decimal number written without sign and without leading zeros.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_join_alike_encode_differently() {
        let one = Fields::default().with("ab").with("c");
        let other = Fields::default().with("a").with("bc");
        assert_ne!(one.as_bytes(), other.as_bytes());
        assert_eq!(Fields::default().with("ab").as_bytes(), b"\0\0\0\0\0\0\0\x02ab");
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(parse_number("0"), Some(0));
        assert_eq!(parse_number("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "01", "+1", "-1", " 1", "18446744073709551616", "1_0", "٣"] {
            assert_eq!(parse_number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn base64url_has_one_form() {
        assert_eq!(parse_base64url("_-8").ok(), Some(vec![0xff, 0xef]));
        for bad in ["_-8=", "_-9", "/+8", "_-8\n", "A"] {
            assert!(parse_base64url(bad).is_err(), "{bad:?}");
        }
    }
}
