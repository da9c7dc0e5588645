//! What is sent to providers, spelled: the authorization URL and the requests to the other endpoints. Nothing is sent here,
//! and no answer is read.

use std::borrow::Cow;
use std::fmt;

use dango_core::SecretValue;
use data_encoding::BASE64;
use form_urlencoded::{Serializer, byte_serialize, parse};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, TokenUrl,
};
use url::Url;
use zeroize::Zeroizing;

use crate::client::ClientRegistration;
use crate::http::{CallError, Header, Method, Outbound};
use crate::provider::{BodyFormat, ClientAuthentication, Endpoints, Provider, Revocation};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What an authorization request says beside the client's id.
pub(crate) struct Authorization<'a> {
    pub(crate) redirect_uri: &'a Url,
    pub(crate) scopes: &'a [String],
    pub(crate) state: &'a SecretValue,
    pub(crate) verifier: &'a SecretValue,
    pub(crate) nonce: Option<&'a SecretValue>,
}

/// The address to send the browser to (RFC 6749 §4.1.1, RFC 7636 §4.3).
pub(crate) fn authorization_url(provider: &Provider, endpoints: &Endpoints, client: &ClientRegistration, asked: &Authorization<'_>) -> Url {
    let library = library_client(provider, endpoints, client);
    let redirect_uri = RedirectUrl::from_url(asked.redirect_uri.clone());
    let verifier = PkceCodeVerifier::new(asked.verifier.expose().to_owned());
    let mut request = library
        .authorize_url(|| CsrfToken::new(asked.state.expose().to_owned()))
        .set_redirect_uri(Cow::Borrowed(&redirect_uri))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    // Not one by one: some providers separate them by commas.
    if !asked.scopes.is_empty() {
        request = request.add_extra_param("scope", asked.scopes.join(&provider.scope_separator.to_string()));
    }
    if let Some(nonce) = asked.nonce {
        request = request.add_extra_param("nonce", nonce.expose().to_owned());
    }
    for (name, value) in &provider.parameters {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    request.url().0
}

/// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
pub(crate) fn code_request(
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    code: &SecretValue,
    verifier: &SecretValue,
    redirect_uri: &Url,
) -> Result<Outbound, CallError> {
    let library = library_client(provider, endpoints, client);
    let redirect_uri = RedirectUrl::from_url(redirect_uri.clone());
    let request = library
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
        .set_redirect_uri(Cow::Borrowed(&redirect_uri));
    outbound(provider, &endpoints.token, captured(request.request(&capture))?)
}

/// Renews with a refresh token (RFC 6749 §6).
pub(crate) fn refresh_request(
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    refresh_token: &SecretValue,
) -> Result<Outbound, CallError> {
    let library = library_client(provider, endpoints, client);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let request = library.exchange_refresh_token(&refresh_token);
    outbound(provider, &endpoints.token, captured(request.request(&capture))?)
}

/// Exchanges an access token for one that lives long
/// (<https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>).
///
/// The documentation shows a query; the same parameters are taken in a body, where a secret belongs.
pub(crate) fn exchange_request(
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    access_token: &SecretValue,
) -> Result<Outbound, CallError> {
    let parameters = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", access_token.expose())];
    client_post(provider, &endpoints.token, client, &parameters)
}

/// Asks an endpoint with an access token.
pub(crate) fn token_get(provider: &Provider, url: &Url, access_token: &SecretValue) -> Result<Outbound, CallError> {
    with_token(provider, Method::Get, url, access_token)
}

/// Gives a grant back, in the provider's own way; `None` where it has none.
pub(crate) fn revocation_request(
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    token: &SecretValue,
) -> Option<Result<Outbound, CallError>> {
    let url = endpoints.revoke.as_ref()?;
    Some(match provider.revocation {
        Revocation::None => return None,
        Revocation::Rfc7009 => client_post(provider, url, client, &[("token", token.expose())]),
        Revocation::TokenAlone => post(provider, url, None, &[("token", token.expose())]),
        Revocation::Bearer => with_token(provider, Method::Post, url, token),
        Revocation::Delete => with_token(provider, Method::Delete, url, token),
        Revocation::DeleteGrant => delete_grant(provider, url, client, token),
    })
}

fn delete_grant(provider: &Provider, url: &Url, client: &ClientRegistration, token: &SecretValue) -> Result<Outbound, CallError> {
    let mut url = url.clone();
    let id: String = byte_serialize(client.id.as_bytes()).collect();
    let path = url.path().replace("%7Bclient_id%7D", &id);
    url.set_path(&path);
    let mut headers = shared_headers(provider)?;
    headers.push(basic(client)?);
    headers.push(header("Content-Type", "application/json".to_owned())?);
    Ok(Outbound {
        method: Method::Delete,
        url,
        headers,
        body: Some(secret(json_object(&[("access_token".into(), token.expose().into())])?)?),
    })
}

fn with_token(provider: &Provider, method: Method, url: &Url, token: &SecretValue) -> Result<Outbound, CallError> {
    let mut headers = shared_headers(provider)?;
    headers.push(match &provider.token_header {
        Some(name) => header(name, token.expose().to_owned())?,
        None => header("Authorization", format!("Bearer {}", token.expose()))?,
    });
    Ok(Outbound {
        method,
        url: url.clone(),
        headers,
        body: None,
    })
}

/// A POST in which the client proves who it is.
fn client_post(provider: &Provider, url: &Url, client: &ClientRegistration, parameters: &[(&str, &str)]) -> Result<Outbound, CallError> {
    let mut parameters = parameters.to_vec();
    match (provider.authentication, &client.secret) {
        (ClientAuthentication::Basic, Some(_)) => return post(provider, url, Some(basic(client)?), &parameters),
        (_, Some(secret)) => parameters.extend([("client_id", client.id.as_str()), ("client_secret", secret.expose())]),
        (_, None) => parameters.push(("client_id", client.id.as_str())),
    }
    post(provider, url, None, &parameters)
}

fn post(provider: &Provider, url: &Url, authorization: Option<Header>, parameters: &[(&str, &str)]) -> Result<Outbound, CallError> {
    let form = Zeroizing::new(Serializer::new(String::new()).extend_pairs(parameters).finish());
    with_form(provider, url, authorization, &form)
}

/// What the library prepared, as a request of ours.
fn outbound(provider: &Provider, url: &Url, request: HttpRequest) -> Result<Outbound, CallError> {
    let (parts, body) = request.into_parts();
    let body = Zeroizing::new(body);
    let authorization = match parts.headers.get("authorization") {
        Some(value) => Some(header(
            "Authorization",
            value.to_str().map_err(|_| CallError::Unwritable)?.to_owned(),
        )?),
        None => None,
    };
    let form = std::str::from_utf8(&body).map_err(|_| CallError::Unwritable)?;
    with_form(provider, url, authorization, form)
}

fn with_form(provider: &Provider, url: &Url, authorization: Option<Header>, form: &str) -> Result<Outbound, CallError> {
    let mut headers = shared_headers(provider)?;
    headers.extend(authorization);
    let (kind, body) = match provider.body {
        BodyFormat::Form => ("application/x-www-form-urlencoded", form.to_owned()),
        BodyFormat::Json => {
            let pairs: Vec<_> = parse(form.as_bytes()).collect();
            ("application/json", json_object(&pairs)?)
        }
    };
    headers.push(header("Content-Type", kind.to_owned())?);
    Ok(Outbound {
        method: Method::Post,
        url: url.clone(),
        headers,
        body: Some(secret(body)?),
    })
}

fn shared_headers(provider: &Provider) -> Result<Vec<Header>, CallError> {
    let own = provider.headers.iter().map(|(name, value)| header(name, value.clone()));
    std::iter::once(header("Accept", "application/json".to_owned()))
        .chain(own)
        .collect()
}

/// HTTP Basic with the id and the secret each encoded as in a form (RFC 6749 §2.3.1).
fn basic(client: &ClientRegistration) -> Result<Header, CallError> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let secret = Zeroizing::new(client.secret.as_ref().map(|secret| encode(secret.expose())).unwrap_or_default());
    let pair = Zeroizing::new(format!("{}:{}", encode(&client.id), *secret));
    header("Authorization", format!("Basic {}", BASE64.encode(pair.as_bytes())))
}

