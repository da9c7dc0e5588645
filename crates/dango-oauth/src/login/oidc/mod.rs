//! Login with OpenID Connect: discovery, keys and ID tokens put together. Each of the three is in a file of its own.

mod claims;
mod discovery;
mod jwks;
mod signature;

use dango_core::{Entropy, SecretValue, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::{LoginError, LoginIdentity};
use crate::answer::{ProviderError, read_object};
use crate::client::ClientRegistration;
use crate::flow::{Begun, Context, FLOW_LIFETIME, FlowRequest, Purpose, Redeemable, begin_flow};
use crate::http::{CallError, Http};
use crate::protocol::token_get;

pub use claims::{IdTokenError, SKEW_SECONDS};
pub use discovery::{Discovered, DiscoveryError, IssuerProblem, OidcSettings};
pub use jwks::{JWKS_PAUSE_SECONDS, MOST_KEYS};

use claims::{Expected, read_claims, with_userinfo};
use discovery::discover;
use jwks::Keys;
use signature::Signed;

const SCOPES: [&str; 3] = ["openid", "email", "profile"];
/// How long a provider's configuration is believed, in microseconds.
const METADATA_MICROS: i64 = 3600 * 1_000_000;
/// How long a provider is left alone that could not be asked, so that logins do not queue up behind its silence.
const FAILURE_MICROS: i64 = 10 * 1_000_000;

/// Login with one OpenID provider. What it learns of the provider is kept, so make one and keep it.
pub struct OidcLogin {
    settings: OidcSettings,
    client: ClientRegistration,
    known: Mutex<Known>,
    keys: Keys,
}

impl OidcLogin {
    /// Login with a provider. Nothing is asked yet.
    pub fn new(settings: OidcSettings, client: ClientRegistration) -> Self {
        Self {
            settings,
            client,
            known: Mutex::default(),
            keys: Keys::default(),
        }
    }

    /// The settings.
    pub const fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Begins a login.
    ///
    /// # Errors
    ///
    /// [`LoginError::Discovery`] where the provider's configuration cannot be learned or is another's.
    pub async fn begin(
        &self,
        http: &dyn Http,
        redirect_uri: &Url,
        context: Context,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Begun, LoginError> {
        let discovered = self.discovered(http, now).await?;
        let request = FlowRequest {
            provider: &discovered.provider,
            endpoints: &discovered.endpoints,
            client: &self.client,
            redirect_uri,
            scopes: SCOPES.map(str::to_owned).to_vec(),
            context,
            purpose: Purpose::Login,
            lifetime: FLOW_LIFETIME,
        };
        Ok(begin_flow(request, entropy, now)?)
    }

    /// Finishes a login: redeems the code and verifies the ID token that comes with it.
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub async fn finish(&self, http: &dyn Http, redeemable: Redeemable, now: Timestamp) -> Result<LoginIdentity, LoginError> {
        let limit = std::time::Duration::from_secs(30);
        match tokio::time::timeout(limit, self.finish_in_time(http, redeemable, now)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(LoginError::Provider(ProviderError::Call(CallError::Timeout))),
        }
    }

    async fn finish_in_time(&self, http: &dyn Http, redeemable: Redeemable, now: Timestamp) -> Result<LoginIdentity, LoginError> {
        let discovered = self.discovered(http, now).await?;
        let nonce = redeemable.nonce().ok_or(IdTokenError::Nonce)?;
        let tokens = redeemable
            .tokens(http, &discovered.provider, &discovered.endpoints, &self.client)
            .await?;
        let token = tokens.id_token.ok_or(IdTokenError::Missing)?;
        let signed = Signed::parse(token.expose())?;
        let key = self.keys.find(http, &discovered, signed.header(), now).await?;
        let payload = signed.verify(&key)?;
        let expected = Expected {
            issuer: self.settings.issuer(),
            client_id: &self.client.id,
            nonce,
            now,
        };
        let identity = read_claims(&payload, &expected)?;
        if identity.email.is_some() || payload.contains_key("email") {
            return Ok(identity);
        }
        let asked = userinfo(http, &discovered, &tokens.access_token).await;
        Ok(match asked {
            Ok(Some(claims)) => with_userinfo(identity, &claims)?,
            // Somebody who is known by issuer and subject logs in without an address.
            Ok(None) | Err(_) => identity,
        })
    }

    /// The provider's configuration, asked once an hour; an old one goes on while the provider cannot be asked.
    async fn discovered(&self, http: &dyn Http, now: Timestamp) -> Result<Discovered, DiscoveryError> {
        // Held while asking: whoever comes meanwhile waits for the same answer.
        let mut known = self.known.lock().await;
        let within = |at: &Timestamp, limit: i64| (0..limit).contains(&now.unix_micros().saturating_sub(at.unix_micros()));
        if let Some((discovered, at)) = &known.discovered
            && within(at, METADATA_MICROS)
        {
            return Ok(discovered.clone());
        }
        let failure = match &known.failed {
            Some((error, at)) if within(at, FAILURE_MICROS) => error.clone(),
            _ => match discover(http, &self.settings).await {
                Ok(discovered) => {
                    known.discovered = Some((discovered.clone(), now));
                    known.failed = None;
                    return Ok(discovered);
                }
                Err(error) => {
                    known.failed = Some((error.clone(), now));
                    error
                }
            },
        };
        match (&known.discovered, failure) {
            (Some((discovered, _)), DiscoveryError::Provider(ProviderError::Call(_) | ProviderError::Trouble { .. })) => {
                Ok(discovered.clone())
            }
            (_, failure) => Err(failure),
        }
    }
}

/// Asks for the claims that an ID token leaves out: with a code flow, `email` and `profile` are at this endpoint
/// (OpenID Connect Core §5.4).
async fn userinfo(
    http: &dyn Http,
    discovered: &Discovered,
    access_token: &SecretValue,
) -> Result<Option<Map<String, Value>>, ProviderError> {
    let Some(url) = &discovered.endpoints.userinfo else {
        return Ok(None);
    };
    let request = token_get(&discovered.provider, url, access_token)?;
    let answer = http.call(&discovered.endpoints.reach, request).await?;
    read_object(answer).map(Some)
}

/// What is known of a provider, each with the time.
#[derive(Default)]
struct Known {
    discovered: Option<(Discovered, Timestamp)>,
    failed: Option<(DiscoveryError, Timestamp)>,
}
