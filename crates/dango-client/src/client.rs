//! Requests over `reqwest`: no redirections, no proxies, TLS by rustls with ring, certificates of the system or of a file.

use std::error::Error as StdError;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use dango_core::SecretValue;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, SET_COOKIE};
use reqwest::{Certificate, redirect};
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use crate::answer::{Answer, Problem};
use crate::error::{CallError, TrustError};
use crate::server_url::ServerUrl;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a call may take as a whole.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("dango/", env!("CARGO_PKG_VERSION"));
/// The largest answer that is read, in bytes.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Which authorities a server's certificate is checked with: those of the system, and these.
#[derive(Clone, Debug, Default)]
pub struct Trust(Vec<Certificate>);

impl Trust {
    /// Those of the system, and those of a PEM text.
    ///
    /// # Errors
    ///
    /// [`TrustError`] where there is none in it.
    pub fn with_pem(text: &[u8]) -> Result<Self, TrustError> {
        let certificates = Certificate::from_pem_bundle(text).map_err(|_| TrustError)?;
        if certificates.is_empty() {
            return Err(TrustError);
        }
        Ok(Self(certificates))
    }
}

/// The methods that a server is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Puts something in the place of another.
    Put,
    /// Takes something away.
    Delete,
}

/// A request. There is no `Debug`: the body may hold a secret.
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// The path, its query included; nothing secret belongs there.
    pub path: String,
    /// The body, JSON.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// Who a request is from.
enum Credential {
    Nobody,
    Key(HeaderValue),
    /// The cookies of a session, for as long as a login takes.
    Session(HeaderValue),
}

/// The way to one server. Nothing is asked before the first call.
pub struct Client {
    server: ServerUrl,
    runtime: Runtime,
    http: reqwest::Client,
    credential: Credential,
}

impl Client {
    /// A client that has no credential.
    ///
    /// # Errors
    ///
    /// [`CallError::NoCertificates`] where the system has none, [`CallError::Unreachable`] where it gives no event queue.
    pub fn new(server: ServerUrl, trust: &Trust) -> Result<Self, CallError> {
        // reqwest takes the process's provider. Where one is installed already, it stays.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(CALL_LIMIT);
        let builder = match server.is_localhost() {
            true => {
                let port = server.port();
                let here = [
                    SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                    SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
                ];
                builder.resolve_to_addrs("localhost", &here)
            }
            false => builder,
        };
        let builder = match (server.is_encrypted(), trust.0.is_empty()) {
            // Nothing is to be checked, and a system without certificates is none that fails.
            (false, _) => builder.tls_certs_only(std::iter::empty::<Certificate>()),
            (true, true) => builder,
            (true, false) => builder.tls_certs_merge(trust.0.iter().cloned()),
        };
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        Ok(Self {
            server,
            runtime: runtime.map_err(|_| CallError::Unreachable)?,
            http: builder.build().map_err(|_| CallError::NoCertificates)?,
            credential: Credential::Nobody,
        })
    }

    /// Sends an API key from here on, in a header and nowhere else.
    ///
    /// # Errors
    ///
    /// [`CallError::Unwritable`] where it is none that a header can hold.
    pub fn use_key(&mut self, key: &SecretValue) -> Result<(), CallError> {
        let text = Zeroizing::new(format!("Bearer {}", key.expose()));
        self.credential = Credential::Key(sensitive(&text)?);
        Ok(())
    }

    /// Takes over the session that an answer gave.
    ///
    /// # Errors
    ///
    /// [`CallError::Malformed`] where it gave none.
    pub fn use_session(&mut self, answer: &Answer) -> Result<(), CallError> {
        if answer.cookies.is_empty() {
            return Err(CallError::Malformed);
        }
        let all: Vec<&str> = answer.cookies.iter().map(|cookie| cookie.as_str()).collect();
        let text = Zeroizing::new(all.join("; "));
        self.credential = Credential::Session(sensitive(&text)?);
        Ok(())
    }

    /// Where it is.
    pub const fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Sends one request and reads the whole answer; what the server refuses comes as the inner error.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn call(&self, request: Outbound) -> Result<Result<Answer, Problem>, CallError> {
        self.runtime.block_on(self.send(request))
    }

