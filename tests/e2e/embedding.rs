//! The programs in `examples/`: what somebody reads who embeds a crate does what it says, and is short.

use std::fs;
use std::process::Command;

use dango_tests::{example, run_to_end, workspace_root};

/// Runs an example in a folder of its own and gives what it prints.
fn printed_by(name: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run_to_end(
        Command::new(example(name)).current_dir(folder.path()).env("TMPDIR", folder.path()),
        b"",
    );
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{name}");
    let left = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 0, "{name} leaves files behind");
    output.stdout
}

#[test]
fn people_are_embedded_with_sqlite() {
    assert_eq!(printed_by("identity"), "Inserted\nmay sync: true\n");
}

#[test]
fn secrets_are_embedded() {
    let path = "sources.stripe.api_key";
    assert_eq!(printed_by("secrets"), format!("{path}: Created\n{path}: 17 bytes\n"));
}

#[test]
fn every_example_has_fewer_than_thirty_lines() {
    for entry in fs::read_dir(workspace_root().join("examples")).expect("readable") {
        let path = entry.expect("readable").path();
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines < 30, "{}: {lines}", path.display());
    }
}
