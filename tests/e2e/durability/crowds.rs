//! Eight processes write at once: nothing is lost, and a reader never sees half a file.

use std::io::Read;
use std::process::Stdio;
use std::thread;

use dango_tests::{Scratch, python};
use serde_json::Value;

use super::{BOTH, Kept};
use crate::answers::{Answer, names};

const WRITERS: usize = 8;
const KEYS: usize = 25;

#[test]
fn eight_writers_keep_all_two_hundred_keys_and_a_reader_never_sees_a_torn_file() {
    for kept in BOTH {
        let project = Scratch::initialised();
        let watched = watch(&project, kept, || {
            thread::scope(|scope| {
                for writer in 0..WRITERS {
                    let project = &project;
                    scope.spawn(move || write_all(project, kept, writer));
                }
            });
        });
        assert_eq!(watched["bad"], Value::Null, "{}", kept.file);
        assert!(
            watched["changes"].as_u64() > Some(20),
            "the reader was to see the file grow: {watched}"
        );
        assert_all_kept(&project, kept);
    }
}

fn write_all(project: &Scratch, kept: Kept, writer: usize) {
    for key in 0..KEYS {
        let value = format!("value of {}\n", kept.name(writer, key));
        let _ = kept.set(project, writer, key).stdin(value).run().success();
    }
}

/// Runs `work` while a process of its own reads the file in a loop, and returns what it saw.
fn watch(project: &Scratch, kept: Kept, work: impl FnOnce()) -> Value {
    let arguments = ["-c", include_str!("../scripts/watch_file.py"), kept.kind, kept.file];
    let mut command = project.command(python(), &arguments).into_command();
    let mut reader = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the counterpart's Python starts");
    work();
    drop(reader.stdin.take());
    let mut seen = String::new();
    reader
        .stdout
        .take()
        .expect("it is a pipe")
        .read_to_string(&mut seen)
        .expect("the script prints text");
    assert!(reader.wait().expect("the script ends").success(), "the watching script failed");
    serde_json::from_str(&seen).expect("the script prints JSON")
}

fn assert_all_kept(project: &Scratch, kept: Kept) {
    let listed = project.run(&[kept.command, "list", "--json"]).success().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(WRITERS * KEYS), "keys in {}", kept.file);
    for writer in 0..WRITERS {
        for key in [0, KEYS - 1] {
            let answer = project.run(&[kept.command, "get", "--reveal", &kept.path(writer, key)]).success();
            assert_eq!(answer.stdout, format!("value of {}\n", kept.name(writer, key)));
        }
    }
    let left: Vec<String> = names(&project.path()).into_iter().filter(|name| name.ends_with(".tmp")).collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
}

#[test]
fn a_change_by_an_editor_is_not_lost_to_a_write_that_was_under_way() {
    // Standard input is read after the file was looked at: what happens to the file in between is a foreign edit.
    for kept in BOTH {
        let project = Scratch::initialised();
        let mut command = kept.set(&project, 0, 0).into_command();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dango starts");
        let by_hand = if kept.kind == "toml" {
            "[sources.hand]\nk = \"by hand\"\n"
        } else {
            "HAND='by hand'\n"
        };
        project.write(kept.file, by_hand);
        std::io::Write::write_all(&mut child.stdin.take().expect("it is a pipe"), b"by dango\n").expect("dango reads");
        assert!(child.wait().expect("dango ends").success());
        let text = project.read(kept.file);
        assert!(text.starts_with(by_hand) && text.contains("by dango"), "{text}");
    }
}
