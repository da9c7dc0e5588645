//! Login with OpenID Connect against an honest provider and a hostile one: discovery, keys, and forged ID tokens.

use std::sync::{Arc, Mutex};

use dango_core::Timestamp;
use dango_oauth::{Context, DiscoveryError, IdTokenError, LoginError, LoginIdentity, OidcLogin, OidcSettings, ProviderError};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::support::{Counting, Local, Reply, client, http, now, parameters, redirect_uri};

// The private key of RFC 7515, appendix A.2.1.
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const PRIVATE: [&str; 6] = [
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
];

fn rsa() -> RsaKeyPair {
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let [d, p, q, dp, dq, qi] = PRIVATE.map(bytes);
    let public_key = PublicKeyComponents {
        n: bytes(N),
        e: vec![1, 0, 1],
    };
    let components = KeyPairComponents {
        public_key,
        d,
        p,
        q,
        dP: dp,
        dQ: dq,
        qInv: qi,
    };
    RsaKeyPair::from_components(&components).unwrap()
}

/// An Ed25519 key that is the provider's, or somebody else's.
fn ed(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn ec() -> EcdsaKeyPair {
    let rng = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &rng).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn jwk_ed(key: &Ed25519KeyPair, kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": encode(key.public_key())})
}

fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    format!("{message}.{}", encode(sign(message.as_bytes())))
}

fn sign_ed(header: &Value, claims: &Value, seed: u8) -> String {
    signed(header, claims, |message| ed(seed).sign(message).as_ref().to_vec())
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"})
}

/// What an honest provider says of Ada.
fn claims(issuer: &str, nonce: &str) -> Value {
    let seconds = now().unix_micros() / 1_000_000;
    json!({
        "iss": issuer, "sub": "248289761001", "aud": "client id+1", "nonce": nonce, "exp": seconds + 300, "iat": seconds,
        "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace",
    })
}

/// A provider whose ID token each test writes: the issuer and the nonce go in, a token comes out.
struct OpenId {
    local: Local,
    token: Arc<Mutex<String>>,
    keys: Arc<Mutex<Value>>,
    userinfo: Arc<Mutex<Value>>,
}

impl OpenId {
    async fn start(document: impl Fn(&str) -> Value + Send + Sync + 'static) -> Self {
        let (token, keys) = (
            Arc::new(Mutex::new(String::new())),
            Arc::new(Mutex::new(json!({"keys": [jwk_ed(&ed(1), "k1")]}))),
        );
        let userinfo = Arc::new(Mutex::new(Value::Null));
        let (answered, listed, told) = (Arc::clone(&token), Arc::clone(&keys), Arc::clone(&userinfo));
        let local = Local::start(move |seen| {
            let base = format!("http://{}", seen.header("host").unwrap());
            match seen.path() {
                "/.well-known/openid-configuration" => match document(&base) {
                    Value::Null => Reply::plain(503, b""),
                    document => Reply::json(200, document),
                },
                "/jwks" => Reply::json(200, listed.lock().unwrap().clone()),
                "/token" => Reply::json(
                    200,
                    json!({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": answered.lock().unwrap().clone()}),
                ),
                "/userinfo" => match told.lock().unwrap().clone() {
                    Value::Null => Reply::plain(503, b""),
                    claims => Reply::json(200, claims),
                },
                _ => Reply::plain(404, b""),
            }
        });
        let local = local.await;
        Self {
            local,
            token,
            keys,
            userinfo,
        }
    }

    async fn honest() -> Self {
        Self::start(document).await
    }

    fn login(&self) -> OidcLogin {
        OidcLogin::new(OidcSettings::new("corp", &self.local.base, &[], false).unwrap(), client())
    }

    /// A whole login in which the provider gives the token that `forge` makes of issuer and nonce.
    async fn log_in_with(
        &self,
        login: &OidcLogin,
        at: Timestamp,
        forge: impl FnOnce(&str, &str) -> String,
    ) -> Result<LoginIdentity, LoginError> {
        let caller = http();
        let context = Context::new("corp", &["browser"]);
        let begun = login.begin(&caller, &redirect_uri(), context, &Counting::default(), at).await?;
        let asked = parameters(&begun.authorization_url);
        *self.token.lock().unwrap() = forge(&self.local.base, &asked["nonce"]);
        let answer = dango_oauth::CallbackAnswer::parse(&format!("code=c&state={}", asked["state"])).unwrap();
        let redeemable = begun.pending.finish(answer, &context, at).unwrap();
        login.finish(&caller, redeemable, at).await
    }

    async fn refusal(&self, forge: impl FnOnce(&str, &str) -> String) -> IdTokenError {
        match self.log_in_with(&self.login(), now(), forge).await {
            Err(LoginError::IdToken(error)) => error,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("somebody is logged in"),
        }
    }
}

fn document(base: &str) -> Value {
    json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "none", "HS256"],
    })
}

