//! `dango audit verify`: whether the log is as it was written, and which is the first record that is not.

use std::path::PathBuf;

use clap::Args;
use dango_actions::{AuditView, VerifyAuditError};
use dango_audit::{Report, Seq};
use dango_secrets::storage;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status, chain};
use crate::house::{House, fault, wait};
use crate::output::Output;

/// How many open intents are named.
const NAMED: usize = 10;

#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    /// A checkpoint that was kept elsewhere; may be given several times [always: .dango/audit.checkpoint]
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Verdict {
    ok: bool,
    events: u64,
    first_bad: Option<u64>,
}

pub(super) fn run(arguments: &VerifyArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    let mut kept = vec![(house.checkpoint_file(), house.kept_notes()?)];
    for file in &arguments.checkpoint {
        let path = output.host.directory.join(file);
        let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
        let contents = contents.ok_or_else(|| Failure::refused(format!("there is no {}", path.display())))?;
        kept.push((path, String::from_utf8_lossy(contents.bytes()).into_owned()));
    }
    let is_there = house.database_is_there();
    let actions = match is_there {
        true => house.readable(output)?,
        false => None,
    };
    let Some(actions) = actions else {
        return nothing_there(&kept, &house, output);
    };
    let permit = house.permit::<AuditView>(&actions, output)?;
    // One file after the other, so that the one that does not open has a name.
    let (mut bad_checkpoint, mut notes) = (None, String::new());
    for (path, text) in &kept {
        match dango_actions::split_notes(text)
            .iter()
            .find_map(|note| actions.checkpoint_verifier().open(note).err())
        {
            Some(error) => bad_checkpoint = bad_checkpoint.or(Some((path, error))),
            None => notes.push_str(text),
        }
    }
    let report = wait(actions.verify_audit(&permit, &notes)).map_err(|error| match error {
        VerifyAuditError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    })?;
    let ok = report.is_ok() && bad_checkpoint.is_none();
    if output.json {
        output.json(&Verdict {
            ok,
            events: report.events,
            first_bad: report.first_bad.map(|bad| bad.seq.get()),
        })?;
    }
    tell_open_intents(&report.open_intents, output);
    let mut found = match report.first_bad {
        Some(bad) => Failure::refused(format!(
            "the audit log was tampered with: record {} is the first bad one: {}",
            bad.seq, bad.fault
        ))
        .hint("`dango audit list` still shows what is there; nothing before that record was changed")
        .hint("if the identity key was exchanged, give the one that the log was written with"),
        None => Failure::refused("a checkpoint of the audit log cannot be trusted"),
    };
    found.status = Status::Found;
    if let Some((path, error)) = bad_checkpoint {
        found = found.hint(format!("{} does not open: {}", path.display(), chain(&error)));
    }
    if !ok {
        return Err(found);
    }
    if !output.json {
        output.say(summary(&report));
    }
    Ok(())
}

/// Where there is no database there must be no checkpoint of one either.
fn nothing_there(kept: &[(PathBuf, String)], house: &House, output: &mut Output<'_>) -> Outcome {
    let ok = kept.iter().all(|(_, notes)| notes.trim().is_empty());
    if output.json {
        output.json(&Verdict {
            ok,
            events: 0,
            first_bad: (!ok).then(|| Seq::FIRST.get()),
        })?;
    }
    if ok {
        if !output.json {
            output.say("there is no audit log yet");
        }
        return Ok(());
    }
    let mut gone = house.database_is_gone();
    gone.status = Status::Found;
    Err(gone)
}

fn tell_open_intents(open: &[Seq], output: &mut Output<'_>) {
    if open.is_empty() {
        return;
    }
    let named: Vec<String> = open.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if open.len() > NAMED { ", …" } else { "" };
    let are = if open.len() == 1 { "1 change was" } else { "changes were" };
    let count = if open.len() == 1 {
        String::new()
    } else {
        format!("{} ", open.len())
    };
    output.warn(format!(
        "{count}{are} begun, and no record says how it ended: {}{more}; a program was stopped there, or is still at it",
        named.join(", ")
    ));
}

fn summary(report: &Report) -> String {
    let records = |count: u64| {
        if count == 1 {
            "1 record".to_owned()
        } else {
            format!("{count} records")
        }
    };
    let mut text = format!("the audit log is as it was written: {}", records(report.events));
    if report.pruned > 0 {
        text.push_str(&format!(", {} pruned before them", report.pruned));
    }
    if report.erased > 0 {
        text.push_str(&format!("; personal data erased {} times", report.erased));
    }
    text
}
