//! Encrypted projects as users have them: real keyrings, real dlt, damage, theft and `kill -9`. The ciphers themselves are tested in their crates.

mod clones;
mod crowds;
mod disks;
mod environment;
mod foreign;
mod habit;
mod history;
mod holders;
mod independent;
mod journey;
mod keys;
mod leaks;
mod passphrases;
mod rotation;
mod seals;
mod tampering;
mod terminal;
mod touches;
mod types;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use dango_tests::{KeyringSession, Scratch};
use serde_json::{Value, json};

use crate::answers::{Answer, is_of_the_audit_log, names};

/// The file that holds credentials.
const SECRETS: &str = ".dlt/secrets.toml";

/// A master key as `DANGO_KEY` takes it.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The id of [`KEY`], as `docs/formats/envelope.md` has it.
const KEY_ID: &str = "ed040339855d20b2";

/// Two stripe sources, each with one encrypted credential, and two encrypted variables.
const SOURCES: &str = "sources:\n  - {name: eu, type: stripe, sync: 'touch started'}\n  - {name: us, type: stripe}\n";

/// A project with a key that needs nothing around it: a key file.
fn with_key_file() -> Scratch {
    let project = Scratch::initialised();
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    project
}

/// A project in a session, with its key in the session's keyring.
fn with_keyring(session: &KeyringSession) -> Scratch {
    let mut project = Scratch::initialised();
    project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let _ = project.run(&["key", "create", "--holder", "keyring"]).success();
    project
}

/// A project whose key comes from `DANGO_KEY`.
fn with_variable() -> Scratch {
    let mut project = Scratch::initialised();
    project.give("DANGO_KEY", KEY);
    project
}

/// Fills a project with sources, credentials and variables, and encrypts them all; what opens them is at hand already.
fn fill(project: &Scratch) {
    project.write(".dango/sources.yml", SOURCES);
    project.write(
        SECRETS,
        "[sources.eu]\nstripe_secret_key = \"value-of-eu\"\n\n[sources.us]\nstripe_secret_key = \"value-of-us\"\n",
    );
    project.write(".env", "TOKEN=value-of-token\nOTHER=value-of-other\n");
    encrypt_all(project);
}

/// Encrypts all that can be in both files.
#[track_caller]
fn encrypt_all(project: &Scratch) {
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    let _ = project.run(&["env", "encrypt", "--all"]).success();
}

/// What `key status --json` says, the members of the contract.
#[track_caller]
fn status(project: &Scratch) -> Value {
    let all = project.run(&["key", "status", "--json"]).success().json();
    json!({ "holder": all["holder"], "key_id": all["key_id"], "protects": all["protects"], "seals": all["seals"] })
}

/// The id of the key that the project has now.
#[track_caller]
fn key_id(project: &Scratch) -> String {
    status(project)["key_id"].as_str().expect("there is a key").to_owned()
}

/// Where the envelopes of a text are, in their order.
fn envelopes(text: &str) -> Vec<Range<usize>> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_:".contains(character);
    let starts = text.match_indices("dango:v1:").map(|(start, _)| start);
    starts
        .map(|start| {
            let end = text[start..]
                .find(|character| !is_part(character))
                .map_or(text.len(), |length| start + length);
            start..end
        })
        .collect()
}

/// The envelope behind `key = "`, or behind `KEY=`, in the first line that has it after `section`.
#[track_caller]
fn envelope_after(text: &str, section: &str, key: &str) -> Range<usize> {
    let begin = text.find(section).unwrap_or_else(|| panic!("no {section} in:\n{text}"));
    let begin = begin + text[begin..].find(key).unwrap_or_else(|| panic!("no {key} in:\n{text}"));
    let found = envelopes(text).into_iter().find(|range| range.start >= begin);
    found.unwrap_or_else(|| panic!("no envelope behind {key} in:\n{text}"))
}

/// Every file of a folder with its contents, folders with none; without the lock files, which hold who had the lock last, and
/// without the audit log.
fn snapshot(folder: &Path) -> BTreeMap<String, String> {
    let names = names(folder)
        .into_iter()
        .filter(|name| !name.ends_with(".lock") && !is_of_the_audit_log(name));
    let contents = |name: &String| fs::read(folder.join(name)).unwrap_or_default();
    names
        .map(|name| (name.clone(), String::from_utf8_lossy(&contents(&name)).into_owned()))
        .collect()
}
