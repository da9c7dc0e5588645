//! `dango secrets explain`: every place where dlt looks for a credential, in its order, and which one wins; no value.

use std::path::{Path, PathBuf};

use clap::Args;
use dango_core::CredentialPath;
use dango_secrets::Value;
use dango_secrets::dlt::{self, Access, DltFiles, Explanation, Machine, Place, SettingsFile, Start, State, Surroundings, UnreadableFile};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::Precedence;
use dango_secrets::storage;
use dango_vault::is_encrypted;
use serde::Serialize;

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::chain;
use crate::opened::{Opened, process_variable};
use crate::output::Output;

/// Where a container's secrets are mounted; dlt looks there first.
const RUN_SECRETS: &str = "/run/secrets";

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    /// The credential, as in sources.stripe_analytics.stripe_secret_key
    #[arg(value_name = "PATH")]
    path: String,
    /// The name of the pipeline that is active; dlt looks below it first
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Explain `dlt.secrets["PATH"]`, which leaves no section out, instead of an argument of a source
    #[arg(long)]
    item: bool,
}

#[derive(Serialize)]
struct Report {
    path: String,
    variable: Option<String>,
    winner: Option<usize>,
    places: Vec<Row>,
    notes: Vec<Remark>,
}

#[derive(Serialize)]
struct Row {
    provider: &'static str,
    location: Option<String>,
    name: String,
    state: &'static str,
    #[serde(rename = "type")]
    value_type: Option<&'static str>,
    encrypted: bool,
    wins: bool,
}

#[derive(Serialize)]
struct Remark {
    code: &'static str,
    message: String,
}

pub(crate) fn run(arguments: &ExplainArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let path = parse_path(&arguments.path)?;
    let opened = Opened::find(global, output.host)?;
    let env = opened.env()?;
    let access = if arguments.item {
        Access::SecretsItem
    } else {
        Access::SecretArgument
    };
    let process = process_variable(output.host);
    // `.env` as a program started by `dango run` has it: behind the environment.
    let loaded = env.values(&process, Precedence::Environment).unwrap_or_default();
    let files = locate(opened.project.root(), output);
    let secrets = read_all(&files.secrets);
    let config = read_all(&files.config);
    let explanation = dlt::explain(
        &path,
        access,
        arguments.pipeline.as_deref(),
        &Surroundings {
            environment: &process,
            dotenv: &|name| loaded.value(name).cloned(),
            run_secrets: &|name| run_secret(Path::new(RUN_SECRETS), name),
            secrets: &settings(&secrets),
            config: &settings(&config),
            start: Start::DotenvLoaded,
        },
    );
    drop(process);
    let report = report(&explanation, &secrets);
    if output.json {
        return output.json(&report);
    }
    print(&report, output)
}

fn print(report: &Report, output: &mut Output<'_>) -> Outcome {
    let mut rows = Vec::new();
    for (index, row) in report.places.iter().enumerate() {
        let found = match (row.state, row.value_type) {
            ("found", _) if row.encrypted => "encrypted".to_owned(),
            ("found", Some(value_type)) => value_type.to_owned(),
            ("found", None) => "table".to_owned(),
            (state, _) => state.replace('_', " "),
        };
        let wins = if row.wins { "<- wins" } else { "" };
        let place = row.location.clone().unwrap_or_else(|| "environment".to_owned());
        rows.push(vec![(index + 1).to_string(), place, row.name.clone(), found, wins.to_owned()]);
    }
    output.table(&["#", "PLACE", "NAME", "FOUND", ""], &rows)?;
    if report.winner.is_none() {
        output.say(format!("dlt finds no value for {}", report.path));
    }
    for note in &report.notes {
        output.say(format!("note: {}", note.message));
    }
    output.say("with `.env` loaded, as `dango run` does; dlt by itself does not read it");
    Ok(())
}

