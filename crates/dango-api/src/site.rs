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

    /// Whether a request with this `Host` is for this server. It is asked for each request, so it takes no memory.
    pub(crate) fn answers_to(&self, host: &str) -> bool {
        match self {
            Self::Public(url) => {
                let (scheme, own) = scheme_and_authority(url.as_str());
                without_port(host, default_port(scheme == "https")).eq_ignore_ascii_case(own)
            }
            Self::Loopback { port, tls } => LOOPBACK.iter().any(|name| {
                let is_named = host.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
                is_named
                    && match &host[name.len()..] {
                        "" => *port == if *tls { 443 } else { 80 },
                        rest => rest.strip_prefix(':').is_some_and(|text| is_port(text, *port)),
                    }
            }),
        }
    }

    /// The origin (RFC 6454 §6.2) of a request with this `Host`; nothing where the server has another name.
    pub(crate) fn origin(&self, host: &str) -> Option<String> {
        let scheme = if self.is_secure() { "https" } else { "http" };
        let named = without_port(host, default_port(self.is_secure())).to_ascii_lowercase();
        self.answers_to(host).then(|| format!("{scheme}://{named}"))
    }

    /// What addresses of the server begin with, for whoever reached it by this `Host`.
    pub(crate) fn base(&self, host: &str) -> Option<String> {
        match self {
            Self::Public(url) => Some(url.as_str().to_owned()),
            Self::Loopback { .. } => self.origin(host),
        }
    }

    /// Whether an `Origin` header names the origin that the request itself was sent to.
    pub(crate) fn is_own_origin(&self, host: &str, origin: &HeaderValue) -> bool {
        let own = self.origin(host);
        own.is_some_and(|own| own.as_bytes() == origin.as_bytes())
    }
}

/// The scheme of an address, and its host and port without the default one.
fn scheme_and_authority(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split('/').next().unwrap_or_default();
    (scheme, without_port(authority, default_port(scheme == "https")))
}

/// The default port of a scheme, as it stands behind a host.
const fn default_port(is_secure: bool) -> &'static str {
    if is_secure { ":443" } else { ":80" }
}

fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    authority.strip_suffix(port).unwrap_or(authority)
}

/// Whether a text is a port as browsers write it.
fn is_port(text: &str, port: u16) -> bool {
    !text.starts_with(['0', '+']) && text.parse() == Ok(port)
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
