//! Which hosts may be called, and which addresses they may have. Nothing is resolved or called here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::CallError;
use crate::provider::Transport;

/// The origins that may be called for a provider, and whether their addresses may be private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    origins: Vec<Origin>,
    private_network: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Reach {
    /// The origin of one address, which the user's own configuration names: it may be one of a private network.
    pub fn of(url: &Url) -> Self {
        let mut reach = Self::empty(true);
        reach.allow(url);
        reach
    }

    /// Nothing at all.
    pub(crate) const fn empty(private_network: bool) -> Self {
        Self {
            origins: Vec::new(),
            private_network,
        }
    }

    /// Adds the origin of an address.
    pub(crate) fn allow(&mut self, url: &Url) {
        let origin = Origin::of(url);
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
    }

    /// Whether names may resolve to addresses of a private network.
    pub(crate) const fn private_network(&self) -> bool {
        self.private_network
    }

    /// Whether an address may be called: of an allowed origin, over TLS or to a loopback address that is written as a
    /// number, and not to any other address that is not public.
    pub(crate) fn admit(&self, url: &Url) -> Result<(), CallError> {
        if !self.origins.contains(&Origin::of(url)) || crate::provider::parse_endpoint(url.as_str(), Transport::HttpsOrLoopback).is_err() {
            return Err(CallError::ForeignHost);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        match literal {
            // It stands in the configuration as it is: no name was asked that somebody else answers.
            Some(address) if address.is_loopback() => Ok(()),
            Some(address) if !may_be_called(address, self.private_network) => Err(CallError::PrivateAddress),
            _ => Ok(()),
        }
    }
}

/// Whether an address may be called: a public one, or one of a private network where the configuration says so.
///
/// # Security
///
/// Link-local addresses are never called: the keys of machines in clouds are served there (169.254.169.254).
pub(super) fn may_be_called(address: IpAddr, private_network: bool) -> bool {
    is_public(address) || (private_network && is_of_private_network(address))
}

fn is_of_private_network(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            address.is_private() || address.is_loopback() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_of_private_network(IpAddr::V4(address)),
            None => address.is_loopback() || address.segments()[0] & 0xfe00 == 0xfc00,
        },
    }
}

impl Origin {
    fn of(url: &Url) -> Self {
        Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default(),
        }
    }
}

/// Whether an address is one of the public internet (IANA's special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a >= 240
        // Carriers' own addresses, benchmarks, protocol assignments and the old 6to4 relay.
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Addresses that carry an IPv4 address are judged by it: mapped, NAT64 and 6to4.
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        (0, 0) if c == 0 && d == 0 && e == 0 && f == 0xffff => v4(g, h),
        (0x64, 0xff9b) if c == 0 && d == 0 && e == 0 && f == 0 => v4(g, h),
        (0x2002, _) => v4(b, c),
        // Teredo, documentation, benchmarks, ORCHID: all below 2001:0::/23 but for what is not assigned, and 2001:db8::/32.
        (0x2001, b) if b < 0x200 || b == 0xdb8 => false,
        (0x3fff, b) if b < 0x1000 => false,
        // Global unicast is 2000::/3; everything outside is special.
        (a, _) => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn only_the_configured_origins_are_admitted() {
        let mut reach = Reach::empty(false);
        reach.allow(&url("https://id.example/token"));
        reach.allow(&url("http://127.0.0.1:9/token"));
        assert_eq!(reach.admit(&url("https://id.example/userinfo?x=1")), Ok(()));
        assert_eq!(reach.admit(&url("https://ID.example:443/")), Ok(()));
        assert_eq!(reach.admit(&url("http://127.0.0.1:9/other")), Ok(()));
        for foreign in [
            "http://id.example/",
            "https://id.example:444/",
            "https://id.example.evil/",
            "https://evil.example/?https://id.example/",
            "https://id.example@evil.example/",
            "http://127.0.0.1:10/",
            "http://[::1]:9/",
        ] {
            assert_eq!(reach.admit(&url(foreign)), Err(CallError::ForeignHost), "{foreign}");
        }
        assert_eq!(reach.admit(&url("https://a:b@id.example/")), Err(CallError::ForeignHost));
    }

    #[test]
    fn an_address_of_a_private_network_needs_the_word_of_the_configuration() {
        for (private, expected) in [(false, Err(CallError::PrivateAddress)), (true, Ok(()))] {
            let mut reach = Reach::empty(private);
            reach.allow(&url("https://10.0.0.1/token"));
            assert_eq!(reach.admit(&url("https://10.0.0.1/token")), expected);
        }
        for (address, expected) in [
            ("192.168.1.1", true),
            ("fd12::1", true),
            ("::1", true),
            ("::ffff:10.0.0.1", true),
            ("169.254.169.254", false),
            ("fe80::1", false),
            ("::ffff:169.254.169.254", false),
            ("224.0.0.1", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(may_be_called(address, true), expected, "{address}");
            assert!(!may_be_called(address, false), "{address}");
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:a00:1::1",
            "2001:db8::1",
            "2001::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(special.parse().expect("an address")), "{special}");
        }
        for public in [
            "8.8.8.8",
            "142.250.74.110",
            "2a00:1450:4001:80b::200e",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
        ] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }
}
