//! An OpenID provider (OpenID Connect Core 1.0, Discovery 1.0; RFC 9207), honest until it is told to be otherwise. Its keys and its forged
//! tokens are in files of their own.
//!
//! For social login with Google as well, whose issuer is then the origin of the replaced token endpoint.

mod forgery;
mod keys;

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Answers;
use super::codes::{Codes, Consent, back};
use super::wire::{Reply, Seen};

pub use forgery::Forgery;
pub use keys::Algorithm;

use forgery::signed;
use keys::Keys;

/// Where machines in clouds find their keys, and nobody else should look.
const METADATA_SERVICE: &str = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";

/// Who is logged in at the provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// The identifier that stays.
    pub subject: String,
    /// The address, if it says one.
    pub email: Option<String>,
    /// Whether it says that the address was verified; `None` where it says nothing.
    pub verified: Option<bool>,
    /// The name.
    pub name: String,
}

impl Account {
    /// Ada Lovelace, `ada@example.com`, verified.
    #[must_use]
    pub fn ada() -> Self {
        Self {
            subject: "248289761001".to_owned(),
            email: Some("ada@example.com".to_owned()),
            verified: Some(true),
            name: "Ada Lovelace".to_owned(),
        }
    }

    /// Somebody with a verified address.
    #[must_use]
    pub fn of(subject: &str, email: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            email: Some(email.to_owned()),
            ..Self::ada()
        }
    }
}

