//! `cargo xtask bench`: whole processes of the release build against other programs, run in turn. What is compared stands in `cases.rs` and beside it.

mod cases;
mod login_timing;
mod measurement;
mod people;
mod postgres;
mod projects;
mod report;
mod scan;
mod server;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use cases::{Others, Ours};
use measurement::Contestant;

use crate::setup::{self, Counterparts};
use crate::step::{self, Failure, timed};
use crate::workspace;

/// Fewer runs are for trying out, never for the document.
const RUNS_FOR_THE_DOCUMENT: usize = 50;
/// How many users are in the PostgreSQL that the document tells of; ten times as many sessions, a hundred times as many audit records.
const PEOPLE_FOR_THE_DOCUMENT: u32 = 100_000;
/// Enough to see that a case works, in seconds.
const PEOPLE_FOR_TRYING: u32 = 1_000;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names of the cases; empty for all.
    names: Vec<String>,
    /// Measured runs of each command.
    runs: usize,
    /// Users in a PostgreSQL that is filled for it.
    people: u32,
    /// Whether the tables go into the document, too.
    write: bool,
}

impl Request {
    /// Reads the arguments after `bench`.
    ///
    /// # Errors
    ///
    /// When an option or a case is unknown, or fewer runs than the document shows are to be written into it.
    pub fn parse(arguments: &[&str]) -> Result<Self, Failure> {
        let mut request = Self {
            names: Vec::new(),
            runs: RUNS_FOR_THE_DOCUMENT,
            people: PEOPLE_FOR_TRYING,
            write: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--full" => request.people = PEOPLE_FOR_THE_DOCUMENT,
                "--write" => (request.write, request.people) = (true, PEOPLE_FOR_THE_DOCUMENT),
                "--runs" => {
                    let number = rest.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                    request.runs = number.ok_or_else(|| Failure::new("--runs takes a number from 1 on"))?;
                }
                name if cases::NAMES.contains(&name) => request.names.push(name.to_owned()),
                other => {
                    return Err(Failure::new(format!(
                        "`{other}` is no option and no case; the cases are {}",
                        cases::NAMES.join(", ")
                    )));
                }
            }
        }
        let is_writable = request.names.is_empty() || request.is_drawing_only();
        if request.write && (request.runs < RUNS_FOR_THE_DOCUMENT || !is_writable) {
            return Err(Failure::new(format!(
                "--write takes every case, or `{}` alone for its drawing, with at least {RUNS_FOR_THE_DOCUMENT} runs",
                cases::LOGIN_TIMING
            )));
        }
        Ok(request)
    }

    /// Whether nothing is asked for but what has a file of its own.
    fn is_drawing_only(&self) -> bool {
        !self.names.is_empty() && self.names.iter().all(|name| name == cases::LOGIN_TIMING)
    }

    fn takes(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

/// Measures the cases and prints their tables.
///
/// # Errors
///
/// When something cannot be built or installed, or a command fails or answers other than expected: such a run measures nothing.
pub fn run(root: &Path, request: &Request) -> Result<(), Failure> {
    let names: Vec<&str> = cases::NAMES.iter().copied().filter(|name| request.takes(name)).collect();
    let counterparts = if names.iter().any(|name| cases::needs_counterparts(name)) {
        timed("setup: the programs to compare with", || setup::run(root))?
    } else {
        Counterparts::at(root)
    };
    let original = if names.iter().any(|name| server::needs_original(name)) {
        timed("setup: the earlier Dango", || setup::install_original(root))?
    } else {
        setup::original(root)
    };
    let others = Others { counterparts, original };
    let ours = timed("release build", || build(root, &names, request.people))?;
    let folder = root.join("target/bench");
    let mut tables = Vec::new();
    for name in names {
        if name == cases::LOGIN_TIMING {
            let drawing = request.write.then(|| root.join(login_timing::DRAWING));
            let table = timed(name, || login_timing::measure(&ours.measure, drawing.as_deref(), 10 * request.runs))?;
            println!("\n{table}");
            tables.push(table);
            continue;
        }
        let case = cases::prepare(name, &folder, &ours, &others)?;
        case.preparations.iter().try_for_each(Contestant::check)?;
        let table = timed(name, || {
            let runs = case.runs(request.runs);
            Ok(report::table(&case, &measurement::measure(&case.contestants, runs)?, runs))
        })?;
        println!("\n{table}");
        tables.push(table);
    }
    postgres::clear(&folder)?;
    if request.write && !request.is_drawing_only() {
        report::write(&root.join("docs/benchmarks.md"), &tables, request.runs)?;
    }
    Ok(())
}

fn build(root: &Path, names: &[&str], people: u32) -> Result<Ours, Failure> {
    // One after the other: together, the examples' needs would become features of the program that people get.
    let always: [&[&str]; 3] = [
        &["--package", "dango-cli"],
        &["--package", "dango-server"],
        &["--package", "dango-tests", "--example", "measure"],
    ];
    let for_others: [&[&str]; 3] = [
        &["--package", "dango-vault", "--example", "load"],
        &["--package", "dango-store-sqlite", "--example", "seed"],
        &["--package", "dango-audit", "--example", "verification_rate"],
    ];
    let others = for_others
        .iter()
        .filter(|_| names.iter().any(|name| !server::needs_no_example(name)));
    for what in always.iter().chain(others) {
        step::shown(
            Command::new(workspace::cargo())
                .current_dir(root)
                .args(["build", "--release", "--locked"])
                .args(*what),
        )?;
    }
    let said = step::quiet(
        Command::new(workspace::cargo())
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"]),
    )?;
    let said: Value =
        serde_json::from_str(&said).map_err(|error| Failure::new(format!("cannot parse what cargo metadata said: {error}")))?;
    let target = said["target_directory"]
        .as_str()
        .ok_or_else(|| Failure::new("cargo metadata names no target directory"))?;
    let release = Path::new(target).join("release");
    Ok(Ours {
        people,
        dango: release.join("dango"),
        server: release.join("dango-server"),
        load: release.join("examples/load"),
        seed: release.join("examples/seed"),
        measure: release.join("examples/measure"),
        verification_rate: release.join("examples/verification_rate"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_arguments_every_case_runs_as_often_as_the_document_says() {
        let request = Request::parse(&[]).expect("nothing is wrong");
        assert!(cases::NAMES.iter().all(|name| request.takes(name)));
        assert_eq!((request.runs, request.write), (RUNS_FOR_THE_DOCUMENT, false));
    }

    #[test]
    fn a_large_postgres_is_filled_where_it_is_asked_for_and_for_the_document() {
        let people = |arguments: &[&str]| Request::parse(arguments).expect("nothing is wrong").people;
        assert_eq!(people(&["postgres-session"]), PEOPLE_FOR_TRYING);
        assert_eq!(people(&["--full", "postgres-session"]), PEOPLE_FOR_THE_DOCUMENT);
        assert_eq!(people(&["--write"]), PEOPLE_FOR_THE_DOCUMENT);
    }

    #[test]
    fn too_few_runs_are_not_written_into_the_document() {
        assert!(Request::parse(&["--runs", "5"]).is_ok());
        assert!(Request::parse(&["--runs", "5", "--write"]).is_err());
        assert!(Request::parse(&["--runs", "0"]).is_err());
        assert!(Request::parse(&["get-10", "--write"]).is_err());
        assert!(Request::parse(&["get-10", "login-timing", "--write"]).is_err());
        assert!(Request::parse(&["login-timing", "--write"]).is_ok());
    }

    #[test]
    fn an_unknown_case_is_told_with_the_known_ones() {
        let failure = Request::parse(&["get-11"]).expect_err("there is no such case");
        assert!(failure.to_string().contains("get-10000"), "{failure}");
    }
}
