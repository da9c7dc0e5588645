//! The server's own name: which `Host` it answers to, and what its own origin is. Both come from the settings, never from a request.

use axum::http::HeaderValue;
use dango_actions::PublicUrl;

/// How people reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// At an address of its own; it answers to no other name.
    Public(PublicUrl),
    /// On this machine only, at a port: `localhost`, `127.0.0.1` and `[::1]`, each an origin of its own.
    Loopback {
        /// The listener's port.
        port: u16,
        /// Whether the listener itself speaks TLS.
        tls: bool,
    },
}

/// The names of the machine itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Site {
    /// Whether browsers reach it over TLS, so that `__Host-` cookies and HSTS are possible.
    pub fn is_secure(&self) -> bool {
        match self {
            Self::Public(url) => url.as_str().starts_with("https://"),
            Self::Loopback { tls, .. } => *tls,
        }
    }

    /// The origin (RFC 6454 §6.2) of a request with this `Host`; nothing where the server has another name.
    pub(crate) fn origin(&self, host: &str) -> Option<String> {
        match self {
            Self::Public(url) => {
                let origin = origin_of(url.as_str());
                let (scheme, own) = origin.split_once("://")?;
                let named = host.to_ascii_lowercase();
                let default = if scheme == "https" { ":443" } else { ":80" };
                (named == own || named.strip_suffix(default) == Some(own)).then(|| origin.clone())
            }
            Self::Loopback { port, tls } => {
                let named = host.to_ascii_lowercase();
                let scheme = if *tls { "https" } else { "http" };
                let default = if *tls { 443 } else { 80 };
                let is_own = LOOPBACK.iter().any(|name| {
                    let rest = named.strip_prefix(name);
                    match rest {
                        Some("") => *port == default,
                        Some(rest) => rest.strip_prefix(':').is_some_and(|text| text == port.to_string()),
                        None => false,
                    }
                });
                let default = format!(":{default}");
                is_own.then(|| format!("{scheme}://{}", named.strip_suffix(&default).unwrap_or(&named)))
            }
        }
    }

    /// Whether an `Origin` header names the origin that the request itself was sent to.
    pub(crate) fn is_own_origin(&self, host: &str, origin: &HeaderValue) -> bool {
        let own = self.origin(host);
        own.is_some_and(|own| own.as_bytes() == origin.as_bytes())
    }
}

/// Scheme, host and port, without the default port and in lower case, as browsers send it.
fn origin_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    format!("{scheme}://{}", authority.strip_suffix(default).unwrap_or(&authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(url: &str) -> Site {
        Site::Public(url.parse().expect("an address"))
    }

    #[test]
    fn on_the_machine_itself_three_names_count_each_an_origin_of_its_own() {
        let site = Site::Loopback { port: 8800, tls: false };
        assert_eq!(site.origin("localhost:8800").as_deref(), Some("http://localhost:8800"));
        assert_eq!(site.origin("LOCALHOST:8800").as_deref(), Some("http://localhost:8800"));
        assert_eq!(site.origin("127.0.0.1:8800").as_deref(), Some("http://127.0.0.1:8800"));
        assert_eq!(site.origin("[::1]:8800").as_deref(), Some("http://[::1]:8800"));
        for other in [
            "localhost",
            "localhost:8801",
            "localhost:08800",
            "example.com:8800",
            "127.0.0.2:8800",
            "localhost.:8800",
            "evil.localhost:8800",
            "",
        ] {
            assert_eq!(site.origin(other), None, "{other}");
        }
        assert!(!site.is_own_origin("localhost:8800", &HeaderValue::from_static("http://127.0.0.1:8800")));
    }

    #[test]
    fn a_public_address_is_the_only_name_with_or_without_its_default_port() {
        let site = public("https://Dango.Example.com/team");
        for host in ["dango.example.com", "dango.example.com:443", "DANGO.example.COM"] {
            assert_eq!(site.origin(host).as_deref(), Some("https://dango.example.com"), "{host}");
        }
        for other in [
            "localhost:8800",
            "127.0.0.1",
            "dango.example.com:8443",
            "dango.example.com.evil.net",
        ] {
            assert_eq!(site.origin(other), None, "{other}");
        }
        assert!(site.is_own_origin("dango.example.com", &HeaderValue::from_static("https://dango.example.com")));
        assert!(!site.is_own_origin("dango.example.com", &HeaderValue::from_static("http://dango.example.com")));
        assert_eq!(
            public("https://d.example:8443").origin("d.example:8443").as_deref(),
            Some("https://d.example:8443")
        );
        assert!(site.is_secure() && !public("http://d.example").is_secure());
    }
}
