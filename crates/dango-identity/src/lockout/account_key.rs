//! The name under which an account's failures are counted: of accounts that exist and of those that do not, the same way.

use std::fmt;

use crate::email::Email;
use crate::encoding::Fields;
use crate::key::AccountNameKey;

/// HMAC-SHA-256 of an address that somebody tried, whether an account has it or not.
///
/// The database so holds no list of what strangers typed into the field (a password, at times), and a failure at an
/// account that does not exist is written as one at an account that does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey([u8; 32]);

impl AccountKey {
    /// The key of what was typed as an address; all spellings of one address have one key.
    pub fn of_typed(key: &AccountNameKey, typed: &str) -> Self {
        match typed.parse() {
            Ok(email) => Self::of(key, &email),
            Err(_) => Self::authenticate(key, "typed", typed),
        }
    }

    /// The key of an address.
    pub fn of(key: &AccountNameKey, email: &Email) -> Self {
        Self::authenticate(key, "email", email.likeness())
    }

    fn authenticate(key: &AccountNameKey, kind: &str, text: &str) -> Self {
        let message = Fields::of("account-name").with(kind.as_bytes()).with(text.as_bytes()).into_bytes();
        Self(key.authenticate(&message))
    }

    /// The bytes, as a database stores them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes the bytes back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;
    use crate::key::IdentityKey;

    #[test]
    fn every_spelling_of_an_address_has_the_same_budget_and_others_have_others() {
        let key = AccountNameKey::derive(&IdentityKey::make(&OsEntropy).expect("random"));
        let of = |typed| AccountKey::of_typed(&key, typed);
        assert_eq!(of("Admin@X.example"), of(" ａｄｍｉｎ@x.example"));
        assert_ne!(of("admin@x.example"), of("admin@y.example"));
        assert_ne!(of("not an address"), of("not an addresss"));
        let other = AccountNameKey::derive(&IdentityKey::make(&OsEntropy).expect("random"));
        assert_ne!(of("admin@x.example"), AccountKey::of_typed(&other, "admin@x.example"));
    }
}
