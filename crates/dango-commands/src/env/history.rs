//! `dango env history`, `rollback`, `reseal` and `diff`: for `.env` what the same verbs are for `secrets.toml`.

use dango_audit::{Event, TargetKind};
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::storage;
use serde::Serialize;

use super::set::parse_key;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{all_done, file, recorded, set_ending, variable};
use crate::secrets::changes::changes;
use crate::secrets::diff::{self, DiffArguments, Other};
use crate::secrets::{action, history, reseal};

#[derive(clap::Args, Debug)]
pub(crate) struct HistoryArguments {
    /// The variable
    #[arg(value_name = "KEY")]
    key: String,
}

#[derive(clap::Args, Debug)]
pub(crate) struct RollbackArguments {
    /// The variable and the number that `history` shows, as in STRIPE_KEY@1
    #[arg(value_name = "KEY@N")]
    value: String,
}

#[derive(Serialize)]
struct Done {
    key: String,
    number: usize,
    action: &'static str,
    encrypted: bool,
}

pub(crate) fn history(arguments: &HistoryArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let key = parse_key(&arguments.key)?;
    let opened = Opened::find(global, output.host)?;
    let previous = opened.vault().env_history(&key).map_err(|error| opened.vault_failure(&error))?;
    let changes = changes(&opened, TargetKind::Variable, key.as_str(), output);
    history::tell(key.as_str(), changes, previous, "env", output)
}

pub(crate) fn rollback(arguments: &RollbackArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (key, number) = history::split(&arguments.value)?;
    let key = parse_key(key)?;
    let opened = Opened::find(global, output.host)?;
    let document = opened.env()?;
    opened.check_env(&document, output)?;
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().rollback_env(&key, number);
        report.map_err(|error| opened.vault_failure(&error))
    };
    let draft = variable(Event::SecretRolledBack, key.as_str());
    let report = recorded(&opened, vec![draft], output, change, |report| {
        vec![set_ending(action(report.outcome), report.encrypted)]
    })?;
    let done = action(report.outcome);
    if output.json {
        return output.json(&Done {
            key: key.to_string(),
            number,
            action: done,
            encrypted: report.encrypted,
        });
    }
    output.say(format!("{key}: {done}, to the value that number {number} was"));
    output.hint(format!("the value that it had is in `dango env history {key}`"));
    Ok(())
}

pub(crate) fn reseal(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.env()?;
    let vault = opened.vault();
    let before = vault.check_env(&document).map_err(|error| opened.vault_failure(&error))?;
    if before.is_some() {
        let change = |_: &mut Output<'_>| vault.reseal_env().map_err(|error| opened.vault_failure(&error));
        recorded(&opened, vec![file(Event::SecretsResealed, ".env")], output, change, all_done(1))?;
    }
    reseal::tell(before.map(|warning| warning.to_string()), ".env", output)
}

pub(crate) fn diff(arguments: &DiffArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let here = opened.open_env(&opened.env()?, output)?;
    let there = match diff::other(&arguments.other, output)? {
        Other::Project(other) => other.open_env(&other.env()?, output)?,
        Other::File(path) => {
            let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
            let contents = contents.ok_or_else(|| diff::missing(&path))?;
            let document = EnvDocument::parse(contents.bytes()).map_err(|error| {
                let (line, column) = error.place();
                Failure::refused(format!("{}:{line}:{column}: {error}", path.display()))
            })?;
            dango_vault::open_env(&document, &opened.keys).map_err(|error| opened.vault_failure(&error.into()))?
        }
    };
    let comparison = diff::comparison(output)?;
    let differences = comparison.differences(&comparison.env(&here), &comparison.env(&there));
    diff::tell(differences, output)
}
