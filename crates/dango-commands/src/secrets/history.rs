//! `dango secrets history` and `rollback`: who changed a credential, and its previous values, encrypted in `.dango/history`, put back.

use clap::Args;
use dango_audit::{Event, TargetKind};
use dango_vault::PreviousValue;
use serde::Serialize;

use super::changes::{Change, changes};
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

/// A previous value, which has a number and can be put back; where none is kept, a change of the value.
#[derive(Serialize)]
struct Row {
    number: Option<usize>,
    at: String,
    actor: String,
    action: Option<String>,
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
    let name = path.to_string();
    let changes = changes(&opened, TargetKind::Secret, &name, output);
    tell(&name, changes, previous, "secrets", output)
}

pub(crate) fn rollback(arguments: &RollbackArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let (path, number) = split(&arguments.value)?;
    let path = parse_path(path)?;
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    opened.check_secrets(&document, output)?;
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

/// What was done to one value, and the values that it had, the latest first.
pub(crate) fn tell(name: &str, changes: Vec<Change>, previous: Vec<PreviousValue>, group: &str, output: &mut Output<'_>) -> Outcome {
    if output.json {
        let kept = previous.into_iter().map(|value| Row {
            number: Some(value.number),
            at: value.at.to_string(),
            actor: value.actor,
            action: None,
        });
        let mut rows: Vec<Row> = kept.collect();
        if rows.is_empty() {
            rows.extend(changes.into_iter().map(|change| Row {
                number: None,
                at: change.at,
                actor: change.actor,
                action: Some(change.action),
            }));
        }
        return output.json(&rows);
    }
    if changes.is_empty() {
        output.say(format!("no change of {name} is recorded"));
    } else {
        let cells: Vec<Vec<String>> = changes.iter().map(Change::cells).collect();
        output.table(&["CHANGED", "BY", "HOW"], &cells)?;
    }
    if previous.is_empty() {
        output.say(format!(
            "no previous values of {name} are kept; they are while the file has encrypted values"
        ));
        return Ok(());
    }
    let rows = previous.into_iter();
    let cells: Vec<Vec<String>> = rows
        .map(|value| vec![value.number.to_string(), value.at.to_string(), value.actor])
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
