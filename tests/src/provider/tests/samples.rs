//! The fakes of Google, Facebook and GitHub held against the samples of the documentation: the same members in the same order, of the same
//! kinds. The pages are those that each fake names; here stand the headings.

use serde_json::{Value, json};

use super::{Came, ask, authorization, member, parsed, token, with_code, with_token};
use crate::provider::wire::form;
use crate::provider::{Facebook, FacebookEnd, Fake, GitHub, Google, consent};

/// Holds an answer against a sample: the names of members in their order, and the kinds of values.
#[track_caller]
fn assert_like(came: &Came, status: u16, sample: &str) {
    assert_eq!(came.status, status, "{}", came.body);
    let (found, wanted) = (parsed(&came.body), parsed(sample));
    assert_eq!(names(&came.body), names(sample), "{}", came.body);
    assert_eq!(kinds(&found), kinds(&wanted), "{}", came.body);
}

/// The names of members as they are written, one after the other.
fn names(text: &str) -> Vec<&str> {
    let mut pieces = text.split('"').skip(1).step_by(2).zip(text.split('"').skip(2).step_by(2));
    std::iter::from_fn(|| pieces.find(|(_, after)| after.trim_start().starts_with(':')))
        .map(|(name, _)| name)
        .collect()
}

/// The same with each value replaced by its kind.
fn kinds(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().map(kinds).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), kinds(value))).collect(),
    }
}

#[test]
fn google_answers_as_in_its_samples() {
    let fake = Fake::start(Google::new());
    // "Exchange authorization code for refresh and access tokens".
    let first = with_code(&fake, &[]);
    assert_like(
        &first,
        200,
        "{\"access_token\": \"1/fFAGRNJru1FTz70BzhT3Zg\", \"expires_in\": 3920, \"token_type\": \"Bearer\", \"scope\": \
         \"https://www.googleapis.com/auth/drive.metadata.readonly\", \"refresh_token\": \"1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI\"}",
    );
    assert!(first.body.starts_with("{\n  \"access_token\": \""), "{}", first.body);
    // "Refreshing an access token": no refresh token comes.
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "1//canary-refresh")];
    let second = token(&fake, &[], &refresh);
    assert_like(
        &second,
        200,
        "{\"access_token\": \"1/fFAGRNJru1FTz70BzhT3Zg\", \"expires_in\": 3920, \"scope\": \"a b\", \"token_type\": \"Bearer\"}",
    );
    let access = member(&second, "access_token");
    let userinfo = with_token(&fake, "GET", "/userinfo", &access);
    assert_like(
        &userinfo,
        200,
        "{\"sub\": \"1\", \"name\": \"n\", \"given_name\": \"g\", \"family_name\": \"f\", \"email\": \"e\", \"email_verified\": true}",
    );
    let looked_up = ask(&fake, "GET", &format!("/tokeninfo?access_token={access}"), &[], "").expect("an answer");
    assert_eq!((looked_up.status, member(&looked_up, "expires_in").as_str()), (200, "3599"));
    // "Revoking a token": 200; an error comes with 400. Either token ends the grant.
    let revoke = |token: &str| ask(&fake, "POST", "/revoke", &[], &form(&[("token", token)])).expect("an answer");
    assert_eq!(revoke(&access).status, 200);
    assert_like(&revoke(&access), 400, "{\"error\": \"e\", \"error_description\": \"d\"}");
    assert_eq!(with_token(&fake, "GET", "/userinfo", &access).status, 401);
    // "Common errors" of the Google Ads API, byte for byte.
    let dead = token(&fake, &[], &refresh);
    assert_eq!(dead.status, 400);
    assert_eq!(
        dead.body,
        "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Token has been expired or revoked.\"\n}"
    );
}

#[test]
fn google_gives_what_was_ticked_and_tells_of_the_seven_days() {
    let fake = Fake::start(Google::new());
    fake.provider().testing();
    fake.provider().untick("https://www.googleapis.com/auth/spreadsheets.readonly");
    let limited = with_code(&fake, &[]);
    assert_eq!(member(&limited, "scope"), "openid https://www.googleapis.com/auth/userinfo.email");
    // "Time-based access": the remaining lifetime in seconds.
    assert_eq!(parsed(&limited.body)["refresh_token_expires_in"], 604_799);
    // Without `access_type=offline` no refresh token comes.
    let back = consent(&authorization(&fake, "&scope=openid"));
    let code = back
        .split_once("code=")
        .and_then(|(_, rest)| rest.split('&').next())
        .expect("a code");
    let redeem = |redirect_uri| {
        let code = code.replace("%2F", "/");
        token(
            &fake,
            &[],
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", redirect_uri),
            ],
        )
    };
    let online = redeem("https://app.example/back");
    assert_eq!((online.status, member(&online, "refresh_token").as_str()), (200, ""));
    assert_eq!(
        member(&redeem("https://app.example/back"), "error"),
        "invalid_grant",
        "a code is good once"
    );
    fake.provider().register("c", "another");
    assert_eq!(with_code(&fake, &[]).status, 401);
}

