//! TLS with certificates made here: shown, read again on SIGHUP, refused where they do not belong together.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::process::{Place, Server};

const TLS: [&str; 4] = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate")
}

fn put(place: &Place, made: &CertifiedKey<KeyPair>) {
    place.put("cert.pem", &made.cert.pem());
    place.put("key.pem", &made.signing_key.serialize_pem());
}

fn connect(server: &Server, trusted: &CertificateDer<'static>, protocol: &[u8]) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, server.connect())
}

/// The status line over TLS; an error where the certificate is not the one that is trusted.
fn health(server: &Server, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    let mut stream = connect(server, trusted, b"http/1.1");
    let port = server.address.port();
    write!(
        stream,
        "GET /api/health HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn a_certificate_is_shown_and_a_newer_one_is_read_on_sighup() {
    let place = Place::new();
    let (first, second) = (certificate(), certificate());
    put(&place, &first);
    let mut server = place.start(&TLS);
    assert!(server.said.contains("listening on https://"));
    assert_eq!(health(&server, first.cert.der()).expect("answered"), "HTTP/1.1 200");
    place.put("key.pem", &second.signing_key.serialize_pem());
    server.signal(Signal::HUP);
    server.wait_for("the certificate stays as it was");
    assert!(health(&server, first.cert.der()).is_ok());
    put(&place, &second);
    server.signal(Signal::HUP);
    server.wait_for("the certificate was read again");
    assert!(health(&server, second.cert.der()).is_ok());
    assert!(health(&server, first.cert.der()).is_err());
    // Whoever speaks no TLS gets no answer in plain text.
    let mut plain = server.connect();
    plain.write_all(b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n").expect("written");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}

#[test]
fn http_2_is_offered_and_a_request_over_it_has_a_host() {
    let place = Place::new();
    let made = certificate();
    put(&place, &made);
    let server = place.start(&TLS);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(name, stream).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, hyper_util::rt::TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        let own = format!("localhost:{}", server.address.port());
        let ask = |host: Option<&str>| {
            let mut request = http::Request::get(format!("https://{own}/api/health"));
            if let Some(host) = host {
                request = request.header("host", host);
            }
            request.body(String::new()).expect("a request")
        };
        assert_eq!(sender.send_request(ask(None)).await.expect("answered").status(), 200);
        assert_eq!(sender.send_request(ask(Some("elsewhere"))).await.expect("answered").status(), 400);
        assert_eq!(sender.send_request(ask(Some(&own))).await.expect("answered").status(), 200);
    });
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let place = Place::new();
    let (one, other) = (certificate(), certificate());
    let key = one.signing_key.serialize_pem();
    for (certificate, key, words) in [
        (
            one.cert.pem(),
            other.signing_key.serialize_pem(),
            "is not that of the certificate in",
        ),
        (key.clone(), key.clone(), "cert.pem holds no certificate in PEM"),
        (one.cert.pem(), one.cert.pem(), "key.pem holds no private key in PEM"),
        (one.cert.pem(), String::new(), "key.pem holds no private key in PEM"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            key.clone(),
            "the certificate in",
        ),
    ] {
        place.put("cert.pem", &certificate);
        place.put("key.pem", &key);
        for verb in ["serve", "check"] {
            let ran = place.run(&[&[verb, "--log-format", "human"], &TLS[..]].concat(), &[]);
            assert_eq!(ran.status, Some(1), "{words}");
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        assert!(place.files().is_empty());
    }
}
