//! `dango remote env delete`: removes one variable of the server's `.env`, every duplicate of it.

use clap::Args;
use dango_audit::{Detail, Event};
use dango_core::VariableName;
use dango_remote::unset_variable;
use dango_vault::is_encrypted_binding;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::recorded::{all_done, recorded};
use crate::remote::Which;
use crate::remote::link::Link;

#[derive(Args, Debug)]
pub(crate) struct DeleteArguments {
    /// The variable; any key that is in the file
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Done<'a> {
    remote: &'a str,
    key: &'a str,
    action: &'static str,
}

pub(crate) fn run(arguments: &DeleteArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let link = Link::find(&arguments.which, global, output)?;
    let (key, remote) = (arguments.key.as_str(), link.remote.name.as_str());
    let change = |output: &mut Output<'_>| link.work(output, |access| unset_variable(access, key, &is_encrypted_binding));
    let draft = link.draft(Event::RemoteEnvDeleted);
    let draft = match key.parse::<VariableName>() {
        Ok(key) => draft.with(Detail::Key, &key),
        // What no program could read is not named: it may be a value that was pasted.
        Err(_) => draft,
    };
    let result = recorded(&link.opened, vec![draft], output, change, all_done(1));
    let result = result.map_err(|failure| match failure.code {
        "env_key_not_found" => Failure::refused(format!("there is no such variable in .env on {remote}"))
            .with_code(failure.code)
            .hint("`dango remote env list` shows what there is"),
        _ => failure,
    });
    link.finish(result, output)?;
    if output.json {
        return output.json(&Done {
            remote,
            key,
            action: "deleted",
        });
    }
    output.say(format!("{key}: deleted on {remote}"));
    Ok(())
}
