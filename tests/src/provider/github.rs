//! GitHub, as it documents itself. It is no OpenID provider, and its errors come with 200:
//!
//! - authorization and tokens, as a form or as JSON: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>
//! - refusals: <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors>
//! - errors: <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>
//! - tokens that expire, of GitHub Apps: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>
//! - the account and its addresses: <https://docs.github.com/en/rest/users/users>, <https://docs.github.com/en/rest/users/emails>
//! - the end of a grant: <https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization>
//! - requests without `User-Agent`: <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent>

use std::sync::Mutex;

use super::Answers;
use super::codes::{BadCode, Codes, back};
use super::wire::{Reply, Seen};

const ERRORS: &str = "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";

/// GitHub, with one person: `octocat`, number 583231.
pub struct GitHub {
    codes: Codes,
    /// Whether tokens expire and come with refresh tokens, as those of a GitHub App do.
    expiring: bool,
    state: Mutex<State>,
}

struct State {
    client: Option<(String, String)>,
    says_no: bool,
    id: u64,
    email: String,
    verified: bool,
    tokens: Vec<Token>,
    count: usize,
}

struct Token {
    access_token: String,
    refresh_token: Option<String>,
    scope: String,
}

impl GitHub {
    /// GitHub for an OAuth app, whose tokens do not expire.
    #[must_use]
    pub fn new() -> Self {
        Self::of(false)
    }

    /// GitHub for a GitHub App, whose tokens live for eight hours; a refresh token is worth something once.
    #[must_use]
    pub fn expiring() -> Self {
        Self::of(true)
    }

    fn of(expiring: bool) -> Self {
        Self {
            codes: Codes::default(),
            expiring,
            state: Mutex::new(State {
                client: None,
                says_no: false,
                id: 583_231,
                email: "octocat@github.com".to_owned(),
                verified: true,
                tokens: Vec::new(),
                count: 0,
            }),
        }
    }

    /// From now on only this app is registered.
    pub fn register(&self, client_id: &str, secret: &str) {
        self.change(|state| state.client = Some((client_id.to_owned(), secret.to_owned())));
    }

    /// Says no from now on.
    pub fn deny(&self) {
        self.change(|state| state.says_no = true);
    }

    /// Somebody else logs in from now on: a number, a primary address, and whether that is verified.
    pub fn account(&self, id: u64, email: &str, verified: bool) {
        self.change(|state| {
            (state.id, state.verified) = (id, verified);
            email.clone_into(&mut state.email);
        });
    }

    /// All tokens are revoked.
    pub fn end_tokens(&self) {
        self.change(|state| state.tokens.clear());
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no thread failed"));
    }

    fn authorize(&self, seen: &Seen) -> Reply {
        let says_no = self.state.lock().expect("no thread failed").says_no;
        let location = match says_no {
            true => back(
                seen,
                &[
                    ("error", "access_denied"),
                    ("error_description", "The user has denied your application access."),
                    (
                        "error_uri",
                        "/apps/building-integrations/setting-up-and-registering-oauth-apps/troubleshooting-authorization-request-errors/#access-denied",
                    ),
                ],
            ),
            false => self.codes.give(seen, "", &[]),
        };
        location.map_or_else(|| Reply::page(404, "Not Found"), |location| Reply::redirect(&location))
    }

    fn token(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let client = seen.client();
        if state.client.is_some() && state.client != client || client.is_none_or(|(_, secret)| secret.is_empty()) {
            return said(
                seen,
                &refusal(
                    "incorrect_client_credentials",
                    "The client_id and/or client_secret passed are incorrect.",
                    "incorrect-client-credentials",
                ),
            );
        }
        if seen.field("grant_type").as_deref() == Some("refresh_token") {
            let token = seen.field("refresh_token");
            // "Once you use a refresh token, that refresh token and the old user access token will no longer work."
            let place = state
                .tokens
                .iter()
                .position(|known| token.is_some() && known.refresh_token == token);
            return match place {
                Some(place) => {
                    let scope = state.tokens.remove(place).scope;
                    said(seen, &state.make(scope, true))
                }
                None => said(
                    seen,
                    &refusal(
                        "bad_refresh_token",
                        "The refresh token passed is incorrect or expired.",
                        "bad-verification-code",
                    ),
                ),
            };
        }
        match self.codes.redeem(seen) {
            Ok(consent) => {
                let asked = consent.scope.unwrap_or_else(|| "repo gist".to_owned());
                // A GitHub App has permissions in the place of scopes.
                let scope = if self.expiring { String::new() } else { asked.replace(' ', ",") };
                said(seen, &state.make(scope, self.expiring))
            }
            Err(BadCode::Redirect) => said(
                seen,
                &[
                    ("error", "redirect_uri_mismatch".to_owned()),
                    (
                        "error_description",
                        "The redirect_uri MUST match the registered callback URL for this application.".to_owned(),
                    ),
                    (
                        "error_uri",
                        "/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#redirect-uri-mismatch2".to_owned(),
                    ),
                ],
            ),
            Err(_) => said(
                seen,
                &refusal(
                    "bad_verification_code",
                    "The code passed is incorrect or expired.",
                    "bad-verification-code",
                ),
            ),
        }
    }

