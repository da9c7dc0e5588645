//! `dango secrets get`: one credential, masked unless `--reveal` is given.

use clap::Args;
use dango_core::CredentialPath;
use dango_secrets::Value;
use dango_secrets::environment::Variables;
use serde::Serialize;
use zeroize::Zeroizing;

use super::list::MASK;
use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable, reference_failure};
use crate::output::Output;
use crate::server::{CredentialRow, Purpose, Server, Wanted};

#[derive(Args, Debug)]
pub(crate) struct GetArguments {
    /// The credential, as in sources.stripe.api_key
    #[arg(value_name = "PATH")]
    path: String,
    /// Print the value itself
    #[arg(long)]
    reveal: bool,
    /// With --reveal, leave ${NAME} references as they are written
    #[arg(long)]
    no_resolve: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    path: String,
    masked_value: &'static str,
    #[serde(rename = "type")]
    value_type: &'a str,
    encrypted: bool,
    reference: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<serde_json::Value>,
}

pub(crate) fn run(arguments: &GetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let path = parse_path(&arguments.path)?;
    if let Some(server) = Server::of(global, output)? {
        return of_server(&server, &path, arguments, output);
    }
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let Some(stored) = document.value(&path) else {
        return Err(super::missing(&path, &opened));
    };
    let encrypted = dango_vault::is_encrypted(&stored);
    // The type of an encrypted value is not known without the key, which only `--reveal` asks for.
    let value = match arguments.reveal {
        true => opened.open_secrets(&document, Some(&path), output)?.value(&path).unwrap_or(stored),
        false => stored,
    };
    let shown = match arguments.reveal {
        true if arguments.no_resolve => Some(value.clone()),
        true => Some(opened.resolve(&path, &value, output)?),
        false => None,
    };
    let row = Shown {
        path: path.to_string(),
        masked_value: MASK,
        value_type: value.value_type().map_or("table", |value_type| value_type.as_str()),
        encrypted,
        reference: value.has_reference(),
        value: None,
    };
    show(row, shown.as_ref(), output)
}

/// The same from a server: what there is from its list, a value only where it is to be shown.
fn of_server(server: &Server, path: &CredentialPath, arguments: &GetArguments, output: &mut Output<'_>) -> Outcome {
    let missing =
        || Failure::refused(format!("there is no credential {path} at {}", server.url())).hint("`dango secrets list` shows what there is");
    let is_below = |row: &CredentialRow| row.path.parse::<CredentialPath>().is_ok_and(|found| found.starts_with(path));
    let listed: Vec<CredentialRow> = match arguments.reveal && !output.json {
        true => Vec::new(),
        false => server.listing()?.credentials.into_iter().filter(is_below).collect(),
    };
    let shown = match arguments.reveal {
        true => {
            let (secrets, env) = server.values(Purpose::Get, Wanted::At(path), output)?;
            let value = secrets.value(path).ok_or_else(missing)?;
            let process = process_variable(output.host);
            let lookup = Variables {
                env: &env,
                process: &process,
            };
            Some(match arguments.no_resolve {
                true => value,
                false => value.resolve(path, &lookup).map_err(|error| reference_failure(&error))?,
            })
        }
        false if listed.is_empty() => return Err(missing()),
        false => None,
    };
    let only = match listed.as_slice() {
        [only] if only.path == path.to_string() => Some(only),
        _ => None,
    };
    let row = Shown {
        path: path.to_string(),
        masked_value: MASK,
        value_type: match (&shown, only) {
            (Some(value), _) => value.value_type().map_or("table", |value_type| value_type.as_str()),
            (None, Some(only)) => &only.value_type,
            (None, None) => "table",
        },
        encrypted: only.is_some_and(|row| row.encrypted),
        reference: listed.iter().any(|row| row.reference),
        value: None,
    };
    show(row, shown.as_ref(), output)
}

fn show(mut row: Shown<'_>, shown: Option<&Value>, output: &mut Output<'_>) -> Outcome {
    if output.json {
        row.value = shown.map(json);
        return output.json(&row);
    }
    let Some(shown) = shown else { return output.line(MASK) };
    let mut line = plain(shown);
    line.push('\n');
    output.data(line.as_bytes())
}

/// A value as text: strings as they are, numbers, booleans and times as the file has them, the rest as JSON.
fn plain(value: &Value) -> Zeroizing<String> {
    match value {
        Value::Integer { text, .. } | Value::Float { text, .. } | Value::Datetime(text) => text.clone(),
        Value::String(text) => text.verbatim(),
        value => Zeroizing::new(json(value).to_string()),
    }
}

/// A value as JSON, which has no times, infinities and NaN: those are strings.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.verbatim().as_str().into(),
        Value::Integer { value, .. } => (*value).into(),
        Value::Float { value, text } => serde_json::Number::from_f64(*value).map_or_else(|| text.as_str().into(), Into::into),
        Value::Boolean(value) => (*value).into(),
        Value::Datetime(text) => text.as_str().into(),
        Value::Array(values) => values.iter().map(json).collect(),
        Value::Table(entries) => entries.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        _ => serde_json::Value::Null,
    }
}
