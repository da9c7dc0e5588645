//! The way to a collector: one request on one connection, with an end to its patience, over TLS where the address says so.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

/// How long a batch may be on its way, from the connection to the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that is read of an answer, of which nothing but the status matters.
const ANSWER_BYTES: usize = 64 * 1024;

/// Takes batches to a collector. The SDK hands them over on a thread of its own; the way is gone in the server's runtime.
#[derive(Clone)]
pub(super) struct Courier {
    runtime: Handle,
    /// Nothing where the address is plain HTTP.
    tls: Option<TlsConnector>,
    /// Whether the last batch was lost, so that an outage is told of once.
    is_failing: Arc<AtomicBool>,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Courier")
    }
}

/// Why there is no way to a collector over TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCourier {
    #[error("the system has no certificate authorities that could vouch for the collector")]
    NoRoots,
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Courier {
    pub(super) fn new(url: &Uri) -> Result<Self, NoCourier> {
        let tls = (url.scheme_str() == Some("https")).then(connector).transpose()?;
        Ok(Self {
            runtime: Handle::current(),
            tls,
            is_failing: Arc::default(),
        })
    }

    async fn deliver(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let authority = request.uri().authority().cloned().ok_or("the address has no host")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        match self.tls {
            None => exchange(stream, authority.as_str(), request).await,
            Some(tls) => {
                let stream = tls.connect(ServerName::try_from(host)?, stream).await?;
                exchange(stream, authority.as_str(), request).await
            }
        }
    }

    /// Tells of an outage and of its end, once each.
    fn tell(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let problem = match outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status().as_u16())),
            Err(error) => Some(error.to_string()),
        };
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_failing => tracing::warn!("traces are lost: the collector does not take them: {problem}"),
            None if was_failing => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let courier = self.clone();
        let work = self
            .runtime
            .spawn(async move { tokio::time::timeout(PATIENCE, courier.deliver(request)).await });
        let outcome = match work.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("it does not answer in time".into()),
            Err(_) => Err("the server is ending".into()),
        };
        self.tell(&outcome);
        outcome
    }
}

/// TLS as the server speaks it, with the certificate authorities of the system.
fn connector() -> Result<TlsConnector, NoCourier> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(NoCourier::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn exchange<S>(stream: S, authority: &str, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    parts.headers.insert(HOST, HeaderValue::from_str(authority)?);
    let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = response.into_parts();
    let read = Limited::new(body, ANSWER_BYTES).collect().await;
    driven.abort();
    let body = read.map_err(|error: Box<dyn Error + Send + Sync>| error)?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
