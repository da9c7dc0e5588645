//! What a rotation replaces, and the new values for it: found in the files and asked for, before anything is begun.

use dango_core::{CredentialPath, SecretValue};
use dango_rotation::{Change, Files, Located, credential_paths, locate, locate_variable, plain_text};
use dango_secrets::References;
use dango_secrets::document::{NewType, NewValue, SecretsDocument};
use dango_secrets::dotenv::EnvDocument;
use dango_sources::{ConfiguredSource, FieldKind, FieldSpec, TypeSpec};
use dango_vault::{ValuePlace, spell};

use super::copies::with_copies;
use super::{RotateArguments, locate_failure};
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::prompt;
use crate::source::{Sources, find_field};

/// Both files, as they are and opened.
pub(crate) struct ReadFiles {
    pub(crate) secrets: SecretsDocument,
    pub(crate) opened_secrets: SecretsDocument,
    pub(crate) env: EnvDocument,
}

impl ReadFiles {
    pub(crate) fn read(opened: &Opened, output: &mut Output<'_>) -> Result<Self, Failure> {
        let secrets = opened.secrets(output)?;
        let opened_secrets = opened.open_secrets(&secrets, None, output)?;
        let env = opened.env()?;
        let env = opened.open_env(&env, output)?;
        Ok(Self {
            secrets,
            opened_secrets,
            env,
        })
    }

    /// Does something with them and the process environment.
    pub(crate) fn with<T>(&self, output: &Output<'_>, act: impl FnOnce(&Files<'_>) -> T) -> T {
        let process = process_variable(output.host);
        act(&Files {
            secrets: &self.secrets,
            opened_secrets: &self.opened_secrets,
            env: &self.env,
            process: &process,
        })
    }
}

/// A value that is replaced, and what kind of value may take its place.
struct Target {
    label: String,
    located: Located,
    kind: FieldKind,
}

/// Finds what is replaced, and asks for what comes.
pub(super) fn take(
    arguments: &RotateArguments,
    source: &ConfiguredSource,
    sources: &Sources,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Vec<Change>, Failure> {
    refuse_connection(source, sources, output)?;
    let files = ReadFiles::read(opened, output)?;
    let given = given(&arguments.set, source)?;
    let secret = targets(arguments, source, sources, &files, output)?;
    let mut changes = Vec::new();
    for (field, text) in &given {
        let path = path_of(field, source, sources, output);
        let located = path.map_or(Err(Failure::usage(format!("{} is a setting of sources.yml", field.name))), |path| {
            files
                .with(output, |files| locate(&path, files))
                .map_err(|error| locate_failure(&error))
        })?;
        let new = SecretValue::new(text.clone()).map_err(|error| Failure::caused_by(&error))?;
        changes.push(changed(field.name, located, &new, field.kind)?);
    }
    // A user name or a region may stand elsewhere for other reasons; only a secret is the same thing wherever it stands.
    let secrets_from = changes.len();
    let news = read_new(arguments, &secret, output)?;
    for (target, new) in secret.into_iter().zip(news) {
        changes.push(changed(&target.label, target.located, &new, target.kind)?);
    }
    refuse_same(&changes)?;
    with_copies(changes, secrets_from, arguments.copies, &files, output)
}

/// A connection's tokens are made by its provider, never typed.
fn refuse_connection(source: &ConfiguredSource, sources: &Sources, output: &Output<'_>) -> Result<(), Failure> {
    let name = source.name();
    match sources.connection(name, output) {
        Some(_) => Err(
            Failure::refused(format!("{name} is connected to its provider, which makes its tokens"))
                .hint(format!("`dango oauth refresh {name}` has new ones made"))
                .hint("`dango oauth setup PROVIDER` replaces the client secret of the app")
                .with_code("rotation-connection"),
        ),
        None => Ok(()),
    }
}

/// The options `--set`, each with its field.
fn given(set: &[String], source: &ConfiguredSource) -> Result<Vec<(&'static FieldSpec, String)>, Failure> {
    let mut given = Vec::with_capacity(set.len());
    for option in set {
        let Some((field, text)) = option.split_once('=') else {
            return Err(Failure::usage("--set takes FIELD=VALUE").hint("a secret field is named by `--field FIELD`"));
        };
        let field = find_field(spec_of(source)?, field)?;
        if field.secret {
            return Err(
                Failure::usage(format!("{} is a secret and is never taken from the argument list", field.name))
                    .hint(format!("name it with `--field {}`", field.name)),
            );
        }
        given.push((field, text.to_owned()));
    }
    Ok(given)
}

fn spec_of(source: &ConfiguredSource) -> Result<&'static TypeSpec, Failure> {
    source.spec().ok_or_else(|| {
        Failure::usage("the source's type is not in the catalogue, so it has no fields").hint("name the credential by its PATH")
    })
}

