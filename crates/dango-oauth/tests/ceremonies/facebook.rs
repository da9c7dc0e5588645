//! Facebook in the shapes that it documents: a short token exchanged for one of 60 days, permissions told apart, errors of
//! its own. Sources: <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>,
//! <https://developers.facebook.com/docs/graph-api/reference/user/permissions/>,
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling>.

use dango_oauth::{
    CheckError, Due, Jitter, RenewalError, Reread, Revoked, Status, StoredTokens, Verdict, due, judge, renew, revoke, status,
};

use crate::support::{Local, Reply, SECRET, Seen, at, check_whole, client, connect, http, now, parameters, stored};

const SHORT: &str = "{\"access_token\":\"EAAshort\",\"token_type\":\"bearer\",\"expires_in\":5400}";
const LONG: &str = "{\n  \"access_token\":\"EAAlong\",\n  \"token_type\": \"bearer\",\n  \"expires_in\": 5183944\n}";
const ME: &str = "{\"id\":\"10158000000000000\",\"name\":\"Ada Lovelace\"}";
const PERMISSIONS: &str = "{\"data\":[{\"permission\":\"ads_read\",\"status\":\"granted\"},\
                           {\"permission\":\"ads_management\",\"status\":\"declined\"},{\"permission\":\"public_profile\",\"status\":\"granted\"}]}";
const EXPIRED: &str = "{\"error\":{\"message\":\"Error validating access token: Session has expired on Saturday, 21-Nov-26 00:00:00 PST.\",\
                       \"type\":\"OAuthException\",\"code\":190,\"error_subcode\":463,\"fbtrace_id\":\"EJplcsCHuLu\"}}";

fn honest(seen: &Seen) -> Reply {
    match (seen.method.as_str(), seen.path()) {
        ("POST", "/token") if seen.form()["grant_type"] == "fb_exchange_token" => Reply::json(200, LONG),
        ("POST", "/token") => Reply::json(200, SHORT),
        ("GET", "/userinfo/permissions") => Reply::json(200, PERMISSIONS),
        ("GET", "/userinfo") => Reply::json(200, ME),
        ("DELETE", "/revoke") => Reply::json(200, "{\"success\":true}"),
        _ => Reply::json(400, EXPIRED),
    }
}

#[tokio::test]
async fn the_short_token_is_exchanged_and_permissions_are_asked() {
    let local = Local::start(honest).await;
    let (provider, endpoints) = local.provider("facebook");
    let begun = crate::support::begin(&provider, &endpoints, &crate::support::Counting::default());
    assert_eq!(parameters(&begun.authorization_url)["scope"], "ads_read,ads_management");

    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.access_token.expose(), "EAAlong");
    assert!(grant.refresh_token.is_none());
    assert_eq!(grant.expires_at, Some(at("2027-01-21T07:59:04Z")));
    assert_eq!(grant.access_expires_at, grant.expires_at);
    assert_eq!(grant.scopes.missing, ["ads_management"]);
    assert!(grant.is_limited());
    assert_eq!(grant.identity.as_ref().unwrap().identifier.as_deref(), Some("10158000000000000"));

    let seen = local.seen();
    assert_eq!(seen[1].form()["fb_exchange_token"], "EAAshort");
    assert_eq!(seen[1].form()["client_secret"], SECRET);
    for secret in ["EAA", SECRET] {
        assert!(seen.iter().all(|seen| !seen.target.contains(secret)), "{secret} is in a URL");
    }
    assert_eq!(seen[2].header("authorization"), Some("Bearer EAAlong"));
}

#[tokio::test]
async fn an_answer_without_a_lifetime_counts_as_sixty_days() {
    let local = Local::start(|seen| match seen.path() {
        "/token" => Reply::json(200, "{\"access_token\":\"EAA\",\"token_type\":\"bearer\"}"),
        _ => honest(seen),
    })
    .await;
    let (provider, endpoints) = local.provider("facebook");
    let grant = connect(&http(), &provider, &endpoints).await.unwrap();
    assert_eq!(grant.expires_at, Some(at("2027-01-21T08:00:00Z")));
}

