//! What is remembered of a check, for how long, and what ends it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Reply, Seen};
use serde_json::json;

use super::{stripe, told_once};
use crate::answers::{Answer, set};

fn accepting() -> Fake<impl Fn(&Seen) -> Reply + Send + Sync + 'static> {
    Fake::start(|_: &Seen| Reply::json(200, r#"{"object":"balance"}"#))
}

#[test]
fn an_answer_is_remembered_until_a_credential_changes_or_somebody_asks_anew() {
    let fake = accepting();
    let project = stripe(&fake);
    let check = |more: &[&str]| project.run(&[&["source", "check", "--json"], more].concat()).success().json();
    assert_eq!(check(&[])[0]["cached"], json!(false));
    let again = check(&[]);
    assert_eq!((&again[0]["cached"], &again[0]["outcome"]), (&json!(true), &json!("accepted")));
    assert_eq!(fake.all().len(), 1, "the answer was remembered");
    assert_eq!(check(&["--fresh"])[0]["cached"], json!(false));
    set(&project, "sources.shop.stripe_secret_key", "sk_other");
    assert_eq!(check(&[])[0]["cached"], json!(false), "another key is another question");
    assert_eq!(fake.all()[2].bearer(), Some("sk_other"));
    // One that is put back is asked about, too: nothing of a value is known any more.
    set(&project, "sources.shop.stripe_secret_key", "sk_canary");
    assert_eq!(check(&[])[0]["cached"], json!(false));
}

#[test]
fn an_answer_is_believed_for_five_minutes_and_never_when_it_is_of_the_future() {
    let fake = accepting();
    let project = stripe(&fake);
    let _ = project.run(&["source", "check"]).success();
    let remembered = project.read(".dango/checks.json");
    let asked_after = |text: &str| {
        project.write(".dango/checks.json", text);
        let before = fake.all().len();
        let _ = project.run(&["source", "check"]).success();
        fake.all().len() - before
    };
    assert_eq!(asked_after(&remembered), 0);
    let at = remembered.split("\"checked_at\":\"").nth(1).expect("it says when")[..20].to_owned();
    assert_eq!(asked_after(&remembered.replace(&at, "2020-01-01T00:00:00Z")), 1);
    assert_eq!(
        asked_after(&remembered.replace(&at, "2999-01-01T00:00:00Z")),
        1,
        "a clock that was set back"
    );
    for damaged in ["", "{", "[]", "{\"files\":[],\"checks\":3}"] {
        assert_eq!(asked_after(damaged), 1, "{damaged:?}");
    }
}

#[test]
fn nothing_that_was_not_an_answer_is_remembered() {
    let fake = Fake::start(|_: &Seen| Reply::empty(503));
    let project = stripe(&fake);
    for _ in 0..2 {
        let _ = project.run(&["source", "check"]).ending_with(1);
    }
    assert_eq!(fake.all().len(), 2);
}

#[test]
fn a_value_of_the_processs_environment_is_asked_about_every_time() {
    let fake = accepting();
    let mut project = stripe(&fake);
    project.give("SOURCES__SHOP__STRIPE_SECRET_KEY", "sk_of_process");
    for _ in 0..2 {
        let _ = project.run(&["source", "check"]).success();
    }
    let keys: Vec<_> = fake.all().iter().map(|seen| seen.bearer().map(str::to_owned)).collect();
    assert_eq!(keys, [Some("sk_of_process".to_owned()), Some("sk_of_process".to_owned())]);
}

#[test]
fn what_is_remembered_holds_nothing_of_the_credential() {
    let fake = accepting();
    let mut project = Scratch::initialised();
    project.give("DANGO_CHECK_STRIPE_URL", fake.origin());
    project.write(".dango/sources.yml", "sources:\n  - {name: shop, type: stripe}\n");
    set(&project, "sources.shop.stripe_secret_key", "sk_canary");
    let _ = project.run(&["source", "check"]);
    let text = project.read(".dango/checks.json");
    let object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entry = object["checks"][0].as_object().expect("an answer");
    let mut names: Vec<&str> = entry.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["checked_at", "endpoint", "outcome", "source", "type"]);
    assert!(!text.contains("canary"));
    let metadata = fs::metadata(project.path().join(".dango/checks.json")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(told_once(&project.run(&["source", "check", "--json"])).0, "accepted");
}
