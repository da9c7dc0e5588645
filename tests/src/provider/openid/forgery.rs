//! ID tokens that must not log anybody in: what is wrong with each, and how it is written.

use serde_json::{Value, json};

use super::keys::{Algorithm, Keys, encode};

/// What is wrong with an ID token (OpenID Connect Core §3.1.3.7; RFC 8725).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// None comes.
    Missing,
    /// `alg` is `none`, and there is no signature.
    AlgorithmNone,
    /// The signature is cut off.
    NoSignature,
    /// Signed with HMAC, the provider's public key for its secret.
    PublicKeyAsSecret,
    /// Signed by somebody else in the name of the provider's key.
    ForeignKey,
    /// Signed by somebody else, whose key comes in the header (`jwk`).
    EmbeddedKey,
    /// Signed by somebody else, whose keys are at an address in the header (`jku`).
    KeysElsewhere,
    /// Signed by somebody else, whose certificate is at an address in the header (`x5u`).
    CertificateElsewhere,
    /// Signed with a key that nobody knows, another one each time.
    UnknownKey,
    /// The claims were changed after signing.
    Changed,
    /// `crit` names what nobody understands.
    CriticalHeader,
    /// Another issuer.
    OtherIssuer,
    /// For another client.
    OtherAudience,
    /// For several clients, and no word on which of them asked (`azp`).
    ManyAudiences,
    /// Another client asked (`azp`).
    OtherPresenter,
    /// Over for an hour.
    Expired,
    /// Without an end.
    Endless,
    /// Made an hour from now, and good from then on.
    FromTheFuture,
    /// About nobody.
    NoSubject,
    /// Another login's nonce.
    OtherNonce,
    /// Without a nonce.
    NoNonce,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Missing,
        Self::AlgorithmNone,
        Self::NoSignature,
        Self::PublicKeyAsSecret,
        Self::ForeignKey,
        Self::EmbeddedKey,
        Self::KeysElsewhere,
        Self::CertificateElsewhere,
        Self::UnknownKey,
        Self::Changed,
        Self::CriticalHeader,
        Self::OtherIssuer,
        Self::OtherAudience,
        Self::ManyAudiences,
        Self::OtherPresenter,
        Self::Expired,
        Self::Endless,
        Self::FromTheFuture,
        Self::NoSubject,
        Self::OtherNonce,
        Self::NoNonce,
    ];

    /// Makes a token of honest claims; `None` for none. `serial` tells one token from the next.
    pub(super) fn write(self, keys: &Keys, algorithm: Algorithm, mut claims: Value, serial: usize) -> Option<String> {
        let mut header = keys.header(algorithm);
        let (client, issuer) = (claims["aud"].clone(), claims["iss"].clone());
        let now = claims["iat"].as_i64().unwrap_or_default();
        match self {
            Self::Missing => return None,
            Self::AlgorithmNone => {
                return Some(unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims) + ".");
            }
            Self::NoSignature => return Some(unsigned(&header, &claims) + "."),
            Self::PublicKeyAsSecret => {
                let header = json!({"alg": "HS256", "kid": "rsa-1", "typ": "JWT"});
                return Some(signed(&header, &claims, |message| keys.sign_with_public_key(message)));
            }
            Self::ForeignKey | Self::EmbeddedKey | Self::KeysElsewhere | Self::CertificateElsewhere => {
                header = keys.header(Algorithm::Es256);
                match self {
                    Self::EmbeddedKey => header["jwk"] = keys.foreign_jwk(),
                    Self::KeysElsewhere => header["jku"] = at(&issuer, "/foreign-jwks"),
                    Self::CertificateElsewhere => header["x5u"] = at(&issuer, "/foreign-certificate"),
                    _ => {}
                }
                return Some(signed(&header, &claims, |message| keys.sign_as_foreigner(message)));
            }
            Self::Changed => {
                let honest = signed(&header, &claims, |message| keys.sign(algorithm, message));
                claims["sub"] = json!("somebody-else");
                let signature = honest.rsplit('.').next().unwrap_or_default();
                return Some(format!("{}.{signature}", unsigned(&header, &claims)));
            }
            Self::UnknownKey => header["kid"] = json!(format!("unknown-{serial}")),
            Self::CriticalHeader => {
                header["crit"] = json!(["exp2"]);
                header["exp2"] = json!(1);
            }
            Self::OtherIssuer => claims["iss"] = json!("https://accounts.google.com"),
            Self::OtherAudience => claims["aud"] = json!("another-client"),
            Self::ManyAudiences => claims["aud"] = json!([client, "another-client"]),
            Self::OtherPresenter => claims["azp"] = json!("another-client"),
            Self::Expired => (claims["iat"], claims["exp"]) = (json!(now - 7200), json!(now - 3600)),
            Self::Endless => without(&mut claims, "exp"),
            Self::FromTheFuture => {
                (claims["iat"], claims["exp"]) = (json!(now + 3600), json!(now + 7200));
                claims["nbf"] = claims["iat"].clone();
            }
            Self::NoSubject => without(&mut claims, "sub"),
            Self::OtherNonce => claims["nonce"] = json!("bm9uY2Ugb2YgYW5vdGhlciBsb2dpbg"),
            Self::NoNonce => without(&mut claims, "nonce"),
        }
        Some(signed(&header, &claims, |message| keys.sign(algorithm, message)))
    }
}

/// A token in the compact form (RFC 7515 §3.1).
pub(super) fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = unsigned(header, claims);
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}

fn at(issuer: &Value, path: &str) -> Value {
    json!(format!("{}{path}", issuer.as_str().unwrap_or_default()))
}

fn without(claims: &mut Value, name: &str) {
    if let Some(claims) = claims.as_object_mut() {
        claims.remove(name);
    }
}
