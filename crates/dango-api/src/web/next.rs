//! Where a login leads: the page that somebody wanted to see, if the address names one of ours and nothing else.

use axum::http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The longest address that is followed.
const LONGEST: usize = 2048;

/// What is written as `%xx` within the value of a parameter (URL Standard §1.3, the application/x-www-form-urlencoded set but for `/`).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`');

/// A page of ours: a path with its query, beginning with one slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Next {
    /// Takes what a query says. Browsers read `\` as `/`, leave out tabs and line ends, and take `//` for another host (URL Standard §4.4):
    /// whatever has one of these is not followed, nor is what is not visible ASCII.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_ours = !rest.starts_with('/') && text.len() <= LONGEST && is_plain;
        // What no request could ask for is no page; and no step up or down can make of it what it does not look like.
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let has_steps = path.split('/').any(|part| matches!(decoded(part).as_str(), "." | ".."));
        let leads_back = ["/login", "/logout", "/api/", "/assets/", "/oauth/"]
            .iter()
            .any(|prefix| path.starts_with(prefix));
        let resolves = text.parse::<Uri>().is_ok_and(|uri| uri.authority().is_none());
        (is_ours && !has_steps && !leads_back && resolves && !path.contains("//")).then(|| Self(text.to_owned()))
    }

    /// The page that a request asked for.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        Self::parse(uri.path_and_query()?.as_str())
    }

    /// The address itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// An address of the login that leads here afterwards.
    pub(crate) fn after(next: Option<&Self>, login: &str) -> String {
        match next {
            Some(next) => format!("{login}?next={}", utf8_percent_encode(&next.0, ESCAPED)),
            None => login.to_owned(),
        }
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_our_own_is_followed() {
        for good in [
            "/",
            "/settings/secrets",
            "/settings/audit?type=login_failure&from=2026-11-21",
            "/a%20b",
            "/settings/secrets#oauth",
            "/x?next=//evil.example",
        ] {
            assert_eq!(Next::parse(good).as_ref().map(Next::as_str), Some(good));
        }
        for bad in [
            "",
            "settings",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\tevil",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/a b",
            "/é",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a/..//evil.example",
            "/../x",
            "/.//evil.example",
            "/%2e%2e//evil.example",
            "/a//b",
            "/login",
            "/login?next=/login",
            "/logout",
            "/api/auth/me",
            "/oauth/connect/google_sheets",
            "/\u{0}",
        ] {
            assert_eq!(Next::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Next::parse(&format!("/{}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn it_comes_back_out_of_a_query_as_it_went_in() {
        let next = Next::parse("/settings/audit?type=a&actor=b%2Bc+d#e").expect("a page");
        let login = Next::after(Some(&next), "/login");
        let (path, value) = login.split_once("?next=").expect("a query");
        assert_eq!(path, "/login");
        assert!(!value.contains(['&', '#', '+', '=', '?']));
        assert_eq!(decoded(value), next.as_str());
        assert_eq!(Next::after(None, "/login"), "/login");
    }
}
