//! The values of one source's fields as dlt would get them: from the environment, `.env` or `secrets.toml`, opened and resolved.

use std::cell::{Cell, OnceCell};

use dango_check::Subject;
use dango_core::{CredentialPath, SecretValue};
use dango_secrets::dotenv::{EnvDocument, Precedence};
use dango_secrets::environment::Variables;
use dango_secrets::{Value, dlt};
use dango_sources::{ConfiguredSource, Presence, TypeSpec, Value as Setting};

use crate::failure::Failure;
use crate::opened::{Opened, process_variable, reference_failure};
use crate::output::Output;
use crate::source::Sources;

/// What there is to be asked about.
pub(super) struct Gathered {
    pub(super) subject: Subject,
    /// The fields whose values are stored, each with its path.
    paths: Vec<(&'static str, CredentialPath)>,
    /// Whether the process's environment had a part in it: what holds for one process need not for the next.
    pub(super) of_process: bool,
}

impl Gathered {
    /// The stored values that a check has used, each with its path.
    pub(super) fn used(&self) -> Vec<(CredentialPath, SecretValue)> {
        let used = self
            .paths
            .iter()
            .filter_map(|(field, path)| Some((path.clone(), self.subject.used(field)?.clone())));
        used.collect()
    }
}

/// Gathers the values of a source of a known type.
pub(super) fn gather(
    source: &ConfiguredSource,
    spec: &'static TypeSpec,
    instead: &[(CredentialPath, SecretValue)],
    sources: &Sources,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Gathered, Failure> {
    let given = |path: &CredentialPath| instead.iter().find(|(at, _)| at == path).map(|(_, value)| value);
    let (variant, fields) = {
        let stored = sources.presence(output);
        let presence = |path: &CredentialPath| match given(path) {
            Some(value) => Presence::of(value.expose()),
            None => stored(path),
        };
        let state = sources.file.state(source, &presence);
        let fields = sources.file.found(source, &presence).unwrap_or_default();
        (state.and_then(|state| state.variant), fields)
    };
    let mut subject = Subject::new(spec, variant);
    let reader = Reader::new(sources, opened);
    let mut paths = Vec::new();
    for found in fields {
        paths.extend(found.at.clone().map(|path| (found.field.name, path)));
        let value = match &found.at {
            Some(path) => match given(path) {
                Some(value) => Some(value.clone()),
                None => reader.value(path, output)?,
            },
            None => source.field(found.field.name).and_then(setting),
        };
        if let Some(value) = value {
            subject.put(found.field.name, value);
        }
    }
    Ok(Gathered {
        subject,
        paths,
        of_process: reader.of_process.get(),
    })
}

/// Reads values one by one, and opens what it has to.
struct Reader<'a> {
    sources: &'a Sources,
    opened: &'a Opened,
    env: OnceCell<EnvDocument>,
    of_process: Cell<bool>,
}

impl<'a> Reader<'a> {
    const fn new(sources: &'a Sources, opened: &'a Opened) -> Self {
        Self {
            sources,
            opened,
            env: OnceCell::new(),
            of_process: Cell::new(false),
        }
    }

    fn value(&self, path: &CredentialPath, output: &mut Output<'_>) -> Result<Option<SecretValue>, Failure> {
        let variable = dlt::variable_name(path).ok();
        if let Some(name) = &variable {
            if let Some(value) = self.process(name.as_str(), output) {
                return Ok(Some(value));
            }
            // `.env` is opened only where something of it is wanted.
            if self.sources.env.keys().contains(&name.as_str()) {
                self.open_env(output)?;
                let env = self.env.get().unwrap_or(&self.sources.env);
                let process = |name: &str| self.process(name, output);
                let value = env.value(name.as_str(), &process, Precedence::Environment);
                return value.map_err(|error| Failure::caused_by(&error));
            }
        }
        let Some(value) = self.sources.secrets.value(path) else {
            return Ok(None);
        };
        if matches!(value, Value::Table(_)) {
            return Ok(None);
        }
        let secrets = self.opened.open_secrets(&self.sources.secrets, Some(path), output)?;
        let Some(value) = secrets.value(path) else { return Ok(None) };
        if value.has_reference() {
            self.open_env(output)?;
        }
        let resolved = {
            let process = |name: &str| self.process(name, output);
            let env = self.env.get().unwrap_or(&self.sources.env);
            value.resolve(path, &Variables { env, process: &process })
        };
        let text = match resolved.map_err(|error| reference_failure(&error))? {
            Value::String(text) => text.verbatim().to_string(),
            Value::Integer { text, .. } => text.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            _ => return Ok(None),
        };
        SecretValue::new(text).map(Some).map_err(|error| Failure::caused_by(&error))
    }

    fn open_env(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.env.get().is_none() {
            let env = self.opened.open_env(&self.sources.env, output)?;
            self.env.get_or_init(|| env);
        }
        Ok(())
    }

    /// A variable of the process's environment, noted where there is one.
    fn process(&self, name: &str, output: &Output<'_>) -> Option<SecretValue> {
        let value = process_variable(output.host)(name)?;
        self.of_process.set(true);
        Some(value)
    }
}

/// A setting of `sources.yml` as a text; of a list the first, which is enough to ask for something.
fn setting(value: &Setting) -> Option<SecretValue> {
    let text = match value {
        Setting::List(items) => items.first()?.as_text()?,
        value => value.as_text()?,
    };
    SecretValue::new(text.to_owned()).ok()
}
