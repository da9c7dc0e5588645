//! Google in the shapes that it documents: <https://developers.google.com/identity/protocols/oauth2/web-server>.

use dango_oauth::{CheckError, ProviderError, Revoked, SameAccount, StoredTokens, renew, revoke};

use crate::support::{Local, Reply, SECRET, Seen, at, check_whole, client, connect, http, now, parameters, secret, stored};

const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// "Exchange authorization code for refresh and access tokens".
pub(crate) fn tokens(scopes: &str) -> String {
    format!(
        "{{\n  \"access_token\": \"1/fFAGRNJru1FTz70BzhT3Zg\",\n  \"expires_in\": 3920,\n  \"token_type\": \"Bearer\",\n  \
         \"scope\": \"{scopes}\",\n  \"refresh_token\": \"1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI\"\n}}"
    )
}

/// <https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation>.
const USERINFO: &str = "{\n  \"sub\": \"10769150350006150715113082367\",\n  \"name\": \"Ada Lovelace\",\n  \
                        \"email\": \"jsmith@example.com\",\n  \"email_verified\": true\n}";

/// <https://developers.google.com/google-ads/api/docs/get-started/common-errors>.
const INVALID_GRANT: &str = "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Token has been expired or revoked.\"\n}";

fn honest(seen: &Seen, scopes: &str) -> Reply {
    match (seen.method.as_str(), seen.path()) {
        ("POST", "/token") => Reply::json(200, tokens(scopes)),
        ("GET", "/userinfo") if seen.header("authorization") == Some("Bearer 1/fFAGRNJru1FTz70BzhT3Zg") => Reply::json(200, USERINFO),
        ("POST", "/revoke") => Reply::json(200, "{}"),
        _ => Reply::json(401, "{\"error\":{\"code\":401,\"status\":\"UNAUTHENTICATED\"}}"),
    }
}

#[tokio::test]
async fn a_code_becomes_a_grant_whose_end_is_not_that_of_the_access_token() {
    let local = Local::start(|seen| honest(seen, &format!("{SHEETS} openid {EMAIL}"))).await;
    let (provider, endpoints) = local.provider("google");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.access_token.expose(), "1/fFAGRNJru1FTz70BzhT3Zg");
    assert_eq!(
        grant.refresh_token.as_ref().unwrap().expose(),
        "1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI"
    );
    assert_eq!(grant.access_expires_at, Some(at("2026-11-22T09:05:20Z")));
    assert_eq!(grant.expires_at, None);
    assert!(!grant.is_limited());
    let identity = grant.identity.as_ref().unwrap();
    assert_eq!(identity.subject.as_deref(), Some("10769150350006150715113082367"));
    assert_eq!(identity.identifier.as_deref(), Some("jsmith@example.com"));
    assert_eq!(identity.account.as_deref(), Some("Ada Lovelace"));
    assert_eq!(grant.same_account(Some("JSmith@example.com")), SameAccount::Yes);
    assert_eq!(grant.same_account(Some("else@example.com")), SameAccount::No);
    assert_eq!(grant.same_account(None), SameAccount::Unknown);

    let seen = local.seen();
    let form = seen[0].form();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "the-code");
    assert_eq!(form["client_id"], "client id+1");
    assert_eq!(form["client_secret"], SECRET);
    assert_eq!(form["redirect_uri"], "http://127.0.0.1:8080/callback");
    assert_eq!(form["code_verifier"].len(), 43);
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert!(seen.iter().all(|seen| !seen.target.contains('?')), "no secret in a URL: {seen:?}");
}

#[tokio::test]
async fn the_authorization_url_asks_for_a_refresh_token_each_time() {
    let local = Local::start(|_| Reply::plain(500, b"")).await;
    let (provider, endpoints) = local.provider("google");
    let begun = crate::support::begin(&provider, &endpoints, &crate::support::Counting::default());
    let asked = parameters(&begun.authorization_url);
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["access_type"], "offline");
    assert_eq!(asked["prompt"], "consent");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["redirect_uri"], "http://127.0.0.1:8080/callback");
    assert_eq!(asked["scope"], format!("openid {EMAIL} {SHEETS}"));
    assert!(!begun.authorization_url.as_str().contains(SECRET));
}

