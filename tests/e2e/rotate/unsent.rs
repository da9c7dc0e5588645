//! Credentials that the check of their source does not send: whatever the provider says then, it says nothing about them.

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Reply, Seen};

use super::*;
use crate::answers::{Answer, set};

/// What is said of a new value that nobody could be asked about.
const UNASKED: [&str; 3] = ["not confirmed", "does not send this credential", "--no-check"];

#[test]
fn a_credential_of_another_source_is_not_replaced_on_the_word_of_this_ones_provider() {
    let fake = Shop::taking(&[OLD]);
    let project = project(&fake);
    let text = project.read(".dango/sources.yml") + "  - name: crm\n    type: hubspot\n";
    project.write(".dango/sources.yml", text);
    set(&project, "sources.crm.api_key", "pat-old-canary-0123");
    let asked = fake.asked(BALANCE).len();
    let _ = project
        .dango(&["rotate", "shop", "sources.crm.api_key"])
        .stdin(NEW)
        .run()
        .fails(
            1,
            &["a credential of crm, and not of shop", "`dango rotate crm sources.crm.api_key`"],
        )
        .hides(&["canary"]);
    assert_eq!(revealed(&project, "sources.crm.api_key"), "pat-old-canary-0123");
    assert_eq!(fake.asked(BALANCE).len(), asked, "nobody was asked");
    assert_gone(&project, NEW);
}

#[test]
fn a_secret_that_the_check_does_not_send_is_never_taken_for_accepted_or_refused() {
    for key_works in [true, false] {
        let fake = Shop::taking(if key_works { &[OLD] } else { &[] });
        let project = project(&fake);
        let path = "sources.shop.webhook_secret";
        set(&project, path, "whsec_old_canary");
        let rotate = ["rotate", "shop", path];
        let _ = project
            .dango(&rotate)
            .stdin("whsec_new_canary")
            .run()
            .fails(1, &UNASKED)
            .hides(&["canary"]);
        assert_eq!(revealed(&project, path), "whsec_old_canary");
        // Whoever stores it all the same keeps the old one until the word is given.
        let stored = project
            .dango(&[&rotate[..], &["--yes", "--json"]].concat())
            .stdin("whsec_new_canary")
            .run()
            .success();
        let json = stored.json();
        assert_eq!(
            (json["state"].as_str(), json["check"].as_str(), json["check_code"].as_str()),
            (Some("stored"), Some("unchecked"), Some("not-sent"))
        );
        assert_only_in(&project, "whsec_old_canary", &[".dango/rotations"]);
        let _ = project.run(&["rotate", "shop", "--abort"]).success();
        assert_eq!(revealed(&project, path), "whsec_old_canary");
    }
}

#[test]
fn a_field_of_the_catalogue_that_is_not_sent_is_not_accepted_either_and_beside_one_that_is_counts_as_well() {
    let fake = Fake::start(|_: &Seen| Reply::json(200, r#"{"access_token":"x"}"#));
    let mut project = Scratch::initialised();
    project.give("DANGO_CHECK_GOOGLE_ADS_URL", fake.origin());
    project.write(".dango/sources.yml", "sources:\n  - {name: ads, type: google_ads}\n");
    let text = "[sources.ads]\ndev_token = 'dev_old_canary'\n[sources.ads.credentials]\nclient_id = 'i'\nclient_secret = 's_old_canary'\n\
        refresh_token = 'r_old_canary'\nproject_id = 'p'\n";
    project.write(".dlt/secrets.toml", text);
    let of = |fields: &[&str], new: &str| {
        let mut arguments = vec!["rotate", "ads"];
        fields.iter().for_each(|field| arguments.extend(["--field", *field]));
        project.dango(&arguments).stdin(new).run()
    };
    let _ = of(&["dev_token"], "dev_new_canary").fails(1, &UNASKED);
    let _ = of(&["client_secret", "dev_token"], "s_new_canary\ndev_new_canary\n").fails(1, &UNASKED);
    assert_eq!(project.read(".dlt/secrets.toml"), text);
    let _ = of(&["client_secret"], "s_new_canary").success().says(&["it is accepted"]);
    assert!(project.read(".dlt/secrets.toml").contains("s_new_canary"));
}

#[test]
fn a_variable_of_the_process_that_hides_the_new_value_is_no_check_of_it() {
    let fake = Shop::taking(&[OLD, NEW]);
    let mut project = project(&fake);
    point_at(&mut project, "http://127.0.0.1:1");
    let _ = project.dango(&["rotate", "shop", "--no-check"]).stdin(NEW).run().success();
    point_at(&mut project, fake.origin());
    let hidden = project
        .dango(&["rotate", "shop", "--json"])
        .env("SOURCES__SHOP__STRIPE_SECRET_KEY", OLD)
        .run()
        .success();
    assert_eq!(
        (hidden.json()["state"].as_str(), hidden.json()["check_code"].as_str()),
        (Some("stored"), Some("not-sent"))
    );
    assert_only_in(&project, OLD, &[".dango/rotations"]);
    let _ = project.run(&["rotate", "shop"]).success().says(&["it is accepted"]);
    assert_gone(&project, OLD);
}