#[tokio::test]
async fn an_honest_token_of_each_algorithm_logs_in() {
    let openid = OpenId::honest().await;
    let (rsa, ec) = (rsa(), ec());
    let point = ec.public_key().as_ref().to_vec();
    *openid.keys.lock().unwrap() = json!({"keys": [
        jwk_ed(&ed(1), "k1"),
        {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k2", "n": N, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "use": "sig", "kid": "k3", "x": encode(&point[1..33]), "y": encode(&point[33..])},
        {"kty": "EC", "crv": "secp256k1", "kid": "k4", "x": "AA", "y": "AA"},
    ]});
    let rng = SystemRandom::new();
    let with_rsa = |issuer: &str, nonce: &str| {
        signed(&json!({"alg": "RS256", "kid": "k2"}), &claims(issuer, nonce), |message| {
            let mut signature = vec![0; rsa.public().modulus_len()];
            rsa.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature).unwrap();
            signature
        })
    };
    let with_ec = |issuer: &str, nonce: &str| {
        signed(&json!({"alg": "ES256", "kid": "k3"}), &claims(issuer, nonce), |message| {
            ec.sign(&rng, message).unwrap().as_ref().to_vec()
        })
    };
    let login = openid.login();
    let ada = openid
        .log_in_with(&login, now(), |issuer, nonce| sign_ed(&header(), &claims(issuer, nonce), 1))
        .await
        .unwrap();
    assert_eq!(ada.issuer, openid.local.base);
    assert_eq!(ada.subject, "248289761001");
    assert_eq!(ada.email.as_ref().unwrap().as_str(), "ada@example.com");
    assert_eq!(openid.log_in_with(&login, now(), with_rsa).await.unwrap(), ada);
    assert_eq!(openid.log_in_with(&login, now(), with_ec).await.unwrap(), ada);
    // The configuration and the keys were asked once.
    assert_eq!(openid.local.asked("/.well-known/openid-configuration"), 1);
    assert_eq!(openid.local.asked("/jwks"), 1);
    // Without a list of its ways, the token endpoint is told with HTTP Basic who we are.
    let seen = openid.local.seen();
    let exchange = seen.iter().find(|seen| seen.path() == "/token").unwrap();
    assert!(exchange.header("authorization").unwrap().starts_with("Basic "));
    assert_eq!(exchange.form()["code_verifier"].len(), 43);
}

