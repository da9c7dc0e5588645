//! A key under a passphrase: who is asked, what unlocks it without a terminal, and what a wrong one does.

use dango_tests::{Canary, Scratch};
use serde_json::json;

use super::{fill, key_id, snapshot, status};
use crate::answers::{Answer, revealed};

fn created(passphrase: &str) -> Scratch {
    let project = Scratch::initialised();
    let create = project
        .dango(&["key", "create", "--holder", "passphrase"])
        .stdin(format!("{passphrase}\n"));
    let _ = create.run().success();
    project
}

#[test]
fn a_passphrase_opens_the_key_and_its_file_is_none() {
    let mut project = created("correct horse battery");
    project.give("DANGO_PASSPHRASE", "correct horse battery");
    fill(&project);
    assert_eq!(status(&project)["holder"], json!("passphrase"));
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
    let id = key_id(&project);
    let _ = project.run(&["key", "rotate"]).success();
    assert_ne!(key_id(&project), id);
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
}

#[test]
fn a_wrong_or_missing_passphrase_stops_before_anything_starts() {
    let canary = Canary::new("phrase");
    let mut project = created(canary.value());
    project.give("DANGO_PASSPHRASE", canary.value());
    fill(&project);
    project.take("DANGO_PASSPHRASE");
    let before = snapshot(&project.path());
    let wrong = Canary::new("wrong");
    for words in [
        &["run", "--", "touch", "started"][..],
        &["secrets", "get", "sources.eu.stripe_secret_key", "--reveal"],
        &["key", "rotate"],
        &["sync", "eu"],
    ] {
        // Without a terminal nobody can be asked, and standard input is the command's.
        let answer = project.dango(words).stdin(canary.value()).run().fails(1, &["DANGO_PASSPHRASE"]);
        canary.assert_absent_from(&answer);
        let answer = project
            .dango(words)
            .env("DANGO_PASSPHRASE", wrong.value())
            .run()
            .fails(1, &["passphrase"]);
        wrong.assert_absent_from(&answer);
        assert_eq!(snapshot(&project.path()), before, "{words:?}");
    }
    assert_eq!(canary.files_below(project.everything()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_empty_passphrase_is_refused() {
    let project = Scratch::initialised();
    let before = snapshot(&project.path());
    for empty in ["", "\n"] {
        let create = project.dango(&["key", "create", "--holder", "passphrase"]).stdin(empty);
        let _ = create.run().fails(1, &["passphrase"]);
        assert_eq!(snapshot(&project.path()), before);
    }
}

#[test]
fn status_needs_no_passphrase() {
    let mut project = created("correct horse battery");
    project.give("DANGO_PASSPHRASE", "correct horse battery");
    fill(&project);
    let known = status(&project);
    project.take("DANGO_PASSPHRASE");
    assert_eq!(status(&project), known, "the ids are readable in the file");
}
