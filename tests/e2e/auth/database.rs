//! The database missing, damaged, newer, foreign, locked, read-only, full: a change is refused, and reading goes on where it can.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use dango_tests::{Scratch, dango, python};

use super::{add, users, with_admin};
use crate::answers::{Answer, set_mode};
use crate::audit::sql;

const DATABASE: &str = ".dango/dango.db";

#[test]
fn a_database_that_is_gone_is_not_made_anew_in_silence() {
    let project = with_admin();
    let kept = project.read_bytes(DATABASE);
    fs::remove_file(project.path().join(DATABASE)).unwrap();
    for arguments in [
        &["auth", "add-user", "b@example.com"][..],
        &["auth", "recover"],
        &["auth", "list-users"],
        &["auth", "status"],
        &["audit", "list"],
    ] {
        let _ = project.run(arguments).fails(1, &["dango.db is gone", "audit.checkpoint", "backup"]);
    }
    assert!(!project.path().join(DATABASE).exists());
    let verdict = project.run(&["audit", "verify", "--json"]).ending_with(3);
    assert_eq!(verdict.json(), serde_json::json!({"ok": false, "events": 0, "first_bad": 1}));
    project.write(DATABASE, kept);
    assert_eq!(users(&project).len(), 1);
}

#[test]
fn a_damaged_foreign_or_newer_database_is_refused_and_left_as_it_is() {
    let project = with_admin();
    let good = project.read_bytes(DATABASE);
    let mut torn = good.clone();
    torn[4096..good.len() - 4096].fill(0xa5);
    for (what, bytes, words) in [
        ("damaged", torn, ["damaged", "backup"]),
        (
            "foreign",
            b"this is a diary, not a database of any kind".to_vec(),
            ["not a database of Dango", "move the file away"],
        ),
    ] {
        project.write(DATABASE, &bytes);
        let _ = project.run(&["auth", "add-user", "b@example.com"]).fails(1, &words);
        assert_eq!(project.read_bytes(DATABASE), bytes, "{what}");
    }
    project.write(DATABASE, &good);
    sql(&project, "PRAGMA user_version = 999");
    let _ = project
        .run(&["auth", "add-user", "b@example.com"])
        .fails(1, &["schema version 999", "version of Dango"]);
    let _ = project.run(&["auth", "list-users"]).fails(1, &["schema version 999"]);
}

#[test]
fn a_database_that_another_program_holds_is_waited_for_and_then_refused() {
    let project = with_admin();
    let script = "import sqlite3,sys
held = sqlite3.connect('.dango/dango.db', isolation_level=None)
held.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()";
    let mut command = project.command(python(), &["-c", script]).into_command();
    let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    holder.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
    let _ = project
        .run(&["auth", "add-user", "b@example.com"])
        .fails(1, &["locked", "nothing was changed"]);
    assert_eq!(users(&project).len(), 1, "reading goes on");
    let mut end = holder.stdin.take().unwrap();
    end.write_all(b"\n").unwrap();
    drop(end);
    assert!(holder.wait().unwrap().success());
    let _ = add(&project, "b@example.com", "viewer");
}

/// Runs a command as its user without the powers that let root into every directory.
fn without_powers(project: &Scratch, arguments: &[&str]) -> dango_tests::Output {
    let user = project.command("id", &["-u"]).run().success().stdout;
    if user.trim() != "0" {
        return project.run(arguments);
    }
    let mut all = vec!["--bounding-set=-dac_override,-dac_read_search".as_ref(), dango().as_os_str()];
    all.extend(arguments.iter().map(std::ffi::OsStr::new));
    project.command("setpriv", &all).run()
}

#[test]
fn in_a_directory_that_takes_no_files_reading_goes_on_and_a_change_says_what_to_do() {
    let project = with_admin();
    let directory = project.path().join(".dango");
    let (open, closed) = (0o700, 0o500);
    for beside in [false, true] {
        // Another program that has the database open leaves its files beside it.
        let script = "import sqlite3,sys
held = sqlite3.connect('.dango/dango.db')
held.execute('SELECT count(*) FROM users').fetchall()
print('held', flush=True)
sys.stdin.read()";
        let mut holder = beside.then(|| {
            let mut command = project.command(python(), &["-c", script]).into_command();
            let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            holder.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
            holder
        });
        set_mode(&directory, closed);
        for reading in [
            &["auth", "list-users"][..],
            &["auth", "status"],
            &["audit", "list"],
            &["audit", "verify"],
        ] {
            let answer = without_powers(&project, reading);
            assert_eq!(answer.status, 0, "{reading:?}, held: {beside}: {}", answer.stderr);
        }
        if !beside {
            let _ = without_powers(&project, &["auth", "add-user", "b@example.com"])
                .fails(1, &["dango.db", "read-only", "nothing was changed", "directory writable"])
                .hides(&["SQLite", "code:"]);
        }
        set_mode(&directory, open);
        if let Some(mut holder) = holder.take() {
            drop(holder.stdin.take());
            assert!(holder.wait().unwrap().success());
        }
        assert_eq!(users(&project).len(), 1);
    }
    set_mode(project.path().join(DATABASE), 0o000);
    let _ = without_powers(&project, &["auth", "list-users"])
        .fails(1, &["dango.db", "cannot be opened", "chmod 600"])
        .hides(&["SQLite", "code:"]);
    set_mode(project.path().join(DATABASE), 0o600);
    let _ = add(&project, "b@example.com", "viewer");
}

/// Takes the project onto a small file system of its own, prepares it, and ends as the command did.
const ON_A_DISK: &str = r#"
set -u
mkdir mounted && mount -t tmpfs -o size=1m none mounted && cp -a .dango .dlt mounted/ && cd mounted || exit 99
eval "$PREPARE" || exit 99
eval "$COMMANDS"
"#;

fn on_a_disk(project: &Scratch, prepare: &str, commands: &str) -> dango_tests::Output {
    let user = project.command("id", &["-u"]).run().success().stdout;
    let spaces = if user.trim() == "0" { "-m" } else { "-rm" };
    project
        .command("unshare", &[spaces, "sh", "-c", ON_A_DISK])
        .env("DANGO", dango())
        .env("PREPARE", prepare)
        .env("COMMANDS", commands)
        .run()
}

#[test]
fn where_the_disk_is_full_nothing_is_done_and_reading_goes_on() {
    let project = with_admin();
    let fill = "dd if=/dev/zero of=filler bs=4096 2>/dev/null; true";
    let change = "\"$DANGO\" auth change-role ada@example.com admin; test $? = 1 || exit 98; rm filler; \"$DANGO\" audit verify --json";
    let answer = on_a_disk(&project, fill, change).success();
    assert_eq!(answer.json()["events"], 2, "no record without its change: {}", answer.stderr);
    let _ = answer.says(&["nothing was"]);
}

#[test]
fn where_the_disk_is_read_only_a_change_is_refused_and_reading_goes_on() {
    let project = with_admin();
    let remount = "mount -o remount,ro \"$PWD\"";
    let commands =
        "\"$DANGO\" auth add-user b@example.com; test $? = 1 || exit 98; \"$DANGO\" auth list-users --json && \"$DANGO\" audit verify";
    let answer = on_a_disk(&project, remount, commands).success().says(&["read-only"]);
    assert_eq!(answer.json().as_array().map(Vec::len), Some(1), "{}", answer.stderr);
}
