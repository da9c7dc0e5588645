//! A rotation at a terminal: a hidden question, Ctrl-C at it, and the questions that only a person can answer.

use super::*;
use crate::answers::names;
use crate::terminal::{end, send, shown_until, start};

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let before = (names(&project.path()), project.read(".dlt/secrets.toml"));
    let mut session = start(&project, "rotate shop");
    let _ = shown_until(&mut session, "(hidden):");
    send(&mut session, "sk_half\u{3}");
    let (status, shown) = end(&mut session);
    assert_eq!(status, 130, "{shown}");
    let after: Vec<String> = names(&project.path())
        .into_iter()
        .filter(|name| !name.contains("rotation-shop.lock"))
        .collect();
    assert_eq!((after, project.read(".dlt/secrets.toml")), before);
}

#[test]
fn a_person_without_a_network_asks_again_and_is_not_shown_what_was_typed() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    fake.trouble(BALANCE, [dango_tests::provider::Trouble::Unavailable]);
    let mut session = start(&project, "rotate shop");
    let mut all = shown_until(&mut session, "(hidden):");
    send(&mut session, &format!("{NEW}\r"));
    all += &shown_until(&mut session, "Ask again?");
    send(&mut session, "y\r");
    let (status, shown) = end(&mut session);
    all += &shown;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("canary"), "{all}");
    assert_eq!(stored(&project), NEW);
}
