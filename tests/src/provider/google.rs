//! Google, as it documents itself:
//!
//! - authorization, tokens, renewal, revocation: <https://developers.google.com/identity/protocols/oauth2/web-server>, "Exchange
//!   authorization code for refresh and access tokens", "Refreshing an access token", "Revoking a token", "Time-based access"
//! - the account: <https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation>
//! - a token looked up: <https://developers.google.com/identity/sign-in/web/backend-auth#calling-the-tokeninfo-endpoint>
//! - boxes that are not ticked: <https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions>
//! - errors: <https://developers.google.com/google-ads/api/docs/get-started/common-errors>,
//!   <https://developers.google.com/identity/protocols/oauth2/native-app>; of APIs: <https://cloud.google.com/apis/design/errors>
//!
//! An app in Testing: <https://developers.google.com/identity/protocols/oauth2#expiration>. Login with Google is an OpenID provider.

use std::sync::Mutex;

use super::Answers;
use super::codes::{BadCode, Codes, back};
use super::wire::{Reply, Seen};

const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const SUBJECT: &str = "10769150350006150715113082367";

/// What it says to a refresh token that was revoked, or has ended.
pub(super) const INVALID_GRANT: &str =
    "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Token has been expired or revoked.\"\n}";
const UNAUTHENTICATED: &str = "{\n  \"error\": {\n    \"code\": 401,\n    \"message\": \"Request had invalid authentication credentials. \
                               Expected OAuth 2 access token, login cookie or other valid authentication credential. See \
                               https://developers.google.com/identity/sign-in/web/devconsole-project.\",\n    \"status\": \
                               \"UNAUTHENTICATED\"\n  }\n}\n";

/// Google, with one person: Ada Lovelace, `ada@example.com`. Her first refresh token is `1//canary-refresh`; it stays.
pub struct Google {
    codes: Codes,
    state: Mutex<State>,
}

struct State {
    email: String,
    client: Option<(String, String)>,
    says_no: bool,
    unticked: Vec<String>,
    testing: bool,
    grants: Vec<Grant>,
    accesses: usize,
}

struct Grant {
    refresh_token: Option<String>,
    access_tokens: Vec<String>,
    scope: String,
    ended: bool,
}

impl Google {
    /// Google, where every app is registered.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "Ada is no default value")]
    pub fn new() -> Self {
        Self {
            codes: Codes::default(),
            state: Mutex::new(State {
                email: "ada@example.com".to_owned(),
                client: None,
                says_no: false,
                unticked: Vec::new(),
                testing: false,
                grants: Vec::new(),
                accesses: 0,
            }),
        }
    }

    /// From now on only this app is registered.
    pub fn register(&self, client_id: &str, secret: &str) {
        self.change(|state| state.client = Some((client_id.to_owned(), secret.to_owned())));
    }

    /// Ada goes by another address from now on, and is somebody else.
    pub fn account(&self, email: &str) {
        self.change(|state| email.clone_into(&mut state.email));
    }

    /// She says no from now on.
    pub fn deny(&self) {
        self.change(|state| state.says_no = true);
    }

    /// She leaves the box of a scope unticked from now on.
    pub fn untick(&self, scope: &str) {
        self.change(|state| state.unticked.push(scope.to_owned()));
    }

    /// The app is in Testing: grants end after seven days, and it says so.
    pub fn testing(&self) {
        self.change(|state| state.testing = true);
    }

    /// All grants end: Ada has removed the app, or the seven days of an app in Testing are over.
    pub fn end_grants(&self) {
        self.change(|state| state.grants.iter_mut().for_each(|grant| grant.ended = true));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no thread failed"));
    }

    fn authorize(&self, seen: &Seen) -> Reply {
        let denied = self.state.lock().expect("no thread failed").says_no;
        let location = match denied {
            true => back(seen, &[("error", "access_denied")]),
            false => {
                let scope = seen.query("scope").unwrap_or_default();
                self.codes.give(seen, "4/0", &[("scope", &scope)])
            }
        };
        location.map_or_else(
            || Reply::page(400, "Error 400: invalid_request"),
            |location| Reply::redirect(&location),
        )
    }

    fn token(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        if let Some(refusal) = state.refuse_client(seen) {
            return refusal;
        }
        match seen.field("grant_type").as_deref() {
            Some("authorization_code") => match self.codes.redeem(seen) {
                Ok(consent) => {
                    let asked = consent.scope.unwrap_or_else(|| format!("openid {EMAIL} {SHEETS}"));
                    // Without `access_type=offline` there is no refresh token.
                    let offline = consent.access_type.is_none_or(|kind| kind == "offline");
                    state.grant(&asked, offline)
                }
                Err(BadCode::Unknown) => refused("invalid_grant", "Malformed auth code."),
                Err(BadCode::Verifier) => refused("invalid_grant", "Invalid code verifier."),
                Err(BadCode::Redirect) => refused("redirect_uri_mismatch", "Bad Request"),
            },
            Some("refresh_token") => state.refresh(&seen.field("refresh_token").unwrap_or_default()),
            other => refused(
                "unsupported_grant_type",
                &format!("Invalid grant_type: {}", other.unwrap_or_default()),
            ),
        }
    }

