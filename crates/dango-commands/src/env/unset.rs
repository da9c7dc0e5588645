//! `dango env unset`: removes one variable of `.env`, every duplicate of it.

use clap::Args;
use dango_audit::Event;
use dango_client::Method;
use dango_secrets::dotenv::EnvEditError;
use dango_vault::{EnvSetError, VaultError};
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{all_done, recorded, variable};
use crate::server::Server;

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
    let key = arguments.key.as_str();
    if let Some(server) = Server::of(global, output)? {
        let path = format!("/api/secrets/{}", in_path(key));
        let _: serde_json::Value = server.change(Method::Delete, &path, &serde_json::json!({}))?;
        return tell(key, output);
    }
    let opened = Opened::find(global, output.host)?;
    if !opened.env()?.keys().contains(&key) {
        return Err(missing(&opened));
    }
    let change = |_: &mut Output<'_>| {
        opened.vault().unset_env(key).map_err(|error| match error {
            VaultError::EnvSet(EnvSetError::Edit(EnvEditError::NotFound)) => missing(&opened),
            error => opened.vault_failure(&error),
        })
    };
    recorded(&opened, vec![variable(Event::SecretDeleted, key)], output, change, all_done(1))?;
    tell(key, output)
}

/// A key as a part of a path: everything encoded that is no letter, digit or underscore (RFC 3986 §2.3).
fn in_path(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() || byte == b'_' {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

fn tell(key: &str, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&Done { key, action: "deleted" });
    }
    output.say(format!("{key}: deleted"));
    Ok(())
}

/// The key is not repeated: `KEY=VALUE` typed here would be a secret.
fn missing(opened: &Opened) -> Failure {
    let path = opened.project.env_file();
    Failure::refused(format!("there is no such variable in {}", path.display())).hint("`dango env list` shows what there is")
}
