//! GitHub in the shapes that it documents, as a data source and to log in with. Sources:
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>,
//! <https://docs.github.com/en/rest/users/emails>, <https://docs.github.com/en/rest/apps/oauth-applications>.

use dango_oauth::{CallbackAnswer, Context, GitHubLogin, LoginError, LoginIdentity, Providers, Replacement, Revoked, revoke};

use crate::support::{Counting, Local, Reply, SECRET, Seen, client, connect, http, now, parameters, redirect_uri, stored};

const TOKEN: &str = "{\"access_token\":\"gho_16C7e42F292c6912E7710c838347Ae178B4a\",\"scope\":\"repo,gist\",\"token_type\":\"bearer\"}";
const USER: &str = "{\"login\":\"octocat\",\"id\":583231,\"node_id\":\"MDQ6VXNlcjE=\",\"name\":\"monalisa octocat\",\"email\":null}";
/// With status 200: <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>.
const BAD_CODE: &str = "{\"error\":\"bad_verification_code\",\"error_description\":\"The code passed is incorrect or expired.\",\
                        \"error_uri\":\"/apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#bad-verification-code\"}";

fn emails(primary_is_verified: bool) -> String {
    format!(
        "[{{\"email\":\"octocat@github.com\",\"verified\":{primary_is_verified},\"primary\":true,\"visibility\":\"public\"}},\
         {{\"email\":\"other@example.com\",\"verified\":true,\"primary\":false,\"visibility\":null}}]"
    )
}

fn honest(seen: &Seen, primary_is_verified: bool) -> Reply {
    match (seen.method.as_str(), seen.path()) {
        ("POST", "/token") if seen.header("accept") == Some("application/json") => Reply::json(200, TOKEN),
        ("GET", "/userinfo") => Reply::json(200, USER),
        ("GET", "/userinfo/emails") => Reply::json(200, emails(primary_is_verified)),
        ("DELETE", "/revoke") => Reply::plain(204, b""),
        _ => Reply::json(401, "{\"message\":\"Bad credentials\"}"),
    }
}

async fn log_in(local: &Local) -> Result<LoginIdentity, LoginError> {
    let provider = Providers::builtin().find("github").unwrap().clone();
    let replacement = Replacement::from_environment(&provider, |variable| {
        let endpoint = variable.strip_prefix("DANGO_OAUTH_GITHUB_")?.strip_suffix("_URL")?;
        Some(format!("{}/{}", local.base, endpoint.to_ascii_lowercase()))
    });
    let login = GitHubLogin::new(client(), &replacement.unwrap()).unwrap();
    let context = Context::new("github", &["browser"]);
    let begun = login.begin(&redirect_uri(), context, &Counting::default(), now()).unwrap();
    let asked = parameters(&begun.authorization_url);
    assert_eq!(asked["scope"], "read:user user:email");
    assert_eq!(asked["code_challenge_method"], "S256");
    let answer = CallbackAnswer::parse(&format!("code=c&state={}", asked["state"])).unwrap();
    let redeemable = begun.pending.finish(answer, &context, now()).unwrap();
    login.finish(&http(), redeemable).await
}

#[tokio::test]
async fn a_login_is_the_numeric_id_with_the_verified_primary_address() {
    let local = Local::start(|seen| honest(seen, true)).await;
    let identity = log_in(&local).await.unwrap();
    assert_eq!(
        (identity.issuer.as_str(), identity.subject.as_str()),
        ("https://github.com", "583231")
    );
    assert_eq!(identity.email.unwrap().as_str(), "octocat@github.com");
    assert_eq!(identity.name.as_deref(), Some("octocat"));
}

#[tokio::test]
async fn an_unverified_primary_address_is_none_and_no_other_stands_in() {
    let local = Local::start(|seen| honest(seen, false)).await;
    assert_eq!(log_in(&local).await.unwrap().email, None);
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let local = Local::start(|_| Reply::json(200, BAD_CODE)).await;
    let Err(LoginError::Provider(error)) = log_in(&local).await else {
        panic!("an error of the provider")
    };
    assert!(error.is_invalid_grant());
    assert_eq!(error.to_string(), "the provider refused: bad_verification_code");
}

#[tokio::test]
async fn a_user_without_a_number_is_nobody() {
    for user in ["{\"login\":\"octocat\",\"id\":\"583231\"}", "{\"login\":\"octocat\"}", "[]"] {
        let local = Local::start(move |seen| match seen.path() {
            "/userinfo" => Reply::json(200, user),
            _ => honest(seen, true),
        })
        .await;
        assert!(matches!(log_in(&local).await, Err(LoginError::Provider(_))), "{user}");
    }
}

#[tokio::test]
async fn as_a_source_its_scopes_come_with_commas_and_its_token_does_not_end() {
    let local = Local::start(|seen| honest(seen, true)).await;
    let (provider, endpoints) = local.provider("github");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.scopes.granted, ["repo", "gist"]);
    assert!(!grant.is_limited());
    assert_eq!((grant.expires_at, grant.access_expires_at), (None, None));
    assert_eq!(grant.identity.unwrap().identifier.as_deref(), Some("octocat"));
}

#[tokio::test]
async fn revoking_deletes_the_grant_as_the_client() {
    let local = Local::start(|seen| honest(seen, true)).await;
    let (provider, endpoints) = local.provider("github");
    let outcome = revoke(&http(), &provider, &endpoints, &client(), &stored(Some("gho_1"), None)).await;
    assert_eq!(outcome, Revoked::Yes);
    let seen = local.seen();
    assert_eq!(seen[0].body, "{\"access_token\":\"gho_1\"}");
    // RFC 6749 §2.3.1: each of the two as in a form, then Basic.
    let basic = data_encoding::BASE64.encode(format!("client+id%2B1:{SECRET}").as_bytes());
    assert_eq!(seen[0].header("authorization"), Some(format!("Basic {basic}").as_str()));
    // At the real address the client's id is part of the path.
    let real = provider.endpoints(None, &Replacement::none()).unwrap();
    assert_eq!(
        real.revoke.unwrap().as_str(),
        "https://api.github.com/applications/%7Bclient_id%7D/grant"
    );
}
