//! The fakes asked by real clients: google-auth and requests-oauthlib of Python, and the certified oauth4webapi of Node. What these
//! make of the answers is what they document of the real providers.

use dango_tests::provider::{Algorithm, Answers, Facebook, Fake, Forgery, GitHub, Google, Hostility, OpenId, Reuse, Rotating};
use dango_tests::{Scratch, node, node_modules, python};
use serde_json::{Value, json};

use crate::answers::Answer;

#[track_caller]
fn ask_in_python(provider: &str, fake: &Fake<impl Answers>) -> Value {
    let origin = fake.origin();
    let arguments = ["-c", include_str!("../scripts/oauth_clients.py"), provider, &origin];
    Scratch::new().command(python(), &arguments).run().success().json()
}

#[test]
fn google_s_own_library_renews_at_our_google_and_understands_its_refusal() {
    let said = ask_in_python("google", &Fake::start(Google::new()));
    assert_eq!((&said["renewed"], &said["email"]), (&json!(true), &json!("ada@example.com")));
    assert_eq!(said["granted"], json!(["openid", "email"]));
    assert_eq!(
        said["refusal"],
        json!(["invalid_grant: Token has been expired or revoked.", false]),
        "not to be tried again"
    );
}

#[test]
fn a_facebook_client_gets_sixty_days_and_the_end_of_its_token() {
    let said = ask_in_python("facebook", &Fake::start(Facebook::new()));
    // The client's remedy for a Facebook that leaves the type out; ours says it as the documentation does.
    assert_eq!(said["type"].as_str().map(str::to_lowercase).as_deref(), Some("bearer"));
    assert_eq!((&said["days"], &said["account"]["id"]), (&json!(59), &json!("10158000000000000")));
    assert_eq!(
        (&said["after"]["error"]["code"], &said["after"]["error"]["error_subcode"]),
        (&json!(190), &json!(458))
    );
}

#[test]
fn a_github_client_reads_the_form_and_the_refusals_that_come_with_200() {
    let said = ask_in_python("github", &Fake::start(GitHub::new()));
    assert_eq!(
        (&said["scope"], &said["expires_in"], &said["id"]),
        (&json!(["repo,gist"]), &Value::Null, &json!(583_231))
    );
    assert_eq!(
        said["refusal"],
        json!(["bad_refresh_token", "The refresh token passed is incorrect or expired."])
    );
    let said = ask_in_python("github", &Fake::start(GitHub::expiring()));
    assert_eq!(
        (&said["renewed"], &said["refusal"][0]),
        (&json!("ghr_canary2"), &json!("bad_refresh_token"))
    );
}

#[test]
fn a_client_that_uses_a_rotated_token_again_loses_the_grant() {
    let said = ask_in_python("rotating", &Fake::start(Rotating::new(Reuse::Any)));
    assert_eq!(
        said,
        json!({"renewed": "canary-r1", "reused": "invalid_grant", "family": "invalid_grant"})
    );
}

/// A whole login by a certified client; the subject, or the code of the client's refusal.
#[track_caller]
fn log_in(fake: &Fake<OpenId>) -> Value {
    let script = Scratch::new();
    script.write("login.mjs", include_str!("../scripts/oidc_client.mjs"));
    let arguments = ["login.mjs".to_owned(), fake.origin()];
    let command = script.command(node(), &arguments).env("DANGO_TEST_NODE_MODULES", node_modules());
    command.run().success().json()
}

#[test]
fn a_certified_client_logs_in_at_our_honest_provider_and_refuses_the_hostile_one() {
    let fake = Fake::start(OpenId::new());
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        fake.provider().sign_with(algorithm);
        let said = log_in(&fake);
        assert_eq!(
            (&said["sub"], &said["email"]),
            (&json!("248289761001"), &json!("ada@example.com")),
            "{said}"
        );
    }
    // "The Client SHOULD verify" another presenter of one audience (OpenID Connect Core §3.1.3.7, 5): Dango does, this client does not.
    for forgery in Forgery::ALL.into_iter().filter(|forgery| *forgery != Forgery::OtherPresenter) {
        fake.provider().forge(forgery);
        let said = log_in(&fake);
        assert!(said["refused"].is_string(), "{forgery:?}: {said}");
    }
    fake.provider().turn_honest();
    for hostility in [
        Hostility::NoIssuerInAnswer,
        Hostility::OtherIssuerInAnswer("https://accounts.google.com".to_owned()),
        Hostility::OtherIssuerInConfiguration,
        Hostility::Redirects("/token"),
        Hostility::Redirects("/jwks"),
    ] {
        fake.provider().turn_hostile(hostility.clone());
        let said = log_in(&fake);
        assert!(said["refused"].is_string(), "{hostility:?}: {said}");
        fake.provider().turn_honest();
    }
    assert_eq!(log_in(&fake)["sub"], "248289761001");
}
