//! `dango rotate` and `dango exposed`: at every instant a value that works, nothing left of the old one. The counterparts are a fake API whose
//! keys can be revoked, and a real PostgreSQL.

mod crashes;
mod exposed;
mod list;
mod open_exposures;
mod places;
mod postgres;
mod steps;
mod terminal;
mod unsent;

use std::collections::BTreeSet;
use std::sync::Mutex;

use dango_tests::Scratch;
use dango_tests::provider::{Answers, Fake, Reply, Seen};

use crate::answers::revealed;

/// Where the check of Stripe asks.
pub(super) const BALANCE: &str = "/v1/balance";
/// Where the key of the source is.
pub(super) const PATH: &str = "sources.shop.stripe_secret_key";
pub(super) const OLD: &str = "sk_live_old_canary_0123456789";
pub(super) const NEW: &str = "sk_live_new_canary_9876543210";
/// A key of the project's encryption.
pub(super) const KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// An API that takes the keys it was told of.
pub(super) struct Shop(Mutex<BTreeSet<String>>);

impl Shop {
    pub(super) fn taking(keys: &[&str]) -> Fake<Self> {
        Fake::start(Self(Mutex::new(keys.iter().map(|&key| key.to_owned()).collect())))
    }

    pub(super) fn takes(&self, key: &str) -> bool {
        self.0.lock().expect("no thread failed").contains(key)
    }

    pub(super) fn revoke(&self, key: &str) {
        let _ = self.0.lock().expect("no thread failed").remove(key);
    }

    pub(super) fn admit(&self, key: &str) {
        let _ = self.0.lock().expect("no thread failed").insert(key.to_owned());
    }
}

impl Answers for Shop {
    fn answer(&self, seen: &Seen, _origin: &str) -> Reply {
        match seen.bearer().is_some_and(|key| self.takes(key)) {
            true => Reply::json(200, "{}"),
            false => Reply::json(401, r#"{"error":"revoked"}"#),
        }
    }
}

/// A project with a source `shop` whose key is [`OLD`].
pub(super) fn project(fake: &Fake<Shop>) -> Scratch {
    let mut project = Scratch::initialised();
    point_at(&mut project, fake.origin());
    let add = ["source", "add", "stripe", "--name", "shop", "--field", "stripe_secret_key"];
    let _ = project.dango(&add).stdin(OLD).run().success();
    project
}

/// The same, encrypted.
pub(super) fn encrypting_project(fake: &Fake<Shop>) -> Scratch {
    let mut project = project(fake);
    project.give("DANGO_KEY", KEY);
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    project
}

pub(super) fn point_at(project: &mut Scratch, origin: impl Into<std::ffi::OsString>) {
    project.give("DANGO_CHECK_STRIPE_URL", origin);
}

pub(super) fn stored(project: &Scratch) -> String {
    revealed(project, PATH)
}

/// No file of the project holds a text, but for those in which it is meant to be.
#[track_caller]
pub(super) fn assert_gone(project: &Scratch, text: &str) {
    assert_only_in(project, text, &[]);
}

#[track_caller]
pub(super) fn assert_only_in(project: &Scratch, text: &str, files: &[&str]) {
    let mut folders = vec![project.everything().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            let holds = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(
                !holds || files.iter().any(|file| path.ends_with(file)),
                "{} holds it",
                path.display()
            );
        }
    }
}

/// Every event of the audit log, the oldest first, with its outcome.
pub(super) fn events(project: &Scratch) -> Vec<(String, String)> {
    let listed = project.run(&["audit", "list", "--limit", "500", "--json"]).success();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let events = listed["events"].as_array().expect("a list").iter().rev();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    events
        .filter(|event| !event["outcome"].is_null())
        .map(|event| (text(&event["event"]), text(&event["outcome"])))
        .collect()
}
