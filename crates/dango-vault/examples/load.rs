//! Loads a project's values again and again in one process, as a command does once: `load PROJECT TIMES`, the key in `DANGO_KEY`.
//!
//! `cargo xtask bench` runs it on the same values, plain and encrypted.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own: it reads the environment and says what it has loaded"
)]

use std::error::Error;

use dango_core::{OsEntropy, SecretValue, SystemClock};
use dango_keyring::{KeySet, MasterKey};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::project::Project;
use dango_vault::{Keys, Selection, Vault, open_env, open_secrets};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(times)) = (arguments.next(), arguments.next()) else {
        return Err("usage: load PROJECT TIMES".into());
    };
    let key = MasterKey::parse(&SecretValue::new(std::env::var("DANGO_KEY")?)?)?;
    let (project, keys) = (Project::at(folder), KeySet::new(key, None));
    let mut loaded = (0, None);
    for _ in 0..times.parse()? {
        loaded = load(&project, &keys)?;
    }
    let (count, last) = loaded;
    println!("{count} values, the last {}", last.unwrap_or_default());
    Ok(())
}

/// Reads, checks and opens both files; gives the number of values and the last text among them.
fn load(project: &Project, keys: &KeySet) -> Result<(usize, Option<String>), Box<dyn Error>> {
    let keys = Keys::at_hand(keys);
    let vault = Vault::new(project, &keys, &OsEntropy, &SystemClock, "load");
    let (mut count, mut last) = (0, None);
    if let Some(contents) = project.secrets()? {
        let document = SecretsDocument::parse(contents.bytes())?;
        if let Some(warning) = vault.check_secrets(&document)? {
            return Err(warning.to_string().into());
        }
        let entries = open_secrets(&document, Selection::All, &keys)?.entries();
        // The seal is in a table of our own.
        for entry in entries.iter().filter(|entry| entry.path.parts()[0] != "dango") {
            count += 1;
            if let Value::String(text) = &entry.value {
                last = Some(text.verbatim().to_string());
            }
        }
    }
    if let Some(contents) = project.env()? {
        let document = EnvDocument::parse(contents.bytes())?;
        if let Some(warning) = vault.check_env(&document)? {
            return Err(warning.to_string().into());
        }
        for bound in open_env(&document, &keys)?.bindings() {
            count += 1;
            last = bound.expose().map(str::to_owned);
        }
    }
    Ok((count, last))
}
