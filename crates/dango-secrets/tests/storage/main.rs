//! Reading and changing files on a real disk: links, odd files, modes, full and read-only disks, many writers, sudden deaths.
#![cfg(target_os = "linux")]

mod child;
mod others;
mod reading;
mod writing;

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use child::{Child, NOBODY};
use dango_core::{Entropy, OsEntropy};
use dango_secrets::storage::{self, Edit, LARGEST, ReadError, UpdateError};
use tempfile::TempDir;

const NAME: &str = "secrets.toml";
const LOCK: &str = "secrets.toml.lock";

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(NAME);
    (directory, path)
}

fn put(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)
        .expect("opened");
    file.write_all(text.as_ref()).expect("written");
}

fn set(path: &Path, text: &str) -> Result<(), UpdateError<Infallible>> {
    storage::update(path, &OsEntropy, |_| Ok(Edit::Replace(text.as_bytes().to_vec().into(), ())))
}

fn append(path: &Path, line: &str) -> Result<(), UpdateError<Infallible>> {
    storage::update(path, &OsEntropy, |old| {
        let mut new = old.unwrap_or_default().to_vec();
        new.extend_from_slice(line.as_bytes());
        Ok(Edit::Replace(new.into(), ()))
    })
}

fn text(path: &Path) -> Option<String> {
    storage::read(path)
        .expect("readable")
        .map(|contents| String::from_utf8(contents.bytes().to_vec()).expect("text"))
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the mode set");
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// Contents that say how long they are, so that a part of them is recognised.
fn whole(length: usize) -> String {
    format!("{length}\n{}", "x".repeat(length))
}

fn is_whole(text: &str) -> bool {
    let (length, rest) = text.split_once('\n').expect("a first line");
    rest.len() == length.parse::<usize>().expect("a number")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory in which an unprivileged child may work.
fn place_of_nobody() -> (TempDir, PathBuf) {
    let (directory, path) = place();
    if is_root() {
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    (directory, path)
}

/// Says that a test needs root, and fails where nobody would read it.
#[expect(clippy::disallowed_methods, reason = "tests have no Host; this asks only whether anybody watches")]
fn needs_root(test: &str) -> bool {
    if !is_root() {
        assert!(std::env::var_os("CI").is_none(), "{test} needs root");
        writeln!(std::io::stderr(), "NOT TESTED: {test} needs root").expect("heard");
    }
    is_root()
}

#[test]
#[ignore = "the other tests run it as their child process"]
fn child_process() {
    child::serve(std::io::stdin().lock());
}

#[test]
fn the_child_is_this_very_program() {
    let status = Command::new("/proc/self/exe")
        .args(["--exact", "child_process", "--ignored"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
