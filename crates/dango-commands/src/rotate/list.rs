//! `dango rotate --list`: how old the credentials of each source are, and which are due.

use dango_core::{SourceName, Timestamp};
use dango_rotation::{Due, Note, judge};
use dango_sources::ConfiguredSource;
use serde::Serialize;

use super::ages::Ages;
use super::taking::ReadFiles;
use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;
use crate::source::Sources;

const DAY_MICROS: i64 = 86_400_000_000;

#[derive(Serialize)]
struct Row {
    source: String,
    #[serde(rename = "type")]
    source_type: String,
    stored_at: Option<String>,
    age_days: Option<i64>,
    rotated_at: Option<String>,
    rotate_every: Option<String>,
    due: &'static str,
    overdue_days: Option<i64>,
    under_way: Option<&'static str>,
}

pub(super) fn run(only: Option<&SourceName>, opened: &Opened, sources: &Sources, output: &mut Output<'_>) -> Outcome {
    if let Some(name) = only {
        sources.find(name)?;
    }
    let ages = Ages::read(opened, output)?;
    let files = ReadFiles::read(opened, output)?;
    let under_way = opened.vault().asides().map_err(|error| opened.vault_failure(&error))?;
    let now = output.host.clock.now();
    let mut rows = Vec::new();
    for source in sources
        .file
        .sources()
        .iter()
        .filter(|source| only.is_none_or(|only| source.name() == only))
    {
        let since = ages.since(source, sources, &files, output);
        let judged = judge_source(source, since, now);
        let stored_at = since.flatten();
        let note = under_way.iter().find(|(name, _)| name == source.name().as_str());
        rows.push(Row {
            source: source.name().to_string(),
            source_type: source.source_type().to_string(),
            stored_at: stored_at.map(|at| at.to_string()),
            age_days: stored_at.map(|at| (now.unix_micros() - at.unix_micros()).max(0) / DAY_MICROS),
            rotated_at: ages.rotated(source.name()).map(|at| at.to_string()),
            rotate_every: source.rotate_every().map(|every| every.to_string()),
            due: judged.map_or("no_credentials", Due::code),
            overdue_days: match judged {
                Some(Due::Overdue { days }) => Some(days),
                _ => None,
            },
            under_way: note.and_then(|(_, note)| note.parse::<Note>().ok()).map(|note| note.stage.as_str()),
        });
    }
    let overdue = ages.overdue(sources, &files, output);
    let is_due = overdue.iter().any(|(name, ..)| only.is_none_or(|only| name == only));
    tell(&rows, output)?;
    match is_due {
        true => Err(Failure::silent(Status::Found)),
        false => Ok(()),
    }
}

/// How a source stands; nothing where it has no credential to replace. One that is switched off is never due.
fn judge_source(source: &ConfiguredSource, since: Option<Option<Timestamp>>, now: Timestamp) -> Option<Due> {
    let every = source.rotate_every().filter(|_| source.is_enabled());
    since.map(|since| judge(every, since, now))
}

fn tell(rows: &[Row], output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(rows);
    }
    if rows.is_empty() {
        output.say("no sources yet");
        output.hint("`dango source add` adds one");
        return Ok(());
    }
    let date = |at: &Option<String>| at.as_ref().map_or("unknown".to_owned(), |at| at.chars().take(10).collect());
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let age = row.age_days.map_or("unknown".to_owned(), |days| format!("{days} d"));
            let state = match (row.due, row.overdue_days) {
                ("overdue", Some(days)) => format!("overdue, {days} d"),
                ("no_policy", _) => "no policy".to_owned(),
                ("no_credentials", _) => "no credentials".to_owned(),
                ("in_time", _) => "in time".to_owned(),
                (state, _) => state.to_owned(),
            };
            let state = match row.under_way {
                Some(_) => format!("{state}, under way"),
                None => state,
            };
            let rotated = row.rotated_at.as_ref().map_or("never".to_owned(), |_| date(&row.rotated_at));
            vec![
                row.source.clone(),
                date(&row.stored_at),
                age,
                rotated,
                row.rotate_every.clone().unwrap_or_else(|| "-".to_owned()),
                state,
            ]
        })
        .collect();
    output.table(&["SOURCE", "STORED", "AGE", "ROTATED", "EVERY", "STATE"], &cells)?;
    for row in rows.iter().filter(|row| matches!(row.due, "overdue" | "unknown")) {
        output.hint(format!("`dango rotate {}` replaces its credential", row.source));
    }
    Ok(())
}
