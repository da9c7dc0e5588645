//! `dango rotate --list`: how old credentials are, what the policy says, and the exit status that cron sees.

use dango_tests::Scratch;
use dango_tests::provider::{Gate, Trouble};

use super::*;
use crate::answers::{Answer, in_the_next_second};

#[test]
fn what_is_known_of_each_source_is_listed_and_what_nobody_knows_is_due() {
    let fake = Shop::taking(&[OLD]);
    let project = project(&fake);
    let rows = project.run(&["rotate", "--list", "--json"]).success().json();
    assert_eq!(
        (rows[0]["due"].as_str(), rows[0]["age_days"].as_i64()),
        (Some("no_policy"), Some(0))
    );
    let _ = project.run(&["source", "edit", "shop", "--set", "rotate_every=90d"]).success();
    let rows = project.run(&["rotate", "--list", "--json"]).success().json();
    assert_eq!(
        (rows[0]["due"].as_str(), rows[0]["rotate_every"].as_str()),
        (Some("in_time"), Some("90d"))
    );
    assert_eq!((rows[0]["rotated_at"].is_null(), rows[0]["stored_at"].is_string()), (true, true));
    // Somebody has written a key into the file by hand, and nobody knows when.
    let text = project.read(".dango/sources.yml") + "  - name: old\n    type: github\n    rotate_every: 30d\n";
    project.write(".dango/sources.yml", text);
    project.write(
        ".dlt/secrets.toml",
        project.read(".dlt/secrets.toml") + "\n[sources.old]\naccess_token = 'ghp_x'\n",
    );
    let answer = project.run(&["rotate", "--list", "--json"]).ending_with(3);
    assert_eq!(
        (answer.json()[1]["due"].as_str(), answer.json()[1]["stored_at"].is_null()),
        (Some("unknown"), true)
    );
    let _ = project.run(&["rotate", "--list", "shop"]).success();
    let _ = project
        .run(&["rotate", "--list", "old"])
        .ending_with(3)
        .says(&["`dango rotate old`"]);
    let _ = project.run(&["rotate", "--list", "--quiet"]).ending_with(3);
}

#[test]
fn a_mistake_in_the_policy_is_told_with_its_place() {
    let project = Scratch::initialised();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: a\n    type: stripe\n    rotate_every: 3 months\n",
    );
    let answer = project
        .run(&["rotate", "--list"])
        .fails(1, &["sources.yml:4", "rotate_every", "90d"]);
    let _ = answer.hides(&["3 months"]);
    project.write(".dango/sources.yml", "sources:\n  - name: a\n    type: stripe\n");
    let _ = project
        .run(&["source", "edit", "a", "--set", "rotate_every=never"])
        .fails(2, &["rotate_every", "90d"]);
}

#[test]
fn a_project_without_sources_has_nothing_that_is_due() {
    let project = Scratch::initialised();
    assert_eq!(project.run(&["rotate", "--list", "--json"]).success().stdout.trim(), "[]");
    let _ = project.run(&["rotate", "--list", "nope"]).fails(1, &["no source named nope"]);
}

#[test]
fn a_rotation_that_came_to_nothing_makes_no_credential_young() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let stored_at = || {
        let rows = project.run(&["rotate", "--list", "--json"]).success().json();
        (rows[0]["stored_at"].clone(), rows[0]["rotated_at"].clone())
    };
    let (old, never) = stored_at();
    // Given up after it was stored.
    let _ = project.dango(&["rotate", "shop", "--no-check"]).stdin(NEW).run().success();
    assert_eq!(stored_at(), (old.clone(), never.clone()), "whether it stays is not known yet");
    let _ = project.run(&["rotate", "shop", "--abort"]).success();
    assert_eq!(stored_at(), (old.clone(), never.clone()));
    // Refused after it was stored.
    let gate = Gate::shut();
    gate.open();
    fake.trouble(BALANCE, [Trouble::Held(gate), Trouble::Instead(Reply::json(401, "{}"))]);
    let _ = project
        .dango(&["rotate", "shop"])
        .stdin(NEW)
        .run()
        .fails(1, &["the old value is back"]);
    assert_eq!(stored_at(), (old.clone(), never));
    in_the_next_second();
    let _ = project.dango(&["rotate", "shop"]).stdin(NEW).run().success();
    let (young, rotated) = stored_at();
    assert!(young.as_str() > old.as_str() && young == rotated, "{young} {rotated} {old}");
    // A value of `.env` is known by the kind of its place.
    let _ = project.dango(&["env", "set", "SHOP_KEY"]).stdin(NEW).run().success();
    let refer = ["secrets", "set", PATH, "--reference"];
    let _ = project.dango(&refer).stdin("${SHOP_KEY}").run().success();
    let (before, _) = stored_at();
    in_the_next_second();
    let _ = project.dango(&["rotate", "shop"]).stdin(OLD).run().success();
    assert!(stored_at().0.as_str() > before.as_str());
}
