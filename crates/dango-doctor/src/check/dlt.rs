//! What dlt reads in the place of what is stored, and where it stops: variables that go before, `config.toml`, merging, run secrets, traces.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dango_core::{CredentialPath, SecretValue};
use dango_scan::{Formats, KnownValue, Scanner, Subject};
use dango_secrets::dlt::{Access, Note, Provider, Start, Surroundings, explain};
use dango_secrets::document::SecretsDocument;
use dango_secrets::storage;
use dango_secrets::{Value, dlt};
use dango_sources::Presence;

use super::values::{is_secret_name, specs_of};
use crate::chart::{Chart, SettingsKind, as_settings, read_file};
use crate::code::Code;
use crate::disk;
use crate::finding::{Finding, word};

/// What dlt calls the file in which it keeps what it did last.
const TRACE: &str = "trace.pickle";

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let (secrets, config) = (chart.roots(SettingsKind::Secrets), chart.roots(SettingsKind::Config));
    let (secret_files, config_files) = (as_settings(&secrets), as_settings(&config));
    let around = Surroundings {
        environment: &|name| chart.site.variable(name),
        // A program that loads `.env` has it behind the environment.
        dotenv: &|name| chart.variables.value(name).filter(|_| chart.site.variable(name).is_none()).cloned(),
        run_secrets: &|name| run_secret(chart, name).is_some(),
        secrets: &secret_files,
        config: &config_files,
        start: Start::DotenvLoaded,
    };
    variables(chart, &around, found);
    config_toml(chart, &around, found);
    merging(chart, found);
    run_secrets(chart, &around, found);
    traces(chart, found);
}

/// The credentials that dlt looks up section by section.
fn looked_up(chart: &Chart<'_>) -> impl Iterator<Item = CredentialPath> {
    let document = chart.opened.as_ref().map(SecretsDocument::entries).unwrap_or_default();
    let paths = document.into_iter().map(|entry| entry.path);
    paths.filter(|path| matches!(path.parts()[0].as_str(), "sources" | "destination") && path.parts().len() > 1)
}

fn variables(chart: &Chart<'_>, around: &Surroundings<'_>, found: &mut Vec<Finding>) {
    for path in looked_up(chart) {
        let explanation = explain(&path, Access::SecretArgument, None, around);
        let by_variable = |index: &usize| {
            let place = explanation.places.get(*index)?;
            matches!(place.provider, Provider::EnvironmentVariables | Provider::DotEnv).then_some(place)
        };
        let (mut shadows, mut empty) = (None, None);
        for note in &explanation.notes {
            match note {
                Note::VariableShadowsFile { place, .. } => shadows = by_variable(place),
                Note::EmptyWins { place } => empty = by_variable(place),
                _ => {}
            }
        }
        let (code, place, what) = match (shadows, empty) {
            (_, Some(place)) => (Code::EmptyVariable, place, "is empty, and dlt takes that for the value of"),
            (Some(place), None) => (Code::VariableShadows, place, "goes before the stored value of"),
            (None, None) => continue,
        };
        let name = place.name.escape_debug().to_string();
        let (of, fix) = match place.provider {
            Provider::DotEnv => (" of .env", format!("`dango env unset {}`, or give it another name", word(&name))),
            _ => (
                "",
                format!("`unset {}` before dlt is started, or give the variable another name", word(&name)),
            ),
        };
        found.push(Finding::new(
            code,
            path.to_string(),
            format!("the variable {name}{of} {what} {path}"),
            fix,
        ));
    }
}

