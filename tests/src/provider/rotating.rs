//! A provider whose refresh tokens are worth something once, and which ends the whole grant when one comes again (RFC 9700 §4.14.2).

use std::sync::Mutex;

use super::Answers;
use super::codes::{Codes, back};
use super::google::INVALID_GRANT;
use super::wire::{Reply, Seen};

/// What is a reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Every second use. An answer that is lost on the way costs the grant, whatever the client does.
    Any,
    /// A use after the successor was used, be it the refresh token or the access token beside it. Until then the same successor
    /// is given again, so that a lost answer costs nothing. So it is with `previous_refresh_token` of Doorkeeper:
    /// "refresh tokens will be revoked after a related access token is used"
    /// (<https://github.com/doorkeeper-gem/doorkeeper/blob/main/lib/generators/doorkeeper/templates/migration.rb.erb>).
    AfterSuccessor,
}

/// The provider, with one person: `ada@corp.example`. Its tokens are `canary-aN` and `canary-rN`, counted from 0.
pub struct Rotating {
    codes: Codes,
    reuse: Reuse,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In their order, each token the successor of another of its family, or the first.
    tokens: Vec<Token>,
    families: usize,
    ended: Vec<usize>,
    reuses: usize,
    says_no: bool,
}

struct Token {
    family: usize,
    /// The place of the token that came for this one.
    successor: Option<usize>,
    /// Whether anything was asked with it.
    used: bool,
}

impl Rotating {
    /// The provider with its notion of reuse.
    #[must_use]
    pub fn new(reuse: Reuse) -> Self {
        Self {
            codes: Codes::default(),
            reuse,
            state: Mutex::default(),
        }
    }

    /// The part of `.dango/providers.toml` that describes it as `corp`, with the source type `corp_data`.
    pub const DESCRIPTION: &str = "[corp]\nauthorize = \"https://corp.example/a\"\ntoken = \"https://corp.example/t\"\n\
         userinfo = \"https://corp.example/u\"\nrevoke = \"https://corp.example/r\"\nrevocation = \"rfc7009\"\nrefresh = \"rotating\"\n\
         access_seconds = 3600\nidentity = { subject = \"/sub\", identifier = \"/email\" }\n[corp.sources]\n\
         corp_data = { scopes = [\"data\"], access_token = \"access_token\", refresh_token = \"refresh_token\" }\n";

    /// How often a token was used again, which ended its grant.
    ///
    /// # Panics
    ///
    /// When a thread of the provider failed.
    #[must_use]
    pub fn reuses(&self) -> usize {
        self.state.lock().expect("no thread failed").reuses
    }

    /// How many tokens were given so far.
    ///
    /// # Panics
    ///
    /// When a thread of the provider failed.
    #[must_use]
    pub fn given(&self) -> usize {
        self.state.lock().expect("no thread failed").tokens.len()
    }

    /// Says no from now on.
    ///
    /// # Panics
    ///
    /// When a thread of the provider failed.
    pub fn deny(&self) {
        self.state.lock().expect("no thread failed").says_no = true;
    }

    fn authorize(&self, seen: &Seen) -> Reply {
        let says_no = self.state.lock().expect("no thread failed").says_no;
        let location = match says_no {
            true => back(seen, &[("error", "access_denied")]),
            false => self.codes.give(seen, "", &[]),
        };
        location.map_or_else(|| Reply::page(400, "invalid_request"), |location| Reply::redirect(&location))
    }

    fn token(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        match seen.field("refresh_token") {
            Some(token) => state.refresh(&token, self.reuse),
            None if self.codes.redeem(seen).is_ok() => {
                state.families += 1;
                let family = state.families;
                let place = state.make(family);
                tokens(place)
            }
            None => Reply::json(400, "{\"error\":\"invalid_grant\"}"),
        }
    }

    fn userinfo(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let place = seen.bearer().and_then(|token| place_of(token, "canary-a"));
        // The access token ends with the one that comes for it.
        let alive =
            place.filter(|place| state.is_alive(*place) && state.tokens[*place].successor.is_none_or(|next| !state.tokens[next].used));
        match alive {
            Some(place) => {
                state.tokens[place].used = true;
                Reply::json(200, "{\"sub\":\"1\",\"email\":\"ada@corp.example\"}")
            }
            None => Reply::json(401, "{\"error\":\"invalid_token\"}").with("WWW-Authenticate", "Bearer error=\"invalid_token\""),
        }
    }

    /// RFC 7009 §2.2: 200 also for what is none of its tokens.
    fn revoke(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let token = seen.field("token").unwrap_or_default();
        let place = place_of(&token, "canary-r").or_else(|| place_of(&token, "canary-a"));
        if let Some(family) = place.and_then(|place| state.tokens.get(place)).map(|token| token.family) {
            state.ended.push(family);
        }
        Reply::empty(200)
    }
}

impl Answers for Rotating {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        match (seen.method.as_str(), seen.path()) {
            ("GET", "/authorize") => self.authorize(seen),
            ("POST", "/token") => self.token(seen),
            ("GET", "/userinfo") => self.userinfo(seen),
            ("POST", "/revoke") => self.revoke(seen),
            _ => Reply::empty(404),
        }
    }
}

impl State {
    fn make(&mut self, family: usize) -> usize {
        self.tokens.push(Token {
            family,
            successor: None,
            used: false,
        });
        self.tokens.len() - 1
    }

    fn is_alive(&self, place: usize) -> bool {
        self.tokens.get(place).is_some_and(|token| !self.ended.contains(&token.family))
    }

    fn refresh(&mut self, token: &str, reuse: Reuse) -> Reply {
        let Some(place) = place_of(token, "canary-r").filter(|place| self.is_alive(*place)) else {
            return Reply::json(400, INVALID_GRANT);
        };
        let family = self.tokens[place].family;
        let next = match self.tokens[place].successor {
            None => {
                let next = self.make(family);
                self.tokens[place].successor = Some(next);
                next
            }
            Some(next) if reuse == Reuse::AfterSuccessor && !self.tokens[next].used => next,
            Some(_) => {
                self.reuses += 1;
                self.ended.push(family);
                return Reply::json(400, INVALID_GRANT);
            }
        };
        self.tokens[place].used = true;
        tokens(next)
    }
}

fn tokens(place: usize) -> Reply {
    Reply::json(
        200,
        format!(
            "{{\"access_token\":\"canary-a{place}\",\"refresh_token\":\"canary-r{place}\",\"expires_in\":3600,\"token_type\":\"Bearer\"}}"
        ),
    )
}

fn place_of(token: &str, prefix: &str) -> Option<usize> {
    token.strip_prefix(prefix)?.parse().ok()
}
