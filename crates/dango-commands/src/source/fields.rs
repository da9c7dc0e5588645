//! Values for a source's fields as they are given in options, and the plan of what is written where.

use clap::Args;
use dango_core::{CredentialPath, SecretValue, SourceName};
use dango_secrets::References;
use dango_secrets::document::{NewType, NewValue};
use dango_sources::{FieldKind, FieldSpec, ParseRotateEveryError, RotateEvery, SyncCommand, TypeSpec, Value};

use crate::failure::Failure;
use crate::input::SecretInput;
use crate::output::Output;

/// The member of a source that holds its command; it is set like a field.
const SYNC: &str = "sync";
/// The member of a source that says how often its credentials are replaced.
const ROTATE_EVERY: &str = "rotate_every";

#[derive(Args, Debug)]
pub(crate) struct FieldOptions {
    /// Set a field that is no secret, or `sync`, the command that loads the source, or `rotate_every`, such as 90d
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// Set a secret field from standard input; of several, each takes one line, in this order
    #[arg(long = "field", value_name = "FIELD")]
    pub(crate) field: Vec<String>,
    #[command(flatten)]
    pub(crate) input: SecretInput,
}

impl FieldOptions {
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.field.is_empty()
    }
}

/// What is to be written for one source.
#[derive(Default)]
pub(crate) struct Plan {
    /// Into `.dlt/secrets.toml`.
    pub(crate) credentials: Vec<(CredentialPath, NewValue)>,
    /// Into `.dango/sources.yml`.
    pub(crate) settings: Vec<(String, Value)>,
    pub(crate) sync: Option<SyncCommand>,
}

impl Plan {
    /// Takes what the options say. Nothing is read from standard input before every name has been checked.
    pub(crate) fn from_options(
        options: &FieldOptions,
        spec: Option<&'static TypeSpec>,
        name: &SourceName,
        output: &mut Output<'_>,
    ) -> Result<Self, Failure> {
        let mut plan = Self::default();
        for given in &options.set {
            let Some((field, text)) = given.split_once('=') else {
                return Err(
                    Failure::usage("--set takes FIELD=VALUE").hint("a secret field is set with `--field FIELD`, from standard input")
                );
            };
            if field == SYNC {
                plan.sync = Some(parse_sync(text)?);
                continue;
            }
            if field == ROTATE_EVERY {
                let every: RotateEvery = text
                    .parse()
                    .map_err(|error: ParseRotateEveryError| Failure::usage(format!("{ROTATE_EVERY}: {error}")))?;
                plan.settings.push((field.to_owned(), Value::String(every.to_string())));
                continue;
            }
            match spec {
                Some(spec) => {
                    let field = find(spec, field)?;
                    if field.secret {
                        return Err(
                            Failure::usage(format!("{} is a secret and is never taken from the argument list", field.name))
                                .hint(format!("send it to standard input with `--field {}`", field.name)),
                        );
                    }
                    plan.put(spec, name, field, text)?;
                }
                None => plan.settings.push((field.to_owned(), Value::String(text.to_owned()))),
            }
        }
        let mut wanted = Vec::new();
        for field in &options.field {
            let spec = spec.ok_or_else(|| Failure::usage("the source's type is not in the catalogue, so it has no secret fields"))?;
            wanted.push((spec, find(spec, field)?));
        }
        let labels: Vec<&str> = wanted.iter().map(|(_, field)| field.name).collect();
        match wanted.as_slice() {
            [] => {}
            [(spec, field)] => {
                let secret = options.input.read(field.name, output)?;
                plan.put_secret(spec, name, field, &secret)?;
            }
            several => {
                let secret = options.input.read(&labels.join(", "), output)?;
                let lines: Vec<&str> = secret.expose().split('\n').collect();
                if lines.len() != several.len() {
                    return Err(Failure::usage(format!(
                        "{} lines were given for {} secret fields: {}",
                        lines.len(),
                        several.len(),
                        labels.join(", ")
                    ))
                    .hint("each field takes one line; set a value of several lines with a `--field` of its own"));
                }
                for ((spec, field), line) in several.iter().zip(lines) {
                    let secret = SecretValue::new(line.to_owned()).map_err(|error| Failure::caused_by(&error))?;
                    plan.put_secret(spec, name, field, &secret)?;
                }
            }
        }
        Ok(plan)
    }

    /// Takes a value that is no secret.
    pub(crate) fn put(&mut self, spec: &TypeSpec, name: &SourceName, field: &FieldSpec, text: &str) -> Result<(), Failure> {
        match spec.path(name, field) {
            Some(_) => {
                let value = SecretValue::new(text.to_owned()).map_err(|error| Failure::caused_by(&error))?;
                self.put_secret(spec, name, field, &value)
            }
            None => {
                let value = field.parse_value(text).map_err(|error| Failure::usage(error.to_string()))?;
                self.settings.push((field.name.to_owned(), value));
                Ok(())
            }
        }
    }

    /// Takes a value for `secrets.toml`.
    pub(crate) fn put_secret(&mut self, spec: &TypeSpec, name: &SourceName, field: &FieldSpec, value: &SecretValue) -> Result<(), Failure> {
        let Some(path) = spec.path(name, field) else {
            return self.put(spec, name, field, value.expose());
        };
        let refused = |error: &dyn std::error::Error| Failure::usage(format!("{}: {error}", field.name));
        let value = match field.kind {
            FieldKind::Integer => NewValue::parse(NewType::Integer, value, References::Literal).map_err(|error| refused(&error))?,
            FieldKind::Boolean => NewValue::parse(NewType::Boolean, value, References::Literal).map_err(|error| refused(&error))?,
            FieldKind::Json => NewValue::parse(NewType::Json, value, References::Literal).map_err(|error| refused(&error))?,
            FieldKind::List if value.expose().trim_start().starts_with('[') => {
                NewValue::parse(NewType::Json, value, References::Literal).map_err(|error| refused(&error))?
            }
            FieldKind::List => NewValue::Array(
                value
                    .expose()
                    .split(',')
                    .map(|item| string(item.trim()))
                    .collect::<Result<_, _>>()
                    .map_err(|error| refused(&error))?,
            ),
            _ => NewValue::String {
                text: value.clone(),
                references: References::Literal,
            },
        };
        self.credentials.push((path, value));
        Ok(())
    }

    /// Whether a value for this path is in the plan.
    pub(crate) fn has(&self, path: &CredentialPath) -> bool {
        self.credentials.iter().any(|(planned, _)| planned == path)
    }
}

fn string(text: &str) -> Result<NewValue, dango_core::InvalidSecret> {
    Ok(NewValue::String {
        text: SecretValue::new(text.to_owned())?,
        references: References::Literal,
    })
}

pub(crate) fn parse_sync(text: &str) -> Result<SyncCommand, Failure> {
    let command = SyncCommand::from_text(text);
    command.words().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(command)
}

/// The field of a type; an unknown one is wrong usage, and is not repeated.
pub(crate) fn find(spec: &'static TypeSpec, name: &str) -> Result<&'static FieldSpec, Failure> {
    spec.field(name).ok_or_else(|| {
        let names: Vec<&str> = spec.fields.iter().map(|field| field.name).collect();
        Failure::usage(format!("{} has no field of that name; it has: {}", spec.title, names.join(", ")))
    })
}