/// Secrets belong into `secrets.toml`; dlt stops where it finds one in `config.toml`.
fn config_toml(chart: &Chart<'_>, around: &Surroundings<'_>, found: &mut Vec<Finding>) {
    for file in chart.settings.iter().filter(|file| file.kind == SettingsKind::Config) {
        let Some(document) = &file.document else { continue };
        let place = chart.site.name_of(&file.path);
        let mut refused: BTreeSet<CredentialPath> = BTreeSet::new();
        for entry in document.entries() {
            let table = entry.path.parent().filter(|table| table.leaf() == "credentials");
            if let Some(table) = table
                && !refused.contains(&table)
            {
                let notes = explain(&entry.path, Access::PlainArgument, None, around).notes;
                if notes
                    .iter()
                    .any(|note| matches!(note, Note::CredentialsInConfig { place } if place.path == table))
                {
                    found.push(Finding::new(
                        Code::CredentialsInConfig,
                        table.to_string(),
                        format!("{place} has the table [{table}], and no file with secrets has it: dlt stops with an error"),
                        format!(
                            "store its values with `dango secrets set {}`, and take the table out of {place}",
                            word(&format!("{table}.KEY"))
                        ),
                    ));
                    refused.insert(table);
                }
            }
        }
        for entry in document.entries() {
            let is_told = entry.path.parent().is_some_and(|table| refused.contains(&table));
            let is_text = matches!(&entry.value, Value::String(text) if !text.verbatim().trim().is_empty());
            if !is_told && is_text && is_secret(&entry.path) {
                let path = &entry.path;
                found.push(Finding::new(
                    Code::SecretInConfig,
                    path.to_string(),
                    format!("{path} stands in {place}, which is made to be committed; dlt refuses a secret from there"),
                    format!(
                        "`dango secrets set {}`, and take the line out of {place}; if it was committed, rotate it",
                        word(&path.to_string())
                    ),
                ));
            }
        }
    }
}

/// By its name, or by the catalogue.
fn is_secret(path: &CredentialPath) -> bool {
    let by_catalogue = match path.parts() {
        [top, section, .., key] if top == "sources" => specs_of(section).any(|spec| spec.field(key).is_some_and(|field| field.secret)),
        _ => false,
    };
    by_catalogue || is_secret_name(path.leaf())
}

fn merging(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    for kind in [SettingsKind::Secrets, SettingsKind::Config] {
        let of_kind = || chart.settings.iter().filter(move |file| file.kind == kind);
        let is_global = |path: &Path| path.starts_with(&chart.dlt.global_dir);
        for above in of_kind().filter(|file| !is_global(&file.path)) {
            for below in of_kind().filter(|file| is_global(&file.path)) {
                let (Some(ours), Some(theirs)) = (&above.document, &below.document) else {
                    continue;
                };
                let Some(path) = ours.refused_by_merge(theirs) else { continue };
                let (above, below) = (chart.site.name_of(&above.path), chart.site.name_of(&below.path));
                found.push(Finding::new(
                    Code::InlineTable,
                    below.clone(),
                    format!("{below} has {path} as a table in braces, into which dlt cannot merge that of {above}: every look-up fails"),
                    format!("write it in {below} as a table with a header of its own: [{path}]"),
                ));
            }
        }
    }
}

/// The file of a run secret: itself, or one of the same name in a folder of that name.
fn run_secret(chart: &Chart<'_>, name: &str) -> Option<PathBuf> {
    // A key may hold anything; a name that leads elsewhere is none.
    if name.is_empty() || name.split('/').any(|part| part == "..") {
        return None;
    }
    let path = chart.site.run_secrets.join(name);
    let seen = disk::look(&path)?;
    match (seen.is_file, seen.is_dir) {
        (true, _) => Some(path),
        (_, true) => Some(path.join(path.file_name()?)).filter(|path| disk::look(path).is_some_and(|seen| seen.is_file)),
        _ => None,
    }
}

