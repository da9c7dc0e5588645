//! The lines of `.env`: what stands twice, what nobody can read, what two readers read differently, references to nothing.

use std::collections::BTreeSet;

use dango_secrets::dotenv::{EnvPiece, Reader, Sees, lint};

use crate::chart::Chart;
use crate::code::Code;
use crate::finding::{Finding, word};

/// What Dango itself takes from the process environment alone.
const KEYS: [&str; 3] = ["DANGO_KEY", "DANGO_PASSPHRASE", "DANGO_IDENTITY_KEY"];

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let Some(document) = &chart.env else { return };
    let unreadable: BTreeSet<usize> = document.problems().collect();
    for line in &unreadable {
        found.push(Finding::new(
            Code::EnvLineIgnored,
            format!(".env:{line}"),
            format!(".env: line {line} is none that python-dotenv can read; it passes over it"),
            format!("correct line {line} of .env in an editor; `dango env lint` shows what others make of it"),
        ));
    }
    for line in lint(document) {
        let place = format!(".env:{}", line.line);
        let key = line.key.as_deref().unwrap_or("a key");
        if line.code == "duplicate_key" {
            found.push(Finding::new(
                Code::EnvDuplicate,
                place,
                format!(".env: line {}: {key}: {}", line.line, line.message),
                format!(
                    "take one of the lines out in an editor; `dango env unset {}` takes out all of them",
                    word(key)
                ),
            ));
        } else if !unreadable.contains(&line.line)
            && line
                .readings
                .iter()
                .any(|reading| reading.reader == Reader::NodeDotenv && differs(reading.sees))
        {
            found.push(Finding::new(
                Code::EnvReadDifferently,
                place,
                format!(
                    ".env: line {}: python-dotenv and node dotenv do not read the same: {}",
                    line.line, line.message
                ),
                "`dango env lint` shows what each sees; `dango env set` writes a form that both read",
            ));
        }
    }
    references(chart, found);
    for binding in document.bindings() {
        if KEYS.contains(&binding.key()) && binding.expose().is_some_and(|value| !value.trim().is_empty()) {
            let key = binding.key();
            found.push(Finding::new(
                Code::KeyInEnv,
                key,
                format!("{key} stands in .env, where Dango does not read it and every program that loads .env gets it"),
                format!("give {key} in the environment of the service, then `dango env unset {key}`"),
            ));
        }
    }
}

/// Another text, or none; that references are not expanded is how node dotenv works.
fn differs(sees: Sees) -> bool {
    !matches!(sees, Sees::SameValue | Sees::Unexpanded | Sees::KeyOnly | Sees::HostVariable)
}

/// References see what stands above them, and the environment.
fn references(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let Some(document) = &chart.env else { return };
    let mut above: BTreeSet<&str> = BTreeSet::new();
    for binding in document.bindings() {
        for piece in binding.pieces() {
            let EnvPiece::Reference { name, default: None } = piece else {
                continue;
            };
            if above.contains(name) || chart.site.variable(name).is_some() {
                continue;
            }
            let (line, key) = (binding.line(), binding.key());
            let where_else = if document.keys().contains(&name) { " above it" } else { "" };
            found.push(Finding::new(
                Code::EnvUnsetReference,
                format!(".env:{line}"),
                format!(".env: line {line}: {key} refers to {name}, which is set neither in the environment nor in .env{where_else}: it becomes empty"),
                format!("`dango env set {0}`, above {1}; or `dango env set {1}` stores the text itself", word(name), word(key)),
            ));
        }
        above.insert(binding.key());
    }
}
