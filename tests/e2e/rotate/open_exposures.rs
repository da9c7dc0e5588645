//! Exposures that cannot be closed yet: what somebody did meanwhile, a new value that does not work, and what could not be looked at.

use std::os::unix::fs::symlink;

use dango_tests::provider::{Gate, Trouble};
use dango_tests::{Invocation, Scratch};

use super::*;
use crate::answers::Answer;

const ANOTHER: &str = "sk_live_other_canary_5555555555";

fn exposed(project: &Scratch, options: &[&str]) -> Invocation {
    project.dango(&[&["exposed", PATH][..], options].concat())
}

#[test]
fn what_somebody_has_stored_instead_stays_and_the_exposed_value_never_comes_back() {
    for value in [Some("sk_live_of_somebody_else"), None] {
        let fake = Shop::taking(&[NEW]);
        let project = project(&fake);
        let _ = project.dango(&["env", "set", "COPY"]).stdin(OLD).run().success();
        let gate = Gate::shut();
        fake.trouble(BALANCE, [Trouble::Held(gate.clone())]);
        let waiting = exposed(&project, &["--revoked"]).stdin(NEW);
        let answer = std::thread::scope(|scope| {
            let waiting = scope.spawn(move || waiting.run());
            gate.wait_for_somebody();
            let changed = match value {
                Some(value) => project.dango(&["secrets", "set", PATH]).stdin(value).run(),
                None => project.run(&["secrets", "unset", PATH]),
            };
            let _ = changed.success();
            gate.open();
            waiting.join().expect("it ends")
        });
        let _ = answer
            .ending_with(0)
            .says(&["changed by somebody else"])
            .hides(&["canary", "somebody_else"]);
        assert_eq!(project.read(".dlt/secrets.toml").contains("somebody_else"), value.is_some());
        assert!(project.read(".env").contains(&format!("COPY={NEW}")));
        assert_gone(&project, OLD);
        let _ = project.run(&["exposed", PATH, "--abort"]).ending_with(1);
        assert_gone(&project, OLD);
    }
}

#[test]
fn an_exposure_goes_on_or_is_given_up_though_the_value_was_taken_out_by_hand() {
    for give_up in [false, true] {
        let fake = Shop::taking(&[NEW]);
        let project = project(&fake);
        let _ = exposed(&project, &["--no-new-value"]).run().ending_with(1);
        let _ = project.run(&["secrets", "unset", PATH]).success();
        let _ = match give_up {
            true => exposed(&project, &["--abort"]).run().success().says(&["given up"]),
            false => exposed(&project, &["--revoked"])
                .stdin(NEW)
                .run()
                .success()
                .says(&["revoked and replaced"]),
        };
        assert_gone(&project, OLD);
    }
}

#[test]
fn a_new_value_that_is_refused_once_it_is_stored_keeps_it_open_until_another_one_works() {
    let fake = Shop::taking(&[NEW, ANOTHER]);
    let project = encrypting_project(&fake);
    let passes = || {
        let gate = Gate::shut();
        gate.open();
        Trouble::Held(gate)
    };
    fake.trouble(BALANCE, [passes(), Trouble::Instead(Reply::json(401, "{}"))]);
    let refused = exposed(&project, &["--revoked"]).stdin(NEW).run().ending_with(1);
    let _ = refused
        .says(&["stored, and does not work", &format!("`dango exposed {PATH}` takes it")])
        .hides(&["canary"]);
    for _ in 0..2 {
        let open = exposed(&project, &["--no-new-value", "--json"]).run().ending_with(1);
        let json = open.json();
        assert_eq!(
            (json["state"].as_str(), json["replaced"].as_bool(), json["accepted"].as_bool()),
            (Some("open"), Some(true), Some(false))
        );
        assert_eq!(json["open"][0], "store a new value that works");
    }
    assert_eq!(stored(&project), NEW);
    // Another one that is refused before it is stored changes nothing.
    let _ = exposed(&project, &[])
        .stdin("sk_live_wrong_canary")
        .run()
        .ending_with(1)
        .says(&["was not stored"]);
    assert_eq!(stored(&project), NEW);
    let closed = exposed(&project, &["--json"]).stdin(ANOTHER).run().success().json();
    assert_eq!(
        (closed["state"].as_str(), closed["accepted"].as_bool()),
        (Some("closed"), Some(true))
    );
    assert_eq!(stored(&project), ANOTHER);
    for gone in [OLD, NEW] {
        assert_gone(&project, gone);
    }
    let history = project.run(&["secrets", "history", PATH, "--json"]).success().stdout;
    assert!(!history.contains("\"number\": 1"), "{history}");
}

#[test]
fn after_a_refused_value_the_first_one_can_still_be_put_back() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let gate = Gate::shut();
    gate.open();
    fake.trouble(BALANCE, [Trouble::Held(gate), Trouble::Instead(Reply::json(401, "{}"))]);
    let _ = exposed(&project, &[]).stdin(NEW).run().ending_with(1);
    // The other one is laid aside, and not stored.
    let mut project = project;
    point_at(&mut project, "http://127.0.0.1:1");
    let _ = exposed(&project, &[]).stdin(ANOTHER).run().ending_with(1).says(&["not known"]);
    assert_eq!(stored(&project), NEW);
    let _ = exposed(&project, &["--abort"]).run().success();
    assert_eq!(stored(&project), OLD);
    for gone in [NEW, ANOTHER] {
        assert_gone(&project, gone);
    }
}

#[test]
fn it_is_not_closed_while_something_could_not_be_searched() {
    let fake = Shop::taking(&[NEW]);
    let project = project(&fake);
    // A repository that git cannot read.
    project.write(".git", "gitdir: nowhere\n");
    let open = exposed(&project, &["--revoked", "--json"]).stdin(NEW).run().ending_with(1);
    let open = open.says(&["search what could not be searched", "--accept-incomplete"]);
    let json = open.json();
    assert_eq!((json["state"].as_str(), json["accepted"].as_bool()), (Some("open"), Some(true)));
    assert_eq!(json["unsearched"].as_array().map(Vec::len), Some(1), "{json}");
    assert_only_in(&project, OLD, &[".dango/rotations"]);
    let closed = exposed(&project, &["--accept-incomplete", "--json"]).run().success().json();
    assert_eq!(closed["state"], "closed");
    assert_gone(&project, OLD);
}

#[test]
fn a_record_takes_the_place_of_no_other_file() {
    let fake = Shop::taking(&[NEW]);
    let project = project(&fake);
    project.write("notes.md", "# Notes\n");
    symlink("notes.md", project.path().join("link.md")).expect("made");
    for file in ["notes.md", "link.md", ".dlt/secrets.toml", "."] {
        let _ = exposed(&project, &["--no-new-value", "--record", file]).run().ending_with(1);
        assert_eq!(project.read("notes.md"), "# Notes\n", "{file}");
        assert_eq!(stored(&project), OLD, "{file}");
    }
    for _ in 0..2 {
        let _ = exposed(&project, &["--no-new-value", "--record", "new.md"]).run().ending_with(1);
        assert!(project.read("new.md").starts_with("# Exposure of "));
    }
}
