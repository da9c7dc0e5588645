//! Each way that a rotation can go: accepted, refused, not reached, taken back, changed by somebody else, and without a check.

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Gate, Reply, Seen, Trouble};

use super::*;
use crate::answers::Answer;

#[test]
fn a_new_key_that_is_accepted_takes_the_place_of_the_old_one_which_is_forgotten() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let begun = events(&project).len();
    let answer = project.dango(&["rotate", "shop", "--json"]).stdin(NEW).run().success();
    let answer = answer
        .hides(&[OLD, NEW])
        .says(&["can be revoked now", "https://dashboard.stripe.com/apikeys"]);
    let json = answer.json();
    assert_eq!(
        (json["state"].as_str(), json["check"].as_str()),
        (Some("rotated"), Some("accepted"))
    );
    assert_eq!(json["places"][0], PATH);
    assert_eq!(stored(&project), NEW);
    assert_gone(&project, OLD);
    assert_only_in(&project, NEW, &[".dlt/secrets.toml"]);
    // It was asked about before it was stored, and again as the pipeline reads it.
    let asked = fake.asked(BALANCE);
    assert_eq!(
        asked.iter().map(|seen| seen.bearer() == Some(NEW)).collect::<Vec<_>>(),
        [true, true]
    );
    let after = events(&project).split_off(begun);
    let names: Vec<&str> = after.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(
        names,
        [
            "credential_rotation_started",
            "source_checked",
            "secret_set",
            "source_checked",
            "credential_rotated"
        ]
    );
    assert!(after.iter().all(|(_, outcome)| outcome == "success"), "{after:?}");
    assert_eq!(project.run(&["audit", "verify", "--json"]).success().json()["ok"], true);
}

#[test]
fn a_new_key_that_is_refused_is_never_stored() {
    let fake = Shop::taking(&[OLD]);
    let project = project(&fake);
    let before = project.read(".dlt/secrets.toml");
    let answer = project
        .dango(&["rotate", "shop"])
        .stdin(NEW)
        .run()
        .fails(1, &["was not stored", "not accepted", "as before"]);
    let _ = answer.hides(&[OLD, NEW]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
    assert_gone(&project, NEW);
    assert_eq!(
        events(&project).last().map(|(event, _)| event.as_str()),
        Some("credential_rotation_aborted")
    );
    let _ = project
        .run(&["rotate", "shop", "--finish"])
        .fails(1, &["no rotation of shop is under way"]);
}

#[test]
fn without_a_network_the_old_key_stays_in_use_and_the_rotation_goes_on_later() {
    let fake = Shop::taking(&[OLD, NEW]);
    for (arguments, expected) in [
        (&["rotate", "shop"][..], NEW),
        (&["rotate", "shop", "--abort"], OLD),
        (&["rotate", "shop", "--finish"], NEW),
    ] {
        for mut project in [project(&fake), encrypting_project(&fake)] {
            let is_encrypted = project.read(".dlt/secrets.toml").contains("dango:v1:");
            point_at(&mut project, "http://127.0.0.1:1");
            let _ = project
                .dango(&["rotate", "shop"])
                .stdin(NEW)
                .run()
                .fails(1, &["not known", "`dango rotate shop` asks again", "--abort"])
                .hides(&[OLD, NEW]);
            assert_eq!(stored(&project), OLD);
            if is_encrypted {
                assert_gone(&project, OLD);
                assert_gone(&project, NEW);
            } else {
                assert_only_in(&project, NEW, &[".dango/rotations"]);
            }
            if is_encrypted {
                // What is laid aside is under the key that the project has.
                let status = project.run(&["key", "status", "--json"]).success().json();
                assert_eq!(status["protects"], 3, "{status}");
            }
            let _ = project
                .dango(&["rotate", "shop", "--from-file", "x"])
                .run()
                .fails(1, &["is under way"]);
            point_at(&mut project, fake.origin());
            let _ = project.run(arguments).success();
            assert_eq!(stored(&project), expected, "{arguments:?}");
            if !is_encrypted {
                assert_only_in(&project, expected, &[".dlt/secrets.toml"]);
            }
            assert_gone(&project, if expected == OLD { NEW } else { OLD });
            let history = project.run(&["secrets", "history", PATH, "--json"]).success().stdout;
            let other = if expected == NEW {
                "the old one is in no history"
            } else {
                "nor the new one"
            };
            assert!(!history.contains("\"number\": 1"), "{other}: {history}");
        }
    }
}

#[test]
fn a_key_that_is_refused_once_it_is_stored_gives_its_place_back() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    // The second time it is asked about as it is read from the files.
    let gate = Gate::shut();
    gate.open();
    fake.trouble(BALANCE, [Trouble::Held(gate), Trouble::Instead(Reply::json(401, "{}"))]);
    let answer = project
        .dango(&["rotate", "shop"])
        .stdin(NEW)
        .run()
        .fails(1, &["the old value is back", "do not revoke"]);
    let _ = answer.hides(&[OLD, NEW]);
    assert_eq!(stored(&project), OLD);
    assert_gone(&project, NEW);
}

