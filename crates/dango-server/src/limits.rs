//! Every limit that the frame sets on connections and requests, in one place. Limits by account, key and address are the router's.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What a client may take of the server. A default suits a small machine behind nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once.
    pub connections: NonZeroUsize,
    /// Connections at once from one IPv4 address, or from one IPv6 network of 64 bits; trusted proxies have no such limit.
    pub connections_per_address: NonZeroUsize,
    /// How long a TLS handshake may take, and the head of a request, from its first byte or from the beginning of the connection.
    pub header: Duration,
    /// How long the body of a request may take, from when it is first waited for.
    pub body: Duration,
    /// How long a request may take in all until its answer is taken; it keeps one who reads slowly from staying.
    pub exchange: Duration,
    /// How long a connection is kept without a request.
    pub idle: Duration,
    /// How long what is in flight may take once the server is to end.
    pub shutdown: Duration,
    /// The most bytes of a request's head.
    pub head_bytes: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// Requests at once on one connection of HTTP/2.
    pub streams: u32,
    /// How long a closed connection is still read from, so that the last answer is not lost to a reset.
    pub linger: Duration,
}

impl Limits {
    /// How often a connection is looked at: a limit is overrun by no more than a quarter of the shortest.
    pub(crate) fn look_every(&self) -> Duration {
        let shortest = self.header.min(self.idle).min(self.exchange);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(5))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::new(4096).expect("not zero"),
            connections_per_address: NonZeroUsize::new(1024).expect("not zero"),
            header: Duration::from_secs(10),
            body: Duration::from_secs(20),
            exchange: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            shutdown: Duration::from_secs(20),
            head_bytes: 16 * 1024,
            headers: 100,
            streams: 64,
            linger: Duration::from_secs(1),
        }
    }
}
