//! An address that stands in for a provider's, from the process's environment: which is how tests point at a local server.

use dango_oauth::{EndpointProblem, parse_replacement};
use dango_sources::TypeSpec;
use url::Url;

/// The address that stands in for a provider's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    variable: String,
}

/// A variable that holds no address that is accepted. The address is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} holds no address of an endpoint: {problem}")]
pub struct EndpointError {
    /// The variable.
    pub variable: String,
    /// What is wrong with its value.
    pub problem: EndpointProblem,
}

impl EndpointError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        "check_endpoint_invalid"
    }
}

impl Endpoint {
    /// The variable that replaces the address of a type: `DANGO_CHECK_<TYPE>_URL`.
    pub fn variable(spec: &TypeSpec) -> String {
        format!("DANGO_CHECK_{}_URL", spec.name.to_ascii_uppercase())
    }

    /// Asks the process's environment, never `.env`, for an address that stands in for the provider's.
    ///
    /// An empty variable is an error like any other value that is no address: silently going to the real provider could send a
    /// test's secrets there.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] naming the variable.
    pub fn from_environment(spec: &TypeSpec, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, EndpointError> {
        let names = [Some(Self::variable(spec)), of_connection(spec.name).map(str::to_owned)];
        let given = names.into_iter().flatten().find_map(|name| Some((variable(&name)?, name)));
        let Some((text, variable)) = given else { return Ok(None) };
        match parse_replacement(&text) {
            Ok(url) => Ok(Some(Self { url, variable })),
            Err(problem) => Err(EndpointError { variable, problem }),
        }
    }

    /// The variable that holds it.
    pub fn given_in(&self) -> &str {
        &self.variable
    }

    /// The address, for whoever remembers where an answer came from.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The address to call instead of another: a stand-in that is an origin alone keeps the other's path and query.
    pub(crate) fn stand_in_for(&self, url: &Url) -> Url {
        if self.url.path() != "/" || self.url.query().is_some() {
            return self.url.clone();
        }
        let mut stand_in = self.url.clone();
        stand_in.set_path(url.path());
        stand_in.set_query(url.query());
        stand_in
    }
}

/// The variable that replaces the very endpoint that is asked here, for connections: a token for a local server must not go to the
/// real one.
fn of_connection(source_type: &str) -> Option<&'static str> {
    match source_type {
        "google_sheets" | "google_analytics" | "google_ads" => Some("DANGO_OAUTH_GOOGLE_TOKEN_URL"),
        "facebook_ads" => Some("DANGO_OAUTH_FACEBOOK_USERINFO_URL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use dango_sources::catalogue;

    use super::*;

    fn stripe(value: &str) -> Result<Option<Endpoint>, EndpointError> {
        let spec = catalogue().find(&"stripe".parse().expect("a type")).expect("is in the catalogue");
        Endpoint::from_environment(spec, |name| (name == "DANGO_CHECK_STRIPE_URL").then(|| value.to_owned()))
    }

    #[test]
    fn an_origin_keeps_the_path_and_an_address_with_a_path_is_called_as_it_is() {
        let url: Url = "https://api.stripe.com/v1/balance?x=1".parse().expect("a URL");
        let stand_in = |text: &str| stripe(text).expect("accepted").expect("set").stand_in_for(&url).to_string();
        assert_eq!(stand_in("http://127.0.0.1:9"), "http://127.0.0.1:9/v1/balance?x=1");
        assert_eq!(stand_in("http://127.0.0.1:9/other"), "http://127.0.0.1:9/other");
    }

    #[test]
    fn an_address_that_is_none_is_an_error_that_does_not_repeat_it() {
        for bad in ["", "http://localhost:9/", "https://canary:canary@a.example/", "canary"] {
            let error = stripe(bad).expect_err(bad).to_string();
            assert!(error.starts_with("DANGO_CHECK_STRIPE_URL holds no address"), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
