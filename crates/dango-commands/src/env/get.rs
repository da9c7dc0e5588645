//! `dango env get`: one variable of `.env`, masked unless `--reveal` is given.

use clap::Args;
use dango_secrets::dotenv::{EnvDocument, Precedence};
use serde::Serialize;
use zeroize::Zeroizing;

use super::set::refuse_pair;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::secrets::MASK;
use crate::server::{Purpose, Server, Wanted};

#[derive(Args, Debug)]
pub(crate) struct GetArguments {
    /// The variable
    #[arg(value_name = "KEY")]
    key: String,
    /// Print the value itself
    #[arg(long)]
    reveal: bool,
    /// With --reveal, leave ${NAME} references as they are written
    #[arg(long)]
    no_resolve: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    masked_value: &'static str,
    encrypted: bool,
    reference: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

pub(crate) fn run(arguments: &GetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let key = arguments.key.as_str();
    if global.server.is_some() {
        refuse_pair(key)?;
    }
    if let Some(server) = Server::of(global, output)? {
        return of_server(&server, arguments, output);
    }
    let opened = Opened::find(global, output.host)?;
    let mut document = opened.env()?;
    if !document.keys().contains(&key) {
        // The key is not repeated: `KEY=VALUE` typed here would be a secret.
        return Err(
            Failure::refused(format!("there is no such variable in {}", opened.project.env_file().display()))
                .hint("`dango env list` shows what there is"),
        );
    }
    let encrypted = document
        .bindings()
        .rfind(|binding| binding.key() == key)
        .is_some_and(dango_vault::is_encrypted_binding);
    if arguments.reveal && (encrypted || document.has_reference(key) && !arguments.no_resolve) {
        document = opened.open_env(&document, output)?;
    }
    let value = revealed(&document, arguments, output)?;
    if arguments.reveal && value.is_none() {
        return Err(Failure::refused(format!(
            "{key} stands without a value in {}",
            opened.project.env_file().display()
        )));
    }
    show(key, (encrypted, document.has_reference(key)), value, output)
}

/// The same from a server: what there is from its list, a value only where it is to be shown.
fn of_server(server: &Server, arguments: &GetArguments, output: &mut Output<'_>) -> Outcome {
    let key = arguments.key.as_str();
    let listed = match arguments.reveal && !output.json {
        true => None,
        false => {
            let found = server.listing()?.variables.into_iter().find(|row| row.key == key);
            // The key is not repeated: `KEY=VALUE` typed here would be a secret.
            Some(found.ok_or_else(|| {
                Failure::refused(format!("there is no such variable at {}", server.url())).hint("`dango env list` shows what there is")
            })?)
        }
    };
    let value = match arguments.reveal {
        true => {
            let (_, env) = server.values(Purpose::Get, Wanted::Variable(key), output)?;
            revealed(&env, arguments, output)?
        }
        false => None,
    };
    if arguments.reveal && value.is_none() {
        return Err(Failure::refused(format!("{key} stands without a value at {}", server.url())));
    }
    let marks = listed.map_or((false, false), |row| (row.encrypted, row.reference));
    show(key, marks, value, output)
}

/// The value, where it is to be shown.
fn revealed(document: &EnvDocument, arguments: &GetArguments, output: &Output<'_>) -> Result<Option<Zeroizing<String>>, Failure> {
    let key = arguments.key.as_str();
    let process = process_variable(output.host);
    Ok(match arguments.reveal {
        true if arguments.no_resolve => document
            .bindings()
            .rfind(|binding| binding.key() == key)
            .and_then(|binding| binding.expose())
            .map(|text| Zeroizing::new(text.to_owned())),
        true => document
            .value(key, &process, Precedence::File)
            .map_err(|error| Failure::caused_by(&error))?
            .map(|value| Zeroizing::new(value.expose().to_owned())),
        false => None,
    })
}

fn show(key: &str, (encrypted, reference): (bool, bool), value: Option<Zeroizing<String>>, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&Shown {
            key,
            masked_value: MASK,
            encrypted,
            reference,
            value: value.as_ref().map(|value| value.as_str()),
        });
    }
    match value {
        Some(mut value) => {
            value.push('\n');
            output.data(value.as_bytes())
        }
        None => output.line(MASK),
    }
}
