//! The places that dlt looks at for a path, in its order, and what is there. What it means for the user is said in `explain`.

use std::fmt;

use dango_core::{CredentialPath, SecretValue};

use super::name::{looked_up_name, run_secret_name};
use super::surroundings::{Access, SettingsFile, Start, Surroundings};
use crate::{Value, ValueType};

/// The section that dlt puts before the fields of credentials.
pub(super) const CREDENTIALS: &str = "credentials";

/// Values that `dlt init` writes for the user to replace; dlt returns them with no more than a warning.
const PLACEHOLDERS: [&str; 3] = ["<configure me>", "1768-07-21T02:56:07.000003Z", "1768-07-21"];

/// One place where dlt looks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// What kind of place it is.
    pub provider: Provider,
    /// The path that is looked for there; a pipeline's name is its first key.
    pub path: CredentialPath,
    /// The name as the place spells it: a variable, a file below `/run/secrets`, or `[section] key` of a settings file.
    /// It holds whatever characters the path holds; a variable's name has to be escaped for a terminal.
    pub name: String,
    /// The file, where the place is one.
    pub location: Option<String>,
    /// What is there.
    pub state: State,
}

/// The kinds of places. Run secrets and `.env` are dlt's environment provider, shown apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// A file below `/run/secrets`.
    RunSecrets,
    /// A variable of the environment.
    EnvironmentVariables,
    /// A variable that `.env` adds.
    DotEnv,
    /// A file with secrets.
    SecretsToml,
    /// A file with configuration.
    ConfigToml,
}

impl Provider {
    /// A stable name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunSecrets => "run_secrets",
            Self::EnvironmentVariables => "environment",
            Self::DotEnv => "dotenv",
            Self::SecretsToml => "secrets_toml",
            Self::ConfigToml => "config_toml",
        }
    }

    /// Whether it belongs to dlt's environment provider.
    pub(super) fn is_environment(self) -> bool {
        matches!(self, Self::RunSecrets | Self::EnvironmentVariables | Self::DotEnv)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// A value; `None` is a table. Variables and run secrets are strings.
    Found(Option<ValueType>),
    /// The empty string, which counts as a value.
    Empty,
    /// A value that `dlt init` wrote to be replaced, which counts as a value.
    Placeholder,
    /// Nothing.
    Absent,
    /// A value that dlt does not see: a file that takes precedence has something other than a table above it.
    Hidden,
    /// A value in a place that must not hold secrets: dlt stops with an error when it gets here.
    NotSecret,
    /// Nothing is known: dlt cannot read the file.
    Unreadable,
}

impl State {
    /// A stable name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Empty => "empty",
            Self::Placeholder => "placeholder",
            Self::Absent => "absent",
            Self::Hidden => "hidden",
            Self::NotSecret => "not_secret",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether dlt takes what is there.
    pub const fn is_value(self) -> bool {
        matches!(self, Self::Found(_) | Self::Empty | Self::Placeholder)
    }
}

/// The value at a place, for as long as it is looked at.
pub(super) enum Seen<'a> {
    Variable(SecretValue),
    Value(&'a Value),
}

/// The places of one look-up with what was seen there.
pub(super) struct Survey<'a> {
    pub(super) places: Vec<Place>,
    pub(super) seen: Vec<Option<Seen<'a>>>,
}

/// How a look-up ends, with the place that ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Winner(usize),
    NotSecret(usize),
    Missing,
}

impl<'a> Survey<'a> {
    /// Looks at every place, in dlt's order: with the pipeline's name before the path, then without it; the
    /// environment with all paths before `secrets.toml` with all paths before `config.toml`.
    pub(super) fn new(path: &CredentialPath, pipeline: Option<&str>, access: Access, around: &Surroundings<'a>) -> Self {
        let mut survey = Self {
            places: Vec::new(),
            seen: Vec::new(),
        };
        let paths = lookup_paths(path, access);
        let pipeline = pipeline.filter(|name| !name.is_empty() && access != Access::SecretsItem);
        for prefix in pipeline.map(Some).into_iter().chain([None]) {
            let paths: Vec<CredentialPath> = paths.iter().filter_map(|path| prefixed(prefix, path)).collect();
            for path in &paths {
                survey.look_at_environment(path, access, around);
            }
            for path in &paths {
                survey.look_at_files(path, Provider::SecretsToml, around.secrets, access);
            }
            if access != Access::SecretsItem {
                for path in &paths {
                    survey.look_at_files(path, Provider::ConfigToml, around.config, access);
                }
            }
        }
        survey
    }

    /// Where the look-up ends; variables of `.env` count only if they are loaded.
    pub(super) fn outcome(&self, start: Start) -> Outcome {
        for (index, place) in self.places.iter().enumerate() {
            if place.state == State::NotSecret {
                return Outcome::NotSecret(index);
            }
            if place.state.is_value() && (place.provider != Provider::DotEnv || start == Start::DotenvLoaded) {
                return Outcome::Winner(index);
            }
        }
        Outcome::Missing
    }

