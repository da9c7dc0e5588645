//! Facebook, as it documents itself:
//!
//! - the dialog and codes: <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>
//! - sixty days: <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>, "Sample Response", "Caveats"
//! - a token looked up, and what expired ones get: <https://developers.facebook.com/docs/facebook-login/access-tokens/debugging-and-error-handling>
//! - errors: <https://developers.facebook.com/docs/graph-api/guides/error-handling>, "Error Codes", "Authentication Error Subcodes"
//! - permissions and the end of them: <https://developers.facebook.com/docs/graph-api/reference/user/permissions/>

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Answers;
use super::codes::{BadCode, Codes, back};
use super::wire::{Reply, Seen};

/// "A long-lived token generally lasts about 60 days": the number of the sample.
const SIXTY_DAYS: u64 = 5_183_944;

/// Why Ada's tokens are worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FacebookEnd {
    /// Their time is over: 190 with 463.
    Expired,
    /// She has changed her password: 190 with 460.
    PasswordChanged,
    /// She has removed the app: 190 with 458.
    Removed,
}

/// Facebook, with one person: Ada Lovelace. Her tokens are `EAAcanary-short-N` and `EAAcanary-long-N`.
pub struct Facebook {
    codes: Codes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<(String, String)>,
    says_no: bool,
    declined: Vec<String>,
    asked: Vec<String>,
    tokens: Vec<Token>,
}

struct Token {
    text: String,
    end: Option<FacebookEnd>,
}

impl Facebook {
    /// Facebook, where every app is registered.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "Ada is no default value")]
    pub fn new() -> Self {
        Self {
            codes: Codes::default(),
            state: Mutex::default(),
        }
    }

    /// From now on only this app is registered.
    pub fn register(&self, app_id: &str, secret: &str) {
        self.change(|state| state.client = Some((app_id.to_owned(), secret.to_owned())));
    }

    /// Ada says no from now on.
    pub fn deny(&self) {
        self.change(|state| state.says_no = true);
    }

    /// She declines one permission from now on.
    pub fn decline(&self, permission: &str) {
        self.change(|state| state.declined.push(permission.to_owned()));
    }

    /// All tokens that were given are worth nothing any more.
    pub fn end_tokens(&self, end: FacebookEnd) {
        self.change(|state| state.end(end));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no thread failed"));
    }

    fn dialog(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let location = match state.says_no {
            // "Canceled Login", in the order of the documentation.
            true => back(
                seen,
                &[
                    ("error_reason", "user_denied"),
                    ("error", "access_denied"),
                    ("error_description", "Permissions error."),
                ],
            ),
            false => self.codes.give(seen, "AQ", &[]),
        };
        if let Some(scope) = seen.query("scope") {
            state.asked = scope.split([',', ' ']).map(str::to_owned).collect();
        }
        location.map_or_else(
            || Reply::page(400, "Sorry, something went wrong."),
            |location| Reply::redirect(&location),
        )
    }

    fn token(&self, seen: &Seen) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        if let Some(refusal) = state.refuse_client(seen) {
            return refusal;
        }
        if given(seen, "grant_type").as_deref() == Some("fb_exchange_token") {
            return state.exchange(&given(seen, "fb_exchange_token").unwrap_or_default());
        }
        match self.codes.redeem(seen) {
            Ok(_) => {
                let token = state.make("short");
                Reply::json(
                    200,
                    format!("{{\"access_token\":\"{token}\",\"token_type\":\"bearer\",\"expires_in\":5400}}"),
                )
            }
            Err(BadCode::Unknown) => refused("Invalid verification code format.", 100, None),
            Err(BadCode::Verifier) => refused("Invalid code_verifier parameter.", 100, None),
            Err(BadCode::Redirect) => refused(
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog \
                 request",
                100,
                Some(36008),
            ),
        }
    }

    /// Answers somebody who has a token that is worth something.
    fn with_token(&self, seen: &Seen, answer: impl FnOnce(&mut State) -> Reply) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let token = seen.bearer().map(str::to_owned).or_else(|| given(seen, "access_token"));
        match token.map(|token| state.judge(&token)) {
            None => refused(
                "An active access token must be used to query information about the current user.",
                2500,
                None,
            ),
            Some(Err(refusal)) => refusal,
            Some(Ok(())) => answer(&mut state),
        }
    }
}

impl Answers for Facebook {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        match (seen.method.as_str(), seen.path()) {
            ("GET", "/authorize") => self.dialog(seen),
            // "GET" in the documentation; every call may be a POST as well.
            ("GET" | "POST", "/token") => self.token(seen),
            ("GET", "/userinfo") => self.with_token(seen, |_| {
                Reply::json(200, "{\n  \"name\": \"Ada Lovelace\",\n  \"id\": \"10158000000000000\"\n}")
            }),
            ("GET", "/userinfo/permissions") => self.with_token(seen, |state| state.permissions()),
            ("DELETE", "/revoke") => self.with_token(seen, |state| {
                state.end(FacebookEnd::Removed);
                Reply::json(200, "{\n  \"success\": true\n}")
            }),
            ("GET", "/debug_token") => self.with_token(seen, |state| state.debug(&seen.query("input_token").unwrap_or_default())),
            _ => Reply::json(
                404,
                "{\"error\":{\"message\":\"Unknown path components: \\/\",\"type\":\"OAuthException\",\"code\":2500,\"fbtrace_id\":\"H2il2t5bn4e\"}}",
            ),
        }
    }
}

