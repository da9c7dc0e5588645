//! `dango secrets unset`: removes one credential, or a whole table after confirmation.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_client::Method;
use dango_core::CredentialPath;
use dango_secrets::document::EditError;
use dango_vault::{Removal, SetError, VaultError};
use serde::{Deserialize, Serialize};

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{count, credential, recorded};
use crate::server::{Server, StoredCredential};

#[derive(Args, Debug)]
pub(crate) struct UnsetArguments {
    /// The credential or table, as in sources.stripe.api_key
    #[arg(value_name = "PATH")]
    path: String,
}

#[derive(Serialize)]
struct Done {
    path: String,
    action: &'static str,
    removed: usize,
}

pub(crate) fn run(arguments: &UnsetArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let path = parse_path(&arguments.path)?;
    if let Some(server) = Server::of(global, output)? {
        return on_server(&server, &path, global, output);
    }
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let confirmed = if document.contains_table(&path) {
        let values = document.entries().iter().filter(|entry| entry.path.starts_with(&path)).count();
        prompt::confirm(
            &format!("remove the table {path} and the {values} credentials in it?"),
            global.yes,
            output,
        )?;
        true
    } else {
        false
    };
    // What was a value when the question was not asked may have become a table since.
    let what = if confirmed { Removal::ValueOrTable } else { Removal::Value };
    if document.value(&path).is_none() && !document.contains_table(&path) {
        return Err(super::missing(&path, &opened));
    }
    let change = |_: &mut Output<'_>| {
        opened.vault().unset_secret(&path, what).map_err(|error| match error {
            VaultError::Set(SetError::Edit(EditError::NotFound { .. })) => super::missing(&path, &opened),
            error => opened.vault_failure(&error),
        })
    };
    let removed = recorded(&opened, vec![credential(Event::SecretDeleted, &path)], output, change, |removed| {
        vec![Ending::done().with(Detail::Count, count(*removed))]
    })?;
    tell(&path, removed, output)
}

/// The same on a server, which makes and records the change.
fn on_server(server: &Server, path: &CredentialPath, global: &Global, output: &mut Output<'_>) -> Outcome {
    let parsed = |row: &StoredCredential| row.path.parse::<CredentialPath>().ok();
    let rows = server.stored()?.credentials;
    let below = rows.iter().filter_map(parsed).filter(|found| found.starts_with(path)).count();
    let is_value = rows.iter().filter_map(parsed).any(|found| found == *path);
    if !is_value {
        if below == 0 {
            return Err(Failure::refused(format!("there is no credential {path} at {}", server.url()))
                .hint("`dango secrets list` shows what there is"));
        }
        let question = format!("remove the table {path} and the {below} credentials in it?");
        prompt::confirm(&question, global.yes, output)?;
    }
    let body = ToDelete {
        path: path.to_string(),
        table: !is_value,
    };
    let deleted: WasDeleted = server.change(Method::Delete, "/api/project/credentials", &body, "dango secrets list")?;
    tell(path, deleted.removed, output)
}

#[derive(Serialize)]
struct ToDelete {
    path: String,
    table: bool,
}

#[derive(Deserialize)]
struct WasDeleted {
    removed: usize,
}

fn tell(path: &CredentialPath, removed: usize, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&Done {
            path: path.to_string(),
            action: "deleted",
            removed,
        });
    }
    output.say(format!("{path}: deleted"));
    Ok(())
}
