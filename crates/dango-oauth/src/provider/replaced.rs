//! Endpoints replaced from the process's environment, which is how tests point at a local server.

use url::Url;

use super::endpoint::{EndpointProblem, Transport, parse_endpoint};
use super::{Endpoints, Provider};

/// The endpoints of one provider that are replaced.
#[derive(Clone, Debug, Default)]
pub struct Replacement {
    authorize: Option<Url>,
    token: Option<Url>,
    userinfo: Option<Url>,
    revoke: Option<Url>,
}

/// A variable that replaces an endpoint and holds no address that is accepted. The address is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} holds no address of an endpoint: {problem}")]
pub struct ReplacementError {
    /// The variable.
    pub variable: String,
    /// What is wrong with its value.
    pub problem: EndpointProblem,
}

impl ReplacementError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        "oauth_endpoint_invalid"
    }
}

const ENDPOINTS: [&str; 4] = ["AUTHORIZE", "TOKEN", "USERINFO", "REVOKE"];

impl Replacement {
    /// Nothing replaced.
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks the process's environment, never `.env`, for `DANGO_OAUTH_<PROVIDER>_{AUTHORIZE,TOKEN,USERINFO,REVOKE}_URL`.
    ///
    /// An empty variable is an error like any other value that is no address: silently going to the real provider
    /// could send a test's secrets there.
    ///
    /// # Errors
    ///
    /// [`ReplacementError`] naming the variable.
    pub fn from_environment(provider: &Provider, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ReplacementError> {
        let mut urls = ENDPOINTS.map(|_| None);
        for (url, endpoint) in urls.iter_mut().zip(ENDPOINTS) {
            let name = format!("DANGO_OAUTH_{}_{endpoint}_URL", provider.name.to_ascii_uppercase());
            let Some(text) = variable(&name) else { continue };
            match parse_endpoint(&text, Transport::HttpsOrLoopback) {
                Ok(parsed) => *url = Some(parsed),
                Err(problem) => return Err(ReplacementError { variable: name, problem }),
            }
        }
        let [authorize, token, userinfo, revoke] = urls;
        Ok(Self {
            authorize,
            token,
            userinfo,
            revoke,
        })
    }

    /// The variables' endpoints that are replaced, in words for the warning: `AUTHORIZE`, `TOKEN`, `USERINFO`, `REVOKE`.
    pub fn replaced(&self) -> Vec<&'static str> {
        let urls = [&self.authorize, &self.token, &self.userinfo, &self.revoke];
        let set = ENDPOINTS.into_iter().zip(urls).filter(|(_, url)| url.is_some());
        set.map(|(name, _)| name).collect()
    }

    /// The token endpoint that stands in.
    pub(crate) const fn token(&self) -> Option<&Url> {
        self.token.as_ref()
    }

    pub(super) fn apply(&self, endpoints: &mut Endpoints) {
        let put = |slot: &mut Url, url: &Option<Url>| {
            if let Some(url) = url {
                *slot = url.clone();
            }
        };
        put(&mut endpoints.authorize, &self.authorize);
        put(&mut endpoints.token, &self.token);
        // One that the provider does not have stays absent: how to call it would be unknown.
        if let Some(slot) = &mut endpoints.userinfo {
            put(slot, &self.userinfo);
        }
        if let Some(slot) = &mut endpoints.revoke {
            put(slot, &self.revoke);
        }
        // Permissions are told beside the account; a token for a local server must not go to the real one.
        if let (Some(slot), Some(userinfo)) = (&mut endpoints.permissions, &self.userinfo) {
            let mut url = userinfo.clone();
            let path = format!("{}/permissions", url.path().trim_end_matches('/'));
            url.set_path(&path);
            url.set_query(None);
            *slot = url;
        }
    }
}
