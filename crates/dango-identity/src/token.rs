//! Random tokens that are shown once, and the keyed digests under which they are stored; what a token is for is part of its type.

use std::fmt;
use std::marker::PhantomData;

use dango_core::{Entropy, EntropyError};
use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::encoding::Fields;
use crate::key::{TokenKey, plain_hash};

/// What tokens are for. The types have no values; they only tell one [`PlainToken`] from another.
pub mod kind {
    /// A use of tokens. The crate's own list is complete; other crates cannot add to it.
    pub trait TokenKind: sealed::Sealed {
        /// The word that enters the digest. It never changes.
        const NAME: &'static str;
    }

    mod sealed {
        pub trait Sealed {}
    }

    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl sealed::Sealed for $name {}

            impl TokenKind for $name {
                const NAME: &'static str = $text;
            }
        )+

        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$($text),+];
        };
    }

    kinds! {
        /// A session, at whatever stage; the stage is in the row.
        Session = "session";
        /// An invitation's link.
        Invite = "invite";
        /// The claim that makes the first administrator.
        BootstrapClaim = "bootstrap-claim";
        /// The `state` of an OAuth flow (RFC 6749 §10.12).
        OauthState = "oauth-state";
        /// What a browser has to show that it began an OAuth flow, where nobody is logged in.
        OauthBrowser = "oauth-browser";
        /// An API key.
        ApiKey = "api-key";
        /// A recovery code.
        RecoveryCode = "recovery-code";
    }
}

use kind::TokenKind;

/// The length of a token's text: 32 bytes in base64url without padding (RFC 4648 §5).
const TEXT_LENGTH: usize = 43;

/// A token as its holder has it: 256 random bits as 43 characters of base64url, erased from memory when dropped.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// use dango_identity::{PlainToken, kind};
/// let token = PlainToken::<kind::Invite>::make(&dango_core::OsEntropy).unwrap();
/// println!("{token:?}");
/// ```
///
/// ```compile_fail,E0277
/// use dango_identity::{PlainToken, kind};
/// let token = PlainToken::<kind::Invite>::make(&dango_core::OsEntropy).unwrap();
/// println!("{token}");
/// ```
///
/// ```compile_fail,E0369
/// use dango_identity::{PlainToken, kind};
/// let token = PlainToken::<kind::Invite>::make(&dango_core::OsEntropy).unwrap();
/// assert!(token == token);
/// ```
///
/// ```compile_fail,E0277
/// use dango_identity::{PlainToken, kind};
/// let token = PlainToken::<kind::Invite>::make(&dango_core::OsEntropy).unwrap();
/// serde_json::to_string(&token).unwrap();
/// ```
///
/// A token of one kind is none of another, and neither is its digest:
///
/// ```compile_fail,E0308
/// use dango_identity::{IdentityKey, PlainToken, TokenDigest, TokenKey, kind};
/// let key = TokenKey::derive(&IdentityKey::make(&dango_core::OsEntropy).unwrap());
/// let session = PlainToken::<kind::Session>::make(&dango_core::OsEntropy).unwrap();
/// let invite: TokenDigest<kind::Invite> = session.digest(&key);
/// ```
pub struct PlainToken<K> {
    text: Zeroizing<[u8; TEXT_LENGTH]>,
    kind: PhantomData<fn() -> K>,
}