#[tokio::test]
async fn an_unticked_box_makes_a_limited_grant() {
    let local = Local::start(|seen| honest(seen, &format!("openid {EMAIL}"))).await;
    let (provider, endpoints) = local.provider("google");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert!(grant.is_limited());
    assert_eq!(grant.scopes.missing, [SHEETS]);
}

#[tokio::test]
async fn an_app_in_testing_may_say_when_its_grant_ends() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(200, tokens(SHEETS).replace("3920,", "3920, \"refresh_token_expires_in\": 604799,")),
        _ => Reply::json(200, USERINFO),
    })
    .await;
    let (provider, endpoints) = local.provider("google");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.expires_at, Some(at("2026-11-29T07:59:59Z")));
}

#[tokio::test]
async fn reconnecting_without_a_new_refresh_token_keeps_the_good_one() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(200, "{\"access_token\":\"a\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"),
        _ => Reply::json(200, USERINFO),
    })
    .await;
    let (provider, endpoints) = local.provider("google");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert!(grant.refresh_token.is_none());
    assert_eq!(grant.expires_at, grant.access_expires_at);
    let grant = grant.or_keep_refresh_token(Some(secret("stored")));
    assert_eq!(grant.refresh_token.unwrap().expose(), "stored");
    assert_eq!(grant.expires_at, None);
}

#[tokio::test]
async fn a_refusal_is_told_by_its_name_alone() {
    let local = Local::start(|_| Reply::json(400, INVALID_GRANT.replace("Token has", &format!("{SECRET} has")))).await;
    let (provider, endpoints) = local.provider("google");
    let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
    assert!(error.is_invalid_grant());
    assert_eq!(error.to_string(), "the provider refused: invalid_grant");
    assert!(!format!("{error:?}").contains(SECRET));

    let local = Local::start(|_| Reply::json(400, format!("{{\"error\":\"{SECRET}\"}}"))).await;
    let (provider, endpoints) = local.provider("google");
    let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
    assert_eq!(error.to_string(), "the provider refused: unrecognised_error");
}

#[tokio::test]
async fn renewing_keeps_the_one_refresh_token() {
    // "Refreshing an access token": no refresh token comes back.
    let local = Local::start(|seen| {
        assert_eq!(seen.form()["refresh_token"], "1//stored");
        assert_eq!(seen.form()["grant_type"], "refresh_token");
        Reply::json(
            200,
            "{\"access_token\":\"new\",\"expires_in\":3920,\"scope\":\"x\",\"token_type\":\"Bearer\"}",
        )
    })
    .await;
    let (provider, endpoints) = local.provider("google");
    let old = StoredTokens {
        expires_at: Some(at("2026-11-28T08:00:00Z")),
        ..stored(None, Some("1//stored"))
    };
    let unsaved = renew(&http(), &provider, &endpoints, &client(), &old, now()).await.ok().unwrap();
    let tokens = unsaved.save::<std::io::Error>(async |_| Ok(())).await.ok().unwrap().into_tokens();
    assert_eq!(tokens.refresh_token.unwrap().expose(), "1//stored");
    assert!(!tokens.rotated);
    assert_eq!(tokens.expires_at, Some(at("2026-11-28T08:00:00Z")), "the end of the grant stays");
}

