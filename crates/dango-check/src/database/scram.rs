//! SCRAM (RFC 5802, RFC 7677) as PostgreSQL and MongoDB ask for it: one exchange, in which the server proves that it knows the password, too.

use std::num::NonZeroU32;

use dango_core::Entropy;
use data_encoding::BASE64;
use ring::{digest, hmac as authentication, pbkdf2};
use zeroize::Zeroizing;

use super::{Ended, UNEXPECTED, digests};
use crate::outcome::Trouble;

/// How much work a server may ask for; each of the well-known ones asks for less than a tenth.
const MOST_ITERATIONS: u32 = 1_000_000;

/// The two functions of which SCRAM is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// One exchange.
pub(super) struct Exchange {
    hash: Hash,
    nonce: String,
    /// The client's first message without its header.
    bare: String,
    least_iterations: u32,
    server_signature: Option<Zeroizing<Vec<u8>>>,
}

impl Exchange {
    /// Begins one. `name` is empty where the protocol has said it already; a server that asks for fewer iterations is not answered.
    pub(super) fn begin(hash: Hash, name: &str, least_iterations: u32, entropy: &dyn Entropy) -> Result<Self, Ended> {
        let mut random = [0; 24];
        entropy.fill(&mut random).map_err(|_| Trouble::NotEquipped)?;
        Ok(Self::with_nonce(hash, name, least_iterations, &BASE64.encode(&random)))
    }

    fn with_nonce(hash: Hash, name: &str, least_iterations: u32, nonce: &str) -> Self {
        let name = name.replace('=', "=3D").replace(',', "=2C");
        Self {
            hash,
            nonce: nonce.to_owned(),
            bare: format!("n={name},r={nonce}"),
            least_iterations,
            server_signature: None,
        }
    }

    /// The client's first message.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The client's final message, which answers the server's first.
    pub(super) fn last(&mut self, server_first: &[u8], password: &[u8]) -> Result<String, Ended> {
        let text = std::str::from_utf8(server_first).map_err(|_| UNEXPECTED)?;
        let mut attributes = text.split(',');
        let mut next = |name: &str| attributes.next().and_then(|part| part.strip_prefix(name)).ok_or(UNEXPECTED);
        let (nonce, salt, iterations) = (next("r=")?, next("s=")?, next("i=")?);
        let salt = BASE64.decode(salt.as_bytes()).map_err(|_| UNEXPECTED)?;
        let iterations: u32 = iterations.parse().map_err(|_| UNEXPECTED)?;
        // A nonce that is not ours with something behind it is the answer to somebody else.
        let is_ours = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !is_ours || !(self.least_iterations..=MOST_ITERATIONS).contains(&iterations) {
            return Err(UNEXPECTED);
        }
        let salted = self.salted(password, &salt, NonZeroU32::new(iterations).ok_or(UNEXPECTED)?);
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{},{text},{without_proof}", self.bare);
        let client_key = self.mac(&salted, b"Client Key");
        let stored_key = digests::of(self.hash.digest(), &[&client_key]);
        let proof = digests::xor(&client_key, &self.mac(&stored_key, message.as_bytes()));
        let server_key = self.mac(&salted, b"Server Key");
        self.server_signature = Some(self.mac(&server_key, message.as_bytes()));
        Ok(format!("{without_proof},p={}", BASE64.encode(&proof)))
    }

    /// Whether the server's final message proves that it knows the password.
    pub(super) fn verify(&self, server_last: &[u8]) -> Result<(), Ended> {
        let text = std::str::from_utf8(server_last).map_err(|_| UNEXPECTED)?;
        let signature = text.strip_prefix("v=").and_then(|text| text.split(',').next()).ok_or(UNEXPECTED)?;
        let signature = BASE64.decode(signature.as_bytes()).map_err(|_| UNEXPECTED)?;
        match &self.server_signature {
            // Nothing secret is compared: the other side knows what it sent.
            Some(expected) if **expected == signature => Ok(()),
            _ => Err(UNEXPECTED),
        }
    }

    fn salted(&self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Zeroizing<Vec<u8>> {
        let (algorithm, length) = match self.hash {
            Hash::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN),
            Hash::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
        };
        let mut salted = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
        salted
    }

    fn mac(&self, key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self.hash {
            Hash::Sha1 => authentication::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => authentication::HMAC_SHA256,
        };
        let tag = authentication::sign(&authentication::Key::new(algorithm, key), text);
        Zeroizing::new(tag.as_ref().to_vec())
    }
}

impl Hash {
    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        }
    }
}

/// A password as SCRAM-SHA-256 hashes it (RFC 4013); one that cannot be prepared is taken as it is, as libpq does.
pub(super) fn prepared(password: &str) -> Zeroizing<Vec<u8>> {
    match stringprep::saslprep(password) {
        Ok(text) => Zeroizing::new(text.as_bytes().to_vec()),
        Err(_) => Zeroizing::new(password.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The exchange of RFC 5802 §5.
    #[test]
    fn the_exchange_of_rfc_5802_comes_out() {
        let mut exchange = Exchange::with_nonce(Hash::Sha1, "user", 4096, "fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(exchange.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let first = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        assert_eq!(
            exchange.last(first, b"pencil").as_deref(),
            Ok("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
        );
        assert_eq!(exchange.verify(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Ok(()));
        assert_eq!(exchange.verify(b"v=AAAApqV8S7suAoZWja4dJRkFsKQ="), Err(UNEXPECTED));
        assert_eq!(exchange.verify(b"e=invalid-proof"), Err(UNEXPECTED));
    }

    // The exchange of RFC 7677 §3.
    #[test]
    fn the_exchange_of_rfc_7677_comes_out() {
        let mut exchange = Exchange::with_nonce(Hash::Sha256, "user", 4096, "rOprNGfwEbeRWgbNEkqO");
        let first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            exchange.last(first, b"pencil").as_deref(),
            Ok("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        );
        assert_eq!(exchange.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
    }

    #[test]
    fn a_server_that_would_weaken_or_exhaust_is_not_answered() {
        for first in [
            "r=other,s=QSXCR+Q6sek8bf92,i=4096",
            "r=nonce,s=QSXCR+Q6sek8bf92,i=4096",
            "r=nonceX,s=QSXCR+Q6sek8bf92,i=1",
            "r=nonceX,s=QSXCR+Q6sek8bf92,i=4294967295",
            "r=nonceX,s=?,i=4096",
            "m=x,r=nonceX,s=QSXCR+Q6sek8bf92,i=4096",
        ] {
            let mut exchange = Exchange::with_nonce(Hash::Sha256, "", 4096, "nonce");
            assert_eq!(exchange.last(first.as_bytes(), b"canary"), Err(UNEXPECTED), "{first}");
        }
    }
}
