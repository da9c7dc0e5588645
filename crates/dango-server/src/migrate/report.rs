//! What a move says: how far it is, on the way, in the log; and what was done, at its end, on standard output.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dango_audit::Report;
use dango_migration::{Compared, CutOver, Progress};
use serde_json::{Value, json};

use crate::failure::Failure;

/// How often it is told how far a long table is.
const INTERVAL: Duration = Duration::from_secs(5);

/// What was done.
pub(super) enum Told {
    /// Everything.
    Moved(CutOver),
    /// Everything but the cut-over.
    Prepared,
    /// What an earlier call had left to do.
    Finished,
    /// Nothing: an earlier call did it all.
    Before,
    /// A move was taken back.
    Aborted,
}

/// What was done, with everything that is said of it.
pub(super) struct Done {
    pub(super) from: PathBuf,
    pub(super) to: String,
    pub(super) told: Told,
    pub(super) tables: Vec<Compared>,
    pub(super) log: Option<Report>,
}

/// Tells how far a move is: each table when it begins, then from time to time.
pub(super) fn progress() -> impl FnMut(Progress) {
    let mut last: Option<(&'static str, &'static str, Instant)> = None;
    move |progress| {
        let (what, table, rows) = match progress {
            Progress::Copying { table, rows } => ("copying", table, rows),
            Progress::Comparing { table, rows } => ("comparing", table, rows),
            Progress::Following { changes } => return tracing::debug!(changes, "following what has changed"),
            Progress::Pausing => return tracing::info!("whoever writes waits for a moment"),
            Progress::Marked => return tracing::info!("the file is marked as moved"),
            Progress::Resuming => return tracing::info!("it would take too long now; whoever writes goes on, and it is tried again"),
            _ => return,
        };
        let is_due = last.is_none_or(|(last_what, last_table, at)| (last_what, last_table) != (what, table) || at.elapsed() >= INTERVAL);
        if is_due {
            tracing::info!(table, rows, "{what}");
            last = Some((what, table, Instant::now()));
        }
    }
}

/// Writes what was done to standard output.
pub(super) fn write(done: &Done, has_json: bool) -> Result<(), Failure> {
    let text = match has_json {
        true => format!("{:#}\n", to_json(done)),
        false => to_text(done),
    };
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::new(format!("cannot write to standard output: {error}")))
}

fn rows(done: &Done) -> u64 {
    done.tables.iter().map(|table| table.rows).sum()
}

fn milliseconds(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}

fn to_text(done: &Done) -> String {
    let Done { from, to, .. } = done;
    let from = crate::failure::one_line(&from.display().to_string());
    let mut lines = Vec::new();
    match &done.told {
        Told::Moved(_) => lines.push(format!("{from} was moved to {to}")),
        Told::Prepared => lines.push(format!(
            "{from} is copied to {to} and goes on being used; the same call without --prepare moves it"
        )),
        Told::Finished => lines.push(format!("{from} was moved to {to}; what an earlier call had left to do is done")),
        Told::Before => lines.push(format!("{from} was moved to {to} before; nothing was left to do")),
        Told::Aborted => lines.push(format!("nothing of {from} is in {to} any more; it goes on being used as before")),
    }
    for table in done.tables.iter().filter(|table| table.rows > 0) {
        lines.push(format!("  {} of {}", table.rows, table.table));
    }
    if !done.tables.is_empty() {
        lines.push(format!("{} rows, each compared", rows(done)));
    }
    if let Told::Moved(cut) = &done.told {
        lines.push(format!(
            "whoever writes waited for {} ms, in which {} changes were brought and compared",
            milliseconds(cut.pause),
            cut.changes
        ));
    }
    if matches!(&done.told, Told::Moved(cut) if !cut.is_settled) {
        lines.push("the database there could not be told yet that it counts: the next call, or a server that follows, does it".to_owned());
    }
    if let Some(log) = &done.log {
        lines.push(format!("the audit log verifies there: {} records", log.events));
    }
    if !matches!(done.told, Told::Prepared | Told::Aborted) {
        lines.push("running servers follow by themselves; before the next start, tell them:".to_owned());
        lines.push(format!("  DANGO_SERVER_DATABASE_URL={to}"));
        lines.push("  DANGO_IDENTITY_KEY_FILE or DANGO_IDENTITY_KEY, the same as before, and the password".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn to_json(done: &Done) -> Value {
    let (state, cut) = match &done.told {
        Told::Moved(cut) => ("moved", Some(cut)),
        Told::Prepared => ("prepared", None),
        Told::Finished => ("finished", None),
        Told::Before => ("moved_before", None),
        Told::Aborted => ("aborted", None),
    };
    let tables: Vec<Value> = done
        .tables
        .iter()
        .map(|table| json!({"table": table.table, "rows": table.rows}))
        .collect();
    json!({
        "state": state,
        "from": done.from.to_string_lossy(),
        "to": done.to,
        "tables": tables,
        "rows": rows(done),
        "pause_ms": cut.map(|cut| milliseconds(cut.pause)),
        "changes_in_pause": cut.map(|cut| cut.changes),
        "settled": cut.map(|cut| cut.is_settled),
        "audit_records": done.log.as_ref().map(|log| log.events),
    })
}
