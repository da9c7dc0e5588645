//! Providers with ways of their own, in the shapes that they document.

use dango_oauth::{ProviderError, Revoked, StoredTokens, renew, revoke};

use crate::support::{Counting, Local, Reply, SECRET, at, begin, check_whole, client, connect, http, now, parameters, stored};

/// <https://docs.slack.dev/reference/methods/oauth.v2.access>.
#[tokio::test]
async fn slack_names_its_errors_with_status_200_and_its_team_as_the_account() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(
            200,
            "{\"ok\":true,\"access_token\":\"xoxb-17653672481\",\"token_type\":\"bot\",\"scope\":\"channels:read,users:read\",\"bot_user_id\":\"U0KRQLJ9H\",\
             \"app_id\":\"A0KRD7HC3\",\"team\":{\"name\":\"Slack Softball Team\",\"id\":\"T9TK3CUKW\"},\"enterprise\":null,\
             \"authed_user\":{\"id\":\"U1234\",\"scope\":\"chat:write\",\"access_token\":\"xoxp-1234\",\"token_type\":\"user\"}}",
        ),
        "/userinfo" => Reply::json(200, "{\"ok\":true,\"url\":\"https://x.slack.com/\",\"team\":\"Slack Softball Team\",\"user\":\"bot\",\"team_id\":\"T9TK3CUKW\",\"user_id\":\"U0KRQLJ9H\"}"),
        _ => Reply::json(200, "{\"ok\":true,\"revoked\":true}"),
    })
    .await;
    let (provider, endpoints) = local.provider("slack");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.access_token.expose(), "xoxb-17653672481");
    assert_eq!(grant.scopes.missing, ["channels:history", "groups:history", "groups:read"]);
    assert_eq!(grant.identity.unwrap().identifier.as_deref(), Some("T9TK3CUKW"));
    assert!(local.seen()[0].header("authorization").unwrap().starts_with("Basic "));
    assert!(!local.seen()[0].body.contains(SECRET));
    assert_eq!(
        revoke(&http(), &provider, &endpoints, &client(), &stored(Some("xoxb"), None)).await,
        Revoked::Yes
    );

    let local = Local::start(|_| Reply::json(200, "{\"ok\":false,\"error\":\"invalid_code\"}")).await;
    let (provider, endpoints) = local.provider("slack");
    let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
    assert!(error.is_invalid_grant());
    let outcome = revoke(&http(), &provider, &endpoints, &client(), &stored(Some("xoxb"), None)).await;
    assert_eq!(outcome, Revoked::Yes, "a token that is not known any more");
}

/// <https://developers.notion.com/reference/create-a-token>.
#[tokio::test]
async fn notion_is_asked_in_json_with_its_version() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(
            200,
            "{\"access_token\":\"ntn_1\",\"token_type\":\"bearer\",\"refresh_token\":\"nrt_1\",\"bot_id\":\"3c90c3cc\",\"workspace_name\":\"W\",\"request_id\":\"r\"}",
        ),
        _ => Reply::json(200, "{\"object\":\"user\",\"id\":\"3c90c3cc\",\"name\":\"Dango\",\"type\":\"bot\",\"bot\":{\"workspace_name\":\"W\"}}"),
    })
    .await;
    let (provider, endpoints) = local.provider("notion");
    let begun = begin(&provider, &endpoints, &Counting::default());
    let asked = parameters(&begun.authorization_url);
    assert_eq!(asked["owner"], "user");
    assert!(!asked.contains_key("scope"));
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.identity.as_ref().unwrap().identifier.as_deref(), Some("W"));
    assert!(!grant.is_limited());
    let seen = local.seen();
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[0].header("notion-version"), Some("2022-06-28"));
    let body: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body["grant_type"], "authorization_code");
    assert_eq!(body["code"], "the-code");
    assert!(!seen[0].body.contains(SECRET), "it is in the header: {}", seen[0].body);
}

/// <https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token>.
#[tokio::test]
async fn zendesk_has_a_host_for_each_account_and_two_lifetimes() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(
            200,
            "{\"access_token\":\"gErypPlm4dOVgGRvA1ZzMH5MQ3nLo8bo\",\"refresh_token\":\"31048ba4d7c601302f3173f243da835f\",\"token_type\":\"bearer\",\
             \"scope\":\"read\",\"expires_in\":1800,\"refresh_token_expires_in\":7776000}",
        ),
        _ => Reply::json(200, "{\"user\":{\"id\":35436,\"name\":\"Johnny Agent\",\"email\":\"johnny@example.com\"}}"),
    })
    .await;
    let (provider, endpoints) = local.provider("zendesk");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.access_expires_at, Some(at("2026-11-22T08:30:00Z")));
    assert_eq!(grant.expires_at, Some(at("2027-02-20T08:00:00Z")));
    assert_eq!(grant.identity.unwrap().subject.as_deref(), Some("35436"));
    let old = StoredTokens {
        expires_at: Some(at("2026-12-01T00:00:00Z")),
        ..stored(Some("a"), Some("r"))
    };
    let renewed = renew(&http(), &provider, &endpoints, &client(), &old, now()).await;
    let tokens = renewed
        .ok()
        .unwrap()
        .save::<std::io::Error>(async |_| Ok(()))
        .await
        .ok()
        .unwrap()
        .into_tokens();
    assert_eq!(
        tokens.expires_at,
        Some(at("2027-02-20T08:00:00Z")),
        "a new refresh token has a new end"
    );
}

