//! The identity key, the database and the audit log, as `dango doctor` looks at them: nothing is made, migrated or written.

use dango_actions::{AuditView, IdentityKeyError, Premises, PremisesError};
use dango_audit::query::{Cursor, Filter, Order, PageLimit};
use dango_audit::{Report, Seq};
use dango_core::Timestamp;
use dango_doctor::{Code, Finding};
use dango_store::StoreFailure;

use crate::failure::{Failure, chain};
use crate::house::{House, store_failure, wait};
use crate::opened::Opened;
use crate::output::Output;

const DATABASE: &str = ".dango/dango.db";
const IDENTITY_KEY: &str = ".dango/identity.key";
const CHECKPOINT: &str = ".dango/audit.checkpoint";
/// What is behind this many microseconds is history: whoever cared has looked.
const RECENT: i64 = 7 * 86_400 * 1_000_000;
/// How many changes without an end are told one by one.
const NAMED: usize = 10;

/// Looks at them in the order in which each needs the one before.
pub(super) fn check(opened: &Opened, output: &mut Output<'_>) -> Vec<Finding> {
    let house = House::of(opened.project.clone());
    // What servers keep in PostgreSQL is looked at by `dango-server check`.
    if house.is_elsewhere(output.host) {
        return Vec::new();
    }
    match house.premises(output.host) {
        Ok(premises) => premises_of(&house, &premises, output),
        Err(failure) => vec![from_failure(Code::IdentityKeyUnusable, IDENTITY_KEY, &failure)],
    }
}

fn premises_of(house: &House, premises: &Premises, output: &mut Output<'_>) -> Vec<Finding> {
    let kept = match premises.kept_checkpoint() {
        Ok(kept) => kept,
        Err(error) => {
            return vec![Finding::new(
                Code::Unreadable,
                CHECKPOINT,
                chain(&error),
                format!("see that {CHECKPOINT} can be read"),
            )];
        }
    };
    let mut found = Vec::new();
    let key = match premises.identity_key().load() {
        Ok(key) => key.is_some(),
        // Its permissions are told with those of the other files.
        Err(IdentityKeyError::Exposed { .. }) => true,
        Err(error) => {
            let fix =
                "put the key back from a backup, or give it in DANGO_IDENTITY_KEY; a key is 32 bytes as 64 hexadecimal digits or as base64";
            return vec![Finding::new(Code::IdentityKeyUnusable, IDENTITY_KEY, chain(&error), fix)];
        }
    };
    match premises.has_database(kept.as_ref()) {
        Ok(true) => {}
        Ok(false) => return found,
        Err(error) => {
            let fix = match error {
                PremisesError::DatabaseGone { .. } => {
                    format!("put {DATABASE} back from a backup; to begin anew, without its users and its log, move {CHECKPOINT} away")
                }
                _ => format!("see that {DATABASE} can be read"),
            };
            return vec![Finding::new(Code::DatabaseMissing, DATABASE, chain(&error), fix)];
        }
    }
    if !key {
        found.push(Finding::new(
            Code::IdentityKeyMissing,
            IDENTITY_KEY,
            format!("there is {DATABASE}, and its identity key is gone: nobody can sign in, and nothing can be recorded"),
            "put the key back from a backup, or give it in DANGO_IDENTITY_KEY; if it is lost for good: `dango auth recover`",
        ));
    }
    match (output.host.inspect_store)(premises.database()) {
        Ok(schema) if schema.found < schema.latest => {
            found.push(Finding::new(
                Code::DatabaseOlder,
                DATABASE,
                format!(
                    "{DATABASE} has schema version {}, and this version of Dango writes {}; its log was not looked at",
                    schema.found, schema.latest
                ),
                "`dango-server migrate`, after a backup; any command that changes something does it as well",
            ));
            return found;
        }
        Ok(_) => {}
        Err(failure) => {
            let code = match failure {
                StoreFailure::Newer { .. } => Code::DatabaseNewer,
                _ => Code::DatabaseUnusable,
            };
            found.push(from_failure(code, DATABASE, &store_failure(&failure)));
            return found;
        }
    }
    // A key that others may read opens no log; once it is closed, the log is looked at.
    if key && premises.identity_key().load().is_ok() {
        found.extend(log(house, output));
    }
    found
}

/// The whole log against its checkpoint: a million records take a second.
fn log(house: &House, output: &mut Output<'_>) -> Vec<Finding> {
    let looked = read_log(house, output);
    match looked {
        Ok(found) => found,
        Err(failure) => vec![from_failure(Code::AuditBroken, DATABASE, &failure)],
    }
}

fn read_log(house: &House, output: &mut Output<'_>) -> Result<Vec<Finding>, Failure> {
    let Some(actions) = house.readable(output)? else {
        return Ok(Vec::new());
    };
    let notes = house.kept_notes()?;
    let permit = house.permit::<AuditView>(&actions, output)?;
    let report = wait(actions.verify_audit(&permit, &notes)).map_err(|error| Failure::caused_by(&error))?;
    if let Some(bad) = report.first_bad {
        return Ok(vec![Finding::new(
            Code::AuditBroken,
            format!("{DATABASE}:{}", bad.seq),
            format!(
                "the audit log is not as it was written: record {} is the first bad one: {}",
                bad.seq, bad.fault
            ),
            "`dango audit verify` says more; keep the file as it is, and compare it with a backup",
        )]);
    }
    let since = output.host.clock.now().unix_micros().saturating_sub(RECENT);
    unfinished(&report, Timestamp::from_unix_micros(since), |filter| {
        let permit = house.permit::<AuditView>(&actions, output)?;
        let one = PageLimit::new(1).unwrap_or_default();
        let page = wait(actions.list_audit(&permit, filter, one)).map_err(|error| Failure::caused_by(&error))?;
        Ok(page.events.into_iter().next().map(|event| (event.at, event.event)))
    })
}

/// The changes of the last days that were begun and of which nothing else is known.
fn unfinished(
    report: &Report,
    since: Timestamp,
    record_at: impl Fn(Filter) -> Result<Option<(Timestamp, String)>, Failure>,
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    for seq in report.open_intents.iter().rev().take(NAMED) {
        let before = Seq::new(seq.get().saturating_sub(1));
        let filter = Filter {
            cursor: Some(Cursor::behind(before)),
            order: Order::OldestFirst,
            ..Filter::default()
        };
        let Some((at, event)) = record_at(filter)? else { continue };
        if at < since {
            continue;
        }
        found.push(Finding::new(
            Code::ChangeUnfinished,
            format!("{DATABASE}:{seq}"),
            format!("record {seq} of the audit log, {event}, was begun at {at}, and nothing says how it ended: a program was stopped there, or is still at it"),
            "look whether the change was made, and make it again if not; a week later this is no longer told",
        ));
    }
    Ok(found)
}

fn from_failure(code: Code, place: &str, failure: &Failure) -> Finding {
    let fix = match failure.hints.as_slice() {
        [] => "`dango audit verify` says more".to_owned(),
        hints => hints.join("; "),
    };
    Finding::new(code, place, failure.message.clone(), fix)
}
