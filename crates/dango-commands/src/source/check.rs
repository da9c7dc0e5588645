//! `dango source check`: whether the credentials of sources are taken, asked of providers and databases.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Event, Word};
use dango_check::{Obstacle, Outcome as Verdict};
use dango_core::Timestamp;
use dango_sources::ConfiguredSource;
use serde::Serialize;

use super::{Sources, parse_name};
use crate::Outcome;
use crate::arguments::Global;
use crate::checking::{Asked, Checked, Key, Memory, check_sources, stand_in};
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as record, recorded};

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The sources [default: all that are in use]
    #[arg(value_name = "SOURCE")]
    names: Vec<String>,
    /// Ask again, whatever was answered in the last five minutes
    #[arg(long)]
    fresh: bool,
}

#[derive(Serialize)]
struct Row {
    source: String,
    #[serde(rename = "type")]
    source_type: String,
    /// `accepted`, `refused`, `unreachable` or `unchecked`.
    outcome: &'static str,
    /// Why, in one stable word; `null` where the credentials are accepted.
    reason: Option<&'static str>,
    message: String,
    checked_at: Option<String>,
    cached: bool,
}

/// One source, and what is known of it.
struct Line<'s> {
    source: &'s ConfiguredSource,
    key: Key,
    answer: Result<Checked, Failure>,
    cached: bool,
}

pub(crate) fn run(arguments: &CheckArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    // Before anything that it speaks of is read.
    let memory = Memory::recall(&opened.project);
    let sources = Sources::read(&opened, output)?;
    let chosen = chosen(arguments, &sources)?;
    if chosen.is_empty() {
        return nothing(output);
    }
    let now = output.host.clock.now();
    let mut keys = Vec::new();
    for source in &chosen {
        keys.push(Key {
            source: source.name().to_string(),
            source_type: source.source_type().to_string(),
            endpoint: stand_in(source, output)?.map(|endpoint| endpoint.as_str().to_owned()),
        });
    }
    let known = |key: &Key| memory.answer(key, now).filter(|_| !arguments.fresh);
    let asked: Vec<&ConfiguredSource> = chosen
        .iter()
        .zip(&keys)
        .filter(|(_, key)| known(key).is_none())
        .map(|(source, _)| *source)
        .collect();
    let mut answers = ask(&asked, &sources, &opened, output)?.into_iter();
    let mut lines = Vec::new();
    let mut learned = Vec::new();
    for (source, key) in chosen.iter().zip(keys) {
        let (answer, cached) = match known(&key) {
            Some(checked) => (Ok(checked), true),
            None => {
                let asked = answers.next().unwrap_or_else(Asked::nothing);
                let answer = asked.verdict.map(|verdict| Checked { verdict, at: now });
                if let (Ok(checked), true) = (&answer, asked.holds) {
                    learned.push((key.clone(), *checked));
                }
                (answer, false)
            }
        };
        lines.push(Line {
            source,
            key,
            answer,
            cached,
        });
    }
    memory.keep(&learned, output);
    tell(lines, !arguments.names.is_empty(), now, output)
}

/// The sources to ask about, each once.
fn chosen<'s>(arguments: &CheckArguments, sources: &'s Sources) -> Result<Vec<&'s ConfiguredSource>, Failure> {
    if arguments.names.is_empty() {
        return Ok(sources.file.sources().iter().filter(|source| source.is_enabled()).collect());
    }
    let mut chosen: Vec<&ConfiguredSource> = Vec::new();
    for name in &arguments.names {
        let source = sources.find(&parse_name(name)?)?;
        if !chosen.iter().any(|there| there.name() == source.name()) {
            chosen.push(source);
        }
    }
    Ok(chosen)
}

fn nothing(output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json::<[Row]>(&[]);
    }
    output.say("no sources yet");
    output.hint("add one with `dango source add`");
    Ok(())
}

fn ask(asked: &[&ConfiguredSource], sources: &Sources, opened: &Opened, output: &mut Output<'_>) -> Result<Vec<Asked>, Failure> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let drafts = asked
        .iter()
        .map(|source| record::source(Event::SourceChecked, source.name()))
        .collect();
    let change = |output: &mut Output<'_>| check_sources(asked, &[], sources, opened, output);
    recorded(opened, drafts, output, change, |answers: &Vec<Asked>| {
        answers.iter().map(ending).collect()
    })
}

