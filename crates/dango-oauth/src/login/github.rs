//! Login with GitHub, which has no ID tokens: the account is asked with the access token
//! (<https://docs.github.com/en/rest/users/users>, <https://docs.github.com/en/rest/users/emails>).

use dango_core::{Entropy, Timestamp};
use serde_json::Value;
use url::Url;

use super::{LoginError, LoginIdentity, VerifiedEmail};
use crate::answer::{ProviderError, read_json, read_object};
use crate::client::ClientRegistration;
use crate::flow::{Begun, Context, FLOW_LIFETIME, FlowRequest, Purpose, Redeemable, begin_flow};
use crate::http::Http;
use crate::limit::whole;
use crate::protocol::token_get;
use crate::provider::{Endpoints, HostError, Provider, Providers, Replacement};

/// The scopes of a login: who it is, and the e-mail addresses.
pub const LOGIN_SCOPES: [&str; 2] = ["read:user", "user:email"];

const ISSUER: &str = "https://github.com";

/// Login with GitHub.
pub struct GitHubLogin {
    provider: Provider,
    endpoints: Endpoints,
    client: ClientRegistration,
}

impl GitHubLogin {
    /// The issuer of its accounts; GitHub names none itself.
    pub const ISSUER: &'static str = ISSUER;

    /// Login for a client, at the endpoints that come with Dango or replace them.
    ///
    /// # Errors
    ///
    /// [`HostError`], which GitHub's endpoints never give: they are the same for everybody.
    pub fn new(client: ClientRegistration, replacement: &Replacement) -> Result<Self, HostError> {
        let providers = Providers::builtin();
        let provider = providers.find("github").ok_or(HostError::Missing)?.clone();
        let endpoints = provider.endpoints(None, replacement)?;
        Ok(Self {
            provider,
            endpoints,
            client,
        })
    }

    /// Begins a login.
    ///
    /// # Errors
    ///
    /// [`LoginError::Entropy`].
    pub fn begin(&self, redirect_uri: &Url, context: Context, entropy: &dyn Entropy, now: Timestamp) -> Result<Begun, LoginError> {
        let request = FlowRequest {
            provider: &self.provider,
            endpoints: &self.endpoints,
            client: &self.client,
            redirect_uri,
            scopes: LOGIN_SCOPES.map(str::to_owned).to_vec(),
            context,
            purpose: Purpose::Connection,
            lifetime: FLOW_LIFETIME,
        };
        Ok(begin_flow(request, entropy, now)?)
    }

    /// Finishes a login: redeems the code and asks who it is.
    ///
    /// The e-mail address is the primary one, and only if GitHub calls it verified; another verified one does not stand in.
    ///
    /// # Errors
    ///
    /// [`LoginError::Provider`].
    pub async fn finish(&self, http: &dyn Http, redeemable: Redeemable) -> Result<LoginIdentity, LoginError> {
        let identity = whole(async {
            let tokens = redeemable.tokens(http, &self.provider, &self.endpoints, &self.client).await?;
            let user_url = self.endpoints.userinfo.as_ref().ok_or(ProviderError::Malformed)?;
            let mut emails_url = user_url.clone();
            emails_url.set_path(&format!("{}/emails", user_url.path()));
            let ask = |url: &Url| token_get(&self.provider, url, &tokens.access_token);
            let user = read_object(http.call(&self.endpoints.reach, ask(user_url)?).await?)?;
            // The number stays when somebody renames the account and another takes the name.
            let id = user.get("id").and_then(Value::as_u64).ok_or(ProviderError::Malformed)?;
            let emails = read_json(http.call(&self.endpoints.reach, ask(&emails_url)?).await?)?;
            Ok(LoginIdentity {
                issuer: ISSUER.to_owned(),
                subject: id.to_string(),
                email: verified_primary(&emails),
                name: user
                    .get("login")
                    .and_then(Value::as_str)
                    .map(|text| text.chars().take(100).collect()),
            })
        });
        Ok(identity.await?)
    }
}

fn verified_primary(emails: &Value) -> Option<VerifiedEmail> {
    let is = |entry: &Value, member: &str| entry.get(member) == Some(&Value::Bool(true));
    let primary = emails.as_array()?.iter().find(|entry| is(entry, "primary"))?;
    VerifiedEmail::parse(primary.get("email")?.as_str()?).filter(|_| is(primary, "verified"))
}
