//! Passwords: the type that holds one while it is in memory. Policy, hashing and the blocklist are in the modules below.

mod blocklist;
mod gate;
mod hasher;
mod pattern;
mod policy;
mod record;

use dango_core::SecretValue;
use subtle::ConstantTimeEq;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

pub use blocklist::is_common_password;
pub use gate::{Busy, HashingGate};
pub use hasher::{HashPasswordError, HashingCost, PasswordHasher, Pepper, Verdict, WeakCost};
pub use policy::{PasswordContext, PasswordIssue, PasswordPolicy, PasswordProfile, SecondFactorState, WeakPassword};
pub use record::{ParseRecordError, PasswordRecord};

/// The longest password in bytes, as typed. It is looked at before anything is computed from the password.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// A password as typed: never trimmed, never case-folded, never cut.
///
/// It is compared and hashed in Unicode's NFC form (NIST SP 800-63B-4 §3.1.1.2), so that it does not matter how a
/// keyboard composes an accent. It is erased when dropped and has no `Debug`, `Display`, `Serialize` or `PartialEq`.
///
/// ```compile_fail
/// let password = dango_identity::Password::new("correct horse".to_owned()).unwrap();
/// println!("{password:?}");
/// ```
pub struct Password {
    nfc: Zeroizing<String>,
    /// Only where it differs: what earlier Dango versions hashed was not normalised.
    typed: Option<Zeroizing<String>>,
}

impl Password {
    /// Takes over what was typed. It says nothing about whether it is a good password: the policy does.
    ///
    /// # Errors
    ///
    /// [`PasswordTooLong`] beyond [`MAX_PASSWORD_BYTES`].
    pub fn new(typed: String) -> Result<Self, PasswordTooLong> {
        let typed = Zeroizing::new(typed);
        if typed.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordTooLong);
        }
        if is_nfc_quick(typed.chars()) == IsNormalized::Yes {
            return Ok(Self { nfc: typed, typed: None });
        }
        // One allocation, so that no outgrown copy stays behind: NFC at most triples the length (UAX 15 §12.1).
        let mut nfc = Zeroizing::new(String::with_capacity(typed.len() * 3));
        nfc.extend(typed.nfc());
        let typed = (*nfc != *typed).then_some(typed);
        Ok(Self { nfc, typed })
    }

    /// Takes a password from a secret value, such as one read from a prompt.
    ///
    /// # Errors
    ///
    /// As [`Password::new`].
    pub fn from_secret(secret: &SecretValue) -> Result<Self, PasswordTooLong> {
        Self::new(secret.expose().to_owned())
    }

    /// Whether two are the same password, in time that depends only on their lengths.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.nfc.as_bytes().ct_eq(other.nfc.as_bytes()).into()
    }

    /// Looks inside, in the form that is hashed.
    ///
    /// # Security
    ///
    /// Call it on the last possible line, and never for an error, a log or a message.
    pub fn expose(&self) -> &str {
        &self.nfc
    }

    /// Looks inside, as it was typed.
    fn expose_typed(&self) -> &str {
        self.typed.as_ref().map_or(self.nfc.as_str(), |typed| typed.as_str())
    }
}

/// More than 1,024 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has at most 1024 bytes")]
pub struct PasswordTooLong;

impl PasswordTooLong {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "password-too-long"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).expect("short enough")
    }

    #[test]
    fn accents_are_the_same_however_a_keyboard_makes_them() {
        assert!(password("caf\u{e9} au lait").matches(&password("cafe\u{301} au lait")));
        assert_eq!(password("cafe\u{301}").expose(), "caf\u{e9}");
        assert_eq!(password("cafe\u{301}").expose_typed(), "cafe\u{301}");
    }

    #[test]
    fn nothing_else_is_folded_together() {
        for (one, other) in [
            ("\u{fb01}sh and chips", "fish and chips"),
            ("Password", "password"),
            ("long one", "long one "),
            ("a\tb", "a b"),
        ] {
            assert!(!password(one).matches(&password(other)), "{one:?}");
        }
        let hundred = "x".repeat(99);
        assert!(!password(&(hundred.clone() + "a")).matches(&password(&(hundred + "b"))));
    }

    #[test]
    fn the_limit_is_exact_and_in_bytes_as_typed() {
        assert!(Password::new("x".repeat(1024)).is_ok());
        assert_eq!(Password::new("x".repeat(1025)).err(), Some(PasswordTooLong));
        assert_eq!(Password::new("é".repeat(513)).err(), Some(PasswordTooLong));
        // U+0958 is excluded from composition, so its NFC form is twice as long.
        assert_eq!(password(&"\u{958}".repeat(341)).expose().len(), 341 * 6);
    }
}
