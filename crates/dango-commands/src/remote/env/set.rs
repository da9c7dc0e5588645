//! `dango remote env set`: adds or replaces one variable of the server's `.env`.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event, Word};
use dango_core::{SecretValue, VariableName};
use dango_remote::set_variable;
use dango_vault::is_encrypted_binding;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::env::parse_key;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::output::Output;
use crate::recorded::recorded;
use crate::remote::Which;
use crate::remote::link::Link;
use crate::secrets::action;

#[derive(Args, Debug)]
pub(crate) struct SetArguments {
    /// The variable; KEY=VALUE works, too, but others on this machine can read the argument list
    #[arg(value_name = "KEY[=VALUE]")]
    assignment: String,
    #[command(flatten)]
    input: SecretInput,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Done<'a> {
    remote: &'a str,
    key: &'a str,
    action: &'static str,
}

pub(crate) fn run(arguments: SetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (key, given) = parts(&arguments)?;
    let link = Link::find(&arguments.which, global, output)?;
    let value = match given {
        Some(value) => {
            output.hint(
                "what stands in the argument list can be seen by others here and stays in the shell's history; \
                 `dango remote env set KEY` asks for the value",
            );
            value
        }
        // Whether there is a value on the server is not known yet; nothing at all is never meant for one.
        None => arguments.input.read_over(key.as_str(), true, global, output)?,
    };
    let change = |output: &mut Output<'_>| link.work(output, |access| set_variable(access, &key, &value, &is_encrypted_binding));
    let draft = link.draft(Event::RemoteEnvSet).with(Detail::Key, &key);
    let result = recorded(&link.opened, vec![draft], output, change, |outcome| {
        vec![Ending::done().with(Detail::Action, Word::new(action(*outcome)))]
    });
    let result = result.map_err(|failure| match failure.code {
        "env_value_reference" | "env_value_unspellable" => {
            failure.hint("what no line of .env can hold can be kept on the server in its .dlt/secrets.toml")
        }
        _ => failure,
    });
    let action = action(link.finish(result, output)?);
    let remote = link.remote.name.as_str();
    if output.json {
        let key = key.as_str();
        return output.json(&Done { remote, key, action });
    }
    output.say(format!("{key}: {action} on {remote}"));
    Ok(())
}

/// The key, and the value where it stands behind it.
fn parts(arguments: &SetArguments) -> Result<(VariableName, Option<SecretValue>), Failure> {
    let Some((key, value)) = arguments.assignment.split_once('=') else {
        return Ok((parse_key(&arguments.assignment)?, None));
    };
    if arguments.input.is_given() {
        return Err(Failure::usage("the value is given twice: behind the key, and by an option"));
    }
    let value = SecretValue::new(value.to_owned()).map_err(|error| Failure::caused_by(&error))?;
    Ok((parse_key(key)?, Some(value)))
}