#[test]
fn facebook_answers_as_in_its_samples() {
    let fake = Fake::start(Facebook::new());
    let short = with_code(&fake, &[]);
    assert_like(
        &short,
        200,
        "{\"access_token\": \"t\", \"token_type\": \"bearer\", \"expires_in\": 1}",
    );
    let exchange = |token: &str| {
        let query = form(&[
            ("grant_type", "fb_exchange_token"),
            ("client_id", "c"),
            ("client_secret", "s"),
            ("fb_exchange_token", token),
        ]);
        ask(&fake, "GET", &format!("/token?{query}"), &[], "").expect("an answer")
    };
    // "Get a Long-Lived User Access Token", asked as there with a query.
    let long = exchange(&member(&short, "access_token"));
    assert_eq!(
        long.body,
        "{\n  \"access_token\":\"EAAcanary-long-2\",\n  \"token_type\": \"bearer\",\n  \"expires_in\": 5183944\n}"
    );
    assert_like(
        &with_token(&fake, "GET", "/userinfo", "EAAcanary-long-2"),
        200,
        "{\"name\": \"n\", \"id\": \"1\"}",
    );
    fake.provider().decline("ads_management");
    let permissions = with_token(&fake, "GET", "/userinfo/permissions", "EAAcanary-long-2");
    assert_eq!(
        parsed(&permissions.body),
        json!({"data": [{"permission": "ads_read", "status": "granted"}, {"permission": "ads_management", "status": "declined"}]})
    );
    // "Debugging and Error Handling".
    let debug = with_token(&fake, "GET", "/debug_token?input_token=EAAcanary-long-2", "EAAcanary-long-2");
    assert_like(
        &debug,
        200,
        "{ \"data\":{ \"app_id\":\"{app-id}\", \"type\":\"USER\", \"application\":\"{app-name}\", \
         \"data_access_expires_at\":1576687825, \"expires_at\":1570820400, \"is_valid\":true, \"scopes\":[ \"pages_show_list\", \
         \"public_profile\" ], \"granular_scopes\":[ { \"scope\":\"pages_show_list\", \"target_ids\":[ \"{page-1-app-can-access-id}\" ] } \
         ], \"user_id\":\"10215241773831025\" } }",
    );
    fake.provider().end_tokens(FacebookEnd::Expired);
    let expired = "{ \"error\": { \"message\": \"Error validating access token: Session has expired on Wednesday, 14-Feb-18 18:00:00 PST. \
                   The current time is Thursday, 15-Feb-18 13:46:35 PST.\", \"type\": \"OAuthException\", \"code\": 190, \
                   \"error_subcode\": 463, \"fbtrace_id\": \"H2il2t5bn4e\" } }";
    let refused = exchange("EAAcanary-long-2");
    assert_like(&refused, 400, expired);
    assert_eq!(parsed(&refused.body), parsed(expired));
    assert!(
        refused
            .head
            .contains("WWW-Authenticate: OAuth \"Facebook Platform\" \"invalid_token\""),
        "{}",
        refused.head
    );
}

#[test]
fn facebook_names_each_end_by_its_number() {
    // "Authentication Error Subcodes" of "Handling Errors".
    for (end, subcode) in [
        (FacebookEnd::Expired, 463),
        (FacebookEnd::PasswordChanged, 460),
        (FacebookEnd::Removed, 458),
    ] {
        let fake = Fake::start(Facebook::new());
        let token = member(&with_code(&fake, &[]), "access_token");
        match end {
            FacebookEnd::Removed => assert_eq!(with_token(&fake, "DELETE", "/revoke", &token).body, "{\n  \"success\": true\n}"),
            end => fake.provider().end_tokens(end),
        }
        let refused = with_token(&fake, "GET", "/userinfo", &token);
        let error = &parsed(&refused.body)["error"];
        assert_eq!(
            (refused.status, &error["code"], &error["error_subcode"]),
            (400, &json!(190), &json!(subcode))
        );
    }
    let fake = Fake::start(Facebook::new());
    fake.provider().deny();
    // "Canceled Login".
    assert_eq!(
        consent(&authorization(&fake, "")),
        "https://app.example/back?error_reason=user_denied&error=access_denied&error_description=Permissions+error.&state=xyz"
    );
}

