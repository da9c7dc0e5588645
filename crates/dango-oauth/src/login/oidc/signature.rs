//! Signed tokens (RFC 7515, compact): three algorithms, the key from the provider's list and from nowhere else.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::claims::IdTokenError;

const LONGEST_TOKEN: usize = 16 * 1024;

/// The algorithms that are taken (RFC 7518 §3.1, RFC 8037 §3.1). Nothing symmetric and never `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A public key of a provider.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    /// Reads a key of a list (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2); `None` for one that is of no use here.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let bytes = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).ok();
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (material, algorithm) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (modulus, exponent) = (bytes("n")?, bytes("e")?);
                (Material::Rsa { modulus, exponent }, Algorithm::Rs256)
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                // An uncompressed point (SEC 1 §2.3.3).
                (Material::P256([&[4], x.as_slice(), y.as_slice()].concat()), Algorithm::Es256)
            }
            ("OKP", Some("Ed25519")) => (Material::Ed25519(bytes("x")?), Algorithm::EdDsa),
            _ => return None,
        };
        if text("alg").is_some_and(|name| Algorithm::parse(name) != Some(algorithm)) {
            return None;
        }
        let id = text("kid").map(str::to_owned);
        Some(Self { id, material })
    }

    const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let outcome = match &self.material {
            Material::Rsa { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus.as_slice(),
                e: exponent.as_slice(),
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Material::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
        };
        outcome.is_ok()
    }
}

/// What of a token's header is listened to: the algorithm and the key's name. Keys and addresses of keys in it
/// (`jwk`, `jku`, `x5c`, `x5u`) are the sender's word about the sender, and are not looked at.
#[derive(Clone, Debug)]
pub(super) struct Header {
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl Header {
    /// The key that the header names. Without a name there must be one key only that fits.
    pub(super) fn choose<'a>(&self, keys: &'a [Key]) -> Option<&'a Key> {
        let mut fitting = keys.iter().filter(|key| {
            let named = self.key_id.is_none() || key.id == self.key_id;
            named && key.algorithm() == self.algorithm
        });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

/// A token whose signature was not verified yet: its claims cannot be read.
pub(super) struct Signed<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Result<Self, IdTokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(IdTokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(IdTokenError::Malformed)?;
        let header = object(&decode(header)?)?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let algorithm = algorithm.ok_or(IdTokenError::Algorithm)?;
        // Extensions that must be understood (RFC 7515 §4.1.11), and tokens that are for something else (RFC 8725 §3.11).
        let other_type = match header.get("typ") {
            None => false,
            Some(Value::String(name)) => !name.eq_ignore_ascii_case("JWT"),
            Some(_) => true,
        };
        if header.contains_key("crit") || header.contains_key("b64") || other_type {
            return Err(IdTokenError::Malformed);
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(IdTokenError::Malformed),
        };
        Ok(Self {
            header: Header { algorithm, key_id },
            message,
            payload,
            signature: decode(signature)?,
        })
    }

