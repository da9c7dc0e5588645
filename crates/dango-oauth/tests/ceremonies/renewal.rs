//! Keeping a grant alive: tokens that are stored before they are used, and what failures mean.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dango_oauth::{CallError, Cause, Due, Jitter, Providers, RenewalError, Reread, StoredTokens, Verdict, due, judge, likely_cause, renew};

use crate::support::{Counting, Local, Reply, at, client, http, now, secret, stored};

/// A provider that rotates refresh tokens and kills the grant when an old one comes back (RFC 9700 §4.14.2).
async fn with_reuse_detection() -> Local {
    let current = Mutex::new((0, true));
    Local::start(move |seen| {
        let mut state = current.lock().unwrap();
        let (generation, alive) = *state;
        if !alive || seen.form()["refresh_token"] != format!("refresh-{generation}") {
            *state = (generation, false);
            return Reply::json(400, "{\"error\":\"invalid_grant\"}");
        }
        *state = (generation + 1, true);
        let next = generation + 1;
        Reply::json(
            200,
            format!("{{\"access_token\":\"access-{next}\",\"refresh_token\":\"refresh-{next}\",\"expires_in\":3600,\"refresh_expires_in\":5184000,\"token_type\":\"Bearer\"}}"),
        )
    })
    .await
}

#[tokio::test]
async fn a_rotated_token_is_stored_before_it_is_used_and_the_grant_lives_on() {
    let local = with_reuse_detection().await;
    let (provider, endpoints) = local.provider("airtable");
    let caller = http();
    let mut kept = stored(Some("access-0"), Some("refresh-0"));
    for generation in 1..=5 {
        let unsaved = renew(&caller, &provider, &endpoints, &client(), &kept, now()).await.ok().unwrap();
        // The disk is full twice; the tokens are not lost over it.
        let full = |_: &_| Err::<(), io::Error>(io::ErrorKind::StorageFull.into());
        let failed = unsaved.save(async |tokens| full(tokens)).await.err().unwrap();
        assert_eq!(failed.to_string(), "the new tokens could not be stored");
        assert!(!format!("{failed:?}").contains("access-"));
        let failed = failed.unsaved.save(async |tokens| full(tokens)).await.err().unwrap();
        let saved = failed.unsaved.save(async |tokens| {
            kept = StoredTokens {
                access_token: Some(tokens.access_token.clone()),
                refresh_token: tokens.refresh_token.clone(),
                access_expires_at: tokens.access_expires_at,
                expires_at: tokens.expires_at,
                renewed_at: Some(now()),
            };
            Ok::<(), io::Error>(())
        });
        let tokens = saved.await.ok().unwrap().into_tokens();
        assert!(tokens.rotated);
        assert_eq!(tokens.access_token.expose(), format!("access-{generation}"));
        assert_eq!(tokens.expires_at, Some(at("2027-01-21T08:00:00Z")));
    }
    assert_eq!(local.seen().len(), 5);
}

/// Servers renew on any of their threads.
#[tokio::test]
async fn a_renewal_may_move_between_threads() {
    let local = with_reuse_detection().await;
    let (provider, endpoints) = local.provider("airtable");
    let written = Arc::new(Mutex::new(String::new()));
    let file = Arc::clone(&written);
    let task = tokio::spawn(async move {
        let kept = stored(None, Some("refresh-0"));
        let unsaved = renew(&http(), &provider, &endpoints, &client(), &kept, now()).await.ok()?;
        let saved = unsaved.save(async |tokens| {
            tokio::task::yield_now().await;
            *file.lock().unwrap() = tokens.refresh_token.as_ref().unwrap().expose().to_owned();
            Ok::<(), io::Error>(())
        });
        Some(saved.await.ok()?.into_tokens().rotated)
    });
    assert_eq!(task.await.unwrap(), Some(true));
    assert_eq!(*written.lock().unwrap(), "refresh-1");
}

#[tokio::test]
async fn what_was_renewed_elsewhere_is_noticed_before_the_grant_is_given_up() {
    let local = Local::start(|_| Reply::json(400, "{\"error\":\"invalid_grant\"}")).await;
    let (provider, endpoints) = local.provider("airtable");
    let error = renew(&http(), &provider, &endpoints, &client(), &stored(None, Some("old")), now())
        .await
        .err()
        .unwrap();
    assert_eq!(judge(&error, Reread::NotYet, 0, Jitter::ZERO), Verdict::Reread);
    assert_eq!(judge(&error, Reread::Changed, 0, Jitter::ZERO), Verdict::UseStored);
    assert_eq!(judge(&error, Reread::Unchanged, 0, Jitter::ZERO), Verdict::Dead);
}

