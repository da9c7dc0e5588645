//! `dango auth import`: the users of an earlier Dango and what its audit log tells, taken over or, in a dry run, only shown.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dango_actions::{
    BadLine, Earlier, EarlierLog, FirstEntry, ImportError, ImportReport, ImportedKey, ImportedUser, Machine, SkippedUser, UserSkipped,
};
use dango_identity::Activity;
use dango_store::EarlierError;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, chain};
use crate::house::{House, denied, fault, wait};
use crate::output::Output;

/// Where an earlier Dango keeps its log, seen from its database.
const LOG: &str = "logs/audit.jsonl";

/// An earlier Dango puts its log away long before it is as large.
const LOG_LIMIT: u64 = 256 << 20;

/// How many lines that are no records a person is told of.
const TOLD_LINES: usize = 10;

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The database of the earlier Dango, `.dango/auth.db`; it is only read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show what would be taken over, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The audit log of the earlier Dango [default: logs/audit.jsonl beside FILE, if it is there]
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
}

pub(super) fn run(arguments: &ImportArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    let path = output.host.directory.join(&arguments.file);
    let database = (output.host.read_earlier)(&path).map_err(|error| unread(&arguments.file, &error))?;
    let log_path = match &arguments.audit_log {
        Some(path) => output.host.directory.join(path),
        None => path.with_file_name(LOG),
    };
    let log = read_log(&log_path, arguments.audit_log.is_none())?;
    // As it was typed, for messages.
    let log_path = arguments.audit_log.clone().unwrap_or_else(|| arguments.file.with_file_name(LOG));
    let earlier = Arc::new(Earlier { database, log });
    let report = match arguments.dry_run {
        true => plan(&house, earlier, output)?,
        false => {
            let actions = house.actions(output)?;
            let permit = house.permit::<Machine>(&actions, output)?;
            let done = wait(actions.import(&permit, earlier));
            house.keep_checkpoint(output);
            done.map_err(|error| match error {
                ImportError::Denied(error) => denied(&error),
                ImportError::Fault(error) => fault(&error).hint("run it again: nothing is taken over twice"),
                error => Failure::caused_by(&error),
            })?
        }
    };
    tell(&report, arguments.dry_run, &log_path, output);
    if output.json {
        return output.json(&Told::of(&report, arguments.dry_run));
    }
    if report.users.is_empty() {
        return Ok(());
    }
    output.table(&HEADING, &report.users.iter().map(row).collect::<Vec<_>>())
}

fn plan(house: &House, earlier: Arc<Earlier>, output: &mut Output<'_>) -> Result<ImportReport, Failure> {
    let Some(actions) = house.readable(output)? else {
        return Ok(earlier.plan_for_new_project(output.host.clock.now()));
    };
    let permit = house.permit::<Machine>(&actions, output)?;
    wait(actions.plan_import(&permit, earlier)).map_err(|error| fault(&error))
}