fn report(explanation: &Explanation, secrets: &[Parsed]) -> Report {
    let encrypted = |place: &Place| {
        let location = place.location.as_deref();
        let file = secrets.iter().find(|(name, _)| Some(name.as_str()) == location);
        let found = file.and_then(|(_, content)| value_at(content.as_ref().ok()?, &place.path));
        found.is_some_and(is_encrypted)
    };
    let mut notes: Vec<Remark> = explanation
        .notes
        .iter()
        .map(|note| Remark {
            code: note.code(),
            message: note.to_string(),
        })
        .collect();
    if explanation.winner.is_some_and(|winner| encrypted(&explanation.places[winner])) {
        notes.push(Remark {
            code: "encrypted",
            message: "dlt by itself reads the encrypted text; `dango run` hands on the value in the environment, which wins".to_owned(),
        });
    }
    let places = explanation.places.iter().enumerate().map(|(index, place)| Row {
        encrypted: encrypted(place),
        provider: place.provider.as_str(),
        location: place.location.clone(),
        name: place.name.clone(),
        state: place.state.as_str(),
        value_type: match place.state {
            State::Found(value_type) => value_type.map(|value_type| value_type.as_str()),
            _ => None,
        },
        wins: explanation.winner == Some(index),
    });
    Report {
        path: explanation.path.to_string(),
        variable: dlt::variable_name(&explanation.path).ok().map(|name| name.as_str().to_owned()),
        winner: explanation.winner.map(|index| index + 1),
        places: places.collect(),
        notes,
    }
}

fn value_at<'v>(root: &'v Value, path: &CredentialPath) -> Option<&'v Value> {
    path.parts().iter().try_fold(root, |value, part| match value {
        Value::Table(entries) => entries.iter().find(|(key, _)| key == part).map(|(_, value)| value),
        _ => None,
    })
}

/// Asks the machine what dlt asks it.
fn locate(root: &Path, output: &Output<'_>) -> DltFiles {
    let host = &output.host;
    DltFiles::locate(&Machine {
        working_dir: root,
        environment: &|name| host.variable(name).map(str::to_owned),
        home: host.home().as_deref(),
        effective_uid: Some(rustix::process::geteuid().as_raw()),
        temporary_dir: &host.path_variable("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")),
        is_file: &|path| path.is_file(),
        is_dir: &|path| path.is_dir(),
        is_writable: &|path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok(),
        first_line: &|path| {
            let contents = storage::read(path).ok().flatten()?;
            let text = std::str::from_utf8(contents.bytes()).ok()?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        },
    })
}

type Parsed = (String, Result<Value, UnreadableFile>);

/// Reads the files that exist; what dlt cannot read is kept as the reason.
fn read_all(paths: &[PathBuf]) -> Vec<Parsed> {
    let present = paths.iter().filter(|path| path.is_file());
    present.map(|path| (path.display().to_string(), read(path))).collect()
}

fn read(path: &Path) -> Result<Value, UnreadableFile> {
    let malformed = |error: &dyn std::error::Error| UnreadableFile::Malformed(chain(error));
    let contents = storage::read(path).map_err(|error| malformed(&error))?;
    let document = SecretsDocument::parse(contents.as_ref().map_or(&[], |contents| contents.bytes())).map_err(|error| malformed(&error))?;
    if document.has_bom() {
        Err(UnreadableFile::ByteOrderMark)
    } else {
        Ok(document.root())
    }
}

fn settings(parsed: &[Parsed]) -> Vec<SettingsFile<'_>> {
    let files = parsed.iter();
    files
        .map(|(location, content)| SettingsFile {
            location: location.clone(),
            content: content.as_ref().map_err(Clone::clone),
        })
        .collect()
}

/// A file, or a directory with a file of the same name in it, as container systems mount a secret.
fn run_secret(directory: &Path, name: &str) -> bool {
    let path = directory.join(name);
    path.is_file() || path.join(name).is_file()
}