    async fn send(&self, request: Outbound) -> Result<Result<Answer, Problem>, CallError> {
        let url = self.server.join(&request.path).ok_or(CallError::Unwritable)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = self.http.request(method, url).headers(self.head()?);
        if let Some(body) = request.body {
            let json = HeaderValue::from_static("application/json");
            // It is wiped once it is sent.
            call = call.header(CONTENT_TYPE, json).body(Bytes::from_owner(body));
        }
        let mut response = call.send().await.map_err(|error| class_of(&error))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(CallError::Redirected);
        }
        let media_type = text_of(response.headers(), &CONTENT_TYPE).unwrap_or_default().to_owned();
        let retry_after = text_of(response.headers(), &RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        let cookies = cookies_of(response.headers());
        if response.content_length().is_some_and(|length| length > MOST_ANSWER_BYTES as u64) {
            return Err(CallError::TooLarge);
        }
        // Room for what is announced, so that growing leaves no copies in memory.
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(64 * 1024)));
        let is_whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MOST_ANSWER_BYTES => return Err(CallError::TooLarge),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        match (status, essence(&media_type)) {
            // Who says no has said it with the first line, whatever becomes of the rest.
            (401 | 403, "application/problem+json") if !is_whole => Ok(Err(Problem::cut_off(status))),
            (502..=504, media_type) if media_type != "application/problem+json" => Err(CallError::Gateway(status)),
            _ if !is_whole => Err(CallError::Incomplete),
            (200..300, "application/json") => Ok(Ok(Answer::new(status, cookies, body))),
            (400.., "application/problem+json") => Ok(Err(Problem::read(status, retry_after, &body)?)),
            _ => Err(CallError::Malformed),
        }
    }

    fn head(&self) -> Result<HeaderMap, CallError> {
        let mut head = HeaderMap::new();
        // With a cookie the server asks where a request comes from; a program on a terminal is no page of another site.
        let origin = HeaderValue::from_str(self.server.as_str()).map_err(|_| CallError::Unwritable)?;
        match &self.credential {
            Credential::Nobody => drop(head.insert(ORIGIN, origin)),
            Credential::Key(key) => drop(head.insert(AUTHORIZATION, key.clone())),
            Credential::Session(cookies) => {
                head.insert(ORIGIN, origin);
                head.insert(COOKIE, cookies.clone());
            }
        }
        Ok(head)
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CallError::Unwritable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn text_of<'h>(head: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    head.get(name).and_then(|value| value.to_str().ok())
}

/// The media type without parameters; case does not matter to it, but servers of ours write it in lower case.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Names and values of the cookies that are set; one that is taken away is none.
fn cookies_of(head: &HeaderMap) -> Vec<Zeroizing<String>> {
    let all = head.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.filter_map(|set| set.split(';').next()).map(str::trim);
    let set = pairs.filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()));
    set.map(|pair| Zeroizing::new(pair.to_owned())).collect()
}

/// Why there is no first line of an answer.
fn class_of(error: &reqwest::Error) -> CallError {
    if error.is_timeout() {
        return CallError::Timeout;
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    let mut is_refused = error.is_connect();
    while let Some(error) = cause {
        match tls_error(error) {
            Some(rustls::Error::InvalidCertificate(_)) => return CallError::Certificate,
            Some(_) => is_refused = false,
            None => {}
        }
        // Whoever ends a connection in the middle of greetings is there.
        is_refused &= !error.downcast_ref::<io::Error>().is_some_and(is_broken);
        cause = error.source();
    }
    match is_refused {
        true => CallError::Unreachable,
        false => CallError::Broken,
    }
}

fn is_broken(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | InvalidData | UnexpectedEof
    )
}

/// An error of TLS, however deep it was put into errors of the system, which do not name what they hold as their source.
fn tls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => tls_error(io.get_ref()?),
        None => error.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_taken_without_their_attributes_and_those_that_are_cleared_are_none() {
        let mut head = HeaderMap::new();
        for set in ["dango_session=abc; Path=/; HttpOnly", "dango_flow=; Max-Age=0", "broken"] {
            head.append(SET_COOKIE, HeaderValue::from_static(set));
        }
        let cookies: Vec<String> = cookies_of(&head).iter().map(|cookie| cookie.to_string()).collect();
        assert_eq!(cookies, ["dango_session=abc"]);
    }

    #[test]
    fn an_error_of_tls_is_found_within_errors_of_the_system() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert!(matches!(tls_error(&wrapped), Some(rustls::Error::InvalidCertificate(_))));
        assert!(tls_error(&io::Error::other("no")).is_none());
        assert!(tls_error(&io::Error::from(io::ErrorKind::ConnectionReset)).is_none());
    }

    #[test]
    fn a_text_without_certificates_is_no_trust() {
        assert!(Trust::with_pem(b"").is_err() && Trust::with_pem(b"hello").is_err());
    }
}