/// The log of an earlier Dango; none where it was not named and is not there.
fn read_log(path: &Path, may_be_missing: bool) -> Result<Option<EarlierLog>, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::refused(format!("cannot read {}: {why}", path.display()));
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if may_be_missing && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    if !found.is_file() {
        return Err(failed(&"it is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(LOG_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LOG_LIMIT {
        return Err(failed(&"it is larger than 256 MiB").hint("import it in parts, each with `--audit-log FILE`"));
    }
    Ok(Some(EarlierLog::read(&bytes)))
}

fn unread(path: &Path, error: &EarlierError) -> Failure {
    let failure = Failure::refused(format!("cannot import {}: {}", path.display(), chain(error))).with_code(error.code());
    match error {
        EarlierError::Missing | EarlierError::Foreign | EarlierError::NotAFile => {
            failure.hint("the users of an earlier Dango are in `.dango/auth.db` of its project")
        }
        EarlierError::Newer { .. } => failure.hint("use a later version of this Dango"),
        EarlierError::Unfinished => failure.hint("start the earlier Dango once, so that it tidies up, then do it again"),
        EarlierError::Busy => failure.hint("stop the earlier Dango, then do it again"),
        EarlierError::Damaged(_) => failure.hint("nothing was taken over; import a backup of it instead"),
        _ => failure,
    }
}

/// What happened, or would, and what is left to do, for a person.
fn tell(report: &ImportReport, dry_run: bool, log: &Path, output: &mut Output<'_>) {
    let (before, skipped): (Vec<_>, Vec<_>) = report.skipped.iter().partition(|user| user.reason == UserSkipped::ImportedBefore);
    for user in skipped {
        output.warn(format!("{} is skipped: {}", user.email.as_str(), user.reason));
    }
    if let Some(events) = &report.events {
        for bad in events.bad_lines.iter().take(TOLD_LINES) {
            output.warn(format!("{}:{} is skipped: {}", log.display(), bad.line, bad.problem));
        }
        let untold = events.malformed.saturating_sub(TOLD_LINES as u64);
        if untold > 0 {
            output.warn(format!("{} more lines of {} are skipped", untold, log.display()));
        }
    }
    let said = match dry_run {
        true => "would take over",
        false => "took over",
    };
    let records = report.events.as_ref().map_or(0, |events| events.imported);
    output.say(format!(
        "{said} {}, {} and {} of the audit log",
        counted(report.users.len() as u64, "user"),
        counted(report.api_keys() as u64, "API key"),
        counted(records, "record"),
    ));
    if !before.is_empty() {
        output.say(format!(
            "{} taken over before, and left as they are",
            counted(before.len() as u64, "user")
        ));
    }
    if report.users.iter().any(|user| matches!(user.entry, FirstEntry::Invitation(_))) {
        output.hint("whoever has no password gets in with a temporary one: `dango auth reset-password EMAIL`");
    }
    if dry_run {
        output.hint("nothing was changed; without `--dry-run` it is");
    }
}

fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

const HEADING: [&str; 6] = ["EMAIL", "ROLE", "ACCOUNT", "LOGIN", "2FA", "API KEYS"];

fn row(user: &ImportedUser) -> Vec<String> {
    let kept = user.api_keys.iter().filter(|key| key.skipped.is_none()).count();
    let keys = match user.api_keys.len() - kept {
        0 => kept.to_string(),
        left => format!("{kept} ({left} left behind)"),
    };
    let factor = user.second_factor.map_or_else(
        || "off".to_owned(),
        |factor| format!("on, {}", counted(factor.recovery_codes as u64, "code")),
    );
    vec![
        user.email.to_string(),
        user.role.name().to_owned(),
        account(user).to_owned(),
        user.entry.as_str().replace('_', " "),
        factor,
        keys,
    ]
}

const fn account(user: &ImportedUser) -> &'static str {
    match user.activity {
        Activity::Active => "active",
        Activity::Inactive => "inactive",
    }
}

/// The report as JSON.
#[derive(Serialize)]
struct Told<'r> {
    dry_run: bool,
    users: Vec<ToldUser<'r>>,
    skipped: Vec<ToldSkipped<'r>>,
    events: Option<ToldEvents>,
}

#[derive(Serialize)]
struct ToldUser<'r> {
    email: &'r str,
    role: &'static str,
    is_active: bool,
    login: &'static str,
    totp_enabled: bool,
    recovery_codes: usize,
    api_keys: Vec<ToldKey<'r>>,
}

#[derive(Serialize)]
struct ToldKey<'r> {
    name: &'r str,
    prefix: &'r str,
    skipped: Option<&'static str>,
}

#[derive(Serialize)]
struct ToldSkipped<'r> {
    email: &'r str,
    reason: &'static str,
    message: String,
}

#[derive(Serialize)]
struct ToldEvents {
    imported: u64,
    known: u64,
    malformed: u64,
    bad_lines: Vec<ToldLine>,
}

#[derive(Serialize)]
struct ToldLine {
    line: u64,
    problem: &'static str,
}

impl<'r> Told<'r> {
    fn of(report: &'r ImportReport, dry_run: bool) -> Self {
        Self {
            dry_run,
            users: report.users.iter().map(ToldUser::of).collect(),
            skipped: report.skipped.iter().map(ToldSkipped::of).collect(),
            events: report.events.as_ref().map(|events| ToldEvents {
                imported: events.imported,
                known: events.known,
                malformed: events.malformed,
                bad_lines: events.bad_lines.iter().map(ToldLine::of).collect(),
            }),
        }
    }
}

impl<'r> ToldUser<'r> {
    fn of(user: &'r ImportedUser) -> Self {
        Self {
            email: user.email.as_str(),
            role: user.role.name(),
            is_active: user.activity == Activity::Active,
            login: user.entry.as_str(),
            totp_enabled: user.second_factor.is_some(),
            recovery_codes: user.second_factor.map_or(0, |factor| factor.recovery_codes),
            api_keys: user.api_keys.iter().map(ToldKey::of).collect(),
        }
    }
}

impl<'r> ToldKey<'r> {
    fn of(key: &'r ImportedKey) -> Self {
        Self {
            name: key.name.as_str(),
            prefix: key.prefix.as_str(),
            skipped: key.skipped.map(dango_actions::KeySkipped::as_str),
        }
    }
}

impl<'r> ToldSkipped<'r> {
    fn of(user: &'r SkippedUser) -> Self {
        Self {
            email: user.email.as_str(),
            reason: user.reason.as_str(),
            message: user.reason.to_string(),
        }
    }
}

impl ToldLine {
    fn of(bad: &BadLine) -> Self {
        Self {
            line: bad.line,
            problem: bad.problem.as_str(),
        }
    }
}
