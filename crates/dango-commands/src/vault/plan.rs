//! What a move is going to move: which files there are, and how many values stand in them.

use dango_secrets::home::SharedFile;
use dango_vault::{is_encrypted, is_encrypted_binding};
use serde::Serialize;

use super::failures;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// What dango keeps of its own in `secrets.toml`: seals, and when a connection was made.
const OWN_TABLE: &str = "dango";

/// One file that is there.
#[derive(Debug, Serialize)]
pub(super) struct PlannedFile {
    pub(super) file: &'static str,
    /// How many values stand in it, where it has values.
    pub(super) values: Option<usize>,
    /// How many of them are encrypted.
    pub(super) encrypted: Option<usize>,
}

/// Every file that there is, wherever the project keeps them now.
pub(super) fn files(opened: &Opened, output: &mut Output<'_>) -> Result<Vec<PlannedFile>, Failure> {
    let mut files = Vec::new();
    for file in SharedFile::ALL {
        let contents = opened.project.read(file).map_err(|error| failures::of_read(&error))?;
        if contents.is_none() {
            continue;
        }
        let counts = match file {
            SharedFile::Secrets => {
                let mut entries = opened.secrets(output)?.entries();
                entries.retain(|entry| entry.path.parts().first().is_none_or(|first| first != OWN_TABLE));
                Some((entries.len(), entries.iter().filter(|entry| is_encrypted(&entry.value)).count()))
            }
            SharedFile::Env => {
                let env = opened.env()?;
                Some((
                    env.bindings().count(),
                    env.bindings().filter(|binding| is_encrypted_binding(binding)).count(),
                ))
            }
            _ => None,
        };
        files.push(PlannedFile {
            file: file.path(),
            values: counts.map(|(values, _)| values),
            encrypted: counts.map(|(_, encrypted)| encrypted),
        });
    }
    Ok(files)
}

/// How many values there are in all.
pub(super) fn values(files: &[PlannedFile]) -> usize {
    files.iter().filter_map(|file| file.values).sum()
}

/// How many of them are plain.
pub(super) fn plain(files: &[PlannedFile]) -> usize {
    let encrypted: usize = files.iter().filter_map(|file| file.encrypted).sum();
    values(files) - encrypted
}

/// A line for each file.
pub(super) fn tell(files: &[PlannedFile], output: &mut Output<'_>) {
    for file in files {
        output.say(match (file.values, file.encrypted) {
            (Some(values), Some(encrypted)) => {
                let noun = if values == 1 { "value" } else { "values" };
                format!("{}: {values} {noun}, {encrypted} encrypted", file.file)
            }
            _ => file.file.to_owned(),
        });
    }
}
