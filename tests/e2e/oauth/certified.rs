//! The whole life of a connection at the certified provider `oidc-provider`, which demands PKCE, rotates refresh tokens, and ends the
//! grant of one that comes a second time.

use std::process::Stdio;

use dango_tests::{Certified, Scratch};
use serde_json::json;

use super::Waiting;
use crate::answers::{Answer, revealed};

/// The provider as a project describes it. Where it is comes from the environment, since only that may name an address without TLS.
fn description(issuer: &str) -> String {
    format!(
        "[op]\ntitle = \"The certified one\"\nissuer = \"{issuer}\"\nissuer_required = true\n\
         authorize = \"https://op.example/auth\"\ntoken = \"https://op.example/token\"\nuserinfo = \"https://op.example/me\"\n\
         revoke = \"https://op.example/token/revocation\"\nrevocation = \"rfc7009\"\nauthenticate = \"basic\"\nrefresh = \"rotating\"\n\
         scopes = [\"openid\", \"offline_access\", \"email\"]\nparameters = {{ prompt = \"consent\" }}\n\
         identity = {{ subject = \"/sub\", identifier = \"/email\" }}\n\n\
         [op.sources]\nop_data = {{ access_token = \"access_token\", refresh_token = \"refresh_token\" }}\n"
    )
}

fn project_at(provider: &Certified, callback: &str) -> Scratch {
    let mut project = Scratch::initialised();
    project.write(".dango/providers.toml", description(provider.issuer()));
    for (name, path) in [
        ("DANGO_OAUTH_OP_AUTHORIZE_URL", "/auth"),
        ("DANGO_OAUTH_OP_TOKEN_URL", "/token"),
        ("DANGO_OAUTH_OP_USERINFO_URL", "/me"),
        ("DANGO_OAUTH_OP_REVOKE_URL", "/token/revocation"),
    ] {
        project.give(name, format!("{}{path}", provider.issuer()));
    }
    project.give("DANGO_OAUTH_CALLBACK_URL", callback);
    let _ = project
        .dango(&["oauth", "setup", "op", "--client-id", provider.client_id()])
        .stdin(provider.client_secret())
        .run()
        .success();
    project
}

/// Somebody agrees at the provider, whose redirect their browser then follows.
#[track_caller]
fn connect(project: &Scratch, provider: &Certified, arguments: &[&str], name: &str) {
    let waiting = Waiting::start(project, arguments);
    let end = provider.agree(&waiting.address, name);
    let (_, target) = end.split_once("/callback").unwrap_or_else(|| panic!("{end}"));
    let page = waiting.browse("GET", &format!("/callback{target}"));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let _ = waiting.end().success();
}

#[test]
fn a_connection_lives_through_rotations_and_ends_at_the_provider() {
    let provider = Certified::start(&["http://127.0.0.1/callback"]);
    let project = project_at(&provider, "http://127.0.0.1:0/callback");
    connect(&project, &provider, &["op_data"], "ada");
    let listed = project.run(&["oauth", "list", "--json"]).success().json();
    assert_eq!(listed[0]["identifier"], "ada@example.com");
    assert_eq!(provider.heard(), ["granted authorization_code"]);

    let mut tokens = vec![revealed(&project, "sources.op_data.refresh_token")];
    for _ in 0..3 {
        let _ = project.run(&["oauth", "refresh", "op_data"]).success();
        tokens.push(revealed(&project, "sources.op_data.refresh_token"));
    }
    let distinct: std::collections::HashSet<&String> = tokens.iter().collect();
    assert_eq!(distinct.len(), 4, "each renewal has brought another token");
    assert_eq!(provider.heard()[1..], ["granted refresh_token"; 3]);

    let checked = project.run(&["oauth", "check", "--json"]).success().json();
    assert_eq!((&checked[0]["valid"], &checked[0]["error_code"]), (&json!(true), &json!(null)));

    // Many at a time: each of them may find a new token, but none may bring an old one.
    let children: Vec<_> = (0..12)
        .map(|_| {
            let mut command = project.dango(&["oauth", "refresh", "op_data"]).into_command();
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("ended").success());
    }
    let heard = provider.heard();
    assert!(heard.iter().all(|line| line.starts_with("granted ")), "{heard:?}");

    let last = revealed(&project, "sources.op_data.refresh_token");
    let removed = project.run(&["oauth", "remove", "op_data", "--yes", "--json"]).success().json();
    assert_eq!(removed["revoked_at_provider"], true);
    assert_eq!(project.run(&["oauth", "list", "--json"]).success().json(), json!([]));
    // Somebody who has kept the file has nothing.
    project.write(
        ".dlt/secrets.toml",
        format!(
            "[sources.op_data]\naccess_token = \"a\"\nrefresh_token = \"{last}\"\n\n[dango.oauth.op_data]\nsource_type = \"op_data\"\n\
             provider = \"op\"\n"
        ),
    );
    let _ = project
        .run(&["oauth", "refresh", "op_data"])
        .fails(1, &["takes the connection op_data no more"])
        .hides(&[&last]);
    assert!(
        provider
            .heard()
            .last()
            .is_some_and(|line| line.starts_with("refused invalid_grant"))
    );
}

#[test]
fn a_token_that_was_used_behind_the_back_ends_the_connection_and_the_next_one_lives() {
    let provider = Certified::start(&["http://127.0.0.1/callback"]);
    let project = project_at(&provider, "http://127.0.0.1:0/callback");
    connect(&project, &provider, &["op_data"], "ada");
    let stolen = Scratch::copy_of(&project);
    let mut stolen_project = stolen;
    for (name, value) in project.environment() {
        if name.starts_with("DANGO_") {
            stolen_project.give(name, value);
        }
    }
    let _ = stolen_project.run(&["oauth", "refresh", "op_data"]).success();
    let before = project.read(".dlt/secrets.toml");
    let _ = project
        .run(&["oauth", "refresh", "op_data"])
        .fails(1, &["no more", "dango oauth op_data"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before, "only connecting again changes it");
    connect(&project, &provider, &["op_data"], "ada");
    let _ = project.run(&["oauth", "refresh", "op_data"]).success();
}

#[test]
fn the_answer_may_come_over_the_other_loopback_address() {
    let provider = Certified::start(&["http://[::1]/callback"]);
    let project = project_at(&provider, "http://[::1]:0/callback");
    connect(&project, &provider, &["op_data"], "ada");
    let text = project.read(".dlt/secrets.toml");
    assert!(text.contains("identifier = \"ada@example.com\""), "{text}");
}

#[test]
fn the_answer_of_another_provider_is_not_redeemed() {
    let provider = Certified::start(&["http://127.0.0.1/callback"]);
    let other = Certified::start(&["http://127.0.0.1/callback"]);
    let mut project = project_at(&provider, "http://127.0.0.1:0/callback");
    // The one that is described is not the one that the user is sent to (RFC 9207 §2.4).
    project.give("DANGO_OAUTH_OP_AUTHORIZE_URL", format!("{}/auth", other.issuer()));
    let waiting = Waiting::start(&project, &["op_data"]);
    let end = other.agree(&waiting.address, "ada");
    let (_, target) = end.split_once("/callback").expect("it leads back");
    let _page = waiting.browse("GET", &format!("/callback{target}"));
    let _ = waiting.end().fails(1, &["nothing was changed"]);
    assert_eq!(provider.heard(), [""; 0], "the code was sent to nobody");
}
