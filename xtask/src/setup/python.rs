//! The virtual environment: dlt and python-dotenv, the programs that read users' files in production, and schemathesis, which tries the HTTP API.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{read, stamp};
use crate::step::{self, Failure};

/// Prints `name==version` for each distribution that is named in the arguments, and imports those that matter.
const ANSWER: &str = "import importlib.metadata as m, sys, dlt, dotenv, schemathesis
for name in sys.argv[1:]: print(f'{name}=={m.version(name)}')";

/// The interpreter of the virtual environment.
pub(super) fn interpreter(home: &Path) -> PathBuf {
    home.join("python/bin/python")
}

/// Makes the virtual environment anew unless it was made for the same wishes and answers with those versions.
pub(super) fn install(home: &Path, wanted: &Path, base: &Path) -> Result<(), Failure> {
    let folder = home.join("python");
    let requirements = wanted.join("requirements.txt");
    let pins = parse_pins(&read(&requirements)?);
    // The folder is part of the wish, since scripts in a virtual environment hold their absolute path.
    let version = step::quiet(Command::new(base).args(["-c", "import sys; print(sys.executable, sys.version)"]))?;
    let wish = format!("{}\n{}\n{version}", pins.join("\n"), folder.display());
    if stamp::matches(&folder, &wish) && answer(home, &pins).is_ok() {
        return Ok(());
    }
    println!("    installing into a Python environment: {}", pins.join(" "));
    stamp::clear(&folder)?;
    step::quiet(Command::new(base).args(["-m", "venv"]).arg(&folder))?;
    step::quiet(
        Command::new(interpreter(home))
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    answer(home, &pins)?;
    stamp::write(&folder, &wish)
}

fn answer(home: &Path, pins: &[String]) -> Result<(), Failure> {
    let names = pins.iter().filter_map(|pin| pin.split("==").next());
    // `-I` keeps a PYTHONPATH of the machine from answering in the environment's place.
    let said = step::quiet(Command::new(interpreter(home)).args(["-I", "-c", ANSWER]).args(names))?;
    let versions: Vec<&str> = said.lines().collect();
    if versions == pins {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "wanted {}, the Python environment has {}",
            pins.join(" "),
            versions.join(" ")
        )))
    }
}

/// The lines of a requirements file without comments and blanks.
fn parse_pins(requirements: &str) -> Vec<String> {
    requirements
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_no_pins() {
        assert_eq!(
            parse_pins("# why\ndlt==1.31.0\n\n  PyYAML==6.0.3\n"),
            ["dlt==1.31.0", "PyYAML==6.0.3"]
        );
    }

    #[test]
    fn every_wanted_distribution_is_pinned_to_one_version() {
        let root = crate::workspace::root().expect("the tests run in the workspace");
        let pins = parse_pins(&read(&root.join(super::super::WANTED).join("requirements.txt")).expect("it is in the repository"));
        for name in ["dlt==", "python-dotenv==", "schemathesis=="] {
            assert!(pins.iter().any(|pin| pin.starts_with(name)), "{name}");
        }
        for pin in pins {
            assert_eq!(pin.matches("==").count(), 1, "{pin}");
        }
    }
}
