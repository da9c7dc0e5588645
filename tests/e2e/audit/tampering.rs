//! The log changed behind its back, in the real file: every change is found, and the first bad record is named.

use std::fs;

use dango_tests::Scratch;
use serde_json::json;

use super::{sql, with_records};
use crate::answers::Answer;
use crate::auth::add;

/// Verifies a log that was tampered with; says which record is the first bad one.
#[track_caller]
fn first_bad(project: &Scratch) -> u64 {
    let answer = project.run(&["audit", "verify", "--json"]).ending_with(3);
    let verdict = answer.json();
    assert_eq!(verdict["ok"], false);
    let place = verdict["first_bad"]
        .as_u64()
        .unwrap_or_else(|| panic!("{verdict} {}", answer.stderr));
    let _ = project.run(&["audit", "verify"]).fails(3, &[&format!("record {place} ")]);
    place
}

#[test]
fn an_edited_record_is_found_whatever_was_edited() {
    for edit in [
        "event = 'user_deleted'",
        "at = at + 1",
        "outcome = 'failure'",
        "details = '{}'",
        "actor = '{\"kind\":\"system\"}'",
        "target = NULL",
        "request_id = 'x'",
        "hash = zeroblob(32)",
        "prev_hash = zeroblob(32)",
    ] {
        let project = with_records(4);
        sql(&project, &format!("UPDATE audit SET {edit} WHERE seq = 3"));
        assert_eq!(first_bad(&project), 3, "{edit}");
    }
}

#[test]
fn a_deleted_an_inserted_and_a_swapped_record_are_found() {
    let deleted = with_records(5);
    sql(&deleted, "DELETE FROM audit WHERE seq = 3");
    assert_eq!(first_bad(&deleted), 3);
    let closed_up = with_records(5);
    sql(
        &closed_up,
        "DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5",
    );
    assert_eq!(first_bad(&closed_up), 3);
    let copy = "SELECT at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash FROM audit";
    let inserted = with_records(4);
    sql(&inserted, &format!("INSERT INTO audit SELECT 5, * FROM ({copy} WHERE seq = 4)"));
    assert_eq!(first_bad(&inserted), 5);
    let swapped = with_records(5);
    sql(
        &swapped,
        "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99",
    );
    assert_eq!(first_bad(&swapped), 2);
}

#[test]
fn a_cut_off_tail_is_found_with_and_without_its_head() {
    let tail = with_records(5);
    sql(&tail, "DELETE FROM audit WHERE seq > 3");
    assert_eq!(first_bad(&tail), 4);
    let headless = with_records(5);
    sql(&headless, "DELETE FROM audit WHERE seq > 3; DELETE FROM audit_head");
    let _ = first_bad(&headless);
    let _ = headless.run(&["auth", "add-user", "more@example.com"]).fails(1, &["audit verify"]);
    let empty = with_records(2);
    sql(&empty, "DELETE FROM audit; DELETE FROM audit_head");
    assert_eq!(first_bad(&empty), 1, "the checkpoint says that there were records");
}

#[test]
fn an_older_database_put_back_is_found_by_the_checkpoint_and_not_continued() {
    let project = with_records(3);
    let old = project.read_bytes(".dango/dango.db");
    for number in 10..13 {
        let _ = add(&project, &format!("user{number}@example.com"), "viewer");
    }
    // Without a file that says when the last one was kept, the next record is followed by a checkpoint.
    fs::remove_file(project.path().join(".dango/audit.checkpoint")).unwrap();
    let _ = add(&project, "last@example.com", "viewer");
    let checkpoint = project.read(".dango/audit.checkpoint");
    project.write(".dango/dango.db", old);
    assert_eq!(first_bad(&project), 4);
    let _ = project
        .run(&["auth", "add-user", "more@example.com"])
        .fails(1, &["checkpoint", "audit verify"]);
    // Whoever removes it from the project, too, has not removed the copy that was kept elsewhere.
    fs::remove_file(project.path().join(".dango/audit.checkpoint")).unwrap();
    let _ = project.run(&["audit", "verify"]).success();
    fs::write(project.home().join("kept"), checkpoint).unwrap();
    let kept = project.home().join("kept");
    let verdict = project
        .run(&["audit", "verify", "--json", "--checkpoint", &kept.to_string_lossy()])
        .ending_with(3);
    assert_eq!(verdict.json(), json!({"ok": false, "events": 3, "first_bad": 4}));
}

#[test]
fn a_changed_checkpoint_is_no_checkpoint() {
    let project = with_records(2);
    let text = project.read(".dango/audit.checkpoint");
    project.write(".dango/audit.checkpoint", text.replacen("\n2\n", "\n3\n", 1));
    let verdict = project
        .run(&["audit", "verify", "--json"])
        .ending_with(3)
        .says(&["audit.checkpoint"]);
    assert_eq!(verdict.json(), json!({"ok": false, "events": 2, "first_bad": null}));
    let _ = project.run(&["audit", "verify", "--checkpoint", "gone"]).fails(1, &["gone"]);
}

#[test]
fn a_log_that_was_rewritten_without_the_key_is_found() {
    let project = with_records(3);
    let other = with_records(3);
    // A whole log, valid under another key: every link and the head fit, the key does not.
    project.write(".dango/dango.db", other.read_bytes(".dango/dango.db"));
    assert_eq!(first_bad(&project), 1);
}

#[test]
fn the_triggers_refuse_changes_to_records() {
    let project = with_records(2);
    let script = "import sqlite3,sys
db = sqlite3.connect('.dango/dango.db')
for statement in sys.argv[1:]:
    try:
        db.execute(statement)
        print('done')
    except sqlite3.IntegrityError as error:
        print('refused')";
    let arguments = [
        "-c",
        script,
        "UPDATE audit SET event = 'x'",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
    ];
    let answer = project.command(dango_tests::python(), &arguments).run().success();
    assert_eq!(answer.stdout, "refused\nrefused\nrefused\n");
}
