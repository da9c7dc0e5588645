//! The port over the network against a provider that misbehaves: redirections, hanging, floods, foreign and private hosts.

use std::sync::Arc;
use std::time::Duration;

use dango_oauth::{
    CallError, CertificateSource, Http, HttpClient, MOST_ANSWER_BYTES, Method, OidcSettings, Outbound, ProviderError, Providers,
    Replacement,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Local, Reply, SECRET, connect, http, secret};

fn get(url: &str) -> Outbound {
    Outbound {
        method: Method::Get,
        url: url.parse().unwrap(),
        headers: Vec::new(),
        body: None,
    }
}

#[tokio::test]
async fn a_redirection_is_never_followed() {
    let trap = Local::start(|_| Reply::json(200, crate::google::tokens("x"))).await;
    let target = format!("{}/token", trap.base);
    for status in [301, 302, 303, 307, 308] {
        for target in [target.clone(), "http://169.254.169.254/latest/meta-data/".to_owned()] {
            let local = Local::start(move |_| Reply::plain(status, b"").header("Location", &target)).await;
            let (provider, endpoints) = local.provider("google");
            let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
            assert_eq!(error, ProviderError::Call(CallError::Redirected), "{status}");
        }
    }
    assert!(trap.seen().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_given_up() {
    let local = Local::start(|_| Reply::hanging()).await;
    let (provider, endpoints) = local.provider("google");
    let client = http().with_call_limit(Duration::from_millis(50));
    let error = connect(&client, &provider, &endpoints).await.err().unwrap();
    assert_eq!(error, ProviderError::Call(CallError::Timeout));
}

#[tokio::test]
async fn an_answer_has_an_end() {
    for (bytes, refused) in [(MOST_ANSWER_BYTES, false), (MOST_ANSWER_BYTES + 1, true)] {
        let local = Local::start(move |_| Reply::plain(200, &vec![b' '; bytes])).await;
        let (_, endpoints) = local.provider("google");
        let outcome = http().call(&endpoints.reach, get(&format!("{}/token", local.base))).await;
        assert_eq!(outcome.err(), refused.then_some(CallError::TooLarge), "{bytes}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_apart() {
    let local = Local::start(|_| Reply::hanging()).await;
    let (provider, _) = local.provider("google");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let replacement = Replacement::from_environment(&provider, |name| {
        name.ends_with("TOKEN_URL").then(|| format!("http://{free}/token"))
    });
    let endpoints = provider.endpoints(None, &replacement.unwrap()).unwrap();
    let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
    assert_eq!(error, ProviderError::Call(CallError::Unreachable));
}

#[tokio::test]
async fn only_hosts_of_the_provider_are_called() {
    let local = Local::start(|_| Reply::plain(200, b"")).await;
    let other = Local::start(|_| Reply::plain(200, b"")).await;
    let (_, endpoints) = local.provider("google");
    let client = http();
    for foreign in [
        other.base.as_str(),
        "http://169.254.169.254/",
        "https://evil.example/",
        "file:///etc/passwd",
    ] {
        assert_eq!(
            client.call(&endpoints.reach, get(foreign)).await.err(),
            Some(CallError::ForeignHost),
            "{foreign}"
        );
    }
    assert!(other.seen().is_empty());
    assert!(client.call(&endpoints.reach, get(&local.base)).await.is_ok());
}

/// A provider over TLS whose name resolves to this machine, as any name may whose owner wants it to. Gives the port and
/// the certificate.
async fn over_tls() -> (u16, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            let _head = stream.read(&mut head).await;
            let _sent = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                .await;
            let _closed = stream.shutdown().await;
        }
    });
    (port, cert.pem())
}

#[tokio::test]
async fn a_name_that_points_inside_is_called_only_where_the_configuration_says_so() {
    let (port, certificate) = over_tls().await;
    for (private_network, expected) in [
        (false, ProviderError::Call(CallError::PrivateAddress)),
        (true, ProviderError::Malformed),
    ] {
        let text = format!(
            "[inside]\nauthorize = \"https://localhost:{port}/a\"\ntoken = \"https://localhost:{port}/t\"\nprivate_network = {private_network}\n\
             [inside.sources]\ninside = {{ scopes = [] }}\n"
        );
        let providers = Providers::builtin().with_project_file(&text).unwrap();
        let provider = providers.find("inside").unwrap();
        let endpoints = provider.endpoints(None, &Replacement::none()).unwrap();
        let trusting = HttpClient::new().with_certificates(CertificateSource::only_pem(&certificate).unwrap());
        let error = connect(&trusting, provider, &endpoints).await.err().unwrap();
        // Where it may be called it answers, though with an object that holds no token.
        assert_eq!(error, expected, "{private_network}");
        // A certificate that nobody vouches for is no connection.
        let error = connect(&http(), provider, &endpoints).await.err().unwrap();
        let strict = if private_network {
            CallError::Tls
        } else {
            CallError::PrivateAddress
        };
        assert_eq!(error, ProviderError::Call(strict));
    }
    assert!(CertificateSource::only_pem("no certificate").is_err());
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_an_error_that_does_not_hold_it() {
    let local = Local::start(|_| Reply::json(200, "{}")).await;
    let (_, endpoints) = local.provider("google");
    let mut request = get(&local.base);
    request.headers.push(dango_oauth::Header {
        name: "Authorization".to_owned(),
        value: secret(&format!("Bearer {SECRET}\r\nX: y")),
    });
    let error = http().call(&endpoints.reach, request).await.err().unwrap();
    assert_eq!(error, CallError::Unwritable);
    assert!(!format!("{error} {error:?}").contains(SECRET));
    assert!(local.seen().is_empty());
}

#[test]
fn an_endpoint_is_replaced_by_a_safe_address_or_not_at_all() {
    let provider = Providers::builtin().find("google").unwrap().clone();
    for (value, good) in [
        ("https://id.example/token", true),
        ("http://127.0.0.1:8080/token", true),
        ("http://[::1]:8080/token", true),
        ("http://localhost:8080/token", false),
        ("http://id.example/token", false),
        ("https://user:canary@id.example/token", false),
        ("", false),
    ] {
        let outcome = Replacement::from_environment(&provider, |name| (name == "DANGO_OAUTH_GOOGLE_TOKEN_URL").then(|| value.to_owned()));
        match (outcome, good) {
            (Ok(replacement), true) => {
                assert_eq!(replacement.replaced(), ["TOKEN"]);
                let endpoints = provider.endpoints(None, &replacement).unwrap();
                assert_eq!(endpoints.token.as_str(), value);
                assert_eq!(endpoints.revoke.unwrap().as_str(), "https://oauth2.googleapis.com/revoke");
            }
            (Err(error), false) => {
                assert!(
                    error.to_string().starts_with("DANGO_OAUTH_GOOGLE_TOKEN_URL holds no address"),
                    "{error}"
                );
                assert!(!error.to_string().contains("canary"));
            }
            _ => panic!("{value}"),
        }
    }
    assert!(Replacement::from_environment(&provider, |_| None).unwrap().replaced().is_empty());
}

#[test]
fn an_issuer_is_an_address_over_tls_without_a_query() {
    for good in ["https://id.example", "https://id.example/realms/a", "http://127.0.0.1:9"] {
        assert!(OidcSettings::new("x", good, &[], false).is_ok(), "{good}");
    }
    for bad in [
        "http://id.example",
        "id.example",
        "https://id.example/?x=1",
        "https://id.example/#x",
        "https://a:b@id.example",
    ] {
        assert!(OidcSettings::new("x", bad, &[], false).is_err(), "{bad}");
    }
    for bad in ["evil.example/x", "evil.example?x", "a@evil.example", "x y"] {
        assert!(OidcSettings::new("x", "https://id.example", &[bad], false).is_err(), "{bad}");
    }
}