fn ending(asked: &Asked) -> Ending {
    match &asked.verdict {
        Ok(Verdict::Accepted) => Ending::done(),
        Ok(verdict) => Ending::failed(Word::new(verdict.code())),
        Err(failure) => Ending::failed(Word::new(failure.code)),
    }
}

fn tell(lines: Vec<Line<'_>>, named: bool, now: Timestamp, output: &mut Output<'_>) -> Outcome {
    let rows: Vec<Row> = lines.iter().map(row).collect();
    if output.json {
        output.json(&rows)?;
    } else {
        let cells: Vec<Vec<String>> = lines.iter().zip(&rows).map(|(line, row)| cells(line, row, now)).collect();
        output.table(&["NAME", "TYPE", "RESULT"], &cells)?;
    }
    for line in &lines {
        hint(line, output);
    }
    end(lines, named)
}

fn row(line: &Line<'_>) -> Row {
    let (outcome, reason, message, checked_at) = match &line.answer {
        Ok(Checked { verdict, at }) => (
            verdict.kind(),
            (*verdict != Verdict::Accepted).then(|| verdict.code()),
            verdict.to_string(),
            (!matches!(verdict, Verdict::Unchecked(_))).then(|| at.to_string()),
        ),
        Err(failure) => ("unchecked", Some(failure.code), failure.message.clone(), None),
    };
    Row {
        source: line.key.source.clone(),
        source_type: line.key.source_type.clone(),
        outcome,
        reason,
        message,
        checked_at,
        cached: line.cached,
    }
}

fn cells(line: &Line<'_>, row: &Row, now: Timestamp) -> Vec<String> {
    let mut result = match row.outcome {
        "accepted" => "accepted".to_owned(),
        "refused" => format!("refused: {}", row.message),
        "unreachable" => format!("not known: {}", row.message),
        _ => format!("not checked: {}", row.message),
    };
    if let (Ok(checked), true) = (&line.answer, line.cached) {
        let seconds = now.unix_micros().saturating_sub(checked.at.unix_micros()) / 1_000_000;
        result.push_str(&format!(" ({seconds} s ago)"));
    }
    vec![row.source.clone(), row.source_type.clone(), result]
}

/// What to do about a source whose credentials are not taken.
fn hint(line: &Line<'_>, output: &mut Output<'_>) {
    let name = line.source.name();
    match line.answer {
        Ok(Checked {
            verdict: Verdict::Refused(_),
            ..
        }) => {
            let page = line.source.spec().and_then(|spec| spec.credentials_url);
            let page = page.map(|url| format!("; they are made at {url}")).unwrap_or_default();
            output.hint(format!("give {name} new credentials{page}"));
        }
        Ok(Checked {
            verdict: Verdict::Unchecked(Obstacle::Incomplete),
            ..
        }) => output.hint(format!("`dango source list` shows what {name} is missing")),
        _ => {}
    }
}

/// The exit status: what was found wanting before what could not be done.
fn end(lines: Vec<Line<'_>>, named: bool) -> Outcome {
    let is = |wanted: fn(&Verdict) -> bool| {
        lines
            .iter()
            .any(|line| line.answer.as_ref().is_ok_and(|checked| wanted(&checked.verdict)))
    };
    let refused = is(|verdict| matches!(verdict, Verdict::Refused(_) | Verdict::Unchecked(Obstacle::Incomplete)));
    let unreachable = is(|verdict| matches!(verdict, Verdict::Unreachable(_)));
    let malformed = is(|verdict| {
        matches!(
            verdict,
            Verdict::Unchecked(Obstacle::Malformed | Obstacle::InsecureAddress | Obstacle::UnsupportedSignIn)
        )
    });
    let unchecked = is(|verdict| matches!(verdict, Verdict::Unchecked(_)));
    if refused {
        return Err(Failure::silent(Status::Found));
    }
    if let Some(failure) = lines.into_iter().find_map(|line| line.answer.err()) {
        return Err(failure);
    }
    // What has no check is passed over where nobody asked for it by its name.
    match unreachable || malformed || (named && unchecked) {
        true => Err(Failure::silent(Status::Refused)),
        false => Ok(()),
    }
}