    fn userinfo(&self, seen: &Seen) -> Reply {
        let state = self.state.lock().expect("no thread failed");
        if seen.bearer().and_then(|token| state.find(token)).is_none() {
            return Reply::json(401, UNAUTHENTICATED).with("WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"");
        }
        Reply::json(
            200,
            format!(
                "{{\n  \"sub\": \"{}\",\n  \"name\": \"Ada Lovelace\",\n  \"given_name\": \"Ada\",\n  \"family_name\": \"Lovelace\",\n  \
                 \"email\": \"{}\",\n  \"email_verified\": true\n}}",
                state.subject(),
                state.email
            ),
        )
    }

    fn token_info(&self, seen: &Seen) -> Reply {
        let state = self.state.lock().expect("no thread failed");
        let token = seen.query("access_token").unwrap_or_default();
        let Some(grant) = state.find(&token) else {
            return Reply::json(400, "{\n  \"error_description\": \"Invalid Value\"\n}\n");
        };
        Reply::json(
            200,
            format!(
                "{{\n  \"sub\": \"{}\",\n  \"scope\": \"{}\",\n  \"expires_in\": \"3599\",\n  \"email\": \"{}\",\n  \
                 \"email_verified\": \"true\",\n  \"access_type\": \"offline\"\n}}\n",
                state.subject(),
                grant.scope,
                state.email
            ),
        )
    }

    /// Takes either token, and ends the whole grant.
    fn revoke(&self, seen: &Seen) -> Reply {
        let token = seen.field("token").or_else(|| seen.query("token")).unwrap_or_default();
        let mut state = self.state.lock().expect("no thread failed");
        let is_of = |grant: &&mut Grant| grant.refresh_token.as_ref() == Some(&token) || grant.access_tokens.contains(&token);
        let found = state.grants.iter_mut().filter(|grant| !grant.ended).find(is_of);
        match found {
            Some(grant) => {
                grant.ended = true;
                Reply::json(200, "{}")
            }
            None => refused("invalid_token", "Token expired or revoked"),
        }
    }
}

impl Answers for Google {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        match (seen.method.as_str(), seen.path()) {
            ("GET", "/authorize") => self.authorize(seen),
            ("POST", "/token") => self.token(seen),
            ("GET", "/userinfo") => self.userinfo(seen),
            ("GET", "/tokeninfo") => self.token_info(seen),
            ("POST", "/revoke") => self.revoke(seen),
            _ => Reply::page(404, "Error 404 (Not Found)!!1"),
        }
    }
}

impl State {
    fn refuse_client(&self, seen: &Seen) -> Option<Reply> {
        let Some((id, secret)) = seen.client() else {
            return Some(refused("invalid_request", "Could not determine client ID from request."));
        };
        let invalid = |description: &str| Reply::json(401, error("invalid_client", description));
        match &self.client {
            Some((known, _)) if *known != id => Some(invalid("The OAuth client was not found.")),
            Some((_, known)) if *known != secret => Some(invalid("Unauthorized")),
            _ if secret.is_empty() => Some(refused("invalid_request", "client_secret is missing.")),
            _ => None,
        }
    }

    fn grant(&mut self, asked: &str, offline: bool) -> Reply {
        let ticked = asked
            .split(' ')
            .filter(|scope| !self.unticked.iter().any(|unticked| unticked == scope));
        let number = self.grants.len() + 1;
        let refresh_token = match number {
            1 => "1//canary-refresh".to_owned(),
            number => format!("1//canary-refresh-{number}"),
        };
        self.grants.push(Grant {
            refresh_token: offline.then_some(refresh_token),
            access_tokens: Vec::new(),
            scope: ticked.collect::<Vec<_>>().join(" "),
            ended: false,
        });
        self.tokens(number - 1, true)
    }

    fn refresh(&mut self, token: &str) -> Reply {
        let is_of = |grant: &Grant| !grant.ended && grant.refresh_token.as_deref() == Some(token);
        match self.grants.iter().position(is_of) {
            Some(place) => self.tokens(place, false),
            None => Reply::json(400, INVALID_GRANT),
        }
    }

    fn tokens(&mut self, place: usize, first: bool) -> Reply {
        self.accesses += 1;
        let access_token = format!("ya29.canary-access-{}", self.accesses);
        let grant = &mut self.grants[place];
        grant.access_tokens.push(access_token.clone());
        let scope = &grant.scope;
        let head = format!("{{\n  \"access_token\": \"{access_token}\",\n  \"expires_in\": 3599,\n");
        // The samples differ in their order.
        let mut body = match grant.refresh_token.as_ref().filter(|_| first) {
            Some(refresh_token) => {
                format!("{head}  \"token_type\": \"Bearer\",\n  \"scope\": \"{scope}\",\n  \"refresh_token\": \"{refresh_token}\"")
            }
            None => format!("{head}  \"scope\": \"{scope}\",\n  \"token_type\": \"Bearer\""),
        };
        if self.testing {
            body.push_str(",\n  \"refresh_token_expires_in\": 604799");
        }
        Reply::json(200, body + "\n}")
    }

    fn find(&self, access_token: &str) -> Option<&Grant> {
        let is_of = |grant: &&Grant| !grant.ended && grant.access_tokens.iter().any(|known| known == access_token);
        self.grants.iter().find(is_of)
    }

    /// Another number for another address.
    fn subject(&self) -> String {
        match self.email.as_str() {
            "ada@example.com" => SUBJECT.to_owned(),
            email => email.bytes().fold(String::from("1"), |digits, byte| format!("{digits}{byte}")),
        }
    }
}

fn refused(name: &str, description: &str) -> Reply {
    Reply::json(400, error(name, description))
}

fn error(name: &str, description: &str) -> String {
    format!("{{\n  \"error\": \"{name}\",\n  \"error_description\": \"{description}\"\n}}")
}