/// Where a field of the source is stored.
fn path_of(field: &FieldSpec, source: &ConfiguredSource, sources: &Sources, output: &Output<'_>) -> Option<CredentialPath> {
    let state = sources.state(source, output)?;
    let elsewhere = state.elsewhere.iter().find(|elsewhere| elsewhere.field == field.name);
    elsewhere
        .and_then(|elsewhere| elsewhere.found.clone())
        .or_else(|| source.spec()?.path(source.name(), field))
}

fn targets(
    arguments: &RotateArguments,
    source: &ConfiguredSource,
    sources: &Sources,
    files: &ReadFiles,
    output: &mut Output<'_>,
) -> Result<Vec<Target>, Failure> {
    let place = |label: &str, path: &CredentialPath, kind: FieldKind, output: &Output<'_>| {
        let located = files
            .with(output, |files| locate(path, files))
            .map_err(|error| locate_failure(&error))?;
        Ok(Target {
            label: label.to_owned(),
            located,
            kind,
        })
    };
    if let Some(path) = &arguments.path {
        let target = named(path, files, output)?;
        refuse_foreign(&target.located.place, source, sources, files, output)?;
        return Ok(vec![target]);
    }
    if !arguments.field.is_empty() {
        let spec = spec_of(source)?;
        let mut targets = Vec::with_capacity(arguments.field.len());
        for field in &arguments.field {
            let field = find_field(spec, field)?;
            let path = path_of(field, source, sources, output).ok_or_else(|| {
                Failure::usage(format!("{} is a setting of sources.yml", field.name)).hint("`dango source edit` changes settings")
            })?;
            targets.push(place(field.name, &path, field.kind, output)?);
        }
        return Ok(targets);
    }
    let stored = stored(source, sources, files, output);
    let chosen = match stored.as_slice() {
        [] => {
            return Err(Failure::refused(format!("no secret of {} is stored", source.name()))
                .hint("`dango source list` shows what is missing")
                .with_code("nothing-stored"));
        }
        [only] => only,
        several if output.host.terminal.input => {
            let labels = several.iter().map(|(field, path)| format!("{field} ({path})")).collect();
            &several[prompt::choice("Replace which credential?", labels)?]
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(field, _)| field.as_str()).collect();
            return Err(
                Failure::usage(format!("{} has several secrets: {}", source.name(), names.join(", ")))
                    .hint("say which is replaced with `--field FIELD`, or by its PATH"),
            );
        }
    };
    let (field, path) = chosen;
    let kind = source
        .spec()
        .and_then(|spec| spec.field(field))
        .map_or(FieldKind::String, |field| field.kind);
    Ok(vec![place(field, path, kind, output)?])
}

/// What another source reads is none of this one's: its provider would be asked about another credential, and the old value forgotten.
fn refuse_foreign(
    place: &ValuePlace,
    source: &ConfiguredSource,
    sources: &Sources,
    files: &ReadFiles,
    output: &Output<'_>,
) -> Result<(), Failure> {
    if reads(source, place, sources, files, output) {
        return Ok(());
    }
    match reader_of(place, sources, files, output) {
        None => Ok(()),
        Some(other) => Err(
            Failure::refused(format!("{place} is a credential of {}, and not of {}", other.name(), source.name()))
                .hint(format!("`dango rotate {} {place}` replaces it", other.name()))
                .with_code("another-source"),
        ),
    }
}

/// The secrets of a source that are stored, each with its field and its path.
pub(super) fn stored(
    source: &ConfiguredSource,
    sources: &Sources,
    files: &ReadFiles,
    output: &Output<'_>,
) -> Vec<(String, CredentialPath)> {
    credential_paths(&sources.file, source, &files.secrets, &sources.presence(output))
}

/// The source that reads the value at a place.
pub(crate) fn reader_of<'s>(
    place: &ValuePlace,
    sources: &'s Sources,
    files: &ReadFiles,
    output: &Output<'_>,
) -> Option<&'s ConfiguredSource> {
    let mut all = sources.file.sources().iter();
    all.find(|source| reads(source, place, sources, files, output))
}

