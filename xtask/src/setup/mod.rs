//! `cargo xtask setup`: the real programs that tests compare with, installed once and asked each time whether they answer. What is compared with them lives in the tests.

mod debian;
mod node;
mod original;
mod python;
mod stamp;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::step::Failure;

/// The folder of the wanted versions, relative to the workspace's root.
const WANTED: &str = "tests/counterparts";

/// Where the installed programs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterparts {
    /// A Python interpreter that imports dlt, python-dotenv and schemathesis.
    pub python: PathBuf,
    /// The Node interpreter.
    pub node: PathBuf,
    /// The folder `node_modules` that holds dotenv, dotenvx, playwright-core, axe-core and oidc-provider.
    pub node_modules: PathBuf,
    /// Chromium, as its package installs it.
    pub chromium: PathBuf,
}

impl Counterparts {
    /// Names the places below the workspace's root, whether or not anything is installed there.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let home = home(root);
        Self {
            python: python::interpreter(&home),
            node: PathBuf::from("node"),
            node_modules: node::modules(&home),
            chromium: debian::CHROMIUM.into(),
        }
    }

    /// As [`Counterparts::at`], with what the environment says instead: `DANGO_TEST_PYTHON`, `DANGO_TEST_NODE`, `DANGO_TEST_NODE_MODULES`,
    /// `DANGO_TEST_CHROMIUM`.
    #[must_use]
    pub fn from_environment(root: &Path) -> Self {
        let Self {
            python,
            node,
            node_modules,
            chromium,
        } = Self::at(root);
        let or = |name: &str, default: PathBuf| std::env::var_os(name).map_or(default, PathBuf::from);
        Self {
            python: or("DANGO_TEST_PYTHON", python),
            node: or("DANGO_TEST_NODE", node),
            node_modules: or("DANGO_TEST_NODE_MODULES", node_modules),
            chromium: or("DANGO_TEST_CHROMIUM", chromium),
        }
    }

    /// The environment variables by which a test run finds these programs.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, OsString); 4] {
        [
            ("DANGO_TEST_PYTHON", self.python.clone().into_os_string()),
            ("DANGO_TEST_NODE", self.node.clone().into_os_string()),
            ("DANGO_TEST_NODE_MODULES", self.node_modules.clone().into_os_string()),
            ("DANGO_TEST_CHROMIUM", self.chromium.clone().into_os_string()),
        ]
    }
}

/// Installs what is missing and checks that every program answers with the wanted version.
///
/// Safe to run again and at the same time as another: the second finds the work done.
///
/// # Errors
///
/// When something cannot be installed; the message holds the failing command with all its output.
pub fn run(root: &Path) -> Result<Counterparts, Failure> {
    let home = home(root);
    let wanted = root.join(WANTED);
    fs::create_dir_all(&home).map_err(|error| Failure::new(format!("cannot make {}: {error}", home.display())))?;
    let _turn = take_turn(&home.join("lock"))?;
    let base = debian::install_missing()?;
    python::install(&home, &wanted, &base)?;
    node::install(&home, &wanted)?;
    Ok(Counterparts::at(root))
}

/// Installs the earlier Dango, and what asks it and ours alike, and answers where its command is. For benches alone.
///
/// # Errors
///
/// As [`run`].
pub fn install_original(root: &Path) -> Result<PathBuf, Failure> {
    let home = home(root);
    fs::create_dir_all(&home).map_err(|error| Failure::new(format!("cannot make {}: {error}", home.display())))?;
    let _turn = take_turn(&home.join("lock"))?;
    original::install(&home, &debian::install_missing()?)?;
    Ok(original(root))
}

/// Where the earlier Dango's command is, whether or not it is installed.
#[must_use]
pub fn original(root: &Path) -> PathBuf {
    original::program(&home(root))
}

fn home(root: &Path) -> PathBuf {
    root.join("target/counterparts")
}

/// Waits for another setup of the same checkout; the turn ends when the file is dropped.
fn take_turn(path: &Path) -> Result<File, Failure> {
    let cannot = |error| Failure::new(format!("cannot lock {}: {error}", path.display()));
    let file = File::create(path).map_err(cannot)?;
    file.lock().map_err(cannot)?;
    Ok(file)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_installed_below_the_target_folder() {
        let places = Counterparts::at(Path::new("checkout"));
        assert!(places.python.starts_with("checkout/target/counterparts"));
        assert!(places.node_modules.starts_with("checkout/target/counterparts"));
    }

    #[test]
    fn the_variables_of_a_test_run_name_every_place() {
        let places = Counterparts::at(Path::new("checkout"));
        let named: Vec<PathBuf> = places.variables().into_iter().map(|(_, value)| PathBuf::from(value)).collect();
        assert_eq!(named, [places.python, places.node, places.node_modules, places.chromium]);
    }
}