    /// Answers an API request of somebody who has a token.
    fn with_token(&self, seen: &Seen, answer: impl FnOnce(&State) -> Reply) -> Reply {
        let state = self.state.lock().expect("no thread failed");
        if seen.header("user-agent").is_none() {
            return Reply::page(
                403,
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
            );
        }
        let shown = seen.bearer();
        match state.tokens.iter().any(|known| shown == Some(&known.access_token)) {
            true => answer(&state),
            false => Reply::json(
                401,
                "{\"message\":\"Bad credentials\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"401\"}",
            ),
        }
    }

    fn delete_grant(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let client = seen.header("authorization").and_then(|_| seen.client());
        if client.is_none() || state.client.is_some() && state.client != client {
            return not_found();
        }
        let token = seen.field("access_token").unwrap_or_default();
        let count = state.tokens.len();
        state.tokens.retain(|known| known.access_token != token);
        match state.tokens.len() < count {
            true => Reply::empty(204),
            false => not_found(),
        }
    }
}

impl Default for GitHub {
    fn default() -> Self {
        Self::new()
    }
}

impl Answers for GitHub {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        match (seen.method.as_str(), seen.path()) {
            ("GET", "/authorize") => self.authorize(seen),
            ("POST", "/token") => self.token(seen),
            ("GET", "/userinfo") => self.with_token(seen, |state| {
                let id = state.id;
                Reply::json(
                    200,
                    format!(
                        "{{\"login\":\"octocat\",\"id\":{id},\"node_id\":\"MDQ6VXNlcjE=\",\"avatar_url\":\
                         \"https://github.com/images/error/octocat_happy.gif\",\"type\":\"User\",\"site_admin\":false,\"name\":\"monalisa \
                         octocat\",\"company\":\"GitHub\",\"email\":null}}"
                    ),
                )
            }),
            ("GET", "/userinfo/emails") => self.with_token(seen, |state| {
                let (email, verified) = (&state.email, state.verified);
                Reply::json(
                    200,
                    format!(
                        "[\n  {{\n    \"email\": \"{email}\",\n    \"verified\": {verified},\n    \"primary\": true,\n    \"visibility\": \
                         \"public\"\n  }},\n  {{\n    \"email\": \"other@example.com\",\n    \"verified\": true,\n    \"primary\": false,\n    \
                         \"visibility\": null\n  }}\n]"
                    ),
                )
            }),
            ("DELETE", "/revoke") => self.delete_grant(seen),
            _ => not_found(),
        }
    }
}

impl State {
    fn make(&mut self, scope: String, expiring: bool) -> Vec<(&'static str, String)> {
        self.count += 1;
        let (kind, count) = (if expiring { "ghu" } else { "gho" }, self.count);
        let token = Token {
            access_token: format!("{kind}_canary{count}"),
            refresh_token: expiring.then(|| format!("ghr_canary{count}")),
            scope,
        };
        let mut answer = vec![("access_token", token.access_token.clone())];
        if let Some(refresh_token) = &token.refresh_token {
            answer.extend([
                ("expires_in", "28800".to_owned()),
                ("refresh_token", refresh_token.clone()),
                ("refresh_token_expires_in", "15811200".to_owned()),
            ]);
        }
        answer.extend([("scope", token.scope.clone()), ("token_type", "bearer".to_owned())]);
        self.tokens.push(token);
        answer
    }
}

fn refusal(name: &str, description: &str, place: &str) -> [(&'static str, String); 3] {
    [
        ("error", name.to_owned()),
        ("error_description", description.to_owned()),
        ("error_uri", format!("{ERRORS}#{place}")),
    ]
}

/// With 200, whatever it is; a form, unless JSON is asked for, in which numbers are numbers.
fn said(seen: &Seen, pairs: &[(&str, String)]) -> Reply {
    if !seen.wants_json() {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        return Reply::form(200, &pairs);
    }
    let members = pairs.iter().map(|(name, value)| match name.ends_with("expires_in") {
        true => format!("\"{name}\":{value}"),
        false => format!("\"{name}\":\"{value}\""),
    });
    Reply::json(200, format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

fn not_found() -> Reply {
    Reply::json(
        404,
        "{\"message\":\"Not Found\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"404\"}",
    )
}
