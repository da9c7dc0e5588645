//! What a request brings to say who it is from: an API key or a session cookie, never both. Whether it counts is the use cases' to say.

use axum::http::{HeaderMap, HeaderValue, header};
use dango_identity::{DeviceToken, PlainApiKey, PlainToken, kind};

use crate::site::Site;

/// What a request brings.
pub(crate) enum Credential {
    /// Nothing.
    Absent,
    /// Something that cannot be a credential.
    Malformed,
    /// A session.
    Session(PlainToken<kind::Session>),
    /// An API key.
    Key(PlainApiKey),
}

impl Credential {
    /// Looks for a credential. With an `Authorization` header the cookie is ignored, and neither counts in the other's place.
    pub(crate) fn of(headers: &HeaderMap, site: &Site) -> Self {
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        match (authorizations.next(), authorizations.next()) {
            (None, _) => match cookie(headers, CookieName::Session.on(site)) {
                Cookie::Absent => Self::Absent,
                Cookie::Twice => Self::Malformed,
                Cookie::Text(text) => PlainToken::parse(text).map_or(Self::Malformed, Self::Session),
            },
            (Some(only), None) => bearer(only).map_or(Self::Malformed, Self::Key),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// The session that it is, if any.
    pub(crate) fn into_session(self) -> Option<PlainToken<kind::Session>> {
        match self {
            Self::Session(token) => Some(token),
            Self::Absent | Self::Malformed | Self::Key(_) => None,
        }
    }
}

/// Whether the request carries a cookie with which it could act for somebody.
pub(crate) fn has_session_cookie(headers: &HeaderMap, site: &Site) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && !matches!(cookie(headers, CookieName::Session.on(site)), Cookie::Absent)
}

/// The browser's mark, by which an account knows it again.
pub(crate) fn device(headers: &HeaderMap, site: &Site) -> Option<DeviceToken> {
    match cookie(headers, CookieName::Device.on(site)) {
        Cookie::Text(text) => DeviceToken::parse(text).ok(),
        Cookie::Absent | Cookie::Twice => None,
    }
}

/// What the browser was given when it set out to a login provider.
pub(crate) fn flow_browser(headers: &HeaderMap, site: &Site) -> Option<PlainToken<kind::OauthBrowser>> {
    match cookie(headers, CookieName::Flow.on(site)) {
        Cookie::Text(text) => PlainToken::parse(text).ok(),
        Cookie::Absent | Cookie::Twice => None,
    }
}

/// `Bearer` and a key; the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<PlainApiKey> {
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    PlainApiKey::parse(key.trim_start_matches(' ')).ok()
}

/// Our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieName {
    /// The session.
    Session,
    /// The browser's mark.
    Device,
    /// That the browser is on its way to a login provider and back.
    Flow,
}

impl CookieName {
    /// The name. Without TLS, on the machine itself, browsers take no `__Host-` cookie.
    pub(crate) fn on(self, site: &Site) -> &'static str {
        self.of(site.is_secure())
    }

    /// The name where browsers come over TLS, or where they do not.
    pub(crate) const fn of(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, true) => "__Host-dango_session",
            (Self::Session, false) => "dango_session",
            (Self::Device, true) => "__Host-dango_device",
            (Self::Device, false) => "dango_device",
            (Self::Flow, true) => "__Host-dango_oauth",
            (Self::Flow, false) => "dango_oauth",
        }
    }

    /// A `Set-Cookie` that gives it a value for so many seconds; for none, one that takes it away.
    pub(crate) fn set(self, value: &str, seconds: u64, site: &Site) -> HeaderValue {
        let secure = if site.is_secure() { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
            self.on(site)
        );
        let mut header = HeaderValue::try_from(text).expect("names and tokens are plain ASCII");
        header.set_sensitive(true);
        header
    }
}

enum Cookie<'a> {
    Absent,
    /// Somebody else's page may have set the second one: neither is believed.
    Twice,
    Text(&'a str),
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Cookie<'a> {
    // On the machine itself programs at other ports share the cookies; what they keep in theirs need not be text.
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| {
        let pair = pair.trim_ascii();
        let split = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..split], &pair[split + 1..]))
    });
    let mut found = pairs
        .filter(|(found, _)| *found == name.as_bytes())
        .map(|(_, value)| std::str::from_utf8(value).unwrap_or_default());
    match (found.next(), found.next()) {
        (None, _) => Cookie::Absent,
        (Some(text), None) => Cookie::Text(text),
        (Some(_), Some(_)) => Cookie::Twice,
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    const SITE: Site = Site::Loopback { port: 8800, tls: false };

    fn kind_of(lines: &[(header::HeaderName, String)]) -> &'static str {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().expect("a header"));
        }
        match Credential::of(&headers, &SITE) {
            Credential::Absent => "absent",
            Credential::Malformed => "malformed",
            Credential::Session(_) => "session",
            Credential::Key(_) => "key",
        }
    }

    #[test]
    fn a_key_is_no_cookie_and_a_cookie_no_key() {
        let token = PlainToken::<kind::Session>::make(&OsEntropy).expect("random").expose().to_owned();
        let key = PlainApiKey::make(&OsEntropy).expect("random").expose().to_owned();
        let cookie = |value: &str| (header::COOKIE, format!("a=b; dango_session={value}; c"));
        let bearer = |scheme: &str, value: &str| (header::AUTHORIZATION, format!("{scheme} {value}"));
        assert_eq!(kind_of(&[]), "absent");
        assert_eq!(kind_of(&[cookie(&token)]), "session");
        assert_eq!(kind_of(&[cookie(&key)]), "malformed");
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(kind_of(&[bearer(scheme, &key)]), "key");
        }
        assert_eq!(kind_of(&[bearer("Bearer", &token)]), "malformed");
        assert_eq!(kind_of(&[bearer("Basic", &key)]), "malformed");
        // With the header there, the cookie is not looked at.
        assert_eq!(kind_of(&[bearer("Bearer", "x"), cookie(&token)]), "malformed");
        assert_eq!(kind_of(&[bearer("Bearer", &key), cookie(&token)]), "key");
        assert_eq!(kind_of(&[bearer("Bearer", &key), bearer("Bearer", &key)]), "malformed");
        assert_eq!(kind_of(&[cookie(&token), cookie(&token)]), "malformed");
        assert_eq!(
            kind_of(&[(header::COOKIE, format!("theme=größer; dango_session={token}"))]),
            "session"
        );
        assert_eq!(kind_of(&[(header::COOKIE, "dango_session=größer".to_owned())]), "malformed");
    }

    #[test]
    fn a_cookie_has_the_host_prefix_wherever_browsers_take_it() {
        let set = CookieName::Session.set("t", 300, &Site::Public("https://d.example".parse().expect("an address")));
        assert_eq!(
            set.to_str().ok(),
            Some("__Host-dango_session=t; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure")
        );
        let plain = CookieName::Session.set("", 0, &SITE);
        assert_eq!(
            plain.to_str().ok(),
            Some("dango_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
        );
        assert!(set.is_sensitive());
    }
}