#[test]
fn github_answers_as_in_its_samples() {
    let json = [("Accept", "application/json")];
    let fake = Fake::start(GitHub::new());
    // "By default, the response takes the following form", and with `Accept: application/json`.
    let plain = with_code(&fake, &[]);
    assert_eq!(
        plain.body.replace("gho_canary1", "gho_16C7e42F292c6912E7710c838347Ae178B4a"),
        "access_token=gho_16C7e42F292c6912E7710c838347Ae178B4a&scope=repo%2Cgist&token_type=bearer"
    );
    let asked = with_code(&fake, &json);
    assert_eq!(
        asked.body.replace("gho_canary2", "gho_16C7e42F292c6912E7710c838347Ae178B4a"),
        "{\"access_token\":\"gho_16C7e42F292c6912E7710c838347Ae178B4a\",\"scope\":\"repo,gist\",\"token_type\":\"bearer\"}"
    );
    // "Bad verification code": with 200.
    let bad = token(&fake, &json, &[("code", "unknown")]);
    assert_eq!(bad.status, 200);
    assert_eq!(
        parsed(&bad.body),
        json!({
            "error": "bad_verification_code",
            "error_description": "The code passed is incorrect or expired.",
            "error_uri": "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#bad-verification-code",
        })
    );
    let token = member(&asked, "access_token");
    let user = with_token(&fake, "GET", "/userinfo", &token);
    assert_eq!(
        (&parsed(&user.body)["id"], &parsed(&user.body)["login"]),
        (&json!(583_231), &json!("octocat"))
    );
    // "List email addresses for the authenticated user".
    let emails = with_token(&fake, "GET", "/userinfo/emails", &token);
    assert_eq!(
        parsed(&emails.body)[0],
        json!({"email": "octocat@github.com", "verified": true, "primary": true, "visibility": "public"})
    );
    // "User agent required".
    let nameless = ask(&fake, "GET", "/userinfo", &[("Authorization", &format!("Bearer {token}"))], "").expect("an answer");
    assert_eq!(nameless.status, 403);
    // "Delete an app authorization": as the client, 204.
    let delete = |authorization: &str| {
        let body = format!("{{\"access_token\":\"{token}\"}}");
        ask(&fake, "DELETE", "/revoke", &[("Authorization", authorization)], &body).expect("an answer")
    };
    assert_eq!(delete(&format!("Bearer {token}")).status, 404);
    assert_eq!(delete("Basic YzpzZWNyZXQ=").status, 204);
    assert_eq!(with_token(&fake, "GET", "/userinfo", &token).status, 401);
    fake.provider().deny();
    assert_eq!(
        consent(&authorization(&fake, "")),
        "https://app.example/back?error=access_denied&error_description=The+user+has+denied+your+application+access.&error_uri=%2Fapps%2F\
         building-integrations%2Fsetting-up-and-registering-oauth-apps%2Ftroubleshooting-authorization-request-errors%2F%23access-denied\
         &state=xyz"
    );
}

#[test]
fn a_github_app_s_tokens_are_renewed_once() {
    let json = [("Accept", "application/json")];
    let fake = Fake::start(GitHub::expiring());
    let first = with_code(&fake, &json);
    // "Refreshing user access tokens", the response parameters.
    assert_like(
        &first,
        200,
        "{\"access_token\":\"ghu_1\",\"expires_in\":28800,\"refresh_token\":\"ghr_1\",\"refresh_token_expires_in\":15811200,\"scope\":\"\",\
         \"token_type\":\"bearer\"}",
    );
    let refresh = || token(&fake, &json, &[("grant_type", "refresh_token"), ("refresh_token", "ghr_canary1")]);
    assert_eq!(member(&refresh(), "refresh_token"), "ghr_canary2");
    assert_eq!(
        with_token(&fake, "GET", "/userinfo", "ghu_canary1").status,
        401,
        "the old access token ends, too"
    );
    assert_eq!(member(&refresh(), "error"), "bad_refresh_token");
    assert_eq!(
        with_token(&fake, "GET", "/userinfo", "ghu_canary2").status,
        200,
        "a reuse costs nothing there"
    );
}