    /// The header, which is the sender's word alone.
    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    /// Verifies the signature and gives out the claims.
    pub(super) fn verify(self, key: &Key) -> Result<Map<String, Value>, IdTokenError> {
        if key.algorithm() != self.header.algorithm || !key.is_signed(self.message.as_bytes(), &self.signature) {
            return Err(IdTokenError::Signature);
        }
        object(&decode(self.payload)?)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, IdTokenError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| IdTokenError::Malformed)
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, IdTokenError> {
    serde_json::from_slice(bytes).map_err(|_| IdTokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    // RFC 7515, appendix A.2: RS256.
    const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const RSA_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    // RFC 7515, appendix A.3: ES256.
    const EC_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    // RFC 8037, appendix A.4: EdDSA. Its payload is text, so only the signature can be looked at.
    const ED_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    // RFC 7520, section 4.1: RS256 with a key that is named. Its payload is text, too.
    const NAMED_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
    const NAMED_MODULUS: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";

    fn keys() -> [Value; 3] {
        [
            json!({"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        ]
    }

    fn verified(token: &str, key: &Value) -> Result<Map<String, Value>, IdTokenError> {
        Signed::parse(token)?.verify(&Key::parse(key).expect("a key"))
    }

    #[test]
    fn the_examples_of_the_standards_verify() {
        let [rsa, ec, ed] = keys();
        for (token, key) in [(RSA_TOKEN, &rsa), (EC_TOKEN, &ec)] {
            let claims = verified(token, key).expect("a good signature");
            assert_eq!(claims.get("iss"), Some(&json!("joe")));
        }
        // The signature is good, and then the text is no object.
        assert_eq!(verified(ED_TOKEN, &ed), Err(IdTokenError::Malformed));
        let named = json!({"kty": "RSA", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "n": NAMED_MODULUS, "e": "AQAB"});
        assert_eq!(verified(NAMED_TOKEN, &named), Err(IdTokenError::Malformed));
        assert_eq!(verified(NAMED_TOKEN, &rsa), Err(IdTokenError::Signature));
        let header = Signed::parse(NAMED_TOKEN).expect("a token").header;
        let keys = [&rsa, &named].map(|key| Key::parse(key).expect("a key"));
        assert_eq!(
            header.choose(&keys).and_then(|key| key.id.as_deref()),
            Some("bilbo.baggins@hobbiton.example")
        );
        let other = json!({"kty": "OKP", "crv": "Ed25519", "x": "22qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert_eq!(verified(ED_TOKEN, &other), Err(IdTokenError::Signature));
    }

    #[test]
    fn the_standard_s_own_examples_without_a_public_key_are_refused() {
        // RFC 7515, appendices A.1 (HS256), A.4 (ES512) and A.5 (none).
        let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        for token in [
            format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn".to_owned(),
            format!("eyJhbGciOiJub25lIn0.{payload}."),
        ] {
            assert_eq!(Signed::parse(&token).map(|_| ()), Err(IdTokenError::Algorithm), "{token}");
        }
    }

    #[test]
    fn a_changed_character_is_a_bad_signature() {
        let [rsa, ec, _] = keys();
        for (token, key) in [(RSA_TOKEN, &rsa), (EC_TOKEN, &ec)] {
            let changed = token.replacen(".eyJ", ".eyK", 1);
            assert_eq!(verified(&changed, key), Err(IdTokenError::Signature));
        }
        assert_eq!(verified(RSA_TOKEN, &ec), Err(IdTokenError::Signature));
    }

    #[test]
    fn a_key_that_is_not_for_these_algorithms_is_no_key() {
        let [rsa, ec, ed] = keys();
        let with = |key: &Value, name: &str, value: &str| {
            let mut key = key.clone();
            key[name] = json!(value);
            key
        };
        for bad in [
            with(&rsa, "use", "enc"),
            with(&rsa, "alg", "RS512"),
            with(&rsa, "alg", "HS256"),
            with(&ec, "crv", "P-384"),
            with(&ec, "x", "AQAB"),
            with(&ed, "crv", "X25519"),
            with(&rsa, "n", "no base64!"),
            json!({"kty": "oct", "k": "AQAB"}),
            json!("RSA"),
        ] {
            assert!(Key::parse(&bad).is_none(), "{bad}");
        }
        assert!(Key::parse(&with(&rsa, "alg", "RS256")).is_some());
    }

    proptest! {
        #[test]
        fn no_token_panics(token in "[A-Za-z0-9_.{}=-]{0,200}", header in "\\PC{0,60}", payload in "\\PC{0,60}") {
            let _ = Signed::parse(&token);
            let encoded = format!("{}.{}.", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload.as_bytes()));
            let _ = Signed::parse(&encoded);
        }
    }

    #[test]
    fn a_header_without_a_key_s_name_needs_a_list_with_one_that_fits() {
        let [rsa, ec, _] = keys().map(|key| Key::parse(&key).expect("a key"));
        let header = Signed::parse(RSA_TOKEN).expect("a token").header;
        assert!(header.choose(&[ec.clone(), rsa.clone()]).is_some());
        assert!(header.choose(&[rsa.clone(), rsa]).is_none());
        assert!(header.choose(&[ec]).is_none());
    }
}
