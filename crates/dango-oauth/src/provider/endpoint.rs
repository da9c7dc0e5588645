//! Addresses of endpoints: which ones are accepted, and those whose host depends on the account. Nothing is called here.

use url::{Host, Url};

/// Why a text is no address of an endpoint. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointProblem {
    /// Not a URL.
    #[error("it is not a URL")]
    NotAUrl,
    /// Plain HTTP, or something that is not HTTP.
    #[error("it must begin with `https:`, or with `http:` and a literal loopback address such as 127.0.0.1")]
    Scheme,
    /// Plain HTTP where only TLS is taken.
    #[error("it must begin with `https:`")]
    NotHttps,
    /// A user name or a password.
    #[error("it must not hold a user name or password")]
    UserInfo,
    /// A part behind `#`.
    #[error("it must not have a fragment")]
    Fragment,
    /// A placeholder that is nowhere, outside of the host, or there twice.
    #[error("its placeholder must stand once, in the host")]
    Placeholder,
}

/// Which schemes are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TLS alone.
    Https,
    /// TLS, and plain HTTP to a loopback address that is written as a number: a name could resolve to anything.
    HttpsOrLoopback,
}

/// Reads an address that stands in for a provider's: over TLS, or plain HTTP to a loopback address that is written as a number.
///
/// # Errors
///
/// [`EndpointProblem`], which does not repeat the text.
pub fn parse_replacement(text: &str) -> Result<Url, EndpointProblem> {
    parse_endpoint(text, Transport::HttpsOrLoopback)
}

/// Reads the address of an endpoint.
pub(crate) fn parse_endpoint(text: &str, transport: Transport) -> Result<Url, EndpointProblem> {
    let url = Url::parse(text).map_err(|_| EndpointProblem::NotAUrl)?;
    match (url.scheme(), transport) {
        ("https", _) => {}
        ("http", Transport::HttpsOrLoopback) if is_literal_loopback(&url) => {}
        (_, Transport::HttpsOrLoopback) => return Err(EndpointProblem::Scheme),
        (_, Transport::Https) => return Err(EndpointProblem::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointProblem::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(EndpointProblem::Fragment);
    }
    Ok(url)
}

/// Whether the host is a loopback address written as a number.
pub(crate) fn is_literal_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    }
}

/// An address in which a part of the host may be the account's (`https://{shop}.myshopify.com/…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// The same for every account.
    Fixed(Url),
    /// With the account's part between the two.
    PerAccount {
        /// `https://`.
        before: String,
        /// What follows, from the dot on.
        after: String,
    },
}

impl Template {
    /// Reads an address in which `placeholder` may stand once, as the beginning of the host.
    pub(crate) fn parse(text: &str, placeholder: Option<&str>) -> Result<Self, EndpointProblem> {
        let mark = placeholder.map(|name| format!("{{{name}}}"));
        let Some((before, after)) = mark.as_deref().and_then(|mark| text.split_once(mark)) else {
            return parse_endpoint(text, Transport::Https).map(Self::Fixed);
        };
        if before != "https://" || !after.starts_with('.') || after.contains(['{', '}']) {
            return Err(EndpointProblem::Placeholder);
        }
        parse_endpoint(&format!("{before}a{after}"), Transport::Https)?;
        Ok(Self::PerAccount {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    /// The address for an account.
    pub(crate) fn resolve(&self, account: Option<&AccountHost>) -> Result<Url, HostError> {
        match (self, account) {
            (Self::Fixed(url), _) => Ok(url.clone()),
            (Self::PerAccount { before, after }, Some(host)) => {
                parse_endpoint(&format!("{before}{}{after}", host.0), Transport::Https).map_err(|_| HostError::Malformed)
            }
            (Self::PerAccount { .. }, None) => Err(HostError::Missing),
        }
    }

    /// What follows the account's part in the host (`.myshopify.com`), where there is one.
    pub(crate) fn suffix(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::PerAccount { after, .. } => after.split(['/', '?', ':']).next(),
        }
    }
}

/// The account's part of a provider's host, such as `example` of `example.myshopify.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountHost(String);

/// Why an account's part of the host cannot be used. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The provider needs one and none was given.
    #[error("the provider needs to know the account's host")]
    Missing,
    /// Not labels of a host name.
    #[error("this is no host of the provider: letters, digits, `-` and dots only")]
    Malformed,
}

impl HostError {
    /// The stable name of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "account_host_missing",
            Self::Malformed => "account_host_malformed",
        }
    }
}

