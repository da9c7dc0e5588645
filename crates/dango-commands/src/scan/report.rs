//! What a search has found, for people and for programs: where and what, never the value.

use dango_scan::{Finding, Survey, sarif};
use serde::Serialize;

use super::Format;
use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::output::{Output, printable};

/// How many things of a kind are named in a message.
const NAMED: usize = 10;
/// As many digits of a commit as tell it from others.
const SHORT_COMMIT: usize = 12;

/// A finding as `--json` shows it.
#[derive(Serialize)]
struct Row<'f> {
    file: &'f str,
    line: u64,
    path: Option<&'f str>,
    rule: &'static str,
    commit: Option<&'f str>,
}

/// Prints the findings on standard output.
pub(super) fn print(format: Format, survey: &Survey, output: &mut Output<'_>) -> Outcome {
    let findings = &survey.findings;
    match format {
        Format::Text => findings.iter().try_for_each(|finding| output.line(&printable(&line(finding)))),
        Format::Json => {
            let rows: Vec<Row<'_>> = findings.iter().map(row).collect();
            output.json(&rows)
        }
        Format::Sarif => output.json(&sarif::document(findings, env!("CARGO_PKG_VERSION"))),
    }
}

fn row(finding: &Finding) -> Row<'_> {
    Row {
        file: &finding.file,
        line: finding.line,
        path: finding.path(),
        rule: finding.rule,
        commit: finding.commit.as_deref(),
    }
}

fn line(finding: &Finding) -> String {
    let commit = finding
        .commit
        .as_deref()
        .map(|commit| format!(", since commit {}", &commit[..SHORT_COMMIT.min(commit.len())]));
    format!(
        "{}:{}:{}: {}{} [{}]",
        finding.file,
        finding.line,
        finding.column,
        sarif::sentence(finding),
        commit.unwrap_or_default(),
        finding.rule
    )
}

/// Says what was not searched, and what it comes to.
pub(super) fn conclude(survey: &Survey, accepted: usize, left_out: usize, output: &mut Output<'_>) -> Outcome {
    for (file, why) in survey.unread.iter().take(NAMED) {
        output.warn(printable(&format!("{file} could not be read: {why}")));
    }
    for (file, why) in survey.partly.iter().take(NAMED) {
        output.warn(printable(&format!("{file} was searched in part: {why}")));
    }
    let more = survey.partly.len().saturating_sub(NAMED);
    if more > 0 {
        output.warn(format!("{} more were searched in part", more));
    }
    if left_out > 0 {
        output.hint(format!(
            "not looked for, being short, common or a setting: {}",
            count(left_out, "value", "values")
        ));
    }
    if !survey.left_out.is_empty() {
        let named: Vec<&str> = survey.left_out.iter().take(NAMED).map(String::as_str).collect();
        let more = if survey.left_out.len() > NAMED { ", …" } else { "" };
        output.hint(format!("left out as other people's programs: {}{more}", named.join(", ")));
    }
    let searched = format!(
        "{} searched",
        count(usize::try_from(survey.texts).unwrap_or(usize::MAX), "text", "texts")
    );
    let accepted = match accepted {
        0 => String::new(),
        number => format!("; accepted by the baseline: {number}"),
    };
    if !survey.findings.is_empty() {
        output.say(format!(
            "{} in {searched}{accepted}",
            count(survey.findings.len(), "finding", "findings")
        ));
        output.hint("revoke what was found where it was made, then take it out; `--update-baseline` accepts what is harmless");
    } else if survey.unread.is_empty() {
        let where_it_looked = if survey.partly.is_empty() {
            ""
        } else {
            " in what could be searched"
        };
        output.say(format!("nothing found{where_it_looked}: {searched}{accepted}"));
    }
    match (survey.findings.is_empty(), survey.unread.len()) {
        (true, 0) => Ok(()),
        (false, _) => Err(Failure::silent(Status::Found)),
        (true, number) => Err(Failure::refused(format!(
            "the search is not complete: {} could not be read",
            count(number, "place", "places")
        ))
        .hint("nothing was found in the rest")),
    }
}

/// A number with its word.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
