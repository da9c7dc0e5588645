//! `dango env unset`: removes one variable of `.env`, every duplicate of it.

use clap::Args;
use dango_secrets::dotenv::EnvEditError;
use dango_vault::{EnvSetError, VaultError};
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct UnsetArguments {
    /// The variable; any key that is in the file
    #[arg(value_name = "KEY")]
    key: String,
}

#[derive(Serialize)]
struct Done<'a> {
    key: &'a str,
    action: &'static str,
}

pub(crate) fn run(arguments: &UnsetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let key = arguments.key.as_str();
    opened.vault().unset_env(key).map_err(|error| match error {
        // The key is not repeated: `KEY=VALUE` typed here would be a secret.
        VaultError::EnvSet(EnvSetError::Edit(EnvEditError::NotFound)) => {
            Failure::refused(format!("there is no such variable in {}", opened.project.env_file().display()))
                .hint("`dango env list` shows what there is")
        }
        error => opened.vault_failure(&error),
    })?;
    if output.json {
        return output.json(&Done { key, action: "deleted" });
    }
    output.say(format!("{key}: deleted"));
    Ok(())
}
