//! What providers refuse or leave out, in the shapes that they document, and what a person is told: the cause, what to do, and no secret.

use std::io::{Read, Write};
use std::net::TcpStream;

use dango_tests::provider::{Facebook, FacebookEnd, Fake, Google, Reply, Trouble};
use serde_json::json;

use super::{CLIENT_SECRET, Waiting, connect, project_with_app};
use crate::answers::Answer;

const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";

/// What Google answers to a code or a token that is worth nothing.
fn invalid_grant() -> Reply {
    Reply::json(
        400,
        "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Malformed auth code canary.\"\n}",
    )
}

/// Who it is, for a token that the fake has not given.
fn ada() -> Reply {
    let person = "{\n  \"sub\": \"10769150350006150715113082367\",\n  \"email\": \"ada@example.com\",\n  \"email_verified\": true\n}";
    Reply::json(200, person)
}

/// What Google answers where the account has let the app in before: no refresh token.
fn without_refresh_token() -> Reply {
    Reply::json(
        200,
        format!(
            "{{\n  \"access_token\": \"ya29.canary-access\",\n  \"expires_in\": 3599,\n  \"scope\": \"openid \
             https://www.googleapis.com/auth/userinfo.email {SHEETS}\",\n  \"token_type\": \"Bearer\"\n}}"
        ),
    )
}

#[test]
fn facebook_says_that_a_session_ended_and_the_user_hears_what_to_do() {
    for end in [FacebookEnd::Expired, FacebookEnd::PasswordChanged, FacebookEnd::Removed] {
        let fake = Fake::start(Facebook::new());
        let project = project_with_app("facebook", &fake);
        let _ = connect(&project, &["facebook_ads", "--set", "account_id=1"]);
        fake.provider().end_tokens(end);
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
            (&json!(false), &json!("revoked"))
        );
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
}

#[test]
fn an_app_that_the_provider_does_not_know_costs_no_grant() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    fake.provider().register("another app", "another secret");
    let before = project.read(".dlt/secrets.toml");
    let _ = project
        .run(&["oauth", "refresh", "google_sheets"])
        .fails(1, &["was not renewed", "dango oauth setup google"])
        .hides(&["canary"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn a_wrong_secret_of_a_facebook_app_is_no_trouble_that_passes() {
    let fake = Fake::start(Facebook::new());
    let project = project_with_app("facebook", &fake);
    let _ = connect(&project, &["facebook_ads", "--set", "account_id=123456"]);
    fake.provider().register("client id+1", "another secret");
    let before = project.read(".dlt/secrets.toml");
    let refused = project.run(&["oauth", "refresh", "facebook_ads"]);
    let _ = refused
        .fails(1, &["was not renewed", "dango oauth setup facebook"])
        .hides(&["canary"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn a_box_that_was_not_ticked_is_told_of_by_name_until_it_is() {
    let fake = Fake::start(Google::new());
    fake.provider().untick(SHEETS);
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]).says(&["granted not all", SHEETS, "tick"]);
    for verb in ["list", "status", "check"] {
        let said = project.run(&["oauth", verb]).success();
        let _ = said.says(&["google_sheets", SHEETS, "dango oauth google_sheets --name google_sheets"]);
    }
    let listed = project.run(&["oauth", "list"]).success();
    assert!(listed.stdout.contains("limited"), "{}", listed.stdout);
}

#[test]
fn a_code_that_the_provider_does_not_take_stores_nothing() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    fake.trouble("/token", [Trouble::Instead(invalid_grant())]);
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
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    fake.trouble("/token", [Trouble::Instead(without_refresh_token())]);
    fake.trouble("/userinfo", [Trouble::Instead(ada())]);
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
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    fake.trouble("/token", [Trouble::Instead(without_refresh_token())]);
    fake.trouble("/userinfo", [Trouble::Instead(ada())]);
    let _ = connect(&project, &["google_sheets"]);
    assert!(project.read(".dlt/secrets.toml").contains("refresh_token = \"1//canary-refresh\""));
}

#[test]
fn a_page_that_is_fetched_ahead_or_asked_for_by_another_name_is_no_answer_and_a_second_one_finds_nobody() {
    let fake = Fake::start(Google::new());
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
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port();
    project.give("DANGO_OAUTH_CALLBACK_URL", format!("http://127.0.0.1:{port}/callback"));
    let _ = project
        .run(&["oauth", "google_sheets", "--no-browser"])
        .fails(1, &[&format!("port {port} is in use"), "DANGO_OAUTH_CALLBACK_URL"]);
}
