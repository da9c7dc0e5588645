//! The keys of the OpenID provider, and what is signed with them (RFC 7515, RFC 7518 §3).

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

// The key of RFC 7515, appendix A.2.1.
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const PRIVATE: [&str; 6] = [
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
];

/// The algorithm that ID tokens are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, which every OpenID provider has (OpenID Connect Core §15.1).
    Rs256,
    /// ECDSA over P-256.
    Es256,
}

/// The keys of a provider, and one that is somebody else's.
pub(super) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    foreign: EcdsaKeyPair,
    random: SystemRandom,
}

impl Keys {
    pub(super) fn make() -> Self {
        let random = SystemRandom::new();
        let ec = || {
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("there is randomness");
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("just made")
        };
        Self {
            rsa: rsa(),
            ec: ec(),
            foreign: ec(),
            random,
        }
    }

    /// The public ones (RFC 7517 §5).
    pub(super) fn public(&self) -> Value {
        json!({"keys": [
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa-1", "n": N, "e": "AQAB"},
            self.jwk(&self.ec, "ec-1"),
        ]})
    }

    /// Somebody else's, as a hostile token would bring it along.
    pub(super) fn foreign_jwk(&self) -> Value {
        self.jwk(&self.foreign, "ec-1")
    }

    fn jwk(&self, key: &EcdsaKeyPair, kid: &str) -> Value {
        // Uncompressed: 4, x, y (SEC 1 §2.3.3).
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": encode(x), "y": encode(y)})
    }

    /// The header that goes with an algorithm.
    pub(super) fn header(&self, algorithm: Algorithm) -> Value {
        match algorithm {
            Algorithm::Rs256 => json!({"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}),
            Algorithm::Es256 => json!({"alg": "ES256", "kid": "ec-1", "typ": "JWT"}),
        }
    }

    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                let signed = self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature);
                signed.expect("a key that was checked signs");
                signature
            }
            Algorithm::Es256 => self.sign_ec(&self.ec, message),
        }
    }

    pub(super) fn sign_as_foreigner(&self, message: &[u8]) -> Vec<u8> {
        self.sign_ec(&self.foreign, message)
    }

    fn sign_ec(&self, key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
        key.sign(&self.random, message)
            .expect("a key that was made signs")
            .as_ref()
            .to_vec()
    }

    /// HMAC with what everybody knows of the RSA key (CVE-2015-9235).
    pub(super) fn sign_with_public_key(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, N.as_bytes()), message)
            .as_ref()
            .to_vec()
    }
}

/// As JOSE writes bytes.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn rsa() -> RsaKeyPair {
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).expect("as in the RFC");
    let [d, p, q, dp, dq, qi] = PRIVATE.map(bytes);
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: bytes(N),
            e: vec![1, 0, 1],
        },
        d,
        p,
        q,
        dP: dp,
        dQ: dq,
        qInv: qi,
    };
    RsaKeyPair::from_components(&components).expect("as in the RFC")
}