#[test]
fn what_somebody_stores_while_the_provider_is_asked_is_not_overwritten() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let gate = Gate::shut();
    fake.trouble(BALANCE, [Trouble::Held(gate.clone())]);
    let waiting = project.dango(&["rotate", "shop"]).stdin(NEW);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(move || waiting.run());
        gate.wait_for_somebody();
        let _ = project
            .dango(&["secrets", "set", PATH])
            .stdin("sk_live_of_somebody_else")
            .run()
            .success();
        // Nobody else rotates the same source meanwhile.
        let _ = project
            .dango(&["rotate", "shop"])
            .stdin("x")
            .run()
            .fails(1, &["another dango process", "shop"]);
        gate.open();
        waiting.join().expect("it ends")
    });
    let _ = answer.fails(1, &["changed by somebody else"]).hides(&["somebody_else"]);
    assert_eq!(stored(&project), "sk_live_of_somebody_else");
    assert_gone(&project, NEW);
}

#[test]
fn without_a_check_the_old_value_is_kept_until_somebody_says_that_the_new_one_works() {
    let project = Scratch::initialised();
    let _ = project
        .dango(&[
            "source",
            "add",
            "kafka",
            "--name",
            "events",
            "--set",
            "topics=a",
            "--set",
            "sasl_username=u",
            "--set",
            "bootstrap_servers=h:1",
            "--set",
            "group_id=g",
            "--field",
            "sasl_password",
        ])
        .stdin(OLD)
        .run()
        .success();
    let path = "sources.events.credentials.sasl_password";
    let refused = project
        .dango(&["rotate", "events"])
        .stdin(NEW)
        .run()
        .fails(1, &["not confirmed", "--no-check"]);
    let _ = refused.hides(&[OLD, NEW]);
    assert_eq!(revealed(&project, path), OLD);
    assert_gone(&project, NEW);
    for (ending, left, gone) in [("--abort", OLD, NEW), ("--finish", NEW, OLD)] {
        let stored = project.dango(&["rotate", "events", "--no-check"]).stdin(NEW).run().success();
        let _ = stored.says(&["is kept until you say", "dango sync events", "--finish", "--abort"]);
        assert_eq!(revealed(&project, path), NEW);
        assert_only_in(&project, OLD, &[".dango/rotations"]);
        let _ = project.run(&["rotate", "events", ending]).success();
        assert_eq!(revealed(&project, path), left);
        assert_gone(&project, gone);
    }
}