#[tokio::test]
async fn trouble_never_ends_a_grant() {
    let trouble = [
        Reply::plain(500, b""),
        Reply::plain(502, b"<html>bad gateway {\"error\":\"invalid_grant\"}"),
        Reply::json(503, "{\"error\":\"invalid_grant\"}"),
        Reply::plain(429, b"").header("Retry-After", "120"),
        Reply::plain(200, b"<html>please sign in to the hotel's network"),
        Reply::plain(302, b"").header("Location", "https://hotel.example/"),
        Reply::hanging(),
    ];
    for reply in trouble {
        let local = Local::start(move |_| reply.clone()).await;
        let (provider, endpoints) = local.provider("google");
        let caller = http().with_call_limit(Duration::from_millis(200));
        let error = renew(&caller, &provider, &endpoints, &client(), &stored(None, Some("r")), now())
            .await
            .err()
            .unwrap();
        for reread in [Reread::NotYet, Reread::Changed, Reread::Unchanged] {
            assert!(matches!(judge(&error, reread, 0, Jitter::ZERO), Verdict::Later(_)), "{error:?}");
        }
    }
    // A page of somebody in between, with a status that says no.
    let local = Local::start(|_| Reply::plain(403, b"<html>blocked by the firewall")).await;
    let (provider, endpoints) = local.provider("google");
    let error = renew(&http(), &provider, &endpoints, &client(), &stored(None, Some("r")), now())
        .await
        .err()
        .unwrap();
    assert_eq!(judge(&error, Reread::Unchanged, 0, Jitter::ZERO), Verdict::Misconfigured);
}

#[tokio::test]
async fn five_times_503_and_then_it_works_is_still_connected() {
    let count = Mutex::new(0);
    let local = Local::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count <= 5 {
            Reply::plain(503, b"")
        } else {
            Reply::json(200, crate::google::tokens("x"))
        }
    })
    .await;
    let (provider, endpoints) = local.provider("google");
    let kept = stored(None, Some("r"));
    let mut waits = Vec::new();
    for attempt in 0..5 {
        let error = renew(&http(), &provider, &endpoints, &client(), &kept, now()).await.err().unwrap();
        let Verdict::Later(wait) = judge(&error, Reread::Unchanged, attempt, Jitter::ZERO) else {
            panic!("kept")
        };
        waits.push(wait.as_secs());
    }
    assert_eq!(waits, [15, 30, 60, 120, 240]);
    assert!(renew(&http(), &provider, &endpoints, &client(), &kept, now()).await.is_ok());
}

#[test]
fn waits_grow_up_to_an_hour_are_spread_and_heed_the_provider() {
    let busy = |retry_after| RenewalError::Provider(dango_oauth::ProviderError::Trouble { status: 503, retry_after });
    let wait = |error: &RenewalError, attempt, jitter| match judge(error, Reread::NotYet, attempt, jitter) {
        Verdict::Later(wait) => wait,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&busy(None), 60, Jitter::ZERO), Duration::from_secs(1800));
    assert_eq!(wait(&busy(None), u32::MAX, Jitter::ZERO), Duration::from_secs(1800));
    assert_eq!(wait(&busy(Some(120)), 0, Jitter::ZERO), Duration::from_secs(120));
    assert_eq!(wait(&busy(Some(u64::MAX)), 0, Jitter::ZERO), Duration::from_secs(86_400));
    let entropy = Counting::default();
    let spread: std::collections::HashSet<_> = (0..50).map(|_| wait(&busy(None), 3, Jitter::draw(&entropy).unwrap())).collect();
    assert!(spread.len() > 25, "{spread:?}");
    assert!(spread.iter().all(|wait| (120..=240).contains(&wait.as_secs())));
    let offline = RenewalError::Provider(CallError::Unreachable.into());
    assert_eq!(wait(&offline, 0, Jitter::ZERO), Duration::from_secs(15));
}

