//! `dango secrets history` and `rollback`: the previous values of a credential, encrypted in `.dango/history`; listed without them, and put back.

use clap::Args;
use dango_audit::Event;
use dango_vault::PreviousValue;
use serde::Serialize;

use super::{action, parse_path};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{credential, recorded, set_ending};

#[derive(Args, Debug)]
pub(crate) struct HistoryArguments {
    /// The credential, as in sources.stripe.api_key
    #[arg(value_name = "PATH")]
    path: String,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArguments {
    /// The credential and the number that `history` shows, as in sources.stripe.api_key@1
    #[arg(value_name = "PATH@N")]
    value: String,
}

#[derive(Serialize)]
struct Row {
    number: usize,
    at: String,
    actor: String,
}

#[derive(Serialize)]
struct Done {
    path: String,
    number: usize,
    action: &'static str,
    encrypted: bool,
}

pub(crate) fn history(arguments: &HistoryArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let path = parse_path(&arguments.path)?;
    let opened = Opened::find(global, output.host)?;
    let previous = opened.vault().secret_history(&path).map_err(|error| opened.vault_failure(&error))?;
    tell(&path.to_string(), previous, "secrets", output)
}

pub(crate) fn rollback(arguments: &RollbackArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (path, number) = split(&arguments.value)?;
    let path = parse_path(path)?;
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    opened.check_secrets(&document, output);
    let change = |_: &mut Output<'_>| {
        let report = opened.vault().rollback_secret(&path, number);
        report.map_err(|error| opened.vault_failure(&error))
    };
    let draft = credential(Event::SecretRolledBack, &path);
    let report = recorded(&opened, vec![draft], output, change, |report| {
        vec![set_ending(
            report.outcomes.first().copied().map_or("unchanged", action),
            report.encrypted.contains(&path),
        )]
    })?;
    let encrypted = report.encrypted.contains(&path);
    let done = report.outcomes.first().copied().map_or("unchanged", action);
    if output.json {
        return output.json(&Done {
            path: path.to_string(),
            number,
            action: done,
            encrypted,
        });
    }
    output.say(format!("{path}: {done}, to the value that number {number} was"));
    output.hint(format!("the value that it had is in `dango secrets history {path}`"));
    Ok(())
}

/// The previous values of one place, the latest first.
pub(crate) fn tell(name: &str, previous: Vec<PreviousValue>, group: &str, output: &mut Output<'_>) -> Outcome {
    let rows: Vec<Row> = previous
        .into_iter()
        .map(|value| Row {
            number: value.number,
            at: value.at.to_string(),
            actor: value.actor,
        })
        .collect();
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say(format!(
            "no previous values of {name} are kept; they are while the file has encrypted values"
        ));
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| vec![row.number.to_string(), row.at.clone(), row.actor.clone()])
        .collect();
    output.table(&["N", "REPLACED", "BY"], &cells)?;
    output.hint(format!("`dango {group} rollback {name}@N` puts one back"));
    Ok(())
}

/// The two halves of `PATH@N`; what stands there is not repeated, it may be anything.
pub(crate) fn split(text: &str) -> Result<(&str, usize), Failure> {
    let halves = text.rsplit_once('@');
    let is_number = |text: &str| text.starts_with(|c: char| matches!(c, '1'..='9')) && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that no history reaches is answered with how far it does reach.
    let number = halves
        .filter(|(_, number)| is_number(number))
        .map(|(name, number)| (name, number.parse().unwrap_or(usize::MAX)));
    number.ok_or_else(|| Failure::usage("the number of the previous value is missing: it stands behind the name, as in NAME@1"))
}
