//! The authorization code ceremony: what makes an answer count, and that nothing is sent where it does not.

use std::collections::HashSet;

use dango_core::Timestamp;
use dango_oauth::{CallError, CallbackAnswer, Context, FLOW_LIFETIME, FlowError, PendingFlow, ProviderError};

use crate::support::{Counting, Local, Reply, begin, client, connect, context, http, now, parameters, redeemable, yes};

#[tokio::test]
async fn state_verifier_and_challenge_are_new_in_each_flow() {
    let local = Local::start(|_| Reply::json(200, crate::google::tokens("x"))).await;
    let (provider, endpoints) = local.provider("google");
    let entropy = Counting::default();
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let begun = begin(&provider, &endpoints, &entropy);
        let asked = parameters(&begun.authorization_url);
        // 256 bits as base64url without padding.
        assert_eq!(asked["state"].len(), 43);
        assert_eq!(asked["code_challenge"].len(), 43);
        let record = begun.pending.into_record();
        assert_eq!(record.verifier.expose().len(), 43);
        for value in [&asked["state"], &asked["code_challenge"], record.verifier.expose()] {
            assert!(seen.insert(value.to_owned()), "used twice");
        }
    }
}

#[tokio::test]
async fn the_verifier_that_is_sent_fits_the_challenge() {
    let local = Local::start(|_| Reply::json(200, crate::google::tokens("x"))).await;
    let (provider, endpoints) = local.provider("google");
    let begun = begin(&provider, &endpoints, &Counting::default());
    let challenge = parameters(&begun.authorization_url)["code_challenge"].clone();
    let answer = yes(&begun);
    let redeemable = begun.pending.finish(answer, &context(), now()).unwrap();
    let _userinfo_refuses = redeemable.redeem(&http(), &provider, &endpoints, &client(), now()).await;
    let verifier = local.seen()[0].form()["code_verifier"].clone();
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    assert_eq!(data_encoding::BASE64URL_NOPAD.encode(digest.as_ref()), challenge);
}

/// Every way in which an answer is not the one; in none of them is the provider asked anything.
#[tokio::test]
async fn an_answer_to_something_else_sends_nothing() {
    let local = Local::start(|_| Reply::json(200, "{}")).await;
    let (provider, endpoints) = local.provider("google");
    let late = Timestamp::from_unix_micros(now().unix_micros() + i64::try_from(FLOW_LIFETIME.as_micros()).unwrap());
    let finish = |query: &str, context: Context, at| {
        let begun = begin(&provider, &endpoints, &Counting::default());
        let state = parameters(&begun.authorization_url)["state"].clone();
        let answer = CallbackAnswer::parse(&query.replace("STATE", &state)).unwrap();
        begun.pending.finish(answer, &context, at).err()
    };
    let other = |connector: &str, starter: &[&str]| Context::new(connector, starter);
    let yes = "code=c&state=STATE";
    assert_eq!(finish(yes, context(), now()), None);
    assert_eq!(finish("code=c&state=STATEx", context(), now()), Some(FlowError::StateMismatch));
    // Another user, another session of the same user, another connector.
    for elsewhere in [
        other("google_sheets", &["user-2", "session-1"]),
        other("google_sheets", &["user-1", "session-2"]),
        other("evil_sheets", &["user-1", "session-1"]),
        other("google_sheets", &["user-1session-1"]),
    ] {
        assert_eq!(finish(yes, elsewhere, now()), Some(FlowError::OtherContext));
    }
    assert_eq!(finish(yes, context(), late), Some(FlowError::Expired));
    let issuer = |issuer: &str| format!("{yes}&iss={issuer}");
    assert_eq!(finish(&issuer("https://accounts.google.com"), context(), now()), None);
    for wrong in [
        "https://evil.example",
        "https://accounts.google.com/",
        "HTTPS://accounts.google.com",
    ] {
        assert_eq!(finish(&issuer(wrong), context(), now()), Some(FlowError::IssuerMismatch), "{wrong}");
    }
    let Some(FlowError::Denied(denial)) = finish("error=access_denied&state=STATE", context(), now()) else {
        panic!("a denial")
    };
    assert_eq!(denial.error.as_str(), "access_denied");
    assert!(local.seen().is_empty());
}

#[tokio::test]
async fn a_stored_flow_is_the_same_flow() {
    let local = Local::start(|_| Reply::json(200, "{}")).await;
    let (provider, endpoints) = local.provider("google");
    let begun = begin(&provider, &endpoints, &Counting::default());
    let answer = yes(&begun);
    let other = begin(&provider, &endpoints, &Counting::default());
    let record = begun.pending.into_record();
    assert_eq!(record.state.as_bytes(), answer.state_digest().as_bytes());
    assert_eq!(record.provider, "google");
    let pending = PendingFlow::from_record(record);
    assert!(pending.is_answered_by(&answer));
    // Two flows that were begun with the same randomness are the same: only randomness tells them apart.
    assert!(other.pending.is_answered_by(&answer));
    assert!(pending.finish(answer, &context(), now()).is_ok());
}

#[tokio::test]
async fn a_code_goes_to_no_other_provider_than_its_own() {
    let hostile = Local::start(|_| Reply::json(200, crate::google::tokens("x"))).await;
    let honest = Local::start(|_| Reply::json(200, "{}")).await;
    let (google, google_endpoints) = honest.provider("google");
    let (evil, evil_endpoints) = hostile.provider("github");
    let code = redeemable(&google, &google_endpoints);
    let error = code.redeem(&http(), &evil, &evil_endpoints, &client(), now()).await.err().unwrap();
    assert_eq!(error, ProviderError::Call(CallError::ForeignHost));
    assert!(hostile.seen().is_empty() && honest.seen().is_empty());
}

#[tokio::test]
async fn tokens_that_cannot_be_used_are_no_tokens() {
    for body in [
        "{}",
        "[]",
        "null",
        "",
        "access_token=a&token_type=bearer",
        "{\"access_token\":\"\"}",
        "{\"access_token\":7}",
        "{\"access_token\":\"a\\u0000b\"}",
        "{\"access_token\":\"a\\nb\"}",
        "{\"access_token\":\"a\",\"token_type\":\"dpop\"}",
        "{\"access_token\":\"a\",\"refresh_token\":[]}",
    ] {
        let local = Local::start(move |_| Reply::json(200, body)).await;
        let (provider, endpoints) = local.provider("google");
        let error = connect(&http(), &provider, &endpoints).await.err().unwrap();
        assert_eq!(error, ProviderError::Malformed, "{body}");
    }
}