#[test]
fn an_access_token_is_renewed_a_little_before_its_end() {
    let providers = Providers::builtin();
    let (google, slack, shopify) = (
        providers.find("google").unwrap(),
        providers.find("slack").unwrap(),
        providers.find("shopify").unwrap(),
    );
    let tokens = |access: Option<&str>, refresh: Option<&str>, end: Option<&str>| StoredTokens {
        access_expires_at: end.map(at),
        ..stored(access, refresh)
    };
    let at_nine = tokens(Some("a"), Some("r"), Some("2026-11-22T09:00:00Z"));
    assert_eq!(due(google, &at_nine, now(), Jitter::ZERO), Due::At(at("2026-11-22T08:55:00Z")));
    assert_eq!(
        due(google, &at_nine, at("2026-11-22T08:54:59Z"), Jitter::ZERO),
        Due::At(at("2026-11-22T08:55:00Z"))
    );
    assert_eq!(due(google, &at_nine, at("2026-11-22T08:55:00Z"), Jitter::ZERO), Due::Now);
    assert_eq!(due(google, &at_nine, at("2026-11-22T10:00:00Z"), Jitter::ZERO), Due::Now);
    let Due::At(spread) = due(google, &at_nine, now(), Jitter::draw(&Counting::default()).unwrap()) else {
        panic!("later")
    };
    assert!((at("2026-11-22T08:53:00Z")..=at("2026-11-22T08:55:00Z")).contains(&spread));
    // The refresh token alone is stored: dlt makes its own access tokens.
    assert_eq!(due(google, &tokens(None, Some("r"), None), now(), Jitter::ZERO), Due::Never);
    // Without rotation a Slack token does not end; with it, it does.
    assert_eq!(due(slack, &tokens(Some("xoxb"), None, None), now(), Jitter::ZERO), Due::Never);
    assert_eq!(
        due(
            slack,
            &tokens(Some("xoxe"), Some("r"), Some("2026-11-22T08:00:00Z")),
            now(),
            Jitter::ZERO
        ),
        Due::Now
    );
    assert_eq!(
        due(
            slack,
            &tokens(Some("xoxe"), None, Some("2026-11-22T08:00:00Z")),
            now(),
            Jitter::ZERO
        ),
        Due::Reconnect
    );
    assert_eq!(due(shopify, &tokens(Some("shpat"), None, None), now(), Jitter::ZERO), Due::Never);
    let ended = StoredTokens {
        expires_at: Some(now()),
        ..at_nine
    };
    assert_eq!(due(google, &ended, now(), Jitter::ZERO), Due::Reconnect);
}

/// What is stored of a connection names the end of its grant, not that of its access token.
#[test]
fn an_access_token_of_which_only_the_age_is_known_is_renewed_in_time() {
    let providers = Providers::builtin();
    let (hubspot, notion) = (providers.find("hubspot").unwrap(), providers.find("notion").unwrap());
    let tokens = |refresh: Option<&str>, renewed_at: Option<&str>| StoredTokens {
        renewed_at: renewed_at.map(at),
        ..stored(Some("a"), refresh)
    };
    let due_at = |provider, refresh, renewed_at| due(provider, &tokens(refresh, renewed_at), now(), Jitter::ZERO);
    assert_eq!(
        due_at(hubspot, Some("r"), Some("2026-11-22T08:00:00Z")),
        Due::At(at("2026-11-22T08:25:00Z"))
    );
    assert_eq!(due_at(hubspot, Some("r"), Some("2026-11-22T07:35:00Z")), Due::Now);
    assert_eq!(due_at(hubspot, Some("r"), None), Due::Now);
    // A token that somebody put there by hand has nothing to be renewed with.
    assert_eq!(due_at(hubspot, None, Some("2020-01-01T00:00:00Z")), Due::Never);
    assert_eq!(due_at(notion, Some("r"), Some("2020-01-01T00:00:00Z")), Due::Never);
}

#[tokio::test]
async fn what_cannot_be_renewed_is_not_tried() {
    let local = Local::start(|_| Reply::json(200, crate::google::tokens("x"))).await;
    for (name, tokens) in [
        ("google", stored(Some("access alone"), None)),
        ("facebook", stored(None, Some("refresh alone"))),
        ("shopify", stored(Some("shpat"), Some("r"))),
    ] {
        let (provider, endpoints) = local.provider(name);
        let error = renew(&http(), &provider, &endpoints, &client(), &tokens, now())
            .await
            .err()
            .unwrap();
        assert_eq!(error, RenewalError::NotRenewable, "{name}");
    }
    assert!(local.seen().is_empty());
}

#[test]
fn a_dead_grant_is_shown_with_its_likely_cause() {
    let providers = Providers::builtin();
    let (google, facebook) = (providers.find("google").unwrap(), providers.find("facebook").unwrap());
    let connected = Some(at("2026-11-15T08:00:00Z"));
    let cause = |provider, worked, now| likely_cause(provider, &stored(None, Some("r")), connected, worked, at(now));
    let testing = Cause::TestingPhase { days: 7 };
    assert_eq!(cause(google, None, "2026-11-22T07:59:59Z"), Cause::Revoked);
    assert_eq!(cause(google, None, "2026-11-22T08:00:00Z"), testing);
    assert_eq!(cause(google, None, "2026-11-29T08:00:00Z"), Cause::Revoked);
    assert_eq!(cause(google, Some(at("2026-11-21T00:00:00Z")), "2027-11-29T08:00:00Z"), testing);
    assert_eq!(
        cause(google, Some(at("2026-11-25T00:00:00Z")), "2026-11-26T00:00:00Z"),
        Cause::Revoked
    );
    assert_eq!(cause(facebook, None, "2026-11-22T08:00:00Z"), Cause::Revoked);
    let ended = StoredTokens {
        expires_at: Some(now()),
        access_token: Some(secret("a")),
        ..StoredTokens::default()
    };
    assert_eq!(likely_cause(facebook, &ended, connected, None, now()), Cause::Ended);
    assert!(testing.to_string().contains("after 7 days"));
}