impl State {
    fn refuse_client(&self, seen: &Seen) -> Option<Reply> {
        let id = given(seen, "client_id");
        match (&self.client, id) {
            (_, None) => Some(refused("Missing client_id parameter.", 101, None)),
            (Some((known, _)), Some(id)) if *known != id => Some(refused(
                "Error validating application. Cannot get application info due to a system error.",
                101,
                None,
            )),
            (Some((_, known)), _) if given(seen, "client_secret").as_ref() != Some(known) => {
                Some(refused("Error validating client secret.", 1, None))
            }
            _ => None,
        }
    }

    fn make(&mut self, kind: &str) -> String {
        let text = format!("EAAcanary-{kind}-{}", self.tokens.len() + 1);
        self.tokens.push(Token {
            text: text.clone(),
            end: None,
        });
        text
    }

    /// "You can not use an expired token to request a long-lived token."
    fn exchange(&mut self, token: &str) -> Reply {
        if let Err(refusal) = self.judge(token) {
            return refusal;
        }
        let token = self.make("long");
        Reply::json(
            200,
            format!("{{\n  \"access_token\":\"{token}\",\n  \"token_type\": \"bearer\",\n  \"expires_in\": {SIXTY_DAYS}\n}}"),
        )
    }

    fn judge(&self, token: &str) -> Result<(), Reply> {
        let Some(known) = self.tokens.iter().find(|known| known.text == token) else {
            return Err(refused("Invalid OAuth access token - Cannot parse access token", 190, None));
        };
        known.end.map_or(Ok(()), |end| {
            let (message, subcode) = match end {
                FacebookEnd::Expired => (
                    "Error validating access token: Session has expired on Wednesday, 14-Feb-18 18:00:00 PST. The current time is Thursday, \
                     15-Feb-18 13:46:35 PST.",
                    463,
                ),
                FacebookEnd::PasswordChanged => (
                    "Error validating access token: The session has been invalidated because the user changed their password or Facebook has \
                     changed the session for security reasons.",
                    460,
                ),
                FacebookEnd::Removed => (
                    "Error validating access token: The user has not authorized application 138483919580948.",
                    458,
                ),
            };
            Err(refused(message, 190, Some(subcode)))
        })
    }

    fn end(&mut self, end: FacebookEnd) {
        self.tokens.iter_mut().for_each(|token| token.end = token.end.or(Some(end)));
    }

    fn permissions(&self) -> Reply {
        let asked = match self.asked.as_slice() {
            // Nobody came over the dialog.
            [] => vec!["ads_read".to_owned(), "ads_management".to_owned()],
            asked => asked.to_vec(),
        };
        let lines = asked.iter().map(|permission| {
            let status = match self.declined.contains(permission) {
                true => "declined",
                false => "granted",
            };
            format!("    {{\n      \"permission\": \"{permission}\",\n      \"status\": \"{status}\"\n    }}")
        });
        let lines: Vec<_> = lines.collect();
        Reply::json(200, format!("{{\n  \"data\": [\n{}\n  ]\n}}", lines.join(",\n")))
    }

    fn debug(&self, token: &str) -> Reply {
        let valid = self.judge(token).is_ok();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Reply::json(
            200,
            format!(
                "{{\n  \"data\":{{\n    \"app_id\":\"138483919580948\",\n    \"type\":\"USER\",\n    \"application\":\"Social Cafe\",\n    \
                 \"data_access_expires_at\":{0},\n    \"expires_at\":{0},\n    \"is_valid\":{valid},\n    \"scopes\":[\n      \
                 \"ads_read\",\n      \"public_profile\"\n    ],\n    \"granular_scopes\":[\n      {{\n        \
                 \"scope\":\"ads_read\",\n        \"target_ids\":[\n          \"123456\"\n        ]\n      }}\n    ],\n    \
                 \"user_id\":\"10158000000000000\"\n  }}\n}}",
                now + SIXTY_DAYS
            ),
        )
    }
}

/// A parameter of the query or of the body: the Graph API takes both.
fn given(seen: &Seen, name: &str) -> Option<String> {
    seen.query(name).or_else(|| seen.field(name))
}

fn refused(message: &str, code: u32, subcode: Option<u32>) -> Reply {
    let subcode = subcode
        .map(|subcode| format!("\n    \"error_subcode\": {subcode},"))
        .unwrap_or_default();
    let body = format!(
        "{{\n  \"error\": {{\n    \"message\": \"{message}\",\n    \"type\": \"OAuthException\",\n    \"code\": {code},{subcode}\n    \
         \"fbtrace_id\": \"H2il2t5bn4e\"\n  }}\n}}"
    );
    let name = if code == 190 { "invalid_token" } else { "invalid_request" };
    Reply::json(400, body).with("WWW-Authenticate", &format!("OAuth \"Facebook Platform\" \"{name}\" \"{message}\""))
}
