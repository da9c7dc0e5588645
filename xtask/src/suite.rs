//! `cargo xtask test`: every check in order, stopping at the first that fails. What the checks are lives with them.

use std::path::Path;
use std::process::Command;

use crate::setup::{self, Counterparts};
use crate::step::{self, Failure, timed};
use crate::{tidy, workspace};

/// Installs what is missing and runs every check of the workspace.
///
/// # Errors
///
/// The first step that fails; later ones are not run.
pub fn run(root: &Path) -> Result<(), Failure> {
    timed("everything", || steps(root))
}

fn steps(root: &Path) -> Result<(), Failure> {
    let counterparts = timed("setup: the real tools that tests compare with", || setup::run(root))?;
    timed("formatting", || cargo(root, &["fmt", "--all", "--check"], &[]))?;
    timed("tidy: layers, imports, dependencies, words", || tidy::run(root))?;
    timed("clippy", || {
        cargo(
            root,
            &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
            &[],
        )
    })?;
    timed("build", || cargo(root, &["build", "--workspace", "--locked"], &[]))?;
    timed("tests, the documents' console blocks among them", || test(root, &counterparts))?;
    timed("documentation", || {
        cargo(
            root,
            &["doc", "--workspace", "--no-deps", "--locked"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        )
    })
}

fn test(root: &Path, counterparts: &Counterparts) -> Result<(), Failure> {
    // A shell ignores the first two signals in what it starts in the background, `nohup` the third, and so would all that the tests start.
    let mut command = Command::new("env");
    step::shown(
        command
            .current_dir(root)
            .arg("--default-signal=INT,QUIT,HUP")
            .arg(workspace::cargo())
            .args(["test", "--workspace", "--locked", "--no-fail-fast"])
            .envs(counterparts.variables()),
    )
}

fn cargo(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), Failure> {
    let mut command = Command::new(workspace::cargo());
    step::shown(command.current_dir(root).args(arguments).envs(variables.iter().copied()))
}
