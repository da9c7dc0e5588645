//! Filling a database for measurements. What is in it is decided by the backend's own example; this only starts it.

use std::path::Path;
use std::process::Command;

use crate::step::{self, Failure};

/// Runs the backend's `seed` example, built for release, with the options as they are. Paths in them are relative to where one is.
///
/// # Errors
///
/// When the example cannot be built or says no.
pub fn run(root: &Path, options: &[&str]) -> Result<(), Failure> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "dango-store-sqlite",
        "--example",
        "seed",
    ]);
    cargo.arg("--manifest-path").arg(root.join("Cargo.toml")).arg("--").args(options);
    step::shown(&mut cargo)
}