#[test]
fn nothing_is_begun_with_a_value_that_cannot_be_meant() {
    let fake = Fake::start(|_: &Seen| Reply::json(200, "{}"));
    let mut project = Scratch::initialised();
    point_at(&mut project, fake.origin());
    let add = ["source", "add", "stripe", "--name", "shop", "--field", "stripe_secret_key"];
    let _ = project.dango(&add).stdin(OLD).run().success();
    let _ = project.run(&["rotate", "shop"]).fails(1, &["empty"]);
    let _ = project
        .dango(&["rotate", "shop"])
        .stdin(OLD)
        .run()
        .fails(1, &["the one that is stored"]);
    let _ = project
        .dango(&["rotate", "nope"])
        .stdin(NEW)
        .run()
        .fails(1, &["no source named nope"]);
    let _ = project
        .dango(&["rotate", "shop", "--field", "nope"])
        .stdin(NEW)
        .run()
        .fails(2, &["no field of that name"]);
    let _ = project
        .dango(&["rotate", "shop", "--set", "stripe_secret_key=x"])
        .run()
        .fails(2, &["never taken from the argument list"]);
    let _ = project.dango(&["rotate"]).run().fails(2, &["SOURCE"]);
    assert_eq!(stored(&project), OLD);
    assert!(fake.all().is_empty(), "nobody was asked");
}

#[test]
fn a_new_encryption_key_meanwhile_takes_what_is_laid_aside_with_it() {
    let fake = Shop::taking(&[OLD, NEW]);
    for (ending, expected) in [(&["rotate", "shop"][..], NEW), (&["rotate", "shop", "--abort"], OLD)] {
        let mut project = project(&fake);
        let _ = project.run(&["key", "create", "--holder", "file"]).success();
        let _ = project.run(&["secrets", "encrypt", "--all"]).success();
        point_at(&mut project, "http://127.0.0.1:1");
        let _ = project.dango(&["rotate", "shop"]).stdin(NEW).run().fails(1, &["not known"]);
        let aside = project.read(".dango/rotations");
        let _ = project.run(&["key", "rotate"]).success();
        assert_ne!(project.read(".dango/rotations"), aside);
        point_at(&mut project, fake.origin());
        let _ = project.run(ending).success();
        assert_eq!(stored(&project), expected);
    }
}

#[test]
fn a_project_that_begins_to_encrypt_meanwhile_has_nothing_in_the_clear_that_is_laid_aside() {
    let fake = Shop::taking(&[OLD, NEW]);
    let encrypt: [&[&str]; 3] = [
        &["secrets", "encrypt", "--all"],
        &["secrets", "encrypt", PATH],
        // The first encrypted value of the file, whichever it is.
        &["secrets", "set", "sources.other.key", "--encrypt"],
    ];
    for (encrypt, ending, expected) in [
        (encrypt[0], &["rotate", "shop"][..], NEW),
        (encrypt[1], &["rotate", "shop", "--abort"], OLD),
        (encrypt[2], &["rotate", "shop", "--finish"], NEW),
    ] {
        let mut project = project(&fake);
        let _ = project.run(&["key", "create", "--holder", "file"]).success();
        point_at(&mut project, "http://127.0.0.1:1");
        let _ = project.dango(&["rotate", "shop"]).stdin(NEW).run().fails(1, &["not known"]);
        assert_only_in(&project, NEW, &[".dango/rotations"]);
        let _ = project.dango(encrypt).stdin("other").run().success();
        assert_gone(&project, NEW);
        point_at(&mut project, fake.origin());
        let _ = project.run(ending).success();
        assert_eq!(stored(&project), expected, "{encrypt:?}");
    }
}

#[test]
fn variables_that_are_encrypted_meanwhile_take_what_is_laid_aside_with_them() {
    let fake = Shop::taking(&[OLD, NEW]);
    let mut project = project(&fake);
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    let _ = project.dango(&["env", "set", "SHOP_KEY"]).stdin(OLD).run().success();
    let refer = ["secrets", "set", PATH, "--reference"];
    let _ = project.dango(&refer).stdin("${SHOP_KEY}").run().success();
    point_at(&mut project, "http://127.0.0.1:1");
    let _ = project.dango(&["rotate", "shop"]).stdin(NEW).run().fails(1, &["not known"]);
    let _ = project.run(&["env", "encrypt", "--all"]).success();
    assert_gone(&project, NEW);
    assert_gone(&project, OLD);
    point_at(&mut project, fake.origin());
    let _ = project.run(&["rotate", "shop"]).success();
    assert_eq!(
        project.run(&["env", "get", "SHOP_KEY", "--reveal"]).success().stdout.trim_end(),
        NEW
    );
}
