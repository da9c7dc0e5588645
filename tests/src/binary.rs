//! Where the built binaries and examples are, and whether they were built from the sources as they are now. Building is cargo's work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

const BUILD: &str = "run `cargo build --workspace` first (`cargo xtask test` does)";
const BUILD_EXAMPLES: &str = "run `cargo build -p dango-tests --examples` first (`cargo xtask test` does)";

/// Puts a copy of the binary somewhere, for a user who may not reach the original.
///
/// Another process does it: a descriptor of this one, open for writing, would be inherited by whatever another test
/// starts in that moment, and the system runs no program that somebody has open for writing.
///
/// # Panics
///
/// When it cannot be copied.
pub fn lend_dango(to: &Path) {
    let status = Command::new("cp").arg(dango()).arg(to).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "cp cannot copy the binary to {}",
        to.display()
    );
}

/// The built binary next to the running test, or the one that `DANGO_TEST_BINARY` names.
///
/// # Panics
///
/// When it is not there or older than a source it was built from.
pub fn dango() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| named("DANGO_TEST_BINARY").unwrap_or_else(|| built("dango", "dango.d", BUILD)))
}

/// The built server next to the running test, or the one that `DANGO_TEST_SERVER` names.
///
/// # Panics
///
/// When it is not there or older than a source it was built from.
pub fn dango_server() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| named("DANGO_TEST_SERVER").unwrap_or_else(|| built("dango-server", "dango-server.d", BUILD)))
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// A built example of this package, by its name.
///
/// # Panics
///
/// When it is not there or older than a source it was built from.
pub fn example(name: &str) -> PathBuf {
    built(&format!("examples/{name}"), &format!("examples/{name}.d"), BUILD_EXAMPLES)
}

/// A program in the folder of the running test's profile, with cargo's note of what it was built from.
fn built(program: &str, notes: &str, build: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // target/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("cargo puts tests two folders deep");
    let binary = profile.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    let Some(built) = modified(&binary) else {
        panic!("{} does not exist: {build}", binary.display());
    };
    if let Some(source) = newer_source(&profile.join(notes), built, build) {
        panic!("{} is older than {}: {build}", binary.display(), source.display());
    }
    binary
}

/// The first file that cargo built the binary from and that has changed since.
fn newer_source(notes: &Path, built: SystemTime, build: &str) -> Option<PathBuf> {
    let notes = fs::read_to_string(notes).unwrap_or_else(|error| panic!("cannot read {}: {error}: {build}", notes.display()));
    sources(&notes)
        .into_iter()
        .find(|source| modified(source).is_none_or(|changed| changed > built))
}

/// The files of a dependency note, `binary: source source`, in which a blank inside a name is escaped.
fn sources(notes: &str) -> Vec<PathBuf> {
    let (_, sources) = notes.trim_end().split_once(": ").unwrap_or(("", ""));
    let escaped = sources.replace("\\ ", "\0");
    escaped
        .split(' ')
        .filter(|source| !source.is_empty())
        .map(|source| PathBuf::from(source.replace('\0', " ")))
        .collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_inside_a_source_name_do_not_split_it() {
        assert_eq!(
            sources("/t/dango: /a/main.rs /b\\ c/lib.rs\n"),
            [PathBuf::from("/a/main.rs"), PathBuf::from("/b c/lib.rs")]
        );
    }

    #[test]
    fn a_source_that_changed_after_the_build_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (source, notes) = (folder.path().join("main.rs"), folder.path().join("dango.d"));
        fs::write(&source, "").unwrap();
        fs::write(&notes, format!("dango: {}\n", source.display())).unwrap();
        let changed = modified(&source).unwrap();
        assert_eq!(newer_source(&notes, changed, BUILD), None);
        assert_eq!(newer_source(&notes, SystemTime::UNIX_EPOCH, BUILD), Some(source));
    }
}