fn header(name: &str, value: String) -> Result<Header, CallError> {
    Ok(Header {
        name: name.to_owned(),
        value: secret(value)?,
    })
}

fn secret(text: String) -> Result<SecretValue, CallError> {
    SecretValue::new(text).map_err(|_| CallError::Unwritable)
}

fn json_object(pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<String, CallError> {
    // Written by hand into one buffer, so that no value of JSON keeps a copy of a secret.
    let quoted = |text: &str| serde_json::to_string(text).map_err(|_| CallError::Unwritable);
    let mut object = String::from("{");
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            object.push(',');
        }
        object.push_str(&quoted(name)?);
        object.push(':');
        object.push_str(&Zeroizing::new(quoted(value)?));
    }
    object.push('}');
    Ok(object)
}

fn library_client(provider: &Provider, endpoints: &Endpoints, client: &ClientRegistration) -> Client {
    let library = BasicClient::new(ClientId::new(client.id.clone()))
        .set_auth_uri(AuthUrl::from_url(endpoints.authorize.clone()))
        .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
        .set_auth_type(match provider.authentication {
            ClientAuthentication::Body => AuthType::RequestBody,
            ClientAuthentication::Basic => AuthType::BasicAuth,
        });
    match &client.secret {
        Some(secret) => library.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => library,
    }
}

