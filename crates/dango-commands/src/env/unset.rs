//! `dango env unset`: removes one variable of `.env`, every duplicate of it.

use std::fmt::Display;

use clap::Args;
use dango_audit::Event;
use dango_client::Method;
use dango_secrets::dotenv::EnvEditError;
use dango_vault::{EnvSetError, VaultError};
use serde::Serialize;

use super::set::refuse_pair;
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
    if global.server.is_some() {
        refuse_pair(key)?;
    }
    if let Some(server) = Server::of(global, output)? {
        // What is not there is not sent: it may be a secret, and logs of what lies between have the paths of requests.
        if !server.stored()?.variables.iter().any(|row| row.key == key) {
            return Err(missing(server.url()));
        }
        let path = format!("/api/secrets/{}", in_path(key));
        let _: serde_json::Value = server.change(Method::Delete, &path, &serde_json::json!({}), "dango env list")?;
        return tell(key, output);
    }
    let opened = Opened::find(global, output.host)?;
    let file = opened.project.env_file();
    let file = file.display();
    if !opened.env()?.keys().contains(&key) {
        return Err(missing(&file));
    }
    let change = |_: &mut Output<'_>| {
        opened.vault().unset_env(key).map_err(|error| match error {
            VaultError::EnvSet(EnvSetError::Edit(EnvEditError::NotFound)) => missing(&file),
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
fn missing(place: &dyn Display) -> Failure {
    Failure::refused(format!("there is no such variable in {place}")).hint("`dango env list` shows what there is")
}
