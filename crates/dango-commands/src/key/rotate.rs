//! `dango key rotate`: everything encrypted anew under a new key, or an interrupted rotation finished.

use clap::Args;
use dango_audit::{Detail, Event};
use dango_vault::RotationReport;
use serde::Serialize;

use super::{open, values, with_id};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::DatabaseArguments;
use crate::failure::Failure;
use crate::key_access::holder_failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{count, key, recorded};

#[derive(Args, Debug)]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Serialize)]
struct Done {
    action: &'static str,
    key_id: String,
    encrypted: usize,
    left: Vec<Left>,
    still_needed: Vec<String>,
}

#[derive(Serialize)]
struct Left {
    name: String,
    reason: String,
}

pub(crate) fn run(arguments: &RotateArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = open(&arguments.database, global, output)?;
    // A file whose seal is not intact keeps the old key in use; that is said first.
    let (secrets, env) = (opened.secrets(output)?, opened.env()?);
    opened.check_secrets(&secrets, output)?;
    opened.check_env(&env, output)?;
    let report = recorded(
        &opened,
        vec![key(Event::KeyRotated)],
        output,
        |output| rotate(&opened, output),
        |report| vec![with_id(report.active).with(Detail::Count, count(report.encrypted))],
    )?;
    let action = if report.resumed { "resumed" } else { "rotated" };
    if output.json {
        return output.json(&Done {
            action,
            key_id: report.active.to_string(),
            encrypted: report.encrypted,
            left: report
                .left
                .iter()
                .map(|value| Left {
                    name: value.place.clone(),
                    reason: value.problem.to_string(),
                })
                .collect(),
            still_needed: report.still_needed.iter().map(ToString::to_string).collect(),
        });
    }
    for value in &report.left {
        output.warn(format!("{}: left as it is: {}", value.place, value.problem));
    }
    let resumed = if report.resumed {
        "an interrupted rotation is finished; "
    } else {
        ""
    };
    let verb = if report.encrypted == 1 { "is" } else { "are" };
    output.say(format!(
        "{resumed}{} {verb} encrypted under the key {}",
        values(report.encrypted),
        report.active
    ));
    for id in &report.still_needed {
        output.warn(format!(
            "the old key {id} is kept: something still needs it; accept or repair it, then rotate again"
        ));
    }
    output.hint("backups of the old key do not open what is stored now: make a new one with `dango key export FILE`");
    Ok(())
}

fn rotate(opened: &Opened, output: &mut Output<'_>) -> Result<RotationReport, Failure> {
    let holder = opened.place.present_holder().map_err(|error| holder_failure(&error))?;
    let host = &output.host;
    let report = dango_vault::rotate(&opened.project, holder.as_ref(), host.entropy.as_ref(), host.clock.as_ref())
        .map_err(|error| opened.vault_failure(&error))?;
    let noted = opened.place.note_rotation(report.active);
    noted.map_err(|error| opened.vault_failure(&error))?;
    Ok(report)
}