impl<K: TokenKind> PlainToken<K> {
    /// Makes a new token.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut random = Zeroizing::new([0; 32]);
        entropy.fill(random.as_mut_slice())?;
        let mut text = Zeroizing::new([0; TEXT_LENGTH]);
        BASE64URL_NOPAD.encode_mut(random.as_slice(), text.as_mut_slice());
        Ok(Self { text, kind: PhantomData })
    }

    /// Reads a token as its holder sends it; only the one form that [`PlainToken::make`] writes.
    ///
    /// # Errors
    ///
    /// [`ParseTokenError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseTokenError> {
        let text: [u8; TEXT_LENGTH] = text.as_bytes().try_into().map_err(|_| ParseTokenError)?;
        let text = Zeroizing::new(text);
        let mut random = Zeroizing::new([0; 32]);
        BASE64URL_NOPAD
            .decode_mut(text.as_slice(), random.as_mut_slice())
            .map_err(|_| ParseTokenError)?;
        Ok(Self { text, kind: PhantomData })
    }

    /// Looks inside, to hand the token to its holder once.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(self.text.as_slice()).expect("base64url is ASCII")
    }

    /// The digest under which the token is stored and looked up.
    pub fn digest(&self, key: &TokenKey) -> TokenDigest<K> {
        TokenDigest::of(key, self.text.as_slice())
    }

    /// What stands in the column of a row that somebody wrote who has the token and not the key: a plain hash, of the text or
    /// of the bytes behind it. This program never writes such a digest.
    pub fn plain_digests(&self) -> [TokenDigest<K>; 2] {
        let mut random = Zeroizing::new([0; 32]);
        BASE64URL_NOPAD
            .decode_mut(self.text.as_slice(), random.as_mut_slice())
            .expect("a token is base64url of 32 bytes");
        [self.text.as_slice(), random.as_slice()].map(|plain| TokenDigest::from_bytes(plain_hash(plain)))
    }
}

/// A text that is no token; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct ParseTokenError;

/// What is stored of a token: HMAC-SHA-256 under the token key over kind and token.
///
/// Without the key nobody can tell whether a token belongs to it. Comparison is in constant time; `Debug` shows nothing.
pub struct TokenDigest<K> {
    bytes: [u8; 32],
    kind: PhantomData<fn() -> K>,
}

impl<K: TokenKind> TokenDigest<K> {
    /// The digest of what makes up a token of this kind.
    pub(crate) fn of(key: &TokenKey, token: &[u8]) -> Self {
        let mut message = Fields::of(K::NAME).with(token).into_bytes();
        let bytes = key.authenticate(&message);
        message.zeroize();
        Self::from_bytes(bytes)
    }

    /// The bytes, as a database stores them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Takes the bytes back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, kind: PhantomData }
    }
}

impl<K> Clone for TokenDigest<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for TokenDigest<K> {}

impl<K> PartialEq for TokenDigest<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl<K> Eq for TokenDigest<K> {}

impl<K: TokenKind> fmt::Debug for TokenDigest<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest<{}>(…)", K::NAME)
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::kind::{ApiKey, Invite, NAMES, Session};
    use super::*;
    use crate::key::IdentityKey;

    fn key() -> TokenKey {
        TokenKey::derive(&IdentityKey::make(&OsEntropy).expect("random"))
    }

    #[test]
    fn a_token_is_43_characters_of_base64url_and_no_two_are_alike() {
        let mut texts: Vec<String> = (0..1000)
            .map(|_| PlainToken::<Session>::make(&OsEntropy).expect("random").expose().to_owned())
            .collect();
        for text in &texts {
            assert_eq!(text.len(), 43);
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{text}"
            );
        }
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 1000);
    }

    #[test]
    fn the_same_text_has_another_digest_for_another_kind_and_another_key() {
        let text = "A".repeat(43);
        let key = key();
        let session = PlainToken::<Session>::parse(&text).expect("a token").digest(&key);
        let invite = PlainToken::<Invite>::parse(&text).expect("a token").digest(&key);
        assert_ne!(session.as_bytes(), invite.as_bytes());
        assert!(session == PlainToken::<Session>::parse(&text).expect("a token").digest(&key));
        assert!(session != PlainToken::<Session>::parse(&text).expect("a token").digest(&self::key()));
        assert_eq!(
            format!("{:?}", TokenDigest::<ApiKey>::from_bytes([7; 32])),
            "TokenDigest<api-key>(…)"
        );
    }

    #[test]
    fn no_two_kinds_share_a_name() {
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }

    #[test]
    fn only_the_form_that_is_made_is_read() {
        let padded = format!("{}=", "A".repeat(43));
        let spaced = format!(" {}", "A".repeat(42));
        // The last character holds two bits that no token has.
        let loose = format!("{}B", "A".repeat(42));
        for bad in ["", "A", &padded, &spaced, &loose, &"A".repeat(44), &"+".repeat(43), &"é".repeat(43)] {
            assert!(PlainToken::<Session>::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_kept(text in "[A-Za-z0-9_-]{43}|\\PC{0,50}") {
            if let Ok(token) = PlainToken::<Session>::parse(&text) {
                prop_assert_eq!(token.expose(), text);
            }
        }
    }
}
