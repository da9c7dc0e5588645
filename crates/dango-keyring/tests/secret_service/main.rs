//! The keyring holder against a real Secret Service: GNOME Keyring in a private D-Bus session. Other keyrings are not tried here.
#![cfg(target_os = "linux")]

mod child;
mod session;

use child::Request;
use session::{Policy, Session};

const PROJECT: &str = "0192f3c4-project";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The id of [`KEY`], as `tests/vectors/vectors.json` has it.
const KEY_ID: &str = "ed040339855d20b2";

/// The tests ask from a process of its own: which bus is meant stands in the environment, and that cannot be changed in this one.
#[test]
#[ignore = "the other tests run it as their child process"]
fn child_process() {
    child::serve(std::io::stdin().lock());
}

#[test]
fn a_key_is_created_read_and_deleted_and_is_one_entry_for_other_programs() {
    let session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::load(PROJECT)), "key-missing");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    assert_eq!(session.ask(&Request::load(PROJECT)), KEY_ID);
    let found = session.secret_tool(&["lookup", "service", "dango", "username", PROJECT]);
    assert!(found.starts_with(&format!("dango:keys:v1:{KEY_ID}.-.")), "{found}");
    let listed = session.secret_tool(&["search", "--all", "service", "dango"]);
    assert_eq!(listed.matches("secret = ").count(), 1);
    assert!(listed.contains(&format!("label = Dango key of project {PROJECT}")), "{listed}");
    assert_eq!(session.ask(&Request::delete(PROJECT)), "done");
    assert_eq!(session.ask(&Request::delete(PROJECT)), "key-missing");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one_in_the_same_entry() {
    let session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    let other = session.ask(&Request::store(PROJECT, &KEY.replace("00", "ff")));
    assert_eq!(other.len(), 16);
    assert_ne!(other, KEY_ID);
    assert_eq!(session.ask(&Request::load(PROJECT)), other);
    let listed = session.secret_tool(&["search", "--all", "service", "dango"]);
    assert_eq!(listed.matches("secret = ").count(), 1);
}

#[test]
fn two_projects_have_a_key_each() {
    let session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    assert_eq!(session.ask(&Request::load("another")), "key-missing");
}

#[test]
fn an_entry_that_another_program_deleted_is_missing() {
    let session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    session.secret_tool(&["clear", "service", "dango", "username", PROJECT]);
    assert_eq!(session.ask(&Request::load(PROJECT)), "key-missing");
}

#[test]
fn a_key_that_another_program_wrote_is_read() {
    let session = Session::unlocked("password");
    let attributes = ["store", "--label", "by hand", "service", "dango", "username", PROJECT];
    session.secret_tool_with(&attributes, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    assert_eq!(session.ask(&Request::load(PROJECT)), KEY_ID);
    session.secret_tool_with(&attributes, "no key");
    assert_eq!(session.ask(&Request::load(PROJECT)), "key-malformed");
}

#[test]
fn two_entries_of_one_name_are_ambiguous() {
    let session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    let attributes = ["store", "--label", "second", "service", "dango", "username", PROJECT, "extra", "1"];
    session.secret_tool_with(&attributes, KEY);
    assert_eq!(session.ask(&Request::load(PROJECT)), "keyring-ambiguous");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), "keyring-ambiguous");
}

#[test]
fn a_key_survives_the_keyring_and_a_wrong_password_leaves_it_locked() {
    let mut session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    session.restart_keyring("password");
    assert_eq!(session.ask(&Request::load(PROJECT)), KEY_ID);
    session.restart_keyring("wrong");
    assert_eq!(session.ask(&Request::load(PROJECT)), "keyring-locked");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), "keyring-locked");
    assert_eq!(session.ask(&Request::delete(PROJECT)), "keyring-locked");
}

#[test]
fn a_keyring_that_was_never_set_up_counts_as_locked() {
    let session = Session::locked();
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), "keyring-locked");
}

#[test]
fn a_session_without_a_keyring_service_has_none() {
    let session = Session::without_keyring(Policy::Open);
    for request in [Request::load(PROJECT), Request::store(PROJECT, KEY), Request::delete(PROJECT)] {
        assert_eq!(session.ask(&request), "keyring-none");
    }
}

#[test]
fn without_a_session_there_is_no_keyring() {
    let session = Session::without_keyring(Policy::Open);
    assert_eq!(session.ask_without_bus(&Request::load(PROJECT)), "keyring-none");
    for address in ["disabled:", "", "nonsense"] {
        assert_eq!(session.ask_at(address, &Request::load(PROJECT)), "keyring-none", "{address:?}");
    }
}

#[test]
fn a_bus_that_denies_access_is_no_missing_keyring() {
    let session = Session::denied();
    assert_eq!(session.ask(&Request::load(PROJECT)), "keyring-denied");
}

#[test]
fn a_session_that_ended_is_gone() {
    let mut session = Session::unlocked("password");
    assert_eq!(session.ask(&Request::store(PROJECT, KEY)), KEY_ID);
    session.end_bus();
    assert_eq!(session.ask(&Request::load(PROJECT)), "keyring-gone");
    assert_eq!(
        session.ask_at("unix:path=/nonexistent/bus", &Request::load(PROJECT)),
        "keyring-gone"
    );
}
