//! The loopback receiver of the command line (RFC 8252 §7.3): waits for the one answer that counts, whatever else knocks.

mod head;
mod page;

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::flow::{CallbackAnswer, PendingFlow};
use crate::random::Digest;

use head::{Head, HeadError};
use page::Page;

/// How long one connection may take to say what it wants.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The largest head: the longest answer, and the cookies that other programs left for this host.
const MOST_HEAD_BYTES: usize = 32 * 1024;
/// How many connections are listened to at once; further ones are closed.
const MOST_CONNECTIONS: usize = 64;
/// How long a refused client is given to stop sending, so that it reads the answer instead of an error.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// How long to wait after the system could not hand out a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a pair of equal ports is looked for where any will do.
const PORT_TRIES: usize = 16;

/// The address of the receiver (`DANGO_OAUTH_CALLBACK_URL`): plain HTTP on this machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl {
    url: Url,
    host: LoopbackHost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoopbackHost {
    V4,
    V6,
    Name,
}

/// Why a text is no address of a receiver. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the callback address must be like `http://127.0.0.1:8080/callback`: `http:`, 127.0.0.1, [::1] or localhost, a path and no more")]
pub struct CallbackUrlError;

impl CallbackUrlError {
    /// The stable name of the error.
    pub const fn code(self) -> &'static str {
        "oauth_callback_url_invalid"
    }
}

impl CallbackUrl {
    /// What is taken where nothing is configured.
    pub const DEFAULT: &'static str = "http://127.0.0.1:8080/callback";

    /// Reads an address. Port 0 stands for any that is free.
    ///
    /// # Errors
    ///
    /// [`CallbackUrlError`] for another host than this machine, TLS, a query, a fragment, a user.
    pub fn parse(text: &str) -> Result<Self, CallbackUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| CallbackUrlError)?;
        let host = match url.host() {
            Some(Host::Ipv4(Ipv4Addr::LOCALHOST)) => LoopbackHost::V4,
            Some(Host::Ipv6(Ipv6Addr::LOCALHOST)) => LoopbackHost::V6,
            Some(Host::Domain("localhost")) => LoopbackHost::Name,
            _ => return Err(CallbackUrlError),
        };
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if url.scheme() != "http" || !bare {
            return Err(CallbackUrlError);
        }
        Ok(Self { url, host })
    }

    /// The address as it is sent to providers, where its port is not 0; there it is to be registered.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    fn port(&self) -> u16 {
        self.url.port().unwrap_or(80)
    }

    const fn needs(&self, address: IpAddr) -> bool {
        match self.host {
            LoopbackHost::V4 => address.is_ipv4(),
            LoopbackHost::V6 => address.is_ipv6(),
            // A browser may take either; one that somebody else holds would take our answer.
            LoopbackHost::Name => true,
        }
    }
}

/// Why the receiver does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program has the port.
    #[error("port {port} is in use by another program")]
    InUse {
        /// The port.
        port: u16,
    },
    /// The system does not allow it.
    #[error("cannot listen on port {port}")]
    Refused {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl BindError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "oauth_port_in_use",
            Self::Refused { .. } => "oauth_port_refused",
        }
    }
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The time is over.
    #[error("no answer came in time")]
    TimedOut,
    /// The caller gave up.
    #[error("the login was cancelled")]
    Cancelled,
}

impl ReceiveError {
    /// The stable name of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TimedOut => "oauth_timed_out",
            Self::Cancelled => "oauth_cancelled",
        }
    }
}

/// A receiver that listens.
pub struct Receiver {
    listeners: Vec<TcpListener>,
    redirect_uri: Url,
}

impl Receiver {
    /// Listens on the port of an address, on 127.0.0.1 and, where the system has it, on ::1.
    ///
    /// # Errors
    ///
    /// [`BindError`] where the address that browsers will come to cannot be had.
    pub async fn bind(address: &CallbackUrl) -> Result<Self, BindError> {
        let mut outcome = listen(address, address.port()).await;
        for _ in 1..PORT_TRIES {
            // With any port, one that is free for the one address can be taken for the other.
            if address.port() != 0 || !matches!(outcome, Err(BindError::InUse { .. })) {
                break;
            }
            outcome = listen(address, 0).await;
        }
        let (listeners, port) = outcome?;
        let mut redirect_uri = address.url.clone();
        // An address with `http:` and a host takes any port.
        let _always_ok = redirect_uri.set_port(Some(port));
        Ok(Self { listeners, redirect_uri })
    }

