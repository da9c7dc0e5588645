//! `dango remote env get`: one variable of the server's `.env`, masked unless `--reveal` is given.

use clap::Args;
use dango_vault::is_encrypted_binding;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::Which;
use crate::remote::link::Link;
use crate::secrets::MASK;

#[derive(Args, Debug)]
pub(crate) struct GetArguments {
    /// The variable
    #[arg(value_name = "KEY")]
    key: String,
    /// Print the value itself; ${NAME} references stay as they are written, since their values are the server's
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    which: Which,
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
    let link = Link::find(&arguments.which, global, output)?;
    let document = super::read(&link, output)?;
    let key = arguments.key.as_str();
    let Some(binding) = document.bindings().rfind(|binding| binding.key() == key) else {
        // The key is not repeated: `KEY=VALUE` typed here would be a secret.
        return Err(
            Failure::refused(format!("there is no such variable in .env on {}", link.remote.name))
                .hint("`dango remote env list` shows what there is"),
        );
    };
    let encrypted = is_encrypted_binding(binding);
    let value = match (arguments.reveal, encrypted) {
        (false, _) => None,
        (true, true) => {
            return Err(
                Failure::refused(format!("{key} is encrypted on {}, and its key is there", link.remote.name))
                    .hint("log in to the server and use its own `dango env get --reveal`"),
            );
        }
        (true, false) => match binding.expose() {
            Some(text) => Some(text),
            None => {
                return Err(Failure::refused(format!(
                    "{key} stands without a value in .env on {}",
                    link.remote.name
                )));
            }
        },
    };
    if output.json {
        return output.json(&Shown {
            key,
            masked_value: MASK,
            encrypted,
            reference: binding.has_reference(),
            value,
        });
    }
    match value {
        Some(value) => output.data(Zeroizing::new(format!("{value}\n")).as_bytes()),
        None => output.line(MASK),
    }
}
