//! A connection to a database: over TCP or a Unix socket, made secure where a protocol says so. What goes over it is not known here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{Ended, NO_CONNECTION, UNEXPECTED};
use crate::outcome::{Obstacle, Trouble};

/// How long one address may take to answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The largest message that is read, in bytes: sign-ins have none that comes near.
const MOST_BYTES: usize = 64 * 1024;

/// What bytes go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open connection.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    host: String,
}

impl Link {
    /// Connects to a host's port, or to a socket, whose path begins with `/`.
    pub(super) async fn open(host: &str, port: u16) -> Result<Self, Ended> {
        if host.starts_with('/') {
            let stream = UnixStream::connect(host).await.map_err(|_| NO_CONNECTION)?;
            return Ok(Self {
                stream: Box::new(stream),
                host: host.to_owned(),
            });
        }
        let mut ended: Ended = Trouble::UnknownHost.into();
        for address in addresses(host, port).await? {
            match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    return Ok(Self {
                        stream: Box::new(stream),
                        host: host.to_owned(),
                    });
                }
                Ok(Err(_)) => ended = NO_CONNECTION,
                Err(_) => ended = Trouble::Timeout.into(),
            }
        }
        Err(ended)
    }

    /// The bytes, for a driver.
    pub(super) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Goes on over TLS.
    pub(super) async fn secure(self, config: Arc<ClientConfig>) -> Result<Self, Ended> {
        let name = match self.host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(self.host.clone()).map_err(|_| Obstacle::Malformed)?,
        };
        let secured = TlsConnector::from(config).connect(name, self.stream).await;
        Ok(Self {
            stream: Box::new(secured.map_err(|_| Trouble::Tls)?),
            host: self.host,
        })
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.stream.write_all(bytes).await.map_err(|_| NO_CONNECTION)?;
        self.stream.flush().await.map_err(|_| NO_CONNECTION)
    }

    /// Reads exactly as many bytes; more than any sign-in has are not read.
    pub(super) async fn receive(&mut self, length: usize) -> Result<Zeroizing<Vec<u8>>, Ended> {
        if length > MOST_BYTES {
            return Err(UNEXPECTED);
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.stream.read_exact(&mut bytes).await.map_err(|_| NO_CONNECTION)?;
        Ok(bytes)
    }
}

/// The addresses of a name; one that is a number is its own.
pub(super) async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Ended> {
    let found = timeout(CONNECT_LIMIT, lookup_host((host, port))).await;
    let found = found.map_err(|_| Trouble::Timeout)?.map_err(|_| Trouble::UnknownHost)?;
    Ok(found.collect())
}
