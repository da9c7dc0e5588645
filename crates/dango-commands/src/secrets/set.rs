//! `dango secrets set`: adds or replaces one credential; everything else in the file stays byte for byte.

use clap::Args;
use dango_audit::Event;
use dango_client::Method;
use dango_core::CredentialPath;
use dango_secrets::document::{NewType, NewValue};
use dango_secrets::{References, SetOutcome, Value};
use dango_vault::{Protection, SetReport};
use serde::{Deserialize, Serialize};

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::protection::ProtectionOptions;
use crate::recorded::{credential, recorded, set_ending};
use crate::server::Server;

#[derive(Args, Debug)]
pub(crate) struct SetArguments {
    /// The credential, as in sources.stripe.api_key
    #[arg(value_name = "PATH")]
    path: String,
    /// What the value is
    #[arg(long = "type", value_name = "TYPE", default_value = "string", value_parser = ["string", "integer", "float", "boolean", "datetime", "json"])]
    value_type: String,
    /// Let ${NAME} in the value refer to a variable instead of standing for itself
    #[arg(long)]
    reference: bool,
    #[command(flatten)]
    protection: ProtectionOptions,
    #[command(flatten)]
    input: SecretInput,
}

#[derive(Serialize)]
struct Done {
    path: String,
    action: &'static str,
    encrypted: bool,
}

pub(crate) fn run(arguments: &SetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let path = parse_path(&arguments.path)?;
    let value_type: NewType = arguments
        .value_type
        .parse()
        .map_err(|_| Failure::usage("the value of --type is not one that it takes"))?;
    if let Some(server) = Server::of(global, output)? {
        return on_server(&server, &path, arguments, global, output);
    }
    let opened = Opened::find(global, output.host)?;
    // A file that cannot be edited is found out before a secret is asked for.
    let document = opened.secrets(output)?;
    let is_stored = document.value(&path).is_some_and(|stored| !is_empty(&stored));
    let protection = arguments.protection.protection();
    opened.require_key_for(protection)?;
    let secret = arguments.input.read_over(&path.to_string(), is_stored, global, output)?;
    let references = if arguments.reference {
        References::Expand
    } else {
        References::Literal
    };
    let value = NewValue::parse(value_type, &secret, references).map_err(|error| Failure::caused_by(&error))?;
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().set_secrets(&[(path.clone(), value)], protection);
        report.map_err(|error| opened.vault_failure(&error))
    };
    let done = |report: &SetReport| report.outcomes.first().copied().map_or("unchanged", action);
    let report = recorded(&opened, vec![credential(Event::SecretSet, &path)], output, change, |report| {
        vec![set_ending(done(report), !report.encrypted.is_empty())]
    })?;
    let action = done(&report);
    for left in &report.left {
        output.warn(format!("{} stays plain: {}", left.path, left.reason));
    }
    let encrypted = !report.encrypted.is_empty();
    let path = path.to_string();
    tell(&Done { path, action, encrypted }, output)
}

/// The same on a server, which makes and records the change.
fn on_server(server: &Server, path: &CredentialPath, arguments: &SetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let is_stored = || Ok(server.stored()?.credentials.iter().any(|row| row.path == path.to_string()));
    let secret = arguments.input.read_over_if(&path.to_string(), is_stored, global, output)?;
    let keep = match arguments.protection.protection() {
        Protection::Encrypt => Some("encrypted"),
        Protection::Plain => Some("plain"),
        Protection::Habit => None,
    };
    let body = ToSet {
        path: path.to_string(),
        value: secret.expose(),
        value_type: &arguments.value_type,
        reference: arguments.reference,
        keep,
    };
    let set: WasSet = server.change(Method::Put, "/api/project/credentials", &body, "dango secrets get PATH --reveal")?;
    let action = ["created", "updated", "unchanged"].into_iter().find(|word| *word == set.action);
    let done = Done {
        path: path.to_string(),
        action: action.unwrap_or("updated"),
        encrypted: set.encrypted,
    };
    tell(&done, output)
}

#[derive(Serialize)]
struct ToSet<'a> {
    path: String,
    value: &'a str,
    value_type: &'a str,
    reference: bool,
    keep: Option<&'static str>,
}

#[derive(Deserialize)]
struct WasSet {
    action: String,
    encrypted: bool,
}

fn tell(done: &Done, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(done);
    }
    let Done { path, action, encrypted } = done;
    output.say(format!("{path}: {action}{}", if *encrypted { ", encrypted" } else { "" }));
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.verbatim().is_empty())
}

/// The word for what happened to one value.
pub(crate) fn action(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Created => "created",
        SetOutcome::Replaced => "updated",
        SetOutcome::Unchanged => "unchanged",
    }
}
