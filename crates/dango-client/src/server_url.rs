//! Where a server is, and where a credential may be sent at all.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Where a server is: an origin, as in `https://dango.example.com`. `http:` is taken on this machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    url: Url,
    origin: String,
}

/// A text that is no server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseServerUrlError {
    /// It is no address.
    #[error("a server's address looks like https://dango.example.com")]
    Malformed,
    /// A password would go over the network in the clear.
    #[error("the address has to begin with https://; http:// is for servers on this machine alone")]
    Unprotected,
    /// There is more in it than scheme, host and port.
    #[error("a server's address is scheme, host and port alone: no user, no path, no query")]
    MoreThanOrigin,
}

impl ServerUrl {
    /// The address without a slash at the end; two that mean the same are written the same.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether the name is `localhost`, which is this machine whatever a resolver says.
    pub(crate) fn is_localhost(&self) -> bool {
        matches!(self.url.host(), Some(Host::Domain("localhost")))
    }

    /// Whether TLS is between here and there.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    pub(crate) fn join(&self, path: &str) -> Option<Url> {
        let url = self.url.join(path).ok()?;
        (url.origin() == self.url.origin()).then_some(url)
    }
}

impl FromStr for ServerUrl {
    type Err = ParseServerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| ParseServerUrlError::Malformed)?;
        let on_this_machine = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(ParseServerUrlError::Malformed),
        };
        match url.scheme() {
            "https" => {}
            "http" if on_this_machine => {}
            "http" => return Err(ParseServerUrlError::Unprotected),
            _ => return Err(ParseServerUrlError::Malformed),
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(ParseServerUrlError::MoreThanOrigin);
        }
        let origin = url.origin().ascii_serialization();
        Ok(Self { url, origin })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling() {
        for (text, expected) in [
            ("https://Dango.Example.com", "https://dango.example.com"),
            ("https://dango.example.com:443/", "https://dango.example.com"),
            ("https://dango.example.com:8443", "https://dango.example.com:8443"),
            ("https://10.0.0.1", "https://10.0.0.1"),
            ("http://localhost:8800", "http://localhost:8800"),
            ("http://127.0.0.9:1", "http://127.0.0.9:1"),
            ("http://[::1]:8800/", "http://[::1]:8800"),
        ] {
            assert_eq!(
                text.parse::<ServerUrl>().map(|url| url.to_string()).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn a_credential_is_sent_nowhere_in_the_clear_and_to_no_part_of_an_address() {
        use ParseServerUrlError::{Malformed, MoreThanOrigin, Unprotected};
        for (text, expected) in [
            ("", Malformed),
            ("dango.example.com", Malformed),
            ("ftp://dango.example.com", Malformed),
            ("unix:/run/dango", Malformed),
            ("http://dango.example.com", Unprotected),
            ("http://localhost.example.com", Unprotected),
            ("http://10.0.0.1", Unprotected),
            ("https://ada:pw@dango.example.com", MoreThanOrigin),
            ("https://dango.example.com/api", MoreThanOrigin),
            ("https://dango.example.com/?key=x", MoreThanOrigin),
            ("https://dango.example.com/#x", MoreThanOrigin),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_path_leads_to_the_same_server() {
        let url: ServerUrl = "https://dango.example.com".parse().expect("an address");
        assert_eq!(
            url.join("/api/x").map(String::from).as_deref(),
            Some("https://dango.example.com/api/x")
        );
        assert_eq!(url.join("//evil.example/x"), None);
    }
}
