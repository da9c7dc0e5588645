//! The values that the project stores, each under the name that people know, and the places where they may be.

use std::path::{Path, PathBuf};

use dango_core::{CredentialPath, SecretValue};
use dango_scan::KnownValue;
use dango_secrets::Value;
use dango_secrets::dotenv::Precedence;
use dango_secrets::environment::Variables;

use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;

/// What dango keeps of its own in `secrets.toml`: when a connection was made, and the like.
const OWN_TABLE: &str = "dango";
/// Files of `.dango/` that are made to be committed.
const SHARED: [&str; 4] = ["sources.yml", "remote.toml", "server.toml", "project-id"];

/// Reads both files, opens what is encrypted, and lists every text.
pub(super) fn stored(opened: &Opened, output: &mut Output<'_>) -> Result<Vec<KnownValue>, Failure> {
    let (secrets, env) = (opened.secrets(output)?, opened.env()?);
    let secrets = opened.open_secrets(&secrets, None, output)?;
    let env = opened.open_env(&env, output)?;
    let process = process_variable(output.host);
    let variables = Variables {
        env: &env,
        process: &process,
    };
    let mut values = Vec::new();
    for entry in secrets.entries() {
        if entry.path.parts().first().is_some_and(|first| first == OWN_TABLE) {
            continue;
        }
        // A reference to nothing stands for nothing that could be found.
        if let Ok(value) = entry.value.resolve(&entry.path, &variables) {
            collect(&entry.path, value, &mut values);
        }
    }
    // What the file says, whatever is set around it.
    let from_file = env
        .values(&|_| None, Precedence::File)
        .map_err(|error| Failure::caused_by(&error))?;
    values.extend(
        from_file
            .into_iter()
            .filter_map(|(name, value)| Some(KnownValue::new(name, value?))),
    );
    Ok(values)
}

/// Every text in a value; those in an inline table keep its name, and are told apart from settings by their own.
fn collect(path: &CredentialPath, value: Value, values: &mut Vec<KnownValue>) {
    let text = match value {
        Value::String(text) => text.verbatim(),
        Value::Integer { text, .. } | Value::Float { text, .. } => text,
        Value::Array(items) => return items.into_iter().for_each(|item| collect(path, item, values)),
        Value::Table(entries) => {
            return entries
                .into_iter()
                .for_each(|(name, item)| collect(&path.child(name), item, values));
        }
        _ => return,
    };
    values.extend(
        SecretValue::new((*text).clone())
            .ok()
            .map(|text| KnownValue::new(path.to_string(), text)),
    );
}

/// The files that values may be in: the project's own, and what they are links to.
pub(super) fn places(project: &Path) -> Vec<PathBuf> {
    let mut places = vec![project.join(".env"), project.join(".dlt/secrets.toml")];
    let in_folder = |folder: &str, is_one: fn(&str) -> bool| {
        let entries = project.join(folder).read_dir().into_iter().flatten().flatten();
        let named = entries.filter(move |entry| entry.file_name().to_str().is_none_or(is_one));
        named.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    places.extend(in_folder(".dlt", |name| name.ends_with(".secrets.toml")));
    places.extend(in_folder(".dango", |name| !SHARED.contains(&name)));
    let targets: Vec<PathBuf> = places.iter().filter_map(|place| place.canonicalize().ok()).collect();
    places.extend(targets);
    places.sort();
    places.dedup();
    places
}
