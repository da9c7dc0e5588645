//! The whole way with a real keyring: a key made, everything encrypted, read by dlt, rotated, saved, and brought to a second machine.

use dango_tests::{KeyringSession, Scratch};
use serde_json::json;

use super::{SECRETS, encrypt_all, envelopes, key_id, snapshot, status, with_keyring};
use crate::answers::{Answer, mode, revealed};
use crate::dlt::from_run;

/// Every type, every way to spell a string, comments, a table of inline values and no line end at the end.
const ORIGINAL: &str = "# by hand\r\n[runtime]\r\nlog_level = \"INFO\"\r\n\n[sources.e2e]\ntoken = 'sk_live_Qx7vPz41'   # from the dashboard\n\
    port = 0x1538\nratio = 6.25e-1\non = true\nuntil = 2031-02-27 07:32:00Z\n\
    pem = \"\"\"\n-----BEGIN KEY-----\nMIIEvQ==\n-----END KEY-----\n\"\"\"\n\
    tags = [ \"alpha-tag\", 2, [ true ] ] # three\n\"dotted.name\".inner = \"\\u00e9 \\\"quoted\\\" $HOME\"\n\
    limits = { \"per day\" = 1000, name = 'inline' } # not more\n\n\
    [destination.\"my wh\"]\ncredentials = \"postgres://u:p%40s@db/x\"";

const ORIGINAL_ENV: &str = "# by hand\nexport TOKEN='from env'  # kept\nQUOTED=\"line\\nline\"\r\nPLAIN=a b\nPLAIN=again";

/// What dlt is asked: each type as an argument with a hint.
fn question() -> serde_json::Value {
    let hints = json!({ "token": "str", "port": "int", "ratio": "float", "on": "bool", "tags": "list", "pem": "str" });
    json!({ "task": "types", "section": "e2e", "names": ["token"], "hints": hints })
}

#[test]
fn a_project_is_encrypted_used_rotated_saved_and_decrypted_on_a_second_machine_byte_for_byte() {
    let session = KeyringSession::unlocked();
    let project = with_keyring(&session);
    project.write(SECRETS, ORIGINAL);
    project.write(".env", ORIGINAL_ENV);
    let plain = from_run(&project, &question());
    assert_eq!(plain["injected"]["token"], json!(["str", "'sk_live_Qx7vPz41'"]));

    let before = status(&project);
    assert_eq!(
        before,
        json!({ "holder": "keyring", "key_id": before["key_id"], "protects": 0, "seals": 0 })
    );
    encrypt_all(&project);
    assert!(!project.read(SECRETS).contains("sk_live") && !project.read(".env").contains("from env"));
    let count = envelopes(&project.read(SECRETS)).len() + envelopes(&project.read(".env")).len();
    assert_eq!(count, 15, "every value but `runtime`'s:\n{}", project.read(SECRETS));
    let after = status(&project);
    assert_eq!((&after["protects"], &after["key_id"]), (&json!(count), &before["key_id"]));
    assert!(after["seals"].as_u64() >= Some(count as u64), "{after}");
    assert_eq!(from_run(&project, &question()), plain, "dlt reads the same");

    let _ = project.run(&["key", "rotate"]).success();
    assert_ne!(key_id(&project), before["key_id"]);
    assert_eq!(from_run(&project, &question()), plain, "dlt reads the same under the new key");
    assert_one_entry(&session, &project);

    let _ = project
        .dango(&["key", "export", "backup"])
        .stdin("correct horse battery\n")
        .run()
        .success();
    assert_eq!(mode(project.path().join("backup")), 0o600);
    let other_session = KeyringSession::unlocked();
    let mut other = Scratch::copy_of(&project);
    other.give("DBUS_SESSION_BUS_ADDRESS", other_session.address());
    let copied = snapshot(&other.path());
    let _ = other.run(&["run", "--", "touch", "started"]).fails(1, &["no key", "key import"]);
    assert_eq!(snapshot(&other.path()), copied, "nothing was written or started");

    let _ = other
        .dango(&["key", "import", "backup"])
        .stdin("correct horse battery\n")
        .run()
        .success();
    assert_eq!(key_id(&other), key_id(&project));
    assert_eq!(from_run(&other, &question()), plain, "dlt reads the same on the second machine");
    assert_one_entry(&other_session, &other);
    let _ = other.run(&["secrets", "decrypt", "--all"]).success();
    let _ = other.run(&["env", "decrypt", "--all"]).success();
    assert_eq!(other.read(SECRETS), ORIGINAL);
    assert_eq!(other.read(".env"), ORIGINAL_ENV);
    assert_eq!(
        revealed(&project, "sources.e2e.token"),
        "sk_live_Qx7vPz41",
        "the first machine goes on"
    );
}

/// Checks that the keyring has one entry, which is a key and no credential.
#[track_caller]
fn assert_one_entry(session: &KeyringSession, project: &Scratch) {
    let entries = session.entries();
    assert_eq!(entries.len(), 1, "one entry for all values");
    let id = key_id(project);
    assert!(entries[0].starts_with(&format!("dango:keys:v1:{id}.")), "the entry is the key {id}");
    assert!(!entries[0].contains(','), "the old key is forgotten");
}

#[test]
fn two_projects_of_one_user_have_a_key_each() {
    let session = KeyringSession::unlocked();
    let (one, two) = (with_keyring(&session), with_keyring(&session));
    assert_ne!(key_id(&one), key_id(&two));
    assert_eq!(session.entries().len(), 2);
}
