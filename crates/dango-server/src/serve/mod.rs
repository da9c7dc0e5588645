//! Listening: sockets, TLS, connections and their limits, around a router of which nothing is known here.

mod body;
mod connection;
mod head;
mod places;
mod refusal;
mod talk;
mod tls;
mod traffic;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use dango_core::Entropy;
use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::limits::Limits;
use connection::{Common, serve_http1, serve_http2};
use places::Places;
pub(crate) use tls::Certificate;
pub use tls::TlsError;
pub(crate) use traffic::Traffic;

/// How many connections the system keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// How long nothing is accepted where the system has no room for another socket.
const BREATH: Duration = Duration::from_millis(100);

/// How many connections are turned away with an answer at once; the others are closed.
const REFUSALS: usize = 256;

/// How long the answer to a connection too many may take.
const REFUSAL_TIME: Duration = Duration::from_millis(500);

/// Begins to listen; port 0 is any free one.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A listener with what it serves.
pub(crate) struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    common: Arc<Common>,
    places: Arc<Places>,
    /// How many may be turned away with an answer at once.
    porters: Arc<Semaphore>,
}

/// What a door is made of.
pub(crate) struct DoorPlan {
    pub(crate) router: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) traffic: Traffic,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, plan: DoorPlan) -> Self {
        Self {
            listener,
            tls: plan.tls,
            porters: Arc::new(Semaphore::new(REFUSALS)),
            places: Places::new(plan.limits, plan.trusted_proxies),
            common: Arc::new(Common {
                router: plan.router,
                limits: plan.limits,
                traffic: plan.traffic,
                entropy: plan.entropy,
                begun: Instant::now(),
            }),
        }
    }

    /// Serves until told to end; then accepts nothing more and waits until all requests are answered. Whoever has no more time drops it,
    /// and the runtime ends what is left. The answer is how many connections were open when it was told.
    pub(crate) async fn serve(self, mut ending: watch::Receiver<bool>) -> usize {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = ending.wait_for(|is_ending| *is_ending) => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &ending),
                // The client has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(error = %error, "no connection can be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        let Self { listener, places, .. } = self;
        drop(listener);
        let open = places.count();
        places.all_left().await;
        open
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, ending: &watch::Receiver<bool>) {
        let place = match self.places.take(peer.ip()) {
            Ok(place) => place,
            Err(reason) => {
                self.common.traffic.refuse_connection(reason);
                refuse(stream, self.tls.is_some(), &self.porters);
                return;
            }
        };
        let (common, ending, tls) = (Arc::clone(&self.common), ending.clone(), self.tls.clone());
        tokio::spawn(async move {
            let _held = (place, common.traffic.open());
            // An answer is written whole, so there is nothing to wait for.
            let _ = stream.set_nodelay(true);
            match tls {
                None => serve_http1(stream, peer, common, ending).await,
                Some(tls) => serve_tls(stream, tls, peer, common, ending).await,
            }
        });
    }
}

async fn serve_tls(stream: TcpStream, tls: TlsAcceptor, peer: SocketAddr, common: Arc<Common>, mut ending: watch::Receiver<bool>) {
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(common.limits.header, tls.accept(stream)) => shaken,
        _ = ending.wait_for(|is_ending| *is_ending) => return,
    };
    match shaken {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => serve_http2(stream, peer, common, ending).await,
        Ok(Ok(stream)) => serve_http1(stream, peer, common, ending).await,
        Ok(Err(_)) | Err(_) => common.traffic.refuse_connection("tls"),
    }
}

/// Turns a connection away. In TLS even that would cost a handshake, so it is only closed, and so it is where many are turned away at once.
fn refuse(mut stream: TcpStream, is_tls: bool, porters: &Arc<Semaphore>) {
    let porter = Arc::clone(porters).try_acquire_owned();
    let (false, Ok(porter)) = (is_tls, porter) else { return };
    tokio::spawn(tokio::time::timeout(REFUSAL_TIME, async move {
        let _porter = porter;
        if stream.write_all(refusal::TOO_MANY).await.is_err() || stream.shutdown().await.is_err() {
            return;
        }
        // A socket that is closed with bytes unread is reset, and the answer with it.
        let mut block = [0; 1024];
        while stream.read(&mut block).await.is_ok_and(|count| count > 0) {}
    }));
}

#[cfg(test)]
mod tests;