#[tokio::test]
async fn a_forged_signature_or_header_logs_nobody_in() {
    let openid = OpenId::honest().await;
    let public = encode(ed(1).public_key());
    let evil_key = jwk_ed(&ed(2), "k1");
    let with = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        header
    };
    // Each is signed by somebody else's key, or by none, and says that it is good.
    let forged: [(&str, IdTokenError, Value, bool); 13] = [
        ("alg none", IdTokenError::Algorithm, with("alg", json!("none")), false),
        ("alg None", IdTokenError::Algorithm, with("alg", json!("None")), false),
        ("no alg", IdTokenError::Algorithm, json!({"kid": "k1"}), true),
        (
            "HS256 with the public key",
            IdTokenError::Algorithm,
            with("alg", json!("HS256")),
            true,
        ),
        ("RS512", IdTokenError::Algorithm, with("alg", json!("RS512")), true),
        ("another key", IdTokenError::Signature, header(), true),
        ("a key in the header", IdTokenError::Signature, with("jwk", evil_key.clone()), true),
        (
            "the address of keys",
            IdTokenError::Signature,
            with("jku", json!("http://127.0.0.1:1/jwks")),
            true,
        ),
        (
            "a certificate's address",
            IdTokenError::Signature,
            with("x5u", json!("http://127.0.0.1:1/x")),
            true,
        ),
        ("an unknown key", IdTokenError::UnknownKey, with("kid", json!("../../k1")), true),
        ("an extension", IdTokenError::Malformed, with("crit", json!(["exp"])), true),
        ("another kind of token", IdTokenError::Malformed, with("typ", json!("at+jwt")), true),
        (
            "another key's algorithm",
            IdTokenError::UnknownKey,
            with("alg", json!("RS256")),
            true,
        ),
    ];
    for (name, expected, header, is_signed) in forged {
        let error = openid
            .refusal(|issuer, nonce| {
                let token = sign_ed(&header, &claims(issuer, nonce), 2);
                match is_signed {
                    true => token,
                    false => format!("{}.", token.rsplit_once('.').unwrap().0),
                }
            })
            .await;
        assert_eq!(error, expected, "{name}");
    }
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes());
    let error = openid
        .refusal(|issuer, nonce| {
            signed(&with("alg", json!("HS256")), &claims(issuer, nonce), |message| {
                ring::hmac::sign(&hmac, message).as_ref().to_vec()
            })
        })
        .await;
    assert_eq!(error, IdTokenError::Algorithm);
    for broken in ["", "a", "a.b", "a.b.c.d", "..", "e30.e30.", "{}.{}.{}"] {
        let error = openid.refusal(|_, _| broken.to_owned()).await;
        assert!(
            matches!(error, IdTokenError::Malformed | IdTokenError::Algorithm | IdTokenError::Missing),
            "{broken}: {error}"
        );
    }
    let swapped = openid
        .refusal(|issuer, nonce| {
            let good = sign_ed(&header(), &claims(issuer, nonce), 1);
            let mut other = claims(issuer, nonce);
            other["sub"] = json!("victim");
            let parts: Vec<_> = good.split('.').collect();
            format!("{}.{}.{}", parts[0], encode(other.to_string()), parts[2])
        })
        .await;
    assert_eq!(swapped, IdTokenError::Signature);
}

