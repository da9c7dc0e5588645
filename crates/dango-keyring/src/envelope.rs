//! The text form of an encrypted value: `dango:v1:<key id>:<base64url(nonce ‖ ciphertext ‖ tag)>`. No key is needed to read it, and none is used here.

use std::fmt;

use crate::cipher::OVERHEAD;
use crate::encoding::{base64url, parse_base64url};
use crate::key::KeyId;

const PREFIX: &str = "dango:v1:";

/// `dango:v1:`, the key id and a colon, in bytes.
const HEADER_LENGTH: usize = PREFIX.len() + KeyId::TEXT_LENGTH + 1;

/// An encrypted value; [`fmt::Display`] writes the one text form that [`Envelope::parse`] reads.
///
/// That a text is an envelope says nothing about whether it opens: see [`crate::KeySet::open`].
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    key_id: KeyId,
    sealed: Vec<u8>,
}

impl Envelope {
    /// Reads a text: an envelope, or `None` for a plain value, one that merely begins with `dango:` included.
    ///
    /// Takes time linear in the text.
    ///
    /// # Errors
    ///
    /// [`MalformedEnvelope`] for a text that is an envelope but for some damage: one with a whole header and a payload that was cut
    /// or altered, and one with a whole payload and a single wrong character in its header.
    ///
    /// # Security
    ///
    /// A damaged envelope is no plain value: it would reach a program in place of the secret. So an envelope in which any one ASCII
    /// character became another, or that was cut anywhere behind its header, ends here or in [`crate::OpenError`].
    pub fn parse(text: &str) -> Result<Option<Self>, MalformedEnvelope> {
        // The header is ASCII, so a text in which this is no boundary is no envelope; nor is one damaged so.
        let Some((header, payload)) = text.split_at_checked(HEADER_LENGTH) else {
            return Ok(None);
        };
        let key_id = parse_header(header);
        let sealed = parse_base64url(payload).ok().filter(|sealed| sealed.len() >= OVERHEAD);
        match (key_id, sealed) {
            (Some(key_id), Some(sealed)) => Ok(Some(Self { key_id, sealed })),
            (Some(_), None) => Err(MalformedEnvelope),
            (None, Some(_)) if wrong_characters(header) == 1 => Err(MalformedEnvelope),
            (None, _) => Ok(None),
        }
    }

    /// The key that opens it.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    pub(crate) fn new(key_id: KeyId, sealed: Vec<u8>) -> Self {
        Self { key_id, sealed }
    }

    /// Nonce, ciphertext and tag.
    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", self.key_id, base64url(&self.sealed))
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, {} bytes)", self.key_id, self.sealed.len())
    }
}

/// A text that was an envelope and is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted value is damaged: it is cut off or was changed by hand")]
pub struct MalformedEnvelope;

fn parse_header(header: &str) -> Option<KeyId> {
    header.strip_prefix(PREFIX)?.strip_suffix(':')?.parse().ok()
}

/// How many characters of a header's length are not what a header has there.
fn wrong_characters(header: &str) -> usize {
    let right = |(at, byte): (usize, u8)| match PREFIX.as_bytes().get(at) {
        Some(&expected) => byte == expected,
        None if at == HEADER_LENGTH - 1 => byte == b':',
        None => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    header.bytes().enumerate().filter(|&place| !right(place)).count()
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::*;
    use crate::MasterKey;

    fn envelope(length: usize) -> Envelope {
        let key = MasterKey::make(&OsEntropy).expect("random");
        Envelope::new(key.id(), (0..length).map(|i| i as u8).collect())
    }

    fn text() -> String {
        envelope(OVERHEAD + 7).to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for length in OVERHEAD..OVERHEAD + 9 {
            let envelope = envelope(length);
            assert_eq!(Envelope::parse(&envelope.to_string()), Ok(Some(envelope)));
        }
    }

    #[test]
    fn a_value_that_merely_begins_like_an_envelope_is_plain() {
        let whole = text();
        let other_version = whole.replacen("dango:v1:", "dango:v12:", 1);
        let upper = format!("{}{}", whole[..HEADER_LENGTH].to_uppercase(), &whole[HEADER_LENGTH..]);
        for plain in [
            "",
            "dango:",
            "dango:hello",
            "dango:v1:",
            "dango:v1:key",
            "dango:v2:0123456789abcdef:AAAA",
            "dango:v1:0123456789abcdeX:AAAA",
            "dango:v1:0123456789abcdef",
            "dango:v1:ééééééééé",
            "dango v1 says that this is a text of some length, which is no envelope",
            &other_version,
            &upper,
            &whole[1..],
            &format!(" {whole}"),
        ] {
            assert_eq!(Envelope::parse(plain), Ok(None), "{plain}");
        }
    }

    #[test]
    fn an_envelope_cut_anywhere_behind_its_header_is_never_plain() {
        let whole = text();
        for end in HEADER_LENGTH..whole.len() {
            match Envelope::parse(&whole[..end]) {
                Err(MalformedEnvelope) => {}
                Ok(read) => assert!(read.is_some_and(|read| read.sealed.len() < OVERHEAD + 7), "cut at {end}"),
            }
        }
    }

    #[test]
    fn an_envelope_with_any_one_character_changed_is_never_plain_and_never_the_same() {
        let whole = text();
        let original = Envelope::parse(&whole);
        for at in 0..whole.len() {
            for byte in (0x20..0x7f).filter(|byte| *byte != whole.as_bytes()[at]) {
                let mut changed = whole.clone().into_bytes();
                changed[at] = byte;
                let changed = String::from_utf8(changed).expect("ASCII");
                let read = Envelope::parse(&changed);
                assert_ne!(read, Ok(None), "{changed}");
                assert_ne!(read, original, "{changed}");
            }
        }
    }

    #[test]
    fn a_payload_has_one_form() {
        let whole = text();
        for bad in [format!("{whole}="), format!("{whole}\n"), format!("{whole} "), format!("{whole}é")] {
            assert_eq!(Envelope::parse(&bad), Err(MalformedEnvelope));
        }
    }

    #[test]
    fn debug_shows_no_ciphertext() {
        let envelope = envelope(OVERHEAD);
        assert_eq!(format!("{envelope:?}"), format!("Envelope({}, 28 bytes)", envelope.key_id()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_an_envelope_is_written_as_it_was(text in "(dango:)?(v1:)?([0-9a-f]{16}:)?\\PC{0,80}") {
            if let Ok(Some(envelope)) = Envelope::parse(&text) {
                prop_assert_eq!(envelope.to_string(), text);
            }
        }

        #[test]
        fn any_bytes_behind_a_header_round_trip(sealed in proptest::collection::vec(any::<u8>(), OVERHEAD..200)) {
            let envelope = Envelope::new("0123456789abcdef".parse().expect("an id"), sealed);
            prop_assert_eq!(Envelope::parse(&envelope.to_string()), Ok(Some(envelope)));
        }
    }
}
