//! `dango exposed`: through all steps at once, step by step, and the record, in which the value is not.

use std::os::unix::fs::PermissionsExt;

use dango_tests::Scratch;

use super::*;
use crate::answers::Answer;
use crate::scan::git;

/// A project whose key was committed, and taken out again two commits later.
fn leaked(fake: &dango_tests::provider::Fake<Shop>) -> Scratch {
    let project = project(fake);
    let _ = git(&project, &["init", "--quiet", "--initial-branch=main"]);
    for (name, value) in [("user.name", "A"), ("user.email", "a@example.com"), ("commit.gpgsign", "false")] {
        let _ = git(&project, &["config", name, value]);
    }
    project.write("job.py", format!("KEY = '{OLD}'\n"));
    let _ = git(&project, &["add", "job.py"]);
    let _ = git(&project, &["commit", "--quiet", "-m", "a job"]);
    project.write("job.py", "KEY = None\n");
    let _ = git(&project, &["commit", "--quiet", "-am", "no key"]);
    project
}

fn record(project: &Scratch) -> String {
    let folder = project.path().join(".dango/exposures");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .expect("is there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let files: Vec<_> = files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(std::fs::metadata(files[0]).expect("is there").permissions().mode() & 0o777, 0o600);
    std::fs::read_to_string(files[0]).expect("text")
}

#[test]
fn all_steps_at_once_replace_find_and_record_and_say_that_it_is_still_somewhere() {
    let fake = Shop::taking(&[NEW]);
    let project = leaked(&fake);
    let _ = project.dango(&["env", "set", "COPY"]).stdin(OLD).run().success();
    let answer = project
        .dango(&["exposed", PATH, "--revoked", "--json"])
        .stdin(NEW)
        .run()
        .ending_with(3)
        .hides(&[OLD, NEW]);
    let json = answer.json();
    assert_eq!(
        (json["state"].as_str(), json["replaced"].as_bool(), json["accepted"].as_bool()),
        (Some("closed"), Some(true), Some(true))
    );
    assert_eq!(
        (json["found"][0]["file"].as_str(), json["found"][0]["line"].as_u64()),
        (Some("job.py"), Some(1))
    );
    assert!(json["found"][0]["commit"].is_string());
    // Every copy was exposed with it.
    assert_eq!(stored(&project), NEW);
    assert!(project.read(".env").contains(&format!("COPY={NEW}")));
    let record = record(&project);
    for said in [
        "- [x] the exposed value is revoked",
        "the provider takes the new value",
        "job.py",
        "secret\\_set",
        "dashboard.stripe.com",
    ] {
        assert!(record.contains(said), "{said:?} is not in\n{record}");
    }
    assert!(!record.contains(OLD) && !record.contains(NEW));
    assert_only_in(&project, OLD, &[]);
    assert!(events(&project).iter().any(|(event, _)| event == "credential_exposed"));
}

#[test]
fn step_by_step_it_stays_open_until_it_is_revoked_and_replaced() {
    let fake = Shop::taking(&[OLD]);
    let project = project(&fake);
    let open = project.run(&["exposed", PATH, "--no-new-value"]).ending_with(1);
    let _ = open.says(&["revoke the exposed value", "store a new value", "goes on"]);
    assert_eq!(stored(&project), OLD);
    // A key that does not work is not stored, and the rest is done all the same.
    let _ = project
        .dango(&["exposed", PATH])
        .stdin(NEW)
        .run()
        .ending_with(1)
        .says(&["was not stored"]);
    assert_eq!(stored(&project), OLD);
    let _ = project
        .dango(&["rotate", "shop"])
        .stdin(NEW)
        .run()
        .fails(1, &["dealt with as exposed"]);
    fake.provider().admit(NEW);
    let _ = project
        .dango(&["exposed", PATH])
        .stdin(NEW)
        .run()
        .ending_with(1)
        .says(&["not dealt with yet: revoke"]);
    assert_eq!(stored(&project), NEW);
    fake.provider().revoke(OLD);
    let closed = project.run(&["exposed", PATH, "--revoked", "--json"]).success().json();
    assert_eq!(
        (closed["state"].as_str(), closed["accepted"].as_bool()),
        (Some("closed"), Some(true))
    );
    assert_gone(&project, OLD);
    assert!(record(&project).contains("It was not found."));
}

#[test]
fn an_exposed_value_comes_back_only_where_somebody_asks_for_it() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = encrypting_project(&fake);
    let _ = project.dango(&["exposed", PATH]).stdin(NEW).run().ending_with(1);
    assert_eq!(stored(&project), NEW);
    assert_gone(&project, OLD);
    let _ = project.run(&["exposed", PATH, "--abort"]).success();
    assert_eq!(stored(&project), OLD);
    let _ = project.run(&["exposed", PATH, "--abort"]).fails(1, &["not being dealt with"]);
}

#[test]
fn a_record_can_be_written_elsewhere_and_a_path_without_a_value_is_told() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let _ = project
        .dango(&["exposed", PATH, "--revoked", "--record", "out.md"])
        .stdin(NEW)
        .run()
        .success();
    assert!(project.read("out.md").starts_with("# Exposure of "));
    let _ = project
        .run(&["exposed", "sources.nope.key"])
        .fails(1, &["sources.nope.key has no value"]);
    let _ = project.run(&["exposed", "a..b"]).fails(2, &[]);
}
