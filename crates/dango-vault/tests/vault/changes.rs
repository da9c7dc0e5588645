//! Many changes of `.env` in one save: each has an answer of its own, and nobody else's change is lost.

use std::cell::Cell;

use dango_core::VariableName;
use dango_keyring::HolderError;
use dango_secrets::SetOutcome;
use dango_secrets::dotenv::EnvDocument;
use dango_vault::{EnvChange, EnvChanged, EnvEdit, EnvSetReport, EnvTargets, Keys, VaultError, open_env};

use super::*;

/// Keys that nobody has.
fn none<'a>() -> Keys<'a> {
    Keys::lazy(|| Err(HolderError::NotChosen))
}

/// Does as `KEY=VALUE` says, or removes where there is no `=`, as different people.
fn change(vault: &Vault<'_>, changes: &[&str]) -> Result<Vec<Result<EnvChanged, VaultError>>, VaultError> {
    let parsed: Vec<(String, Option<(VariableName, SecretValue)>)> = changes
        .iter()
        .map(|change| match change.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some((key.parse().expect("a name"), secret(value)))),
            None => ((*change).to_owned(), None),
        })
        .collect();
    let names: Vec<String> = (0..changes.len()).map(|number| format!("person {number}")).collect();
    let changes: Vec<EnvChange<'_>> = parsed
        .iter()
        .zip(&names)
        .map(|((key, set), by)| match set {
            Some((key, value)) => EnvChange {
                edit: EnvEdit::Set { key, value },
                by,
            },
            None => EnvChange {
                edit: EnvEdit::Unset { key },
                by,
            },
        })
        .collect();
    vault.change_env(&changes)
}

fn codes(answers: &[Result<EnvChanged, VaultError>]) -> Vec<&'static str> {
    answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(VaultError::code, |_| "ok"))
        .collect()
}

#[test]
fn each_change_has_its_own_answer_and_the_file_is_saved_with_what_can_be_made() {
    let keys = none();
    let place = Place::with("", "# kept\nA=1\nmy.key=x\nB=2\nB=3\n");
    let answers = change(
        &vault(&place, &keys),
        &["A=one", "NEW=a b", "my.key", "C=${HOME}", "GONE", "B", "NEW=other", "A=one"],
    )
    .expect("saved");
    let set = |outcome| EnvChanged::Set(EnvSetReport { outcome, encrypted: false });
    let made: Vec<EnvChanged> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
    assert_eq!(
        made,
        [
            set(SetOutcome::Replaced),
            set(SetOutcome::Created),
            EnvChanged::Unset { lines: 1 },
            EnvChanged::Unset { lines: 2 },
            set(SetOutcome::Replaced),
            set(SetOutcome::Unchanged)
        ]
    );
    let refused = ["env_value_reference", "env_key_not_found"];
    assert_eq!(codes(&answers)[3..5], refused);
    assert_eq!(place.env(), "# kept\nA=one\nNEW=other\n");
}

#[test]
fn a_key_that_is_not_to_be_had_refuses_only_what_needs_it() {
    let set = key_set();
    let at_hand = Keys::at_hand(&set);
    let place = Place::with("", "SEALED=value-one\nPLAIN=two\n");
    let sealed = ["SEALED".parse().expect("a name")];
    vault(&place, &at_hand).encrypt_env(EnvTargets::Keys(&sealed)).expect("encrypted");
    let asked = Cell::new(0);
    let keys = Keys::lazy(|| {
        asked.set(asked.get() + 1);
        Err(HolderError::Locked { source: None })
    });
    // A value that is replaced in a file with encrypted ones goes into the history, which is sealed.
    let answers = change(&vault(&place, &keys), &["NEW=3", "SEALED=4", "SEALED", "PLAIN=5", "OTHER=6"]).expect("saved");
    assert_eq!(codes(&answers), ["ok", "keyring-locked", "keyring-locked", "keyring-locked", "ok"]);
    assert_eq!(asked.get(), 1, "one question for all of them");
    assert!(place.env().contains("NEW=3") && place.env().contains("OTHER=6") && place.env().contains("PLAIN=two"));
    let document = EnvDocument::parse(place.env().as_bytes()).expect("UTF-8");
    let opened = open_env(&document, &at_hand).expect("opens");
    assert_eq!(opened.bindings().next().and_then(|bound| bound.expose()), Some("value-one"));
    assert_eq!(vault(&place, &at_hand).check_env(&document).expect("checked"), None);
}

#[test]
fn encrypted_values_stay_so_and_the_history_knows_whose_change_it_was() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("", "A=first-value\nB=second-value\n");
    let vault = vault(&place, &keys);
    vault.encrypt_env(EnvTargets::All).expect("encrypted");
    let answers = change(&vault, &["A=x", "C=new", "B", "A=y"]).expect("saved");
    assert_eq!(codes(&answers), ["ok"; 4]);
    let document = EnvDocument::parse(place.env().as_bytes()).expect("UTF-8");
    let opened = open_env(&document, &keys).expect("opens");
    let values: Vec<_> = opened.bindings().map(|bound| (bound.key(), bound.expose())).collect();
    assert_eq!(values, [("A", Some("y")), ("C", Some("new"))]);
    assert!(!place.env().contains("new") && !place.env().contains("=y"));
    let by = |key: &str| -> Vec<String> {
        let history = vault.env_history(&key.parse().expect("a name")).expect("listed");
        history.into_iter().map(|previous| previous.actor).collect()
    };
    assert_eq!(by("A"), ["person 3", "person 0"], "the value in between is kept, too");
    assert_eq!(by("B"), ["person 2"]);
    assert_eq!(vault.check_env(&document).expect("checked"), None);
}

#[test]
fn a_file_that_does_not_parse_refuses_all_and_stays() {
    let keys = none();
    let place = Place::with("", "");
    let broken = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(b"A=1\nB=\xff\n".to_vec()), ()));
    place.project.update_env(&OsEntropy, broken).expect("written");
    let error = change(&vault(&place, &keys), &["C=1", "A"]).expect_err("does not parse");
    assert!(matches!(error, VaultError::Env(error) if error.place() == (2, 3)));
    assert_eq!(fs::read(place.project.env_file()).expect("is there"), b"A=1\nB=\xff\n");
}
