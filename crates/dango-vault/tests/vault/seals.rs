//! The seal over a file: values that were removed, replaced or rolled back by hand are named until somebody accepts them.

use dango_vault::{EnvTargets, Keys, Protection, Targets};

use super::*;
use dango_secrets::dotenv::EnvDocument;

const SECRETS: &str = "[sources.x]\na = 'first-value'\nb = 'other-value'\nplain = 1\n";

#[test]
fn removed_and_older_values_are_named_until_they_are_accepted() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with(SECRETS, "");
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    let older = place.secrets();
    vault
        .set_secrets(&[(path("sources.x.a"), string("newer-value"))], Protection::Habit)
        .expect("set");

    place.write_secrets(&older);
    let warning = vault.check_secrets(&place.document()).expect("checked").expect("an older file");
    assert_eq!(warning.code(), "seal-rolled-back");
    assert!(warning.to_string().contains("replaced: sources.x.a"), "{warning}");

    let without: String = place
        .secrets()
        .lines()
        .filter(|line| !line.starts_with("b = "))
        .map(|line| format!("{line}\n"))
        .collect();
    place.write_secrets(&without);
    let warning = vault.check_secrets(&place.document()).expect("checked").expect("a value less");
    assert!(warning.to_string().contains("removed: sources.x.b"), "{warning}");

    // An edit of ours neither hides it nor is reported itself.
    vault
        .set_secrets(&[(path("sources.x.c"), string("third-value"))], Protection::Encrypt)
        .expect("set");
    let warning = vault.check_secrets(&place.document()).expect("checked").expect("still");
    let changes = warning.changes().expect("known");
    assert_eq!(
        (changes.removed.as_slice(), changes.added.len()),
        (&["sources.x.b".to_owned()][..], 0)
    );

    vault.reseal_secrets().expect("accepted");
    assert_eq!(vault.check_secrets(&place.document()).expect("checked"), None);
    place.write_secrets(&older);
    assert!(
        vault.check_secrets(&place.document()).expect("checked").is_some(),
        "the counter only grows"
    );
}

#[test]
fn a_seal_that_was_cut_out_is_missed() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with(SECRETS, "A=first-value\nB=other-value\n");
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    vault.encrypt_env(EnvTargets::All).expect("encrypted");
    let all = place.secrets();
    let cut = all.find("\n[dango.seal]").expect("is sealed");
    place.write_secrets(&all[..cut]);
    let warning = vault.check_secrets(&place.document()).expect("checked").expect("no seal");
    assert_eq!(warning.code(), "seal-missing");
    // Everything encrypted removed by hand.
    place.write_secrets("[sources.x]\nplain = 1\n");
    let warning = vault.check_secrets(&place.document()).expect("checked").expect("nothing is left");
    assert_eq!(warning.changes().map(|changes| changes.removed.len()), Some(3));
    vault.reseal_secrets().expect("accepted");
    assert_eq!(vault.check_secrets(&place.document()).expect("checked"), None);

    let env = |place: &Place| EnvDocument::parse(place.env().as_bytes()).expect("UTF-8");
    assert_eq!(vault.check_env(&env(&place)).expect("checked"), None);
    let without: String = place
        .env()
        .lines()
        .filter(|line| !line.starts_with("B="))
        .map(|line| format!("{line}\n"))
        .collect();
    place.write_env(&without);
    let warning = vault.check_env(&env(&place)).expect("checked").expect("a value less");
    assert!(warning.to_string().contains("removed: B"), "{warning}");
    vault.reseal_env().expect("accepted");
    assert_eq!(vault.check_env(&env(&place)).expect("checked"), None);
}