/// <https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant>.
#[tokio::test]
async fn shopify_takes_its_token_in_a_header_of_its_own() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(
            200,
            "{\"access_token\":\"shpat_1\",\"scope\":\"read_customers,read_orders,read_products\"}",
        ),
        _ => Reply::json(
            200,
            "{\"shop\":{\"id\":548380009,\"name\":\"Apple Computers\",\"myshopify_domain\":\"example.myshopify.com\"}}",
        ),
    })
    .await;
    let (provider, endpoints) = local.provider("shopify");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!((grant.expires_at, grant.is_limited()), (None, false));
    assert_eq!(grant.identity.unwrap().identifier.as_deref(), Some("example.myshopify.com"));
    let seen = local.seen();
    assert_eq!(seen[1].header("x-shopify-access-token"), Some("shpat_1"));
    assert_eq!(seen[1].header("authorization"), None);
    let outcome = revoke(&http(), &provider, &endpoints, &client(), &stored(Some("shpat_1"), None)).await;
    assert_eq!(outcome, Revoked::Unsupported);
}

/// <https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/public-token/post-oauth-v3-token>.
#[tokio::test]
async fn hubspot_names_an_error_in_a_status_of_its_own() {
    let local = Local::start(|_| {
        Reply::json(
            400,
            "{\"status\":\"BAD_REFRESH_TOKEN\",\"message\":\"missing or invalid refresh token\",\"correlationId\":\"x\"}",
        )
    })
    .await;
    let (provider, endpoints) = local.provider("hubspot");
    let error = renew(&http(), &provider, &endpoints, &client(), &stored(None, Some("r")), now())
        .await
        .err()
        .unwrap();
    let dango_oauth::RenewalError::Provider(error) = error else {
        panic!("an error of the provider")
    };
    assert!(error.is_invalid_grant());
    let local = Local::start(|_| Reply::json(400, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"x\"}")).await;
    let (provider, endpoints) = local.provider("hubspot");
    let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
    assert!(matches!(error, ProviderError::Refused(name) if name.as_str() == "unrecognised_error"));
}

/// <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm>.
#[tokio::test]
async fn salesforce_says_which_instance_and_the_source_keeps_it() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(
            200,
            "{\"access_token\":\"00DB0000000TfcR!AQQAQFhoK8vTMg\",\"refresh_token\":\"5Aep861\",\"signature\":\"2P3FwZ\",\"scope\":\"refresh_token api openid\",\
             \"id_token\":\"e.f.g\",\"instance_url\":\"https://example.my.salesforce.com\",\"id\":\"https://login.salesforce.com/id/00D/005\",\"token_type\":\"Bearer\",\"issued_at\":\"1558553873237\"}",
        ),
        _ => Reply::json(200, "{\"sub\":\"https://login.salesforce.com/id/00D/005\",\"preferred_username\":\"me@example.com\",\"name\":\"Me\"}"),
    })
    .await;
    let (provider, endpoints) = local.provider("salesforce");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(
        grant.kept,
        [("instance_url".to_owned(), "https://example.my.salesforce.com".to_owned())]
    );
    assert!(!grant.is_limited());
}

#[tokio::test]
async fn an_access_token_that_ended_early_is_not_the_end_of_a_connection() {
    for works in [true, false] {
        let local = Local::start(move |seen| match (seen.path(), seen.header("authorization")) {
            ("/token", _) if works => Reply::json(
                200,
                "{\"access_token\":\"new\",\"refresh_token\":\"r2\",\"expires_in\":3600,\"token_type\":\"Bearer\"}",
            ),
            ("/token", _) => Reply::json(400, "{\"error\":\"invalid_grant\"}"),
            (_, Some("Bearer new")) => Reply::json(200, "{\"id\":\"usr1\",\"email\":\"a@example.com\"}"),
            _ => Reply::json(
                401,
                "{\"error\":{\"type\":\"AUTHENTICATION_REQUIRED\",\"message\":\"Authentication required\"}}",
            ),
        })
        .await;
        let (provider, endpoints) = local.provider("airtable");
        let old = StoredTokens {
            access_expires_at: Some(at("2026-11-22T08:30:00Z")),
            ..stored(Some("early"), Some("r1"))
        };
        let (checked, renewed) = check_whole(&provider, &endpoints, Some(&client()), &old).await;
        assert_eq!((checked.valid, renewed), (works, works));
    }
}
