//! Who is at the other end: the peer's address, or what a trusted proxy says of it. Nobody else is believed.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use dango_identity::{Client, UserAgent};
use ipnet::IpNet;

/// The other end of the connection, which the listener puts into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Makes out the client of a request.
pub(crate) fn client(peer: Option<Peer>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    Client {
        address: address_of(peer, headers, trusted),
        user_agent: headers
            .get(header::USER_AGENT)
            .map(|agent| UserAgent::new(&String::from_utf8_lossy(agent.as_bytes()))),
    }
}

/// Whether the peer itself is a proxy that is believed.
pub(crate) fn is_trusted(peer: Option<Peer>, trusted: &[IpNet]) -> bool {
    let address = peer.map(|peer| peer.0.ip().to_canonical());
    address.is_some_and(|address| trusted.iter().any(|net| net.contains(&address)))
}

/// Makes out the client's address alone.
pub(crate) fn address_of(peer: Option<Peer>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    peer.map(|peer| address(peer.0.ip().to_canonical(), headers, trusted))
}

/// The right-most address of `X-Forwarded-For` that no trusted proxy has, if the peer is a trusted proxy; else the peer's.
///
/// What stands left of it was written by whoever sent the request. An entry that is no address ends the walk: what is
/// right of it is the last that is known.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut known = peer;
    let hops = headers.get_all("x-forwarded-for").iter().rev();
    let hops = hops.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    for hop in hops {
        if !is_trusted(known) {
            break;
        }
        match parse_hop(hop.trim()) {
            Some(address) => known = address,
            None => break,
        }
    }
    known
}

/// An address, with a port or without.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().expect("a header"));
        }
        headers.insert("forwarded", "for=6.6.6.6".parse().expect("a header"));
        headers.insert("x-real-ip", "6.6.6.6".parse().expect("a header"));
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().expect("a net")).collect();
        let peer = Peer(format!("{peer}:4711").parse().expect("an address"));
        let client = client(Some(peer), &headers, &trusted);
        client.address.map(|address| address.to_string()).unwrap_or_default()
    }

    #[test]
    fn without_a_trusted_proxy_no_header_is_believed() {
        assert_eq!(found("203.0.113.9", &["6.6.6.6"], &[]), "203.0.113.9");
        assert_eq!(found("203.0.113.9", &["6.6.6.6"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn behind_proxies_the_rightmost_hop_that_is_no_proxy_counts() {
        assert_eq!(found("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(
            found("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(found("10.0.0.1", &["6.6.6.6", "198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(found("10.0.0.1", &["2001:db8::7"], &["10.0.0.0/8"]), "2001:db8::7");
        assert_eq!(found("10.0.0.1", &["[2001:db8::7]:443"], &["10.0.0.0/8"]), "2001:db8::7");
        assert_eq!(found("[::ffff:10.0.0.1]", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn what_cannot_be_read_is_not_walked_past() {
        assert_eq!(found("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(found("10.0.0.1", &["198.51.100.7, "], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