/// A request that the library wanted to send. The library spells requests; sending, with its limits, is the port's.
struct Captured(Box<HttpRequest>);

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captured")
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request that is not sent")
    }
}

impl std::error::Error for Captured {}

fn capture(request: HttpRequest) -> Result<HttpResponse, Captured> {
    Err(Captured(Box::new(request)))
}

fn captured<T, E: oauth2::ErrorResponse + 'static>(outcome: Result<T, RequestTokenError<Captured, E>>) -> Result<HttpRequest, CallError> {
    match outcome {
        Err(RequestTokenError::Request(Captured(request))) => Ok(*request),
        _ => Err(CallError::Unwritable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Providers, Replacement};

    fn text(value: &str) -> SecretValue {
        SecretValue::new(value.to_owned()).expect("no NUL")
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let providers = Providers::builtin();
        let google = providers.find("google").expect("is there");
        let endpoints = google.endpoints(None, &Replacement::none()).expect("one host for all");
        let asked = Authorization {
            redirect_uri: &"http://127.0.0.1:8080/callback".parse().expect("a URL"),
            scopes: &[],
            state: &text("s"),
            verifier: &text("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            nonce: None,
        };
        let url = authorization_url(google, &endpoints, &ClientRegistration::public("c".to_owned()), &asked);
        let challenge = url
            .query_pairs()
            .find(|(name, _)| name == "code_challenge")
            .expect("is sent")
            .1
            .into_owned();
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_client_s_id_in_a_path_is_encoded() {
        let providers = Providers::builtin();
        let github = providers.find("github").expect("is there");
        let endpoints = github.endpoints(None, &Replacement::none()).expect("one host for all");
        let client = ClientRegistration::new("a/../b".to_owned(), text("s"));
        let request = revocation_request(github, &endpoints, &client, &text("t")).expect("has a way");
        assert_eq!(request.expect("is written").url.path(), "/applications/a%2F..%2Fb/grant");
    }
}
