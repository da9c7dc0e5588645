//! What a doctor has found, for people and for programs.

use dango_doctor::Finding;
use serde::Serialize;

use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::output::{Output, printable};

/// A finding as `--json` shows it.
#[derive(Serialize)]
struct Row<'f> {
    code: &'static str,
    path: &'f str,
    message: &'f str,
    fix: &'f str,
    fixable: bool,
}

/// Prints the findings on standard output.
pub(super) fn print(found: &[Finding], output: &mut Output<'_>) -> Outcome {
    if output.json {
        let rows: Vec<Row<'_>> = found.iter().map(row).collect();
        return output.json(&rows);
    }
    found.iter().try_for_each(|finding| {
        let told = format!("{} [{}]", finding.message, finding.code);
        output.line(&printable(&told))?;
        output.line(&printable(&format!("  fix: {}", finding.fix)))
    })
}

fn row(finding: &Finding) -> Row<'_> {
    Row {
        code: finding.code.as_str(),
        path: &finding.place,
        message: &finding.message,
        fix: &finding.fix,
        fixable: finding.repair.is_some(),
    }
}

/// Says what it comes to.
pub(super) fn conclude(found: &[Finding], output: &mut Output<'_>) -> Outcome {
    if found.is_empty() {
        output.say("nothing is wrong with this project");
        return Ok(());
    }
    let count = match found.len() {
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    };
    output.say(count);
    match found.iter().filter(|finding| finding.repair.is_some()).count() {
        0 => {}
        1 => output.hint("`dango doctor --fix` puts 1 of them right"),
        number => output.hint(format!("`dango doctor --fix` puts {number} of them right")),
    }
    Err(Failure::silent(Status::Found))
}