    fn look_at_environment(&mut self, path: &CredentialPath, access: Access, around: &Surroundings<'a>) {
        let name = looked_up_name(path);
        if access != Access::PlainArgument {
            let file = run_secret_name(&name);
            let state = if (around.run_secrets)(&file) {
                State::Found(Some(ValueType::String))
            } else {
                State::Absent
            };
            self.add(Provider::RunSecrets, path, file, Some("/run/secrets"), state, None);
        }
        for (provider, location, value) in [
            (Provider::EnvironmentVariables, None, (around.environment)(&name)),
            (Provider::DotEnv, Some(".env"), (around.dotenv)(&name)),
        ] {
            let state = value.as_ref().map_or(State::Absent, |value| string_state(value.expose()));
            self.add(provider, path, name.clone(), location, state, value.map(Seen::Variable));
        }
    }

    fn look_at_files(&mut self, path: &CredentialPath, provider: Provider, files: &'a [SettingsFile<'a>], access: Access) {
        let refuses = provider == Provider::ConfigToml && access != Access::PlainArgument;
        let slots = find(files, path);
        for (file, slot) in files.iter().zip(slots) {
            let (state, seen) = match (&file.content, slot) {
                (Err(_), _) => (State::Unreadable, None),
                (Ok(_), Slot::Absent) => (State::Absent, None),
                (Ok(_), Slot::Hidden) => (State::Hidden, None),
                (Ok(_), Slot::Found(value)) if refuses => (State::NotSecret, Some(Seen::Value(value))),
                (Ok(_), Slot::Found(value)) => (value_state(value), Some(Seen::Value(value))),
            };
            self.add(provider, path, toml_name(path), Some(&file.location), state, seen);
        }
    }

    fn add(
        &mut self,
        provider: Provider,
        path: &CredentialPath,
        name: String,
        location: Option<&str>,
        state: State,
        seen: Option<Seen<'a>>,
    ) {
        self.places.push(Place {
            provider,
            path: path.clone(),
            name,
            location: location.map(str::to_owned),
            state,
        });
        self.seen.push(seen);
    }
}

/// The paths that dlt tries for one path, the most specific first.
///
/// Sections are left out from the right, one by one; the key stays, and so does `credentials` where it stands
/// before the key. Below `sources` with a module and another name behind it, the name alone is tried third.
fn lookup_paths(path: &CredentialPath, access: Access) -> Vec<CredentialPath> {
    if access == Access::SecretsItem {
        // dlt splits the name at every dot, those within a key, too.
        let exact = path.parts().iter().flat_map(|part| part.split('.'));
        return CredentialPath::from_parts(exact).into_iter().collect();
    }
    let (sections, tail) = match path.parts() {
        [sections @ .., section, key] if section == CREDENTIALS => (sections, vec![section, key]),
        [sections @ .., key] => (sections, vec![key]),
        [] => (&[][..], Vec::new()),
    };
    let mut tries: Vec<Vec<&String>> = (0..=sections.len())
        .rev()
        .map(|length| sections[..length].iter().collect())
        .collect();
    if let [top, module, name, ..] = sections
        && top == "sources"
        && module != name
    {
        tries.insert(2, vec![top, name]);
    }
    tries
        .into_iter()
        .filter_map(|sections| CredentialPath::from_parts(sections.into_iter().chain(tail.iter().copied()).cloned()))
        .collect()
}

fn prefixed(prefix: Option<&str>, path: &CredentialPath) -> Option<CredentialPath> {
    let parts = path.parts().iter().map(String::as_str);
    CredentialPath::from_parts(prefix.into_iter().chain(parts))
}

/// A path as people find it in a settings file.
pub(super) fn toml_name(path: &CredentialPath) -> String {
    let key = CredentialPath::from_parts([path.leaf()]).map_or_else(String::new, |key| key.to_string());
    match path.parent() {
        Some(section) => format!("[{section}] {key}"),
        None => key,
    }
}

enum Slot<'a> {
    Absent,
    Hidden,
    Found(&'a Value),
}

/// What each file has at a path, seen through dlt's merge: tables are merged key by key, anything else in a file
/// that takes precedence hides what is below it in the others.
fn find<'a>(files: &'a [SettingsFile<'a>], path: &CredentialPath) -> Vec<Slot<'a>> {
    let mut nodes: Vec<Option<&Value>> = files.iter().map(|file| file.content.as_ref().ok().copied()).collect();
    let mut hidden = vec![false; nodes.len()];
    for (depth, part) in path.parts().iter().enumerate() {
        for node in &mut nodes {
            *node = node.and_then(|node| entry(node, part));
        }
        let decides = (0..nodes.len()).find(|&index| nodes[index].is_some() && !hidden[index]);
        if let Some(first) = decides
            && depth + 1 < path.parts().len()
            && !matches!(nodes[first], Some(Value::Table(_)))
        {
            hidden[first + 1..].fill(true);
        }
    }
    nodes
        .into_iter()
        .zip(hidden)
        .map(|(node, hidden)| match node {
            None => Slot::Absent,
            Some(_) if hidden => Slot::Hidden,
            Some(value) => Slot::Found(value),
        })
        .collect()
}

/// The value under a key of a table.
pub(super) fn entry<'a>(node: &'a Value, key: &str) -> Option<&'a Value> {
    match node {
        Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
        _ => None,
    }
}

fn value_state(value: &Value) -> State {
    match value {
        Value::String(text) => string_state(&text.verbatim()),
        value => State::Found(value.value_type()),
    }
}

fn string_state(text: &str) -> State {
    if text.is_empty() {
        State::Empty
    } else if is_placeholder(text) {
        State::Placeholder
    } else {
        State::Found(Some(ValueType::String))
    }
}

fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.contains(&text)
}