/// How a provider is hostile, beside the ID token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hostility {
    /// The answer to the browser names no issuer, though it was announced.
    NoIssuerInAnswer,
    /// The answer to the browser names another issuer (mix-up, RFC 9207 §1).
    OtherIssuerInAnswer(String),
    /// The configuration names another issuer.
    OtherIssuerInConfiguration,
    /// The configuration sends tokens and keys to a host that is not the issuer's.
    ForeignEndpoints,
    /// The error comes with a description that is a script.
    ScriptInError,
    /// Whoever asks at this path is sent to the metadata service of clouds.
    Redirects(&'static str),
    /// What is answered at this path never ends, and comes fast.
    Endless(&'static str),
    /// What is answered at this path never ends, and comes a byte at a time.
    Dripping(&'static str),
}

/// The provider.
pub struct OpenId {
    codes: Codes,
    keys: Keys,
    state: Mutex<State>,
}

struct State {
    account: Account,
    algorithm: Algorithm,
    client: Option<(String, String)>,
    says_no: bool,
    forgery: Option<Forgery>,
    hostility: Vec<Hostility>,
    /// Each access token with whose it is.
    given: Vec<Account>,
}

impl OpenId {
    /// An honest provider, at which Ada is logged in and every client is registered.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "making keys is no default value")]
    pub fn new() -> Self {
        Self {
            codes: Codes::default(),
            keys: Keys::make(),
            state: Mutex::new(State {
                account: Account::ada(),
                algorithm: Algorithm::Rs256,
                client: None,
                says_no: false,
                forgery: None,
                hostility: Vec::new(),
                given: Vec::new(),
            }),
        }
    }

    /// From now on only this client is registered.
    pub fn register(&self, client_id: &str, secret: &str) {
        self.change(|state| state.client = Some((client_id.to_owned(), secret.to_owned())));
    }

    /// Somebody else is logged in from now on.
    pub fn account(&self, account: Account) {
        self.change(|state| state.account = account);
    }

    /// ID tokens are signed so from now on.
    pub fn sign_with(&self, algorithm: Algorithm) {
        self.change(|state| state.algorithm = algorithm);
    }

    /// Says no from now on.
    pub fn deny(&self) {
        self.change(|state| state.says_no = true);
    }

    /// ID tokens are forged from now on.
    pub fn forge(&self, forgery: Forgery) {
        self.change(|state| state.forgery = Some(forgery));
    }

    /// Is hostile in one more way.
    pub fn turn_hostile(&self, hostility: Hostility) {
        self.change(|state| state.hostility.push(hostility));
    }

    /// Is honest again.
    pub fn turn_honest(&self) {
        self.change(|state| {
            (state.forgery, state.says_no) = (None, false);
            state.hostility.clear();
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no thread failed"));
    }

    fn is(&self, hostility: &Hostility) -> bool {
        self.state.lock().expect("no thread failed").hostility.contains(hostility)
    }

    fn configuration(&self, origin: &str) -> Reply {
        let issuer = match self.is(&Hostility::OtherIssuerInConfiguration) {
            true => "https://accounts.google.com",
            false => origin,
        };
        let called = match self.is(&Hostility::ForeignEndpoints) {
            true => "https://elsewhere.example",
            false => origin,
        };
        let document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{called}/token"),
            "userinfo_endpoint": format!("{called}/userinfo"),
            "jwks_uri": format!("{called}/jwks"),
            "scopes_supported": ["openid", "email", "profile"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "email", "email_verified", "name"],
        });
        Reply::json(200, document.to_string())
    }

    fn authorize(&self, seen: &Seen, origin: &str) -> Reply {
        let (says_no, hostility) = {
            let state = self.state.lock().expect("no thread failed");
            (state.says_no, state.hostility.clone())
        };
        let issuer = hostility.iter().find_map(|hostility| match hostility {
            Hostility::NoIssuerInAnswer => Some(None),
            Hostility::OtherIssuerInAnswer(other) => Some(Some(other.as_str())),
            _ => None,
        });
        let issuer: Vec<_> = issuer.unwrap_or(Some(origin)).map(|issuer| ("iss", issuer)).into_iter().collect();
        let location = match (says_no, hostility.contains(&Hostility::ScriptInError)) {
            (false, false) => self.codes.give(seen, "", &issuer),
            (_, script) => {
                let description = match script {
                    true => "<script>document.title='owned'</script>".repeat(100),
                    false => "The End-User said no".to_owned(),
                };
                let error = [("error", "access_denied"), ("error_description", &description)];
                back(seen, &[&error[..], &issuer].concat())
            }
        };
        location.map_or_else(|| Reply::page(400, "invalid_request"), |location| Reply::redirect(&location))
    }

    fn token(&self, seen: &Seen, origin: &str) -> Reply {
        let mut state = self.state.lock().expect("no thread failed");
        let client = seen.client();
        let Some((client_id, _)) = client
            .as_ref()
            .filter(|client| state.client.as_ref().is_none_or(|known| known == *client))
        else {
            return Reply::json(401, "{\"error\":\"invalid_client\"}").with("WWW-Authenticate", "Basic realm=\"provider\"");
        };
        match (seen.field("grant_type").as_deref(), self.codes.redeem(seen)) {
            (Some("authorization_code"), Ok(consent)) => {
                let number = state.given.len();
                let id_token = self.id_token(&state, &consent, client_id, origin);
                let account = state.account.clone();
                state.given.push(account);
                let mut answer = json!({"access_token": format!("canary-access-{number}"), "token_type": "Bearer", "expires_in": 300});
                if let Some(id_token) = id_token {
                    answer["id_token"] = json!(id_token);
                }
                Reply::json(200, answer.to_string())
                    .with("Cache-Control", "no-store")
                    .with("Pragma", "no-cache")
            }
            (Some("authorization_code"), Err(_)) => Reply::json(400, "{\"error\":\"invalid_grant\"}"),
            _ => Reply::json(400, "{\"error\":\"unsupported_grant_type\"}"),
        }
    }

    fn id_token(&self, state: &State, consent: &Consent, client_id: &str, origin: &str) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut claims = json!({"iss": origin, "aud": client_id, "iat": now, "exp": now + 300});
        if let Some(nonce) = &consent.nonce {
            claims["nonce"] = json!(nonce);
        }
        about(&state.account, &mut claims);
        match state.forgery {
            Some(forgery) => forgery.write(&self.keys, state.algorithm, claims, state.given.len()),
            None => {
                let header = self.keys.header(state.algorithm);
                Some(signed(&header, &claims, |message| self.keys.sign(state.algorithm, message)))
            }
        }
    }

    fn userinfo(&self, seen: &Seen) -> Reply {
        let state = self.state.lock().expect("no thread failed");
        let number = seen.bearer().and_then(|token| token.strip_prefix("canary-access-")?.parse().ok());
        match number.and_then(|number: usize| state.given.get(number)) {
            Some(account) => {
                let mut claims = json!({});
                about(account, &mut claims);
                Reply::json(200, claims.to_string())
            }
            None => Reply::empty(401).with("WWW-Authenticate", "Bearer error=\"invalid_token\""),
        }
    }
}

impl Answers for OpenId {
    fn answer(&self, seen: &Seen, origin: &str) -> Reply {
        let path = seen.path();
        let hostile = self
            .state
            .lock()
            .expect("no thread failed")
            .hostility
            .iter()
            .find_map(|hostility| match hostility {
                Hostility::Redirects(there) if *there == path => Some(Reply::redirect(METADATA_SERVICE)),
                Hostility::Endless(there) if *there == path => Some(Reply::endless()),
                Hostility::Dripping(there) if *there == path => Some(Reply::dripping()),
                _ => None,
            });
        if let Some(reply) = hostile {
            return reply;
        }
        match (seen.method.as_str(), path) {
            ("GET", "/.well-known/openid-configuration") => self.configuration(origin),
            ("GET", "/jwks") => Reply::json(200, self.keys.public().to_string()),
            ("GET", "/foreign-jwks") => Reply::json(200, json!({"keys": [self.keys.foreign_jwk()]}).to_string()),
            ("GET", "/authorize") => self.authorize(seen, origin),
            ("POST", "/token") => self.token(seen, origin),
            ("GET", "/userinfo") => self.userinfo(seen),
            _ => Reply::empty(404),
        }
    }
}

fn about(account: &Account, claims: &mut Value) {
    claims["sub"] = json!(account.subject);
    claims["name"] = json!(account.name);
    if let Some(email) = &account.email {
        claims["email"] = json!(email);
    }
    if let Some(verified) = account.verified {
        claims["email_verified"] = json!(verified);
    }
}
