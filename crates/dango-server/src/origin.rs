//! What people reach the server by: the configured address, or this machine's own names for where it listens.

use std::net::SocketAddr;

use dango_actions::PublicUrl;

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The configured address; without one only this machine's own names for itself are the server's.
    pub configured: Option<PublicUrl>,
    /// Where it listens, with the real port.
    pub listen: SocketAddr,
    /// Whether it speaks TLS itself.
    pub is_tls: bool,
}

impl Origin {
    /// The scheme of its own connections: what a request has that came straight to it.
    pub const fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// What links begin with.
    pub fn links(&self) -> PublicUrl {
        let own = || format!("{}://localhost:{}", self.scheme(), self.listen.port()).parse();
        self.configured.clone().or_else(|| own().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_what_is_configured_and_else_with_this_machine() {
        let own = Origin {
            configured: None,
            listen: "127.0.0.1:8123".parse().expect("an address"),
            is_tls: true,
        };
        assert_eq!(own.links().as_str(), "https://localhost:8123");
        let configured = Origin {
            configured: "https://a.example/x".parse().ok(),
            ..own
        };
        assert_eq!(configured.links().as_str(), "https://a.example/x");
    }
}