fn run_secrets(chart: &Chart<'_>, around: &Surroundings<'_>, found: &mut Vec<Finding>) {
    let mut names: BTreeSet<String> = disk::names(chart.site.run_secrets)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        // What dlt reads has its sections in its name.
        .filter(|name| name.contains("--"))
        .collect();
    if disk::look(chart.site.run_secrets).is_some() {
        for path in looked_up(chart) {
            let places = explain(&path, Access::SecretArgument, None, around).places;
            let read = places
                .into_iter()
                .filter(|place| place.provider == Provider::RunSecrets && place.state.is_value());
            names.extend(read.map(|place| place.name));
        }
    }
    for path in names.iter().filter_map(|name| run_secret(chart, name)) {
        let Some(contents) = read_file(chart.site, &path, found) else {
            continue;
        };
        if matches!(contents.bytes().last(), Some(b'\n' | b'\r')) {
            let place = chart.site.name_of(&path);
            found.push(Finding::new(
                Code::RunSecretLineEnd,
                place.clone(),
                format!("{place} ends with a line end, which dlt takes for a part of the secret"),
                "make the secret without one: `printf %s` in the place of `echo`",
            ));
        }
    }
}

/// dlt pickles what it was asked for without knowing that it is a secret, in a file that others may read.
fn traces(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let data = chart
        .site
        .path_variable("DLT_DATA_DIR")
        .unwrap_or_else(|| chart.dlt.global_dir.clone());
    let pipelines = data.join("pipelines");
    let names = disk::names(&pipelines).unwrap_or_default();
    let traces: Vec<PathBuf> = names.into_iter().map(|name| pipelines.join(name).join(TRACE)).collect();
    let traces: Vec<PathBuf> = traces
        .into_iter()
        .filter(|path| disk::look(path).is_some_and(|seen| seen.is_file))
        .collect();
    if traces.is_empty() {
        return;
    }
    let (scanner, _) = Scanner::new(known_values(chart), Formats::Left);
    for path in traces {
        let Ok(Some(contents)) = storage::read(&path) else { continue };
        let hits = scanner.scan(contents.bytes());
        let known = hits.into_iter().filter_map(|hit| match hit.subject {
            Subject::Known { path, .. } => Some(path),
            Subject::Token { .. } => None,
        });
        let paths: BTreeSet<String> = known.collect();
        if paths.is_empty() {
            continue;
        }
        let place = chart.site.name_of(&path);
        let named: Vec<&str> = paths.iter().map(String::as_str).collect();
        found.push(Finding::new(
            Code::SecretInTrace,
            place.clone(),
            format!("{place} holds the value of {}, in clear text", named.join(", ")),
            format!(
                "`rm {}`, which dlt makes anew; ask for the value as `dlt.secrets.value` or as `TSecretStrValue`",
                word(&place)
            ),
        ));
    }
}

/// Every text of the two files under the name that people know.
pub(super) fn known_values(chart: &Chart<'_>) -> Vec<KnownValue> {
    let mut values = Vec::new();
    for entry in chart.values() {
        collect(&entry.path, &entry.value, &mut values);
    }
    let of_env = chart
        .variables
        .iter()
        .filter_map(|(name, value)| Some(KnownValue::new(name, value?.clone())));
    values.extend(of_env);
    values
}

fn collect(path: &CredentialPath, value: &Value, values: &mut Vec<KnownValue>) {
    let text = match value {
        Value::String(text) if !text.has_reference() => text.verbatim(),
        Value::Integer { text, .. } | Value::Float { text, .. } => text.clone(),
        Value::Array(items) => return items.iter().for_each(|item| collect(path, item, values)),
        Value::Table(entries) => {
            return entries.iter().for_each(|(name, item)| collect(&path.child(name), item, values));
        }
        _ => return,
    };
    // What every project of dlt's begins with is nobody's value.
    if Presence::of(&text) == Presence::Placeholder {
        return;
    }
    let text = SecretValue::new((*text).clone()).ok();
    values.extend(text.map(|text| KnownValue::new(path.to_string(), text)));
}

/// The variable under which dlt reads a path, for messages.
pub(super) fn variable_of(path: &CredentialPath) -> Option<String> {
    dlt::variable_name(path).ok().map(|name| name.to_string())
}
