//! `dango secrets diff`: this project's credentials beside those of another project or file, by name and keyed fingerprint, never by value.

use std::path::{Path, PathBuf};

use clap::Args;
use dango_secrets::document::SecretsDocument;
use dango_secrets::project::Project;
use dango_secrets::storage;
use dango_vault::{Comparison, Difference, Selection};
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct DiffArguments {
    /// The other project's directory, or another file of the same kind
    #[arg(value_name = "OTHER")]
    pub(crate) other: PathBuf,
}

/// A value that is not the same on both sides; the fingerprints are good for one comparison only.
#[derive(Serialize)]
struct Row {
    name: String,
    here: Option<String>,
    there: Option<String>,
}

pub(crate) fn run(arguments: &DiffArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let here = opened.open_secrets(&opened.secrets(output)?, None, output)?;
    let there = match other(&arguments.other, output)? {
        Other::Project(other) => other.open_secrets(&other.secrets(output)?, None, output)?,
        Other::File(path) => {
            let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
            let contents = contents.ok_or_else(|| missing(&path))?;
            let document = SecretsDocument::parse(contents.bytes())
                .map_err(|error| Failure::refused(format!("{}:{}:{}: {}", path.display(), error.line, error.column, error.problem)))?;
            dango_vault::open_secrets(&document, Selection::All, &opened.keys).map_err(|error| opened.vault_failure(&error.into()))?
        }
    };
    let comparison = comparison(output)?;
    let differences = comparison.differences(&comparison.secrets(&here), &comparison.secrets(&there));
    tell(differences, output)
}

/// What is compared with.
pub(crate) enum Other {
    Project(Box<Opened>),
    File(PathBuf),
}

pub(crate) fn other(path: &Path, output: &Output<'_>) -> Result<Other, Failure> {
    let path = output.host.directory.join(path);
    if path.is_dir() {
        return Ok(Other::Project(Box::new(Opened::at(Project::at(&path), output.host)?)));
    }
    if path.is_file() {
        Ok(Other::File(path))
    } else {
        Err(missing(&path))
    }
}

pub(crate) fn missing(path: &Path) -> Failure {
    Failure::refused(format!("there is neither a project nor a file at {}", path.display()))
}

pub(crate) fn comparison(output: &Output<'_>) -> Result<Comparison, Failure> {
    Comparison::begin(output.host.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))
}

pub(crate) fn tell(differences: Vec<Difference>, output: &mut Output<'_>) -> Outcome {
    let rows: Vec<Row> = differences
        .into_iter()
        .map(|difference| Row {
            name: difference.name,
            here: difference.left.map(|fingerprint| fingerprint.to_string()),
            there: difference.right.map(|fingerprint| fingerprint.to_string()),
        })
        .collect();
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say("both hold the same values");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let found = match (row.here, row.there) {
                (Some(_), None) => "only here",
                (None, _) => "only there",
                _ => "differs",
            };
            vec![row.name, found.to_owned()]
        })
        .collect();
    output.table(&["NAME", "FOUND"], &cells)
}
