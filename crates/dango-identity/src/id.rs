//! Identifiers of rows: UUIDv7 (RFC 9562 §5.7). They are public names and never credentials; tokens are elsewhere.

use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, Timestamp};
use uuid::Uuid;

/// A text that is not an identifier: 36 characters, lower-case hex digits with dashes, of a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier such as 01936f2e-9c4b-7d3a-8f10-2b6c5d4e3f21")]
pub struct ParseIdError;

/// The one text form: a UUID can be written in many, and two spellings of one row would be two rows to a cache or a log.
fn parse_canonical(text: &str) -> Result<Uuid, ParseIdError> {
    let id = Uuid::try_parse(text).map_err(|_| ParseIdError)?;
    let mut canonical = Uuid::encode_buffer();
    let same = id.hyphenated().encode_lower(&mut canonical) == text;
    if same { check_version(id) } else { Err(ParseIdError) }
}

fn check_version(id: Uuid) -> Result<Uuid, ParseIdError> {
    let variant = id.get_variant() == uuid::Variant::RFC4122;
    if variant && id.get_version_num() == 7 {
        Ok(id)
    } else {
        Err(ParseIdError)
    }
}

/// Milliseconds of the time in front, 74 random bits behind; times before 1970 count as 1970.
fn make_uuid(now: Timestamp, entropy: &dyn Entropy) -> Result<Uuid, EntropyError> {
    let mut random = [0; 10];
    entropy.fill(&mut random)?;
    let millis = u64::try_from(now.unix_micros().div_euclid(1000)).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        ///
        /// Public: it may stand in a URL, a log and an audit record. Ids made later sort later, to the millisecond.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id.
            ///
            /// # Errors
            ///
            /// [`EntropyError`] where there is no randomness.
            pub fn make(now: Timestamp, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                make_uuid(now, entropy).map(Self)
            }

            /// The 16 bytes, as a database stores them.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads the 16 bytes back.
            ///
            /// # Errors
            ///
            /// [`ParseIdError`] where they are no UUID of version 7.
            pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, ParseIdError> {
                check_version(Uuid::from_bytes(bytes)).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse_canonical(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// The id of a user.
    UserId;
    /// The id of a session, by which its owner lists and ends it. It is not the session's token.
    SessionId;
    /// The id of an API key. It is not the key.
    ApiKeyId;
    /// The id of an enrolled factor.
    FactorId;
    /// The id of an invitation. It is not the token in the link.
    InviteId;
    /// The id of a browser that has logged in before.
    DeviceId;
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }

    /// RFC 9562, appendix A.6: 2022-02-22T19:22:22Z, rand_a = CC3, rand_b = 18C4DC0C0C07398F.
    #[test]
    fn the_published_example_has_this_layout() {
        struct Example;
        impl Entropy for Example {
            fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
                buffer.copy_from_slice(&[0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
                Ok(())
            }
        }
        let at = Timestamp::from_unix_micros(1_645_557_742_000_000);
        let id = UserId::make(at, &Example).expect("random");
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_eq!(format!("{id:?}"), "UserId(017f22e2-79b0-7cc3-98c4-dc0c0c07398f)");
    }

    #[test]
    fn an_id_has_one_text_form() {
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        assert_eq!(text.parse::<SessionId>().map(|id| id.to_string()).as_deref(), Ok(text));
        for bad in [
            "",
            "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
            "017f22e279b07cc398c4dc0c0c07398f",
            "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
            "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
            " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(bad.parse::<SessionId>(), Err(ParseIdError), "{bad}");
        }
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = UserId::make(Timestamp::from_unix_micros(1_000_000), &Fixed(0xff)).expect("random");
        let late = UserId::make(Timestamp::from_unix_micros(1_001_000), &Fixed(0)).expect("random");
        assert!(early < late && early.to_string() < late.to_string() && early.as_bytes() < late.as_bytes());
    }

    #[test]
    fn without_randomness_there_is_no_id() {
        assert!(UserId::make(Timestamp::from_unix_micros(0), &NoEntropy).is_err());
    }

    proptest! {
        #[test]
        fn every_id_survives_its_text_and_its_bytes(micros in any::<i64>()) {
            let id = FactorId::make(Timestamp::from_unix_micros(micros), &OsEntropy).expect("random");
            prop_assert_eq!(id.to_string().parse::<FactorId>(), Ok(id));
            prop_assert_eq!(FactorId::from_bytes(*id.as_bytes()), Ok(id));
        }

        #[test]
        fn any_text_is_refused_or_kept(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<ApiKeyId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
