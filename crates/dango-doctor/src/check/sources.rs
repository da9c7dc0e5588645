//! The sources of `sources.yml` and the sections that dlt's own sources read: what is missing, misplaced or named wrongly.

use std::collections::BTreeSet;

use dango_core::CredentialPath;
use dango_secrets::Value;
use dango_sources::{ConfiguredSource, CredentialState, Presence, SourcesFile, TypeSpec, catalogue};

use super::values::specs_of;
use crate::chart::Chart;
use crate::code::Code;
use crate::finding::{Finding, word};
use crate::repair::Repair;

/// What dlt's Google credentials need beside what the flow gives, and what stands in for it (dlt.md §3.1).
const PROJECT_ID: (&str, &str) = ("project_id", "dango-oauth");

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    // Without the two files nothing is known to be missing.
    if chart.opened.is_none() || chart.env.is_none() {
        return;
    }
    if let Some(file) = &chart.sources {
        for source in file.sources().iter().filter(|source| source.is_enabled()) {
            configured(chart, file, source, found);
        }
    }
    sections(chart, found);
}

fn configured(chart: &Chart<'_>, file: &SourcesFile, source: &ConfiguredSource, found: &mut Vec<Finding>) {
    let name = source.name();
    if let Some(Err(error)) = source.sync().map(|sync| sync.words()) {
        found.push(Finding::new(
            Code::SyncMalformed,
            name.to_string(),
            format!(".dango/sources.yml: {name}: {error}"),
            format!("`dango source edit {name}`, or correct it in an editor"),
        ));
    }
    let Some(state) = file.state(source, &|path| chart.presence(path)) else {
        let known = catalogue().suggest(source.source_type().as_str());
        let fix = match known {
            Some(known) => format!(
                "write `type: {}` in .dango/sources.yml, if that is meant; `dango source types` lists them",
                known.name
            ),
            None => "`dango source types` lists the types that there are".to_owned(),
        };
        found.push(Finding::new(
            Code::SourceTypeUnknown,
            name.to_string(),
            format!(
                "the source {name} is of the type {}, which is not in the catalogue",
                source.source_type()
            ),
            fix,
        ));
        return;
    };
    missing(chart, source, &state, found);
    misplaced(chart, source, &state, found);
    if state.is_complete() {
        for default in state.defaults.iter().filter(|default| default.field.required) {
            found.push(default_missing(&default.path, default.value));
        }
    }
}

fn missing(chart: &Chart<'_>, source: &ConfiguredSource, state: &CredentialState, found: &mut Vec<Finding>) {
    for missing in &state.missing {
        let path = &missing.path;
        // One that earlier versions read from a variable of its own is there for them.
        let earlier = source
            .earlier_variable(missing.field)
            .and_then(|name| chart.variable(name.as_str()));
        if earlier.is_some_and(|value| Presence::of(value.expose()) == Presence::Present) {
            continue;
        }
        let (code, says) = match missing.presence {
            Presence::Empty => (Code::CredentialEmpty, "is empty"),
            // Told as what it is.
            Presence::Placeholder if chart.opened.as_ref().and_then(|document| document.value(path)).is_some() => continue,
            _ => (Code::CredentialMissing, "is missing"),
        };
        let fix = match source.spec() {
            Some(spec) if spec.auth == dango_sources::AuthKind::Oauth => format!("`dango oauth {} --name {}`", spec.name, source.name()),
            _ => format!("`dango secrets set {}`", word(&path.to_string())),
        };
        found.push(Finding::new(
            code,
            path.to_string(),
            format!("{path}, which the source {} needs, {says}", source.name()),
            fix,
        ));
    }
}