/// Whether a source reads the value at a place: it is below its section, or one of its secrets.
fn reads(source: &ConfiguredSource, place: &ValuePlace, sources: &Sources, files: &ReadFiles, output: &Output<'_>) -> bool {
    let section = CredentialPath::from_parts(["sources", source.name().as_str()]);
    let is_below = matches!(place, ValuePlace::Secret(path) if section.is_some_and(|section| path.starts_with(&section)));
    is_below
        || stored(source, sources, files, output).iter().any(|(_, path)| {
            files
                .with(output, |files| locate(path, files))
                .is_ok_and(|located| located.place == *place)
        })
}

/// What somebody has named: a path of `secrets.toml`, or a variable of `.env`.
fn named(text: &str, files: &ReadFiles, output: &Output<'_>) -> Result<Target, Failure> {
    let located = locate_named(text, files, output)?;
    Ok(Target {
        label: located.place.to_string(),
        located,
        kind: FieldKind::String,
    })
}

pub(crate) fn locate_named(text: &str, files: &ReadFiles, output: &Output<'_>) -> Result<Located, Failure> {
    let path = crate::secrets::parse_path(text)?;
    let is_variable = path.parts().len() == 1 && files.secrets.value(&path).is_none() && files.env.keys().contains(&text);
    let located = files.with(output, |files| match is_variable {
        true => locate_variable(text, files),
        false => locate(&path, files),
    });
    located.map_err(|error| locate_failure(&error))
}

/// The new values of the secret targets, from one reading.
fn read_new(arguments: &RotateArguments, targets: &[Target], output: &mut Output<'_>) -> Result<Vec<SecretValue>, Failure> {
    let labels: Vec<&str> = targets.iter().map(|target| target.label.as_str()).collect();
    if targets.len() > 1 && output.host.terminal.input && !arguments.input.is_given() {
        return targets
            .iter()
            .map(|target| prompt::secret(&format!("the new {}", target.label)))
            .collect();
    }
    let secret = arguments.input.read(&format!("the new {}", labels.join(", ")), output)?;
    if targets.len() < 2 {
        return Ok(vec![secret]);
    }
    // A carriage return before a line feed belongs to the end of the line, as files of Windows have it, unless all is meant as it is.
    let lines = secret.expose().split('\n').map(|line| match arguments.input.is_raw() {
        true => line,
        false => line.strip_suffix('\r').unwrap_or(line),
    });
    let lines: Vec<&str> = lines.collect();
    if lines.len() != targets.len() {
        return Err(Failure::usage(format!(
            "{} lines were given for {} secret fields: {}",
            lines.len(),
            targets.len(),
            labels.join(", ")
        )));
    }
    let lines = lines.into_iter().map(|line| SecretValue::new(line.to_owned()));
    lines.collect::<Result<_, _>>().map_err(|error| Failure::caused_by(&error))
}

fn changed(label: &str, located: Located, new: &SecretValue, kind: FieldKind) -> Result<Change, Failure> {
    if new.expose().is_empty() {
        return Err(Failure::refused(format!("the new value of {label} is empty; nothing was changed")));
    }
    let new = spelled(&located.place, new, kind).map_err(|failure| Failure {
        message: format!("{label}: {}", failure.message),
        ..failure
    })?;
    Ok(Change {
        place: located.place,
        old: located.value,
        new: Some(new),
        refused: None,
    })
}

/// A text in the form in which it is laid aside for a place.
pub(crate) fn spelled(place: &ValuePlace, text: &SecretValue, kind: FieldKind) -> Result<SecretValue, Failure> {
    if matches!(place, ValuePlace::Variable(_)) {
        return Ok(text.clone());
    }
    let value = match kind {
        FieldKind::Integer => NewValue::parse(NewType::Integer, text, References::Literal).map_err(|error| Failure::caused_by(&error))?,
        FieldKind::Boolean => NewValue::parse(NewType::Boolean, text, References::Literal).map_err(|error| Failure::caused_by(&error))?,
        _ => NewValue::String {
            text: text.clone(),
            references: References::Literal,
        },
    };
    spell(&value).ok_or_else(|| Failure::refused("the new value cannot be stored"))
}

fn refuse_same(changes: &[Change]) -> Result<(), Failure> {
    let text = |change: &Change, value: &SecretValue| {
        plain_text(&Located {
            place: change.place.clone(),
            value: value.clone(),
        })
    };
    let is_same = |change: &Change| {
        let (old, new) = (text(change, &change.old), change.new.as_ref().and_then(|new| text(change, new)));
        matches!((old, new), (Some(old), Some(new)) if old.expose() == new.expose())
    };
    match changes.iter().all(is_same) {
        true => Err(Failure::refused("the new value is the one that is stored; nothing was changed").with_code("value-unchanged")),
        false => Ok(()),
    }
}
