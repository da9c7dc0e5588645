//! `dango env get`: one variable of `.env`, masked unless `--reveal` is given.

use clap::Args;
use dango_secrets::dotenv::Precedence;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::secrets::MASK;

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
    let opened = Opened::find(global, output.host)?;
    let mut document = opened.env()?;
    let key = arguments.key.as_str();
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
    let process = process_variable(output.host);
    let value = match arguments.reveal {
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
    };
    drop(process);
    if arguments.reveal && value.is_none() {
        return Err(Failure::refused(format!(
            "{key} stands without a value in {}",
            opened.project.env_file().display()
        )));
    }
    if output.json {
        let reference = document.has_reference(key);
        let value = value.as_ref().map(|value| value.as_str());
        return output.json(&Shown {
            key,
            masked_value: MASK,
            encrypted,
            reference,
            value,
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
