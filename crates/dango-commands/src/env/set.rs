//! `dango env set`: adds or replaces one variable of `.env`, in a form that all its readers share.

use clap::Args;
use dango_audit::Event;
use dango_client::Method;
use dango_core::VariableName;
use dango_secrets::References;
use dango_secrets::dotenv::EnvEditError;
use dango_vault::{EnvSetError, Protection, VaultError};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::protection::ProtectionOptions;
use crate::recorded::{recorded, set_ending, variable};
use crate::secrets::action;
use crate::server::Server;

#[derive(Args, Debug)]
pub(crate) struct SetArguments {
    /// The variable
    #[arg(value_name = "KEY")]
    key: String,
    /// Let ${NAME} in the value refer to a variable instead of standing for itself
    #[arg(long)]
    reference: bool,
    #[command(flatten)]
    protection: ProtectionOptions,
    #[command(flatten)]
    input: SecretInput,
}

#[derive(Serialize)]
struct Done<'a> {
    key: &'a str,
    action: &'static str,
    encrypted: bool,
}

/// Reads a KEY argument; a malformed one is wrong usage, and is not repeated.
pub(crate) fn parse_key(text: &str) -> Result<VariableName, Failure> {
    text.parse().map_err(|error: dango_core::ParseNameError| {
        let failure = Failure::usage(error.to_string());
        if text.contains('=') {
            failure.hint("give the key alone; the value comes from a prompt, standard input, `--from-file` or `--from-env`")
        } else {
            failure
        }
    })
}

/// Refuses what is no key but a key with its value, before it goes to another machine; it is not repeated.
pub(crate) fn refuse_pair(text: &str) -> Outcome {
    match text.contains('=') {
        true => Err(Failure::usage("the name of a variable that a server holds has no `=`; nothing was sent").hint("give the key alone")),
        false => Ok(()),
    }
}

pub(crate) fn run(arguments: &SetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let key = parse_key(&arguments.key)?;
    if let Some(server) = Server::of(global, output)? {
        return on_server(&server, key.as_str(), arguments, global, output);
    }
    let opened = Opened::find(global, output.host)?;
    let is_stored = opened
        .env()?
        .bindings()
        .rfind(|binding| binding.key() == key.as_str())
        .is_some_and(|binding| binding.expose().is_some_and(|text| !text.is_empty()));
    let protection = arguments.protection.protection();
    opened.require_key_for(protection)?;
    let value = arguments.input.read_over(key.as_str(), is_stored, global, output)?;
    let references = if arguments.reference {
        References::Expand
    } else {
        References::Literal
    };
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().set_env(&key, &value, references, protection);
        report.map_err(|error| failure(&opened, &error))
    };
    let draft = variable(Event::SecretSet, key.as_str());
    let report = recorded(&opened, vec![draft], output, change, |report| {
        vec![set_ending(action(report.outcome), report.encrypted)]
    })?;
    let (action, encrypted, key) = (action(report.outcome), report.encrypted, key.as_str());
    tell(&Done { key, action, encrypted }, output)
}

/// The same on a server, which makes and records the change.
fn on_server(server: &Server, key: &str, arguments: &SetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    if arguments.reference || arguments.protection.protection() != Protection::Habit {
        return Err(Failure::refused(
            "a server stores variables literally, and encrypted where that is the habit of the file; leave out --reference, --encrypt and --plain",
        ));
    }
    let is_stored = || Ok(server.stored()?.variables.iter().any(|row| row.key == key));
    let value = arguments.input.read_over_if(key, is_stored, global, output)?;
    let body = ToSet {
        key,
        value: value.expose(),
    };
    let set: WasSet = server.change(Method::Post, "/api/secrets", &body, "dango env get KEY --reveal")?;
    let action = ["created", "updated"].into_iter().find(|word| *word == set.action);
    let listed = server
        .stored()
        .map(|stored| stored.variables.into_iter().find(|row| row.key == key));
    let done = Done {
        key,
        action: action.unwrap_or("updated"),
        encrypted: listed.ok().flatten().is_some_and(|row| row.encrypted),
    };
    tell(&done, output)
}

#[derive(Serialize)]
struct ToSet<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Deserialize)]
struct WasSet {
    action: String,
}

fn tell(done: &Done<'_>, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(done);
    }
    let Done { key, action, encrypted } = *done;
    output.say(format!("{key}: {action}{}", if encrypted { ", encrypted" } else { "" }));
    Ok(())
}

fn failure(opened: &Opened, error: &VaultError) -> Failure {
    let failure = opened.vault_failure(error);
    let VaultError::EnvSet(EnvSetError::Edit(error)) = error else {
        return failure;
    };
    match error {
        EnvEditError::Reference { .. } | EnvEditError::Unspellable { .. } => failure
            .hint("keep it in .dlt/secrets.toml instead: `dango secrets set PATH` stores any text, and `dango run` hands it on")
            .hint("or store it with `--encrypt`: an encrypted value may be any text, and `dango run` hands it on")
            .hint("if `${NAME}` in it is meant as a reference, add `--reference`"),
        EnvEditError::OtherLine { .. } => failure.hint("correct that line first; `dango env lint` shows what is wrong with it"),
        _ => failure,
    }
}