impl AccountHost {
    /// Reads what somebody wrote: the part alone, the whole host, or the address of a page there.
    ///
    /// # Security
    ///
    /// What comes out is labels of a host name, so `evil.example/` cannot move the endpoint to another host: the
    /// provider's own suffix always follows.
    pub(crate) fn parse(text: &str, suffix: &str) -> Result<Self, HostError> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix("https://").unwrap_or(&text);
        let text = text.split_once('/').map_or(text, |(host, _)| host);
        let text = text.strip_suffix(suffix).unwrap_or(text);
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if text.is_empty() {
            return Err(HostError::Missing);
        }
        if text.len() > 190 || !text.split('.').all(label) {
            return Err(HostError::Malformed);
        }
        Ok(Self(text.to_owned()))
    }

    /// The part, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_literal_loopback_addresses_alone() {
        let accepted = |text: &str| parse_endpoint(text, Transport::HttpsOrLoopback);
        for good in [
            "https://id.example/token",
            "http://127.0.0.1:9/t",
            "http://[::1]:9/t",
            "http://127.9.9.9/",
        ] {
            assert!(accepted(good).is_ok(), "{good}");
        }
        for bad in [
            "http://localhost:9/t",
            "http://id.example/t",
            "http://127.0.0.1.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(accepted(bad), Err(EndpointProblem::Scheme), "{bad}");
        }
        assert_eq!(accepted("https://user:canary@id.example/"), Err(EndpointProblem::UserInfo));
        assert_eq!(accepted("https://id.example/#x"), Err(EndpointProblem::Fragment));
        assert_eq!(accepted("token"), Err(EndpointProblem::NotAUrl));
        assert_eq!(
            parse_endpoint("http://127.0.0.1/", Transport::Https),
            Err(EndpointProblem::NotHttps)
        );
    }

    #[test]
    fn an_account_cannot_move_the_endpoint_to_another_host() {
        let template = Template::parse("https://{shop}.myshopify.com/admin", Some("shop")).expect("is right");
        let suffix = template.suffix().expect("has one").to_owned();
        assert_eq!(suffix, ".myshopify.com");
        for same in ["Example", "example.myshopify.com", "https://example.myshopify.com/admin?x=1"] {
            let host = AccountHost::parse(same, &suffix).expect("is right");
            let url = template.resolve(Some(&host)).expect("is right");
            assert_eq!(url.as_str(), "https://example.myshopify.com/admin", "{same}");
        }
        for bad in [
            "evil.example#",
            "evil.example?x",
            "a@evil.example",
            "a b",
            "-a",
            "a..b",
            "é",
            "[::1]",
            "a:80",
        ] {
            assert_eq!(AccountHost::parse(bad, &suffix), Err(HostError::Malformed), "{bad}");
        }
        let host = AccountHost::parse("evil.example/", &suffix).expect("labels");
        let url = template.resolve(Some(&host)).expect("is right");
        assert_eq!(url.host_str(), Some("evil.example.myshopify.com"));
        assert_eq!(template.resolve(None), Err(HostError::Missing));
    }

    #[test]
    fn a_placeholder_stands_at_the_beginning_of_the_host_alone() {
        for bad in [
            "https://a.example/{x}",
            "https://{x}",
            "https://{x}.{x}.example/",
            "https://{x}evil.example/",
        ] {
            assert!(Template::parse(bad, Some("x")).is_err(), "{bad}");
        }
    }
}
