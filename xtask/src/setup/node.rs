//! The Node packages, exactly as the lock file has them: dotenv and dotenvx read `.env`, playwright-core drives Chromium, axe-core judges
//! pages, oidc-provider is a certified OpenID provider, oauth4webapi a certified client of such.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{read, stamp};
use crate::step::{self, Failure};

/// Prints `name@version` for each package that is named in the arguments, after one real parse and a look at what drives and judges pages.
const ANSWER: &str = "const parsed = require('dotenv').parse('A=1');
if (parsed.A !== '1' || !require('playwright-core').chromium || !require('axe-core').source) process.exit(1);
for (const name of process.argv.slice(1)) console.log(`${name}@${require(`${process.cwd()}/node_modules/${name}/package.json`).version}`);";

/// The folder with the installed packages.
pub(super) fn modules(home: &Path) -> PathBuf {
    home.join("node/node_modules")
}

/// Installs the locked packages anew unless that was done for the same lock file and they answer with those versions.
pub(super) fn install(home: &Path, wanted: &Path) -> Result<(), Failure> {
    let folder = home.join("node");
    let manifest = read(&wanted.join("package.json"))?;
    let lock = read(&wanted.join("package-lock.json"))?;
    let pins = parse_pins(&manifest)?;
    let wish = format!("{manifest}{lock}{}", step::quiet(Command::new("node").arg("--version"))?);
    if stamp::matches(&folder, &wish) && answer(&folder, &pins).is_ok() {
        return Ok(());
    }
    println!("    installing Node packages: {}", pins.join(" "));
    stamp::clear(&folder)?;
    for (name, text) in [("package.json", &manifest), ("package-lock.json", &lock)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
    }
    step::quiet(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder),
    )?;
    answer(&folder, &pins)?;
    stamp::write(&folder, &wish)
}

fn answer(folder: &Path, pins: &[String]) -> Result<(), Failure> {
    let names = pins.iter().filter_map(|pin| pin.rsplit_once('@').map(|(name, _)| name));
    let said = step::quiet(Command::new("node").args(["-e", ANSWER, "--"]).args(names).current_dir(folder))?;
    let versions: Vec<&str> = said.lines().collect();
    if versions == pins {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "wanted {}, node_modules has {}",
            pins.join(" "),
            versions.join(" ")
        )))
    }
}

/// The direct dependencies as `name@version`.
fn parse_pins(manifest: &str) -> Result<Vec<String>, Failure> {
    let manifest: Value = serde_json::from_str(manifest).map_err(|error| Failure::new(format!("cannot parse package.json: {error}")))?;
    let dependencies = manifest["dependencies"]
        .as_object()
        .ok_or_else(|| Failure::new("package.json names no dependencies"))?;
    Ok(dependencies
        .iter()
        .map(|(name, version)| format!("{name}@{}", version.as_str().unwrap_or_default()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scoped_package_keeps_its_scope() {
        let pins = parse_pins(r#"{"dependencies": {"@dotenvx/dotenvx": "2.38.2", "dotenv": "18.0.10"}}"#);
        assert_eq!(pins, Ok(vec!["@dotenvx/dotenvx@2.38.2".to_owned(), "dotenv@18.0.10".to_owned()]));
    }

    #[test]
    fn the_lock_file_names_versions_and_digests_but_no_host_to_fetch_from() {
        let root = crate::workspace::root().expect("the tests run in the workspace");
        let lock = read(&root.join(super::super::WANTED).join("package-lock.json")).expect("it is in the repository");
        let lock: Value = serde_json::from_str(&lock).expect("npm writes JSON");
        let packages = lock["packages"].as_object().expect("a lock file lists packages");
        for (place, package) in packages.iter().filter(|(place, _)| !place.is_empty()) {
            assert!(package["integrity"].is_string(), "{place} has no digest");
            assert!(
                package.get("resolved").is_none(),
                "{place} names a host: install with --omit-lockfile-registry-resolved"
            );
        }
    }
}
