//! The port's implementation over `reqwest`: no redirections, no proxies, TLS by rustls with ring, addresses checked.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, redirect};
use zeroize::Zeroizing;

use super::reach::may_be_called;
use super::{Answer, CallError, Http, MOST_ANSWER_BYTES, Method, Outbound, Reach};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("dango/", env!("CARGO_PKG_VERSION"));

/// Calls providers over the network. Cheap to make: certificates are loaded with the first call.
#[derive(Default)]
pub struct HttpClient {
    certificates: CertificateSource,
    call_limit: Option<Duration>,
    public: OnceLock<Result<Client, CallError>>,
    private: OnceLock<Result<Client, CallError>>,
}

/// Which authorities providers' certificates are checked with.
#[derive(Clone, Debug, Default)]
pub enum CertificateSource {
    /// Those of the operating system.
    #[default]
    System,
    /// These alone.
    Only(Vec<Certificate>),
}

/// A text that holds no certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this holds no PEM certificates")]
pub struct ClientSetupError;

impl CertificateSource {
    /// Reads authorities from PEM text.
    ///
    /// # Errors
    ///
    /// [`ClientSetupError`] where there is none.
    pub fn only_pem(text: &str) -> Result<Self, ClientSetupError> {
        let certificates = Certificate::from_pem_bundle(text.as_bytes()).map_err(|_| ClientSetupError)?;
        if certificates.is_empty() {
            return Err(ClientSetupError);
        }
        Ok(Self::Only(certificates))
    }
}

impl HttpClient {
    /// A client that checks certificates with the system's authorities and gives a call 10 seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with other authorities.
    #[must_use]
    pub fn with_certificates(mut self, certificates: CertificateSource) -> Self {
        self.certificates = certificates;
        self
    }

    /// The same with another limit for one call.
    #[must_use]
    pub const fn with_call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = Some(limit);
        self
    }

    fn client(&self, private_network: bool) -> Result<&Client, CallError> {
        let cell = if private_network { &self.private } else { &self.public };
        cell.get_or_init(|| self.build(private_network)).as_ref().map_err(|error| *error)
    }

    fn build(&self, private_network: bool) -> Result<Client, CallError> {
        // reqwest takes the process's provider. Where one is installed already, it stays.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            // Each call has a connection of its own: on one that was kept, a request may be lost after it was obeyed.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(self.call_limit.unwrap_or(CALL_LIMIT))
            .dns_resolver(CheckedResolver { private_network });
        let builder = match &self.certificates {
            CertificateSource::System => builder,
            CertificateSource::Only(certificates) => builder.tls_certs_only(certificates.iter().cloned()),
        };
        builder.build().map_err(|_| CallError::NoCertificates)
    }
}

#[async_trait]
impl Http for HttpClient {
    async fn call(&self, reach: &Reach, request: Outbound) -> Result<Answer, CallError> {
        reach.admit(&request.url)?;
        let client = self.client(reach.private_network())?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = client.request(method, request.url);
        for header in &request.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| CallError::Unwritable)?;
            let mut value = HeaderValue::from_str(header.value.expose()).map_err(|_| CallError::Unwritable)?;
            value.set_sensitive(true);
            call = call.header(name, value);
        }
        if let Some(body) = &request.body {
            call = call.body(body.expose().to_owned());
        }
        let mut response = call.send().await.map_err(|error| class_of(&error))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(CallError::Redirected);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok());
        if response.content_length().is_some_and(|length| length > MOST_ANSWER_BYTES as u64) {
            return Err(CallError::TooLarge);
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| class_of(&error))? {
            if body.len() + chunk.len() > MOST_ANSWER_BYTES {
                return Err(CallError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }
}

/// Resolves names with the system and leaves out what is not public, so that a name cannot be made to point inside
/// between a check and the connection: the connection goes to the addresses that were checked.
struct CheckedResolver {
    private_network: bool,
}

/// Every address of a name is one that is not public.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct NoPublicAddress;

/// A name has no address that anybody knows.
#[derive(Debug, thiserror::Error)]
#[error("no address")]
struct NoAddress(#[source] std::io::Error);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_network = self.private_network;
        Box::pin(async move {
            let found: Vec<SocketAddr> = match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(NoAddress(error).into()),
            };
            let any = !found.is_empty();
            let kept: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| may_be_called(address.ip(), private_network))
                .collect();
            if any && kept.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

fn class_of(error: &reqwest::Error) -> CallError {
    if error.is_timeout() {
        return CallError::Timeout;
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<NoPublicAddress>() {
            return CallError::PrivateAddress;
        }
        if error.is::<NoAddress>() {
            return CallError::UnknownHost;
        }
        if is_of_tls(error) {
            return CallError::Tls;
        }
        cause = error.source();
    }
    CallError::Unreachable
}

/// Whether the handshake failed. An I/O error does not name what is in it as its source, and layers put one into another.
fn is_of_tls(error: &(dyn StdError + 'static)) -> bool {
    let mut inside = Some(error);
    while let Some(error) = inside {
        if error.is::<rustls::Error>() {
            return true;
        }
        let io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        inside = io.map(|error| -> &(dyn StdError + 'static) { error });
    }
    false
}
