//! A sentence for the next page: what was done where the answer to a form is another page. The cookie holds a word of ours, never a text.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::components::{Notice, Tone};
use crate::site::Site;

/// The cookie. It says nothing about anybody; script sets it, too, where it leads to the login itself.
const COOKIE: &str = "dango_notice";

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flash {
    /// A password was changed.
    PasswordChanged,
    /// An invitation was accepted.
    InviteAccepted,
    /// The first administrator was made.
    AdministratorMade,
    /// Somebody has left.
    LoggedOut,
    /// A login took too long.
    LoginExpired,
}

impl Flash {
    const ALL: [Self; 5] = [
        Self::PasswordChanged,
        Self::InviteAccepted,
        Self::AdministratorMade,
        Self::LoggedOut,
        Self::LoginExpired,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::InviteAccepted => "invite_accepted",
            Self::AdministratorMade => "administrator_made",
            Self::LoggedOut => "logged_out",
            Self::LoginExpired => "login_expired",
        }
    }

    /// The sentence.
    pub(crate) fn notice(self) -> Notice<'static> {
        let (tone, text) = match self {
            Self::PasswordChanged => (
                Tone::Good,
                "Your password was changed, and all sessions have ended. Sign in with the new one.",
            ),
            Self::InviteAccepted => (Tone::Good, "Your password is set. Sign in with it."),
            Self::AdministratorMade => (
                Tone::Good,
                "You are the administrator. Sign in with the password that you have just chosen.",
            ),
            Self::LoggedOut => (Tone::Plain, "You are signed out."),
            Self::LoginExpired => (Tone::Warn, "The login has taken too long or was ended. Sign in again."),
        };
        Notice::new(tone, text)
    }

    /// What the request brings.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
        let mut pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
        let value = pairs.find_map(|pair| pair.strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"="))?;
        Self::ALL.into_iter().find(|flash| flash.word().as_bytes() == value)
    }

    /// Has the next page say it.
    pub(crate) fn set(self, response: &mut Response, site: &Site) {
        append(response, site, &format!("{COOKIE}={}; Path=/; Max-Age=60", self.word()));
    }

    /// It was said.
    pub(crate) fn clear(response: &mut Response, site: &Site) {
        append(response, site, &format!("{COOKIE}=; Path=/; Max-Age=0"));
    }
}

fn append(response: &mut Response, site: &Site, cookie: &str) {
    let secure = if site.is_secure() { "; Secure" } else { "" };
    let value = HeaderValue::try_from(format!("{cookie}; HttpOnly; SameSite=Lax{secure}")).expect("our words are plain ASCII");
    response.headers_mut().append(header::SET_COOKIE, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_words_have_a_sentence() {
        let of = |cookie: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
            Flash::of(&headers)
        };
        assert_eq!(of("a=b; dango_notice=logged_out"), Some(Flash::LoggedOut));
        assert_eq!(of("dango_notice=<script>"), None);
        assert_eq!(of("dango_notices=logged_out"), None);
    }
}