#[tokio::test]
async fn a_well_signed_token_for_something_else_logs_nobody_in() {
    let openid = OpenId::honest().await;
    let seconds = now().unix_micros() / 1_000_000;
    let cases: [(&str, Value, IdTokenError); 23] = [
        ("iss", json!("https://evil.example"), IdTokenError::Issuer),
        ("iss", Value::Null, IdTokenError::Issuer),
        ("iss", json!(["ISSUER"]), IdTokenError::Issuer),
        ("aud", json!("another client"), IdTokenError::Audience),
        ("aud", json!(["another client", "client id+1"]), IdTokenError::Audience),
        ("aud", json!([]), IdTokenError::Audience),
        ("aud", Value::Null, IdTokenError::Audience),
        ("azp", json!("another client"), IdTokenError::Audience),
        ("azp", json!(7), IdTokenError::Audience),
        ("exp", json!(seconds - 60), IdTokenError::Time),
        ("exp", json!((seconds + 300).to_string()), IdTokenError::Time),
        ("exp", Value::Null, IdTokenError::Time),
        ("iat", json!(seconds + 61), IdTokenError::Time),
        ("iat", Value::Null, IdTokenError::Time),
        ("nbf", json!(seconds + 61), IdTokenError::Time),
        ("nbf", json!("now"), IdTokenError::Time),
        ("nonce", json!("another"), IdTokenError::Nonce),
        ("nonce", Value::Null, IdTokenError::Nonce),
        ("nonce", json!(""), IdTokenError::Nonce),
        ("sub", json!(""), IdTokenError::Subject),
        ("sub", json!(248_289_761_001_i64), IdTokenError::Subject),
        ("sub", json!("a\nb"), IdTokenError::Subject),
        ("sub", json!("x".repeat(256)), IdTokenError::Subject),
    ];
    for (name, value, expected) in cases {
        let error = openid
            .refusal(|issuer, nonce| {
                let mut claims = claims(issuer, nonce);
                claims[name] = value.clone();
                if value.is_null() {
                    claims.as_object_mut().unwrap().remove(name);
                }
                sign_ed(&header(), &claims, 1)
            })
            .await;
        assert_eq!(error, expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart_and_audiences_may_be_a_list() {
    let openid = OpenId::honest().await;
    let seconds = now().unix_micros() / 1_000_000;
    let login = openid.login();
    for (name, value) in [
        ("exp", json!(seconds - 59)),
        ("iat", json!(seconds + 60)),
        ("exp", json!(seconds as f64 + 0.5)),
        ("aud", json!(["client id+1"])),
        ("azp", json!("client id+1")),
    ] {
        let outcome = openid.log_in_with(&login, now(), |issuer, nonce| {
            let mut claims = claims(issuer, nonce);
            claims[name] = value.clone();
            sign_ed(&header(), &claims, 1)
        });
        assert!(outcome.await.is_ok(), "{name}: {value}");
    }
}

#[tokio::test]
async fn the_key_of_an_account_is_never_its_address() {
    let openid = OpenId::honest().await;
    let login = openid.login();
    for (verified, expected) in [
        (json!(true), true),
        (json!(false), false),
        (json!("true"), false),
        (json!(1), false),
        (Value::Null, false),
    ] {
        let identity = openid
            .log_in_with(&login, now(), |issuer, nonce| {
                let mut claims = claims(issuer, nonce);
                claims["sub"] = json!("mallory");
                claims["email_verified"] = verified.clone();
                sign_ed(&header(), &claims, 1)
            })
            .await
            .unwrap();
        // A new subject with a known address stays a new subject; an address that is not verified is none.
        assert_eq!(identity.subject, "mallory");
        assert_eq!(identity.email.is_some(), expected, "{verified}");
    }
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_a_minute() {
    let openid = OpenId::honest().await;
    let login = openid.login();
    let unknown = |number: usize| {
        move |issuer: &str, nonce: &str| sign_ed(&json!({"alg": "EdDSA", "kid": format!("u{number}")}), &claims(issuer, nonce), 1)
    };
    for number in 0..100 {
        let outcome = openid.log_in_with(&login, now(), unknown(number)).await;
        assert!(matches!(outcome, Err(LoginError::IdToken(IdTokenError::UnknownKey))));
    }
    assert_eq!(openid.local.asked("/jwks"), 1);
    // A known key goes on working meanwhile.
    assert!(
        openid
            .log_in_with(&login, now(), |issuer, nonce| sign_ed(&header(), &claims(issuer, nonce), 1))
            .await
            .is_ok()
    );
    assert_eq!(openid.local.asked("/jwks"), 1);
    // The provider changes its key; a minute later it is found.
    *openid.keys.lock().unwrap() = json!({"keys": [jwk_ed(&ed(3), "k9")]});
    let later = Timestamp::from_unix_micros(now().unix_micros() + 60_000_000);
    let rotated = |issuer: &str, nonce: &str| sign_ed(&json!({"alg": "EdDSA", "kid": "k9"}), &claims(issuer, nonce), 3);
    assert!(openid.log_in_with(&login, now(), rotated).await.is_err());
    assert!(openid.log_in_with(&login, later, rotated).await.is_ok());
    assert_eq!(openid.local.asked("/jwks"), 2);
    // The withdrawn one is worth nothing any more.
    assert!(
        openid
            .log_in_with(&login, later, |issuer, nonce| sign_ed(&header(), &claims(issuer, nonce), 1))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn keys_that_cannot_be_read_log_nobody_in() {
    let openid = OpenId::honest().await;
    for keys in [json!({}), json!({"keys": "all"}), json!([])] {
        *openid.keys.lock().unwrap() = keys;
        let error = openid.refusal(|issuer, nonce| sign_ed(&header(), &claims(issuer, nonce), 1)).await;
        assert!(matches!(error, IdTokenError::Keys(ProviderError::Malformed)), "{error:?}");
    }
    let crowd: Vec<_> = (0..500).map(|number| jwk_ed(&ed(1), &format!("x{number}"))).collect();
    *openid.keys.lock().unwrap() = json!({"keys": crowd});
    let error = openid
        .refusal(|issuer, nonce| sign_ed(&json!({"alg": "EdDSA", "kid": "x499"}), &claims(issuer, nonce), 1))
        .await;
    assert_eq!(error, IdTokenError::UnknownKey);
}

#[tokio::test]
async fn a_provider_that_names_another_issuer_or_host_begins_nothing() {
    type Change = (&'static str, fn(&str) -> Value, DiscoveryError);
    let changes: [Change; 8] = [
        ("issuer", |_| json!("https://accounts.google.com"), DiscoveryError::Issuer),
        ("issuer", |base| json!(format!("{base}/")), DiscoveryError::Issuer),
        ("issuer", |_| Value::Null, DiscoveryError::Issuer),
        (
            "token_endpoint",
            |_| json!("http://169.254.169.254/token"),
            DiscoveryError::Endpoint("token_endpoint"),
        ),
        (
            "token_endpoint",
            |_| json!("https://evil.example/token"),
            DiscoveryError::ForeignHost("token_endpoint"),
        ),
        (
            "jwks_uri",
            |_| json!("http://127.0.0.1:1/jwks"),
            DiscoveryError::ForeignHost("jwks_uri"),
        ),
        (
            "authorization_endpoint",
            |_| json!("javascript:alert(1)"),
            DiscoveryError::Endpoint("authorization_endpoint"),
        ),
        ("jwks_uri", |_| Value::Null, DiscoveryError::Endpoint("jwks_uri")),
    ];
    for (name, change, expected) in changes {
        let openid = OpenId::start(move |base| {
            let mut document = document(base);
            document[name] = change(base);
            document
        });
        let openid = openid.await;
        let outcome = openid.log_in_with(&openid.login(), now(), |_, _| String::new()).await;
        let Err(LoginError::Discovery(error)) = outcome else {
            panic!("{name}")
        };
        assert_eq!(error, expected, "{name}");
    }
}

#[tokio::test]
async fn a_provider_that_says_it_names_itself_must_do_so() {
    let openid = OpenId::start(|base| {
        let mut document = document(base);
        document["authorization_response_iss_parameter_supported"] = json!(true);
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        document
    });
    let openid = openid.await;
    let (login, caller) = (openid.login(), http());
    let context = Context::new("corp", &["browser"]);
    for (issuer, good) in [
        (String::new(), false),
        ("&iss=https%3A%2F%2Fevil.example".to_owned(), false),
        (format!("&iss={}", openid.local.base), true),
    ] {
        let begun = login
            .begin(&caller, &redirect_uri(), context, &Counting::default(), now())
            .await
            .unwrap();
        let state = &parameters(&begun.authorization_url)["state"];
        let answer = dango_oauth::CallbackAnswer::parse(&format!("code=c&state={state}{issuer}")).unwrap();
        assert_eq!(begun.pending.finish(answer, &context, now()).is_ok(), good, "{issuer}");
    }
    assert_eq!(openid.local.asked("/token"), 0);
}

#[tokio::test]
async fn an_old_configuration_goes_on_while_the_provider_has_trouble() {
    let broken = Arc::new(Mutex::new(false));
    let is_broken = Arc::clone(&broken);
    let openid = OpenId::start(move |base| if *is_broken.lock().unwrap() { Value::Null } else { document(base) }).await;
    let login = openid.login();
    let good = |issuer: &str, nonce: &str| {
        let mut claims = claims(issuer, nonce);
        claims["exp"] = json!(now().unix_micros() / 1_000_000 + 100_000);
        sign_ed(&header(), &claims, 1)
    };
    assert!(openid.log_in_with(&login, now(), good).await.is_ok());
    *broken.lock().unwrap() = true;
    let later = Timestamp::from_unix_micros(now().unix_micros() + 2 * 3_600_000_000);
    assert!(openid.log_in_with(&login, later, good).await.is_ok());
    // One that has nothing old is told so, and does not ask again at once.
    let (fresh, before) = (openid.login(), openid.local.asked("/.well-known/openid-configuration"));
    for _ in 0..5 {
        assert!(matches!(
            openid.log_in_with(&fresh, later, good).await,
            Err(LoginError::Discovery(_))
        ));
    }
    assert_eq!(openid.local.asked("/.well-known/openid-configuration"), before + 1);
}

#[tokio::test]
async fn a_crowd_with_unknown_keys_causes_one_fetch() {
    let openid = OpenId::honest().await;
    *openid.token.lock().unwrap() = sign_ed(&json!({"alg": "EdDSA", "kid": "nobody's"}), &json!({}), 1);
    let login = Arc::new(openid.login());
    let crowd: Vec<_> = (0..30)
        .map(|number: u32| {
            let login = Arc::clone(&login);
            tokio::spawn(async move {
                let context = Context::new("corp", &[&number.to_string()]);
                let begun = login
                    .begin(&http(), &redirect_uri(), context, &Counting::default(), now())
                    .await
                    .unwrap();
                let state = parameters(&begun.authorization_url)["state"].clone();
                let answer = dango_oauth::CallbackAnswer::parse(&format!("code=c&state={state}")).unwrap();
                let redeemable = begun.pending.finish(answer, &context, now()).unwrap();
                login.finish(&http(), redeemable, now()).await.err().unwrap()
            })
        })
        .collect();
    for member in crowd {
        assert!(matches!(member.await.unwrap(), LoginError::IdToken(IdTokenError::UnknownKey)));
    }
    assert_eq!(openid.local.asked("/jwks"), 1);
    assert_eq!(openid.local.asked("/.well-known/openid-configuration"), 1);
}

#[test]
fn google_is_itself_unless_its_token_endpoint_is_replaced() {
    let provider = dango_oauth::Providers::builtin().find("google").unwrap().clone();
    let none = dango_oauth::Replacement::none();
    assert_eq!(OidcSettings::google(&none).unwrap().issuer(), "https://accounts.google.com");
    let replaced = dango_oauth::Replacement::from_environment(&provider, |name| {
        (name == "DANGO_OAUTH_GOOGLE_TOKEN_URL").then(|| "http://127.0.0.1:9/token".to_owned())
    });
    assert_eq!(OidcSettings::google(&replaced.unwrap()).unwrap().issuer(), "http://127.0.0.1:9");
}

#[tokio::test]
async fn an_address_that_is_not_in_the_token_is_asked_for() {
    for (userinfo, expected) in [
        (
            json!({"sub": "248289761001", "email": "ada@example.com", "email_verified": true}),
            Ok(true),
        ),
        (
            json!({"sub": "248289761001", "email": "ada@example.com", "email_verified": false}),
            Ok(false),
        ),
        (
            json!({"sub": "somebody else", "email": "victim@example.com", "email_verified": true}),
            Err(()),
        ),
        (json!({"email": "victim@example.com", "email_verified": true}), Err(())),
        // Without an answer, whoever is known already is still known.
        (Value::Null, Ok(false)),
    ] {
        let openid = OpenId::start(move |base| {
            let mut document = document(base);
            document["userinfo_endpoint"] = json!(format!("{base}/userinfo"));
            document
        })
        .await;
        *openid.userinfo.lock().unwrap() = userinfo.clone();
        let without_address = |issuer: &str, nonce: &str| {
            let mut claims = claims(issuer, nonce);
            claims.as_object_mut().unwrap().remove("email");
            sign_ed(&header(), &claims, 1)
        };
        match (openid.log_in_with(&openid.login(), now(), without_address).await, expected) {
            (Ok(identity), Ok(has_address)) => {
                assert_eq!(identity.subject, "248289761001");
                assert_eq!(identity.email.is_some(), has_address, "{userinfo}");
            }
            (Err(LoginError::IdToken(IdTokenError::Subject)), Err(())) => {}
            (other, _) => panic!("{userinfo}: {other:?}"),
        }
        let seen = openid.local.seen();
        let asked = seen.iter().find(|seen| seen.path() == "/userinfo").unwrap();
        assert_eq!(asked.header("authorization"), Some("Bearer a"));
    }
}