/// Only within the source's own section: sections named by type are how earlier versions kept them.
fn misplaced(chart: &Chart<'_>, source: &ConfiguredSource, state: &CredentialState, found: &mut Vec<Finding>) {
    if source.spec().is_none_or(|spec| spec.module.is_none()) {
        return;
    }
    for elsewhere in &state.elsewhere {
        let Some(at) = &elsewhere.found else { continue };
        let is_own = at.parts().get(1).is_some_and(|section| section == source.name().as_str());
        let is_stored = chart.opened.as_ref().is_some_and(|document| document.value(at).is_some());
        if is_own && is_stored {
            found.push(Finding::new(
                Code::CredentialMisplaced,
                at.to_string(),
                format!("{at} is not where dlt reads it: that is {}", elsewhere.path),
                format!(
                    "`dango secrets set {}`, then `dango secrets unset {}`",
                    word(&elsewhere.path.to_string()),
                    word(&at.to_string())
                ),
            ));
        }
    }
}

fn default_missing(path: &CredentialPath, value: &'static str) -> Finding {
    let repair = Repair::WriteDefault { path: path.clone(), value };
    Finding::new(
        Code::DefaultMissing,
        path.to_string(),
        format!("{path} is not written, and dlt does not start without it; `{value}` serves"),
        format!("`printf {value} | dango secrets set {}`", word(&path.to_string())),
    )
    .with(repair)
}

/// The sections of `secrets.toml` that no source of `sources.yml` has: those of pipelines that Dango knows nothing of.
fn sections(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let root = CredentialPath::from_parts(["sources"]).expect("one part is a path");
    let Some(Value::Table(sections)) = chart.opened.as_ref().and_then(|document| document.value(&root)) else {
        return;
    };
    let configured: BTreeSet<&str> = chart
        .sources
        .iter()
        .flat_map(SourcesFile::sources)
        .flat_map(|source| {
            let module = source.spec().and_then(|spec| spec.module);
            [Some(source.name().as_str()), Some(source.source_type().as_str()), module]
        })
        .flatten()
        .collect();
    for (section, value) in &sections {
        let Value::Table(keys) = value else { continue };
        if configured.contains(section.as_str()) {
            continue;
        }
        let path = root.child(section);
        if let Some(spec) = misnamed(section, keys) {
            let module = spec.default_name();
            found.push(Finding::new(
                Code::SectionNotRead,
                path.to_string(),
                format!("dlt's source for {} reads [sources.{module}], not [{path}]", spec.title),
                format!("name the section [sources.{module}] in .dlt/secrets.toml"),
            ));
        }
        let credentials = path.child("credentials");
        let lacks_project = keys.iter().any(|(key, value)| key == "credentials" && is_google_grant(value));
        if lacks_project && is_of_google(chart, section) && chart.presence(&credentials.child(PROJECT_ID.0)) == Presence::Absent {
            found.push(default_missing(&credentials.child(PROJECT_ID.0), PROJECT_ID.1));
        }
    }
}

/// The type whose own name a section has, and some of its credentials, where dlt's source is called otherwise.
fn misnamed(section: &str, keys: &[(String, Value)]) -> Option<&'static TypeSpec> {
    let is_read = specs_of(section).any(|spec| spec.module == Some(section) || spec.source_names.contains(&section));
    let spec = specs_of(section).find(|spec| spec.module.is_some())?;
    let has_key = |key: &str| spec.fields.iter().any(|field| field.secret && field.name == key);
    let below = keys.iter().flat_map(|(key, value)| match value {
        Value::Table(below) if key == "credentials" => below.iter().map(|(key, _)| key.as_str()).collect(),
        _ => vec![key.as_str()],
    });
    (!is_read && below.into_iter().any(has_key)).then_some(spec)
}

/// A grant of an OAuth flow: a service account has its project in its key file.
fn is_google_grant(value: &Value) -> bool {
    let Value::Table(keys) = value else { return false };
    ["client_id", "refresh_token"]
        .iter()
        .all(|wanted| keys.iter().any(|(key, _)| key == wanted))
}

fn is_of_google(chart: &Chart<'_>, section: &str) -> bool {
    let by_type = specs_of(section).any(|spec| spec.field(PROJECT_ID.0).is_some_and(|field| field.default.is_some()));
    let record = CredentialPath::from_parts(["dango", "oauth", section, "provider"]).expect("four parts are a path");
    let noted = chart.opened.as_ref().and_then(|document| document.value(&record));
    by_type || matches!(noted, Some(Value::String(text)) if text.verbatim().as_str() == "google")
}