#[tokio::test]
async fn a_token_is_exchanged_while_it_is_alive_and_never_after() {
    let local = Local::start(honest).await;
    let (provider, endpoints) = local.provider("facebook");
    let connected = now();
    let tokens = StoredTokens {
        access_expires_at: Some(at("2027-01-21T08:00:00Z")),
        expires_at: Some(at("2027-01-21T08:00:00Z")),
        ..stored(Some("EAAold"), None)
    };
    assert_eq!(
        due(&provider, &tokens, connected, Jitter::ZERO),
        Due::At(at("2027-01-11T08:00:00Z"))
    );
    // Day 53 and a second: yellow, and renewed.
    let day_53 = at("2027-01-14T08:00:01Z");
    assert_eq!(status(tokens.expires_at, day_53), Status::Expiring);
    assert_eq!(due(&provider, &tokens, day_53, Jitter::ZERO), Due::Now);
    let unsaved = renew(&http(), &provider, &endpoints, &client(), &tokens, day_53)
        .await
        .ok()
        .unwrap();
    let renewed = unsaved.save::<std::io::Error>(async |_| Ok(())).await.ok().unwrap().into_tokens();
    assert_eq!(renewed.access_token.expose(), "EAAlong");
    assert_eq!(renewed.expires_at, Some(at("2027-03-15T07:59:05Z")));
    assert_eq!(local.asked("/token"), 1);
    // Day 61: red, and nothing is asked.
    let day_61 = at("2027-01-22T08:00:00Z");
    assert_eq!(status(tokens.expires_at, day_61), Status::Expired);
    assert_eq!(due(&provider, &tokens, day_61, Jitter::ZERO), Due::Reconnect);
    let error = renew(&http(), &provider, &endpoints, &client(), &tokens, day_61)
        .await
        .err()
        .unwrap();
    assert_eq!(error, RenewalError::Expired);
    assert_eq!(local.asked("/token"), 1);
}

#[tokio::test]
async fn a_wrong_secret_of_the_app_is_no_trouble_that_passes() {
    let local = Local::start(|_| {
        Reply::json(
            400,
            "{\"error\":{\"message\":\"Error validating client secret.\",\"type\":\"OAuthException\",\"code\":1,\"fbtrace_id\":\"x\"}}",
        )
    })
    .await;
    let (provider, endpoints) = local.provider("facebook");
    let tokens = stored(Some("EAAold"), None);
    let error = renew(&http(), &provider, &endpoints, &client(), &tokens, now())
        .await
        .err()
        .unwrap();
    assert_eq!(judge(&error, Reread::Unchanged, 0, Jitter::ZERO), Verdict::Misconfigured);
}

#[tokio::test]
async fn its_errors_are_told_apart_by_number() {
    let error = |code: u32| {
        format!("{{\"error\":{{\"message\":\"m {SECRET}\",\"type\":\"OAuthException\",\"code\":{code},\"fbtrace_id\":\"x\"}}}}")
    };
    for (status, body, expected) in [
        (400, EXPIRED.to_owned(), CheckError::Revoked),
        (400, error(200), CheckError::Revoked),
        // Too many calls and trouble of its own come with status 400 as well.
        (400, error(4), CheckError::ServerError),
        (400, error(2), CheckError::ServerError),
        (500, error(1), CheckError::ServerError),
    ] {
        let local = Local::start(move |_| Reply::json(status, &body)).await;
        let (provider, endpoints) = local.provider("facebook");
        let tokens = stored(Some("EAAold"), None);
        let (checked, _) = check_whole(&provider, &endpoints, Some(&client()), &tokens).await;
        assert_eq!(checked.error, Some(expected));
        let error = renew(&http(), &provider, &endpoints, &client(), &tokens, now())
            .await
            .err()
            .unwrap();
        assert!(!format!("{error} {error:?}").contains(SECRET));
        let verdict = judge(&error, Reread::Unchanged, 0, Jitter::ZERO);
        assert_eq!(
            matches!(verdict, Verdict::Later(_)),
            expected == CheckError::ServerError,
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn revoking_deletes_the_permissions_as_their_user() {
    let local = Local::start(honest).await;
    let (provider, endpoints) = local.provider("facebook");
    let outcome = revoke(&http(), &provider, &endpoints, &client(), &stored(Some("EAAlong"), None)).await;
    assert_eq!(outcome, Revoked::Yes);
    let seen = local.seen();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str(), seen[0].body.as_str()),
        ("DELETE", "/revoke", "")
    );
    assert_eq!(seen[0].header("authorization"), Some("Bearer EAAlong"));
}