    /// The redirect URI, with the port that was taken.
    pub const fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Waits for the answer to a flow: a GET on the exact path with the right `Host` and `state`, an error included.
    ///
    /// Everything else is told so with 4xx and changes nothing: icons, other paths, other methods, other states,
    /// prefetching, clients that are slow or say too much.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] when `limit` is over or `cancel` is ready.
    pub async fn receive(self, pending: &PendingFlow, limit: Duration, cancel: impl Future<Output = ()>) -> Result<Received, ReceiveError> {
        let wanted = Wanted {
            host: authority(&self.redirect_uri),
            path: self.redirect_uri.path().to_owned(),
            state: pending.state(),
        };
        tokio::select! {
            biased;
            () = cancel => Err(ReceiveError::Cancelled),
            () = sleep(limit) => Err(ReceiveError::TimedOut),
            received = self.serve(wanted) => Ok(received),
        }
    }

    async fn serve(self, wanted: Wanted) -> Received {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                stream = accept(&self.listeners) => {
                    if connections.len() < MOST_CONNECTIONS {
                        connections.spawn(serve_one(stream, wanted.clone()));
                    }
                }
                Some(outcome) = connections.join_next() => {
                    if let Ok(Some(received)) = outcome {
                        return received;
                    }
                }
            }
        }
    }
}

/// The answer, and the browser that brought it and still waits for a page.
pub struct Received {
    /// The answer.
    pub answer: CallbackAnswer,
    /// The browser.
    pub browser: Browser,
}

/// A browser that waits for a page.
pub struct Browser(TcpStream);

impl Browser {
    /// Shows that it worked: `what` is connected.
    pub async fn succeed(self, what: &str) {
        respond(self.0, &Page::success(what)).await;
    }

    /// Shows that it did not work, and why, in a sentence.
    pub async fn fail(self, why: &str) {
        respond(self.0, &Page::failure(why)).await;
    }
}

#[derive(Clone)]
struct Wanted {
    host: String,
    path: String,
    state: Digest,
}

async fn listen(address: &CallbackUrl, port: u16) -> Result<(Vec<TcpListener>, u16), BindError> {
    let addresses = match address.host {
        LoopbackHost::V6 => [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)],
        _ => [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
    };
    let mut port = port;
    let mut listeners = Vec::new();
    for ip in addresses {
        match TcpListener::bind(SocketAddr::new(ip, port)).await {
            Ok(listener) => {
                let bound = listener.local_addr().map_err(|cause| BindError::Refused { port, cause })?;
                port = bound.port();
                listeners.push(listener);
            }
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse && address.needs(ip) => return Err(BindError::InUse { port }),
            // A system without IPv6, or a port that only the other address lacks.
            Err(_) if !listeners.is_empty() => {}
            Err(cause) => return Err(BindError::Refused { port, cause }),
        }
    }
    Ok((listeners, port))
}

/// What `Host` must say for an address.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Waits for the next client of any of the listeners.
async fn accept(listeners: &[TcpListener]) -> TcpStream {
    loop {
        let accepted = poll_fn(|context| {
            let mut polled = listeners.iter().map(|listener| listener.poll_accept(context));
            polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
        });
        match accepted.await {
            Ok((stream, _)) => return stream,
            // A client that went away, or no free file: there may be another one a little later.
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve_one(mut stream: TcpStream, wanted: Wanted) -> Option<Received> {
    let head = match timeout(HEAD_LIMIT, read_head(&mut stream)).await {
        Ok(Ok(Some(bytes))) => Head::parse(&bytes),
        Ok(Ok(None)) => Err(HeadError::TooLarge),
        // Nothing more comes: there is nobody to tell.
        Ok(Err(_)) => return None,
        Err(_) => Err(HeadError::TooSlow),
    };
    let refused = match head.and_then(|head| head.answer_to(&wanted.host, &wanted.path)) {
        Ok(answer) if answer.state_digest().ct_eq(&wanted.state) => {
            return Some(Received {
                answer,
                browser: Browser(stream),
            });
        }
        Ok(_) => HeadError::OtherState,
        Err(error) => error,
    };
    respond(stream, &Page::refusal(refused)).await;
    None
}

/// Reads up to the empty line; `None` where that does not come within [`MOST_HEAD_BYTES`].
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_HEAD_BYTES + 2048));
    let mut chunk = Zeroizing::new([0; 2048]);
    loop {
        let count = stream.read(chunk.as_mut_slice()).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let seen = bytes.len().saturating_sub(3);
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(at) = bytes[seen..].windows(4).position(|window| window == b"\r\n\r\n") {
            bytes.truncate(seen + at);
            return Ok(Some(bytes));
        }
        if bytes.len() > MOST_HEAD_BYTES {
            return Ok(None);
        }
    }
}

async fn respond(mut stream: TcpStream, page: &Page) {
    let bytes = page.to_bytes();
    // Whether the browser reads its page changes nothing about what came of the answer.
    let told = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        let mut rest = [0; 2048];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    let _told = timeout(DRAIN_LIMIT, told).await;
}
