//! What providers refuse or leave out, in the shapes that they document, and what a person is told: the cause, what to do, and no secret.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::fake::{self, Fake, Reply, Seen};
use super::{CLIENT_SECRET, Waiting, connect, project_with_app};
use crate::answers::Answer;

/// An error of the Graph API: <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
fn graph_error(code: u32, subcode: u32) -> Reply {
    let body = json!({ "error": {
        "message": "Error validating access token: EAAcanary-long Session has expired on Wednesday, 14-Feb-24 18:00:00 PST.",
        "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "EJplcsCHuLu",
    } });
    (400, body.to_string())
}

/// Facebook, whose user takes the access back, changes the password or is away for too long once `ended` is set.
fn facebook_until(ended: Arc<AtomicBool>, subcode: u32) -> impl Fn(&Seen) -> Reply {
    move |seen| match ended.load(Ordering::SeqCst) && !seen.target.starts_with("/revoke") {
        true => graph_error(190, subcode),
        false => fake::facebook(seen),
    }
}

#[test]
fn facebook_says_that_a_session_ended_and_the_user_hears_what_to_do() {
    // 458: the app was removed; 460: the password was changed; 463: it has expired; 467: it was ended.
    for subcode in [458, 460, 463, 467] {
        let ended = Arc::new(AtomicBool::new(false));
        let fake = Fake::start(facebook_until(Arc::clone(&ended), subcode));
        let project = project_with_app("facebook", &fake);
        let _ = connect(&project, &["facebook_ads", "--set", "account_id=1"]);
        ended.store(true, Ordering::SeqCst);
        let before = project.read(".dlt/secrets.toml");
        let _ = project
            .run(&["oauth", "refresh", "facebook_ads"])
            .fails(
                1,
                &[
                    "Facebook takes the connection facebook_ads no more",
                    "dango oauth facebook_ads --name facebook_ads",
                ],
            )
            .hides(&["canary", "Wednesday"]);
        let checked = project.run(&["oauth", "check", "--json"]).ending_with(3).hides(&["canary"]).json();
        assert_eq!(
            (&checked[0]["valid"], &checked[0]["error_code"]),
            (&json!(false), &json!("revoked")),
            "{subcode}"
        );
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
}

#[test]
fn an_app_that_the_provider_does_not_know_costs_no_grant() {
    for body in [
        "{\n  \"error\": \"invalid_client\",\n  \"error_description\": \"The OAuth client was not found: canary.\"\n}",
        "{\"error\":\"unauthorized_client\",\"error_description\":\"Unauthorized canary\"}",
    ] {
        let fake = Fake::start(move |seen| match seen.field("grant_type").as_deref() {
            Some("refresh_token") => (401, body.to_owned()),
            _ => fake::google(seen),
        });
        let project = project_with_app("google", &fake);
        let _ = connect(&project, &["google_sheets"]);
        let before = project.read(".dlt/secrets.toml");
        let _ = project
            .run(&["oauth", "refresh", "google_sheets"])
            .fails(1, &["was not renewed", "dango oauth setup google"])
            .hides(&["canary"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
}

#[test]
fn a_box_that_was_not_ticked_is_told_of_by_name() {
    let fake = Fake::start(|seen| {
        let (status, body) = fake::google(seen);
        (status, body.replace(" https://www.googleapis.com/auth/spreadsheets.readonly", ""))
    });
    let project = project_with_app("google", &fake);
    let output = connect(&project, &["google_sheets"]);
    let _ = output.says(&["granted not all", "auth/spreadsheets.readonly", "tick"]);
}

#[test]
fn a_code_that_the_provider_does_not_take_stores_nothing() {
    let fake = Fake::start(|_| (400, fake::INVALID_GRANT.to_owned()));
    let project = project_with_app("google", &fake);
    let before = project.read(".dlt/secrets.toml");
    let waiting = Waiting::start(&project, &["google_sheets"]);
    let page = waiting.browse("GET", &waiting.callback("code=canary-code"));
    assert!(!page.contains("canary"), "{page}");
    let _ = waiting
        .end()
        .fails(1, &["Google gave no access", "invalid_grant", "oauth setup"])
        .hides(&["canary", CLIENT_SECRET]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn a_grant_without_a_refresh_token_is_of_no_use_to_google_and_the_user_hears_where_to_go() {
    let fake = Fake::start(|seen| {
        let (status, body) = fake::google(seen);
        (status, body.replace("\n  \"refresh_token\": \"1//canary-refresh\",", ""))
    });
    let project = project_with_app("google", &fake);
    let before = project.read(".dlt/secrets.toml");
    let waiting = Waiting::start(&project, &["google_sheets"]);
    let _ = waiting.browse("GET", &waiting.callback("code=the-code"));
    let _ = waiting
        .end()
        .fails(1, &["no refresh token", "nothing was changed", "myaccount.google.com/permissions"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn connecting_again_without_a_new_refresh_token_keeps_the_one_that_is_there() {
    let times = AtomicUsize::new(0);
    let fake = Fake::start(move |seen| {
        let (status, body) = fake::google(seen);
        let is_first = seen.target != "/token" || times.fetch_add(1, Ordering::SeqCst) == 0;
        match is_first {
            true => (status, body),
            false => (status, body.replace("\n  \"refresh_token\": \"1//canary-refresh\",", "")),
        }
    });
    let project = project_with_app("google", &fake);
    for _ in 0..2 {
        let _ = connect(&project, &["google_sheets"]);
        assert!(project.read(".dlt/secrets.toml").contains("refresh_token = \"1//canary-refresh\""));
    }
}

#[test]
fn a_page_that_is_fetched_ahead_or_asked_for_by_another_name_is_no_answer_and_a_second_one_finds_nobody() {
    let fake = Fake::start(fake::google);
    let project = project_with_app("google", &fake);
    let waiting = Waiting::start(&project, &["google_sheets"]);
    let redirect = waiting.parameter("redirect_uri");
    let authority = redirect.trim_start_matches("http://").trim_end_matches("/callback").to_owned();
    let target = waiting.callback("code=the-code");
    let ask = |head: &str| {
        let mut stream = TcpStream::connect(&authority).expect("it listens");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    };
    let port = authority.rsplit(':').next().expect("has one");
    for head in [
        format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nSec-Purpose: prefetch\r\n\r\n"),
        format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nPurpose: prefetch\r\n\r\n"),
        // A name that somebody let point to this machine (DNS rebinding).
        format!("GET {target} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"),
        format!("GET {target} HTTP/1.1\r\n\r\n"),
        "\r\n\r\n".to_owned(),
    ] {
        let answer = ask(&head);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{head}: {answer}");
    }
    // Somebody who connects and says nothing keeps nobody from coming.
    let _silent = TcpStream::connect(&authority).expect("it listens");
    assert!(fake.all().is_empty());
    let page = waiting.browse("GET", &target);
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let _ = waiting.end().success();
    assert!(TcpStream::connect(&authority).is_err(), "the port is closed");
    assert_eq!(fake.asked("/token").len(), 1);
}

#[test]
fn a_port_that_another_program_has_is_named_with_the_way_out() {
    let fake = Fake::start(fake::google);
    let mut project = project_with_app("google", &fake);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port();
    project.give("DANGO_OAUTH_CALLBACK_URL", format!("http://127.0.0.1:{port}/callback"));
    let _ = project
        .run(&["oauth", "google_sheets", "--no-browser"])
        .fails(1, &[&format!("port {port} is in use"), "DANGO_OAUTH_CALLBACK_URL"]);
}
