//! Previous values of encrypted keys: listed without a value, brought back, twenty of each; and two projects compared without showing either.

use dango_tests::{Canary, Scratch};
use serde_json::Value;

use super::{SECRETS, envelopes, fill, snapshot, with_key_file};
use crate::answers::{Answer, mode, revealed, set, set_env};

const EU: &str = "sources.eu.stripe_secret_key";

fn project() -> Scratch {
    let project = with_key_file();
    fill(&project);
    project
}

/// The numbers of the previous values, latest first.
#[track_caller]
fn numbers(project: &Scratch, words: &[&str]) -> Vec<u64> {
    let words = [words, &["--json"]].concat();
    let answer = project.run(&words).success().json();
    let rows = answer.as_array().unwrap_or_else(|| panic!("{words:?} is no list: {answer}"));
    rows.iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

#[test]
fn previous_values_are_listed_and_each_can_be_brought_back() {
    let project = project();
    for value in ["second", "third", "fourth"] {
        set(&project, EU, value);
    }
    assert_eq!(numbers(&project, &["secrets", "history", EU]), [1, 2, 3]);
    let _ = project
        .run(&["secrets", "history", EU])
        .success()
        .hides(&["value-of-eu", "second", "third", "fourth"]);
    let _ = project.run(&["secrets", "rollback", &format!("{EU}@3")]).success();
    assert_eq!(revealed(&project, EU), "value-of-eu");
    let _ = project.run(&["secrets", "rollback", &format!("{EU}@1")]).success();
    assert_eq!(
        revealed(&project, EU),
        "fourth",
        "what a rollback replaced is a previous value, too"
    );
    let before = snapshot(&project.path());
    for number in ["0", "99", "-1", "x", ""] {
        let answer = project.run(&["secrets", "rollback", &format!("{EU}@{number}")]);
        assert!(
            [1, 2].contains(&answer.status) && answer.stdout.is_empty(),
            "{number:?}: {}",
            answer.stderr
        );
        assert_eq!(snapshot(&project.path()), before, "{number:?}");
    }
    let _ = project.run(&["secrets", "rollback", EU]).fails(2, &[]);
}

#[test]
fn variables_have_previous_values_too() {
    let project = project();
    set_env(&project, "TOKEN", "second");
    set_env(&project, "TOKEN", "third");
    assert_eq!(numbers(&project, &["env", "history", "TOKEN"]), [1, 2]);
    let _ = project
        .run(&["env", "history", "TOKEN"])
        .success()
        .hides(&["value-of-token", "second", "third"]);
    let _ = project.run(&["env", "rollback", "TOKEN@2"]).success();
    assert_eq!(
        project.run(&["env", "get", "TOKEN", "--reveal"]).success().stdout,
        "value-of-token\n"
    );
}

#[test]
fn twenty_previous_values_are_kept_for_each_key() {
    let project = project();
    for number in 0..25 {
        set(&project, EU, &format!("number {number}"));
    }
    set(&project, "sources.us.stripe_secret_key", "another");
    assert_eq!(numbers(&project, &["secrets", "history", EU]), (1..=20).collect::<Vec<u64>>());
    assert_eq!(numbers(&project, &["secrets", "history", "sources.us.stripe_secret_key"]), [1]);
    let _ = project.run(&["secrets", "rollback", &format!("{EU}@20")]).success();
    assert_eq!(revealed(&project, EU), "number 4");
    assert_eq!(mode(project.path().join(".dango/history")), 0o600);
}

#[test]
fn what_was_removed_or_decrypted_can_be_brought_back() {
    let project = project();
    let _ = project.run(&["secrets", "unset", EU]).success();
    let _ = project.run(&["secrets", "rollback", &format!("{EU}@1")]).success();
    assert_eq!(revealed(&project, EU), "value-of-eu");
    assert_eq!(envelopes(&project.read(SECRETS)).len(), 2, "encrypted, as it was");
    let _ = project.run(&["secrets", "history", "sources.never.k"]);
    assert_eq!(
        numbers(&project, &["secrets", "history", "sources.us.stripe_secret_key"]),
        Vec::<u64>::new()
    );
}

#[test]
fn a_changed_or_moved_previous_value_does_not_come_back() {
    let project = project();
    set(&project, EU, "second");
    set(&project, "sources.us.stripe_secret_key", "second");
    let text = project.read(".dango/history");
    let found = envelopes(&text);
    let (eu, us) = (found[0].clone(), found[1].clone());
    let swapped = format!(
        "{}{}{}{}{}",
        &text[..eu.start],
        &text[us.clone()],
        &text[eu.end..us.start],
        &text[eu.clone()],
        &text[us.end..]
    );
    let mut flipped = text.clone();
    flipped.replace_range(eu.end - 3..eu.end - 2, if &text[eu.end - 3..eu.end - 2] == "A" { "B" } else { "A" });
    for damaged in [swapped, flipped] {
        project.write(".dango/history", damaged);
        let before = snapshot(&project.path());
        let rollback = project.run(&["secrets", "rollback", &format!("{EU}@1")]);
        let _ = rollback.fails(1, &[EU]).hides(&["value-of"]);
        assert_eq!(snapshot(&project.path()), before);
        assert_eq!(revealed(&project, EU), "second", "what is stored now still opens");
    }
}

#[test]
fn two_projects_are_compared_by_name_and_never_by_showing_a_value() {
    let (one, two) = (project(), project());
    let canary = Canary::new("diff");
    assert_same(&one, &two);
    set(&two, EU, canary.value());
    set(&two, "sources.more.k", canary.value());
    let _ = two.run(&["secrets", "unset", "sources.us.stripe_secret_key"]).success();
    let other = two.path().display().to_string();
    for json in [&[][..], &["--json"]] {
        let answer = one.run(&[&["secrets", "diff", &other][..], json].concat());
        canary.assert_absent_from(&answer);
        assert!(answer.status != 70 && !answer.stdout.contains("value-of"), "{}", answer.stdout);
        for path in [EU, "sources.more.k", "sources.us.stripe_secret_key"] {
            assert!(
                answer.stdout.contains(path),
                "{path} differs:\n{}\n{}",
                answer.stdout,
                answer.stderr
            );
        }
    }
    set_env(&two, "TOKEN", canary.value());
    let answer = one.run(&["env", "diff", &other]);
    canary.assert_absent_from(&answer);
    assert!(
        answer.stdout.contains("TOKEN") && !answer.stdout.contains("OTHER"),
        "{}",
        answer.stdout
    );
}

/// Checks that no difference is told, though the two were encrypted under keys of their own.
#[track_caller]
fn assert_same(one: &Scratch, two: &Scratch) {
    let other = two.path().display().to_string();
    for what in ["secrets", "env"] {
        let answer = one.run(&[what, "diff", &other, "--json"]).success();
        assert_eq!(answer.json(), Value::Array(Vec::new()), "{what}");
    }
}
