//! The address at which people reach the server: what links begin with. It comes from the configuration, never from a request.

use std::fmt;
use std::str::FromStr;

/// The beginning of every link: `http` or `https`, a host, and a path where the server is not at the root; no `/` at the end.
///
/// ```
/// let url: dango_actions::PublicUrl = "https://dango.example.com/".parse()?;
/// assert_eq!(url.to_string(), "https://dango.example.com");
/// # Ok::<(), dango_actions::ParsePublicUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `http://localhost:8800`, where the server listens unless told otherwise.
impl Default for PublicUrl {
    fn default() -> Self {
        Self("http://localhost:8800".to_owned())
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that links cannot begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as https://dango.example.com: http or https, a host, no user, query or fragment")]
pub struct ParsePublicUrlError;

impl FromStr for PublicUrl {
    type Err = ParsePublicUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The characters of a URL (RFC 3986 §2) but those that begin a query, a fragment or a user.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]!$&'()*+,;=%".contains(&byte);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(ParsePublicUrlError)?;
        let host = rest.split('/').next().unwrap_or_default();
        let named = host.bytes().any(|byte| byte.is_ascii_alphanumeric()) && !host.starts_with(':');
        if !named || !text.bytes().all(allowed) || text.len() > 2000 {
            return Err(ParsePublicUrlError);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_http_and_a_host() {
        for good in ["http://localhost:8800", "https://a.example/dango", "http://[::1]:80", "https://x"] {
            assert_eq!(good.parse::<PublicUrl>().map(|url| url.to_string()), Ok(good.to_owned()));
        }
        let cut = "https://a.example//".parse::<PublicUrl>().map(|url| url.to_string());
        assert_eq!(cut, Ok("https://a.example".to_owned()));
        for bad in [
            "",
            "https://",
            "https:///invite",
            "https://:80",
            "ftp://a",
            "javascript:alert(1)",
            "https://a b",
            "https://a\n",
            "https://a?x",
            "https://a#x",
            "https://user@a",
            "https://é.example",
        ] {
            assert_eq!(bad.parse::<PublicUrl>(), Err(ParsePublicUrlError), "{bad:?}");
        }
    }
}
