//! The fakes asked over the wire: what they share, the rotating one and the OpenID provider. The samples of the others are in `samples`.

mod samples;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::wire::form;
use super::{Answers, Fake, Forgery, Gate, Google, Hostility, OPEN_CODE, OpenId, Reuse, Rotating, Trouble, consent};

/// An answer as it came.
struct Came {
    status: u16,
    head: String,
    body: String,
}

/// Sends a request; `None` where nothing comes back.
fn ask<A: Answers>(fake: &Fake<A>, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Option<Came> {
    let authority = fake.origin().replace("http://", "");
    let mut stream = TcpStream::connect(authority).expect("it listens");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{method} {target} HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Came {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

fn token<A: Answers>(fake: &Fake<A>, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Came {
    let client = [("client_id", "c"), ("client_secret", "s")];
    ask(fake, "POST", "/token", headers, &form(&[pairs, &client].concat())).expect("an answer")
}

fn with_code<A: Answers>(fake: &Fake<A>, headers: &[(&str, &str)]) -> Came {
    token(fake, headers, &[("grant_type", "authorization_code"), ("code", OPEN_CODE)])
}

fn with_token<A: Answers>(fake: &Fake<A>, method: &str, target: &str, token: &str) -> Came {
    let headers = [("Authorization", format!("Bearer {token}")), ("User-Agent", "test".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    ask(fake, method, target, &headers, "").expect("an answer")
}

fn member(came: &Came, name: &str) -> String {
    let object: Value = serde_json::from_str(&came.body).expect("JSON");
    object[name].as_str().unwrap_or_default().to_owned()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An authorization request without PKCE.
fn authorization<A: Answers>(fake: &Fake<A>, more: &str) -> String {
    let origin = fake.origin();
    format!("{origin}/authorize?response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fapp.example%2Fback&state=xyz{more}")
}

#[test]
fn a_code_is_bound_to_its_verifier_and_its_redirect_uri() {
    // The pair of RFC 7636, appendix B.
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let cases = [
        (verifier, "https://app.example/back", 200),
        (verifier, "https://app.example/other", 400),
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX", "https://app.example/back", 400),
        ("", "https://app.example/back", 400),
    ];
    let fake = Fake::start(Rotating::new(Reuse::Any));
    for (verifier, redirect_uri, status) in cases {
        let back = consent(&authorization(&fake, challenge));
        assert!(
            back.starts_with("https://app.example/back?code=") && back.ends_with("&state=xyz"),
            "{back}"
        );
        let code = &back["https://app.example/back?code=".len()..back.len() - "&state=xyz".len()];
        let mut pairs = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        if !verifier.is_empty() {
            pairs.push(("code_verifier", verifier));
        }
        assert_eq!(token(&fake, &[], &pairs).status, status, "{verifier} {redirect_uri}");
    }
}

#[test]
fn a_rotating_provider_ends_what_is_used_again() {
    let refresh = |fake: &Fake<Rotating>, number: usize| {
        let token_text = format!("canary-r{number}");
        token(fake, &[], &[("grant_type", "refresh_token"), ("refresh_token", &token_text)])
    };
    let strict = Fake::start(Rotating::new(Reuse::Any));
    let _ = with_code(&strict, &[]);
    assert_eq!(member(&refresh(&strict, 0), "refresh_token"), "canary-r1");
    assert_eq!(refresh(&strict, 0).status, 400);
    assert_eq!(
        (refresh(&strict, 1).status, strict.provider().reuses()),
        (400, 1),
        "the whole family has ended"
    );

    for use_access_token in [false, true] {
        let lenient = Fake::start(Rotating::new(Reuse::AfterSuccessor));
        let _ = with_code(&lenient, &[]);
        for _ in 0..3 {
            assert_eq!(
                member(&refresh(&lenient, 0), "refresh_token"),
                "canary-r1",
                "the answer may have been lost"
            );
        }
        let newest = match use_access_token {
            true => {
                assert_eq!(with_token(&lenient, "GET", "/userinfo", "canary-a1").status, 200);
                1
            }
            false => {
                assert_eq!(refresh(&lenient, 1).status, 200);
                2
            }
        };
        assert_eq!((refresh(&lenient, 0).status, lenient.provider().reuses()), (400, 1));
        assert_eq!(refresh(&lenient, newest).status, 400);
    }
}

#[test]
fn an_openid_provider_is_honest_until_it_is_told_otherwise() {
    let fake = Fake::start(OpenId::new());
    let configuration = || {
        parsed(
            &ask(&fake, "GET", "/.well-known/openid-configuration", &[], "")
                .expect("an answer")
                .body,
        )
    };
    // OpenID Connect Discovery 1.0 §3, the required ones.
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(configuration().get(name).is_some(), "{name}");
    }
    assert_eq!(configuration()["issuer"], fake.origin());
    assert!(consent(&authorization(&fake, "")).contains("&iss=http%3A%2F%2F127.0.0.1%3A"));
    for hostility in [
        Hostility::NoIssuerInAnswer,
        Hostility::OtherIssuerInConfiguration,
        Hostility::Redirects("/token"),
    ] {
        fake.provider().turn_hostile(hostility);
    }
    assert!(!consent(&authorization(&fake, "")).contains("iss="));
    assert_ne!(configuration()["issuer"], fake.origin());
    assert!(with_code(&fake, &[]).head.contains("Location: http://169.254.169.254/"));
    fake.provider().turn_honest();
    assert_eq!(configuration()["issuer"], fake.origin());
    let honest = member(&with_code(&fake, &[]), "id_token");
    assert_eq!(honest.split('.').count(), 3);
    let mut forged: Vec<String> = Vec::new();
    for forgery in Forgery::ALL {
        fake.provider().forge(forgery);
        forged.push(member(&with_code(&fake, &[]), "id_token"));
    }
    assert_eq!(forged.iter().filter(|token| token.is_empty()).count(), 1);
    forged.sort();
    forged.dedup();
    assert_eq!(forged.len(), Forgery::ALL.len(), "each is another");
}

#[test]
fn troubles_befall_one_request_each_at_their_path_alone() {
    let fake = Fake::start(Google::new());
    let gate = Gate::shut();
    fake.trouble(
        "/token",
        [
            Trouble::Unavailable,
            Trouble::LostRequest,
            Trouble::LostAnswer,
            Trouble::HeldAnswer(gate.clone()),
        ],
    );
    assert_eq!(ask(&fake, "POST", "/revoke", &[], "").map(|came| came.status), Some(400));
    let body = form(&[
        ("client_id", "c"),
        ("client_secret", "s"),
        ("grant_type", "authorization_code"),
        ("code", OPEN_CODE),
    ]);
    let redeem = || ask(&fake, "POST", "/token", &[], &body);
    assert_eq!(redeem().map(|came| came.status), Some(503));
    assert!(redeem().is_none() && redeem().is_none());
    std::thread::scope(|scope| {
        let held = scope.spawn(redeem);
        gate.wait_for_somebody();
        gate.open();
        let third = held.join().expect("no panic").expect("an answer");
        // The lost answer was given all the same, so this is the second grant.
        assert_eq!(member(&third, "refresh_token"), "1//canary-refresh-2");
    });
    assert_eq!(fake.asked("/token").len(), 4);
}