#[tokio::test]
async fn a_check_believes_a_plain_word_and_nothing_else() {
    let cases: [(Reply, bool, Option<CheckError>); 6] = [
        (Reply::json(400, INVALID_GRANT), false, Some(CheckError::Revoked)),
        (Reply::json(401, "{\"error\":\"invalid_client\"}"), false, Some(CheckError::Revoked)),
        (Reply::plain(503, b"<html>"), true, Some(CheckError::ServerError)),
        (Reply::plain(429, b""), true, Some(CheckError::ServerError)),
        (
            Reply::plain(200, b"<html>captive portal</html>"),
            true,
            Some(CheckError::ServerError),
        ),
        (Reply::json(200, tokens(SHEETS)), true, None),
    ];
    for (reply, valid, error) in cases {
        let local = Local::start(move |seen| match seen.path() {
            "/token" => reply.clone(),
            _ => Reply::json(200, USERINFO),
        })
        .await;
        let (provider, endpoints) = local.provider("google");
        let tokens = stored(None, Some("1//stored"));
        let (checked, renewed) = check_whole(&provider, &endpoints, Some(&client()), &tokens).await;
        assert_eq!((checked.valid, checked.error), (valid, error));
        assert_eq!(checked.identity.is_some(), error.is_none());
        assert_eq!(renewed, error.is_none());
    }
}

#[tokio::test]
async fn without_tokens_or_after_the_end_nothing_is_asked() {
    let local = Local::start(|_| Reply::plain(500, b"")).await;
    let (provider, endpoints) = local.provider("google");
    let (missing, _) = check_whole(&provider, &endpoints, Some(&client()), &stored(None, None)).await;
    assert_eq!(missing.error, Some(CheckError::MissingCredentials));
    let (no_client, _) = check_whole(&provider, &endpoints, None, &stored(None, Some("r"))).await;
    assert_eq!(no_client.error, Some(CheckError::MissingCredentials));
    let old = StoredTokens {
        expires_at: Some(now()),
        ..stored(None, Some("r"))
    };
    let (expired, _) = check_whole(&provider, &endpoints, Some(&client()), &old).await;
    assert_eq!((expired.valid, expired.error), (false, Some(CheckError::Expired)));
    assert!(local.seen().is_empty());
}

#[tokio::test]
async fn revoking_posts_the_refresh_token_and_nothing_of_the_client() {
    let local = Local::start(|seen| honest(seen, SHEETS)).await;
    let (provider, endpoints) = local.provider("google");
    let tokens = stored(Some("access"), Some("1//refresh"));
    assert_eq!(revoke(&http(), &provider, &endpoints, &client(), &tokens).await, Revoked::Yes);
    let seen = local.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].body.as_str()), ("POST", "token=1%2F%2Frefresh"));
    assert_eq!(seen[0].header("authorization"), None);
}

#[tokio::test]
async fn a_grant_that_is_gone_already_counts_as_revoked_and_trouble_does_not() {
    for (reply, expected) in [
        (
            Reply::json(
                400,
                "{\"error\":\"invalid_token\",\"error_description\":\"Token expired or revoked\"}",
            ),
            true,
        ),
        (Reply::plain(200, b""), true),
        (Reply::plain(503, b""), false),
    ] {
        let local = Local::start(move |_| reply.clone()).await;
        let (provider, endpoints) = local.provider("google");
        let outcome = revoke(&http(), &provider, &endpoints, &client(), &stored(None, Some("r"))).await;
        match expected {
            true => assert_eq!(outcome, Revoked::Yes),
            false => assert!(matches!(outcome, Revoked::Failed(ProviderError::Trouble { status: 503, .. }))),
        }
        assert_eq!(
            revoke(&http(), &provider, &endpoints, &client(), &stored(None, None)).await,
            Revoked::Unsupported
        );
    }
}

#[tokio::test]
async fn what_a_source_stores_is_what_dlt_reads_and_nothing_is_blanked() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(200, tokens(SHEETS)),
        _ => Reply::json(200, USERINFO),
    })
    .await;
    let (provider, endpoints) = local.provider("google");
    let mut grant = connect(&http(), &provider, &endpoints).await.unwrap();
    let names = |grant: &dango_oauth::Grant| {
        let fields = grant.fields(&provider.sources[0], &client());
        fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&grant), ["refresh_token", "client_id", "client_secret"]);
    grant.refresh_token = None;
    assert_eq!(names(&grant), ["client_id", "client_secret"]);
}
