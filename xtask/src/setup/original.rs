//! The earlier Dango, as it is published for Python, and the load generator that asks it: for benches alone. No test needs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{debian, stamp};
use crate::step::{self, Failure};

/// What is compared with.
const PIN: &str = "getdango==1.0.13";

/// Prints the version, after one real import.
const ANSWER: &str = "import importlib.metadata, dango; print('getdango==' + importlib.metadata.version('getdango'))";

/// Its command.
pub(super) fn program(home: &Path) -> PathBuf {
    home.join("original/bin/dango")
}

/// Makes an environment of its own anew unless it was made for the same version and answers with it.
pub(super) fn install(home: &Path, base: &Path) -> Result<(), Failure> {
    debian::install_load_generator()?;
    let folder = home.join("original");
    let python = folder.join("bin/python");
    // Scripts in a virtual environment hold its absolute path.
    let wish = format!("{PIN}\n{}", folder.display());
    if stamp::matches(&folder, &wish) && answer(&python).is_ok() {
        return Ok(());
    }
    println!("    installing into a Python environment: {PIN}");
    stamp::clear(&folder)?;
    step::quiet(Command::new(base).args(["-m", "venv"]).arg(&folder))?;
    step::quiet(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", PIN]))
        .map_err(|failure| {
            Failure::new(format!(
                "the earlier Dango cannot be installed, so there is nothing to compare with: {failure}"
            ))
        })?;
    answer(&python)?;
    stamp::write(&folder, &wish)
}

fn answer(python: &Path) -> Result<(), Failure> {
    let said = step::quiet(Command::new(python).args(["-I", "-c", ANSWER]))?;
    match said.trim() {
        PIN => Ok(()),
        other => Err(Failure::new(format!("wanted {PIN}, the Python environment has {other}"))),
    }
}
