//! The comparisons: what each measures, in which project, and against what. How it is measured lives in `measurement.rs`.

use std::path::{Path, PathBuf};

use super::measurement::Contestant;
use super::{people, postgres, projects, scan, server};
use crate::setup::Counterparts;
use crate::step::Failure;

/// Every case, in the order of the document.
pub(super) const NAMES: &[&str] = &[
    "get-10",
    "get-10000",
    "get-dlt",
    "run-100",
    "env-10000",
    "set-100",
    "load-1000",
    "load-env-1000",
    "load-1000-in-process",
    "load-10000-in-process",
    "scan-tree",
    "scan-tokens",
    "scan-staged",
    "list-users-10000",
    "logins",
    "session-check-100000",
    "audit-append",
    "audit-verify",
    LOGIN_TIMING,
    "server-me",
    "server-secrets",
    "server-logins",
    "server-changes",
    "server-answers",
    "server-overload",
    "server-refusals",
    "server-overload-reads",
    "server-memory",
    "server-start",
    "server-run",
    "postgres-session",
    "postgres-audit-page",
    "postgres-login",
    "postgres-nodes",
    "postgres-cost",
    "postgres-appends",
    "postgres-migrate",
];

/// Refused logins, which are not compared with another program but with one another; drawn in `login_timing.rs`.
pub(super) const LOGIN_TIMING: &str = "login-timing";

/// Those that need programs of others.
const AGAINST_OTHERS: [&str; 8] = [
    "get-dlt",
    "env-10000",
    "list-users-10000",
    "session-check-100000",
    "audit-append",
    "audit-verify",
    "scan-tree",
    "scan-tokens",
];

/// Whether a case compares with programs that have to be installed first.
pub(super) fn needs_counterparts(name: &str) -> bool {
    AGAINST_OTHERS.contains(&name)
}

/// A key that protects nothing but synthetic values.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What others have made.
pub(super) struct Others {
    pub(super) counterparts: Counterparts,
    /// The earlier Dango's command.
    pub(super) original: PathBuf,
}

/// Our programs.
pub(super) struct Ours {
    /// How many users there are in a database that is filled for a measurement of PostgreSQL.
    pub(super) people: u32,
    pub(super) dango: PathBuf,
    pub(super) server: PathBuf,
    /// The example of `dango-vault` that loads a project many times.
    pub(super) load: PathBuf,
    /// The example of `dango-store-sqlite` that fills a database.
    pub(super) seed: PathBuf,
    /// The example of `dango-tests` that measures inside itself.
    pub(super) measure: PathBuf,
    /// The example of `dango-audit` that verifies records in memory.
    pub(super) verification_rate: PathBuf,
}

/// What the figures of a case are.
#[derive(Clone, Copy)]
pub(super) enum Measure {
    /// Of whole processes.
    Milliseconds,
    /// Of whole processes of others that take seconds.
    Slow,
    /// Of one of many steps inside a process.
    Micros,
    /// Steps a second inside a process: more is better.
    PerSecond,
    /// Of a server that is started for it, and asked for seconds.
    Server(Unit),
}

/// In what a server is measured.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// More is better.
    PerSecond,
    Milliseconds,
    Mebibytes,
}

/// One comparison; the first contestant is ours.
pub(super) struct Case {
    pub(super) title: String,
    /// What runs once before anything is measured.
    pub(super) preparations: Vec<Contestant>,
    pub(super) contestants: Vec<Contestant>,
    pub(super) measure: Measure,
    /// What it should come to.
    pub(super) goal: Option<&'static str>,
}

impl Case {
    pub(super) fn new(title: impl Into<String>, contestants: Vec<Contestant>) -> Self {
        Self {
            title: title.into(),
            preparations: Vec::new(),
            contestants,
            measure: Measure::Milliseconds,
            goal: None,
        }
    }

    /// How often it runs where so many runs are asked for: what measures inside itself does much in one run.
    pub(super) fn runs(&self, wanted: usize) -> usize {
        match self.measure {
            Measure::Milliseconds => wanted,
            Measure::Slow | Measure::Micros | Measure::PerSecond => wanted.div_ceil(10),
            Measure::Server(_) => wanted.div_ceil(20),
        }
    }
}

/// Writes the project of a case and names its contestants.
pub(super) fn prepare(name: &str, folder: &Path, ours: &Ours, others: &Others) -> Result<Case, Failure> {
    let project = folder.join(name);
    let (dango, counterparts) = (&ours.dango, &others.counterparts);
    match name {
        "get-10" => get(&project, dango, 10),
        "get-10000" => get(&project, dango, 10_000),
        "get-dlt" => get_like_dlt(&project, dango, counterparts),
        "run-100" => run_with(&project, dango, 100),
        "env-10000" => list_variables(&project, dango, counterparts, 10_000),
        "set-100" => set_often(&project, dango),
        "load-1000" => load(&project, dango, File::Secrets),
        "load-env-1000" => load(&project, dango, File::Env),
        "load-1000-in-process" => load_often(&project, ours, 1000, 20),
        "load-10000-in-process" => load_often(&project, ours, 10_000, 4),
        "list-users-10000" => people::list(&project, ours, counterparts),
        "logins" => people::log_in(&project, ours),
        "session-check-100000" => people::check_sessions(&project, ours, counterparts),
        "audit-append" => people::append(&project, ours, counterparts),
        "audit-verify" => people::verify(&project, ours, counterparts),
        name if name.starts_with("postgres-") => {
            postgres::prepare(name, folder, ours).ok_or_else(|| Failure::new(format!("there is no case `{name}`")))
        }
        name if name.starts_with("scan-") => {
            scan::prepare(name, &project, ours, counterparts)?.ok_or_else(|| Failure::new(format!("there is no case `{name}`")))
        }
        _ => server::prepare(name, &project, ours, others)?.ok_or_else(|| Failure::new(format!("there is no case `{name}`"))),
    }
}

/// One value out of a file, against a process that does nothing at all.
fn get(project: &Path, dango: &Path, sections: usize) -> Result<Case, Failure> {
    projects::with_credentials(project, sections)?;
    Ok(Case::new(
        format!("`dango secrets get`, a file of {sections} sections"),
        vec![get_last(project, dango, sections), empty_process(project)],
    ))
}

/// One value out of a file, against the program whose file it is.
fn get_like_dlt(project: &Path, dango: &Path, counterparts: &Counterparts) -> Result<Case, Failure> {
    let sections = 10;
    projects::with_credentials(project, sections)?;
    let script = format!("import dlt; print(dlt.secrets['{}'])", projects::path(sections));
    let dlt = Contestant::new(
        "`python -c \"import dlt; dlt.secrets[…]\"`",
        &counterparts.python,
        &["-c", &script],
        project,
    );
    Ok(Case::new(
        "One value as a script gets it",
        vec![get_last(project, dango, sections), dlt.answering(projects::value(sections))],
    ))
}

/// A command with every credential in its environment, against the command alone.
fn run_with(project: &Path, dango: &Path, credentials: usize) -> Result<Case, Failure> {
    projects::with_credentials(project, credentials)?;
    Ok(Case::new(
        format!("`dango run -- true` with {credentials} credentials"),
        vec![
            Contestant::new("`dango run -- true`", dango, &["run", "--", "true"], project),
            empty_process(project),
        ],
    ))
}

/// A large `.env`, against the libraries that read it elsewhere.
fn list_variables(project: &Path, dango: &Path, counterparts: &Counterparts, variables: usize) -> Result<Case, Failure> {
    projects::with_variables(project, variables)?;
    let last = projects::variable(variables);
    let python = format!("import dotenv; values = dotenv.dotenv_values('.env'); print(len(values), '{last}' in values)");
    let node = format!(
        "const values = require('{}').parse(require('fs').readFileSync('.env')); console.log(Object.keys(values).length, '{last}' in values)",
        counterparts.node_modules.join("dotenv").display()
    );
    let dotenvx = counterparts.node_modules.join(".bin/dotenvx");
    Ok(Case::new(
        format!("Reading a `.env` of {variables} variables"),
        vec![
            Contestant::new("`dango env list`", dango, &["env", "list"], project).answering(last.clone()),
            Contestant::new("python-dotenv, `dotenv_values`", &counterparts.python, &["-c", &python], project)
                .answering(format!("{variables} True")),
            Contestant::new("node dotenv, `parse`", &counterparts.node, &["-e", &node], project).answering(format!("{variables} true")),
            Contestant::new("`dotenvx get`", &dotenvx, &["get"], project).answering(last),
        ],
    ))
}

/// A hundred durable writes one after another, against as many pipelines that write nothing.
fn set_often(project: &Path, dango: &Path) -> Result<Case, Failure> {
    projects::with_credentials(project, 100)?;
    let times = |command: &str| format!("set -e; for number in {{0001..0100}}; do printf 'new-%s' $number | {command}; done");
    let ours = times("\"$0\" --quiet secrets set sources.source_$number.api_key");
    let dango = dango.to_string_lossy();
    Ok(Case::new(
        "100 times `dango secrets set`, each on the disk before the next begins",
        vec![
            Contestant::new(
                "100 × `dango secrets set`",
                Path::new("bash"),
                &["-o", "pipefail", "-c", &ours, &dango],
                project,
            ),
            Contestant::new("100 × `cat`", Path::new("bash"), &["-o", "pipefail", "-c", &times("cat")], project),
        ],
    ))
}

/// Which of the two files holds the values.
#[derive(Clone, Copy)]
enum File {
    Secrets,
    Env,
}

/// A thousand values in the environment of a command, plain and encrypted.
fn load(project: &Path, dango: &Path, file: File) -> Result<Case, Failure> {
    let (name, command, variable, value) = match file {
        File::Secrets => (".dlt/secrets.toml", "secrets", projects::name_for_dlt(500), projects::value(500)),
        File::Env => (".env", "env", projects::variable(1000), projects::value(1000)),
    };
    let (plain, encrypted) = in_both(project, |project| match file {
        // Each section has two values.
        File::Secrets => projects::with_credentials(project, 500),
        File::Env => projects::with_variables(project, 1000),
    })?;
    let run = |label, project: &Path| {
        let contestant = Contestant::new(label, dango, &["run", "--", "printenv", &variable], project);
        contestant.with("DANGO_KEY", KEY).answering(value.clone())
    };
    Ok(Case {
        preparations: vec![encrypt_all(&encrypted, dango, command)],
        ..Case::new(
            format!("`dango run -- printenv NAME` with 1,000 values in `{name}`"),
            vec![run("plain", &plain), run("encrypted", &encrypted)],
        )
    })
}

/// The same values loaded again and again by one process, so that what a process costs plays no part.
fn load_often(project: &Path, ours: &Ours, values: usize, times: usize) -> Result<Case, Failure> {
    // Each section has two values.
    let sections = values / 2;
    let (plain, encrypted) = in_both(project, |project| projects::with_credentials(project, sections))?;
    let count = times.to_string();
    let load = |label: &str, project: &Path| {
        let contestant = Contestant::new(label, &ours.load, &[".", &count], project).with("DANGO_KEY", KEY);
        contestant.answering(format!("{values} values, the last {}", projects::value(sections)))
    };
    Ok(Case {
        preparations: vec![encrypt_all(&encrypted, &ours.dango, "secrets")],
        ..Case::new(
            format!("{values} values of `.dlt/secrets.toml` loaded {times} times by one process"),
            vec![load("plain", &plain), load("encrypted", &encrypted)],
        )
    })
}

/// Makes the same project twice; the second is to be encrypted.
fn in_both(project: &Path, make: impl Fn(&Path) -> Result<(), Failure>) -> Result<(PathBuf, PathBuf), Failure> {
    let (plain, encrypted) = (project.join("plain"), project.join("encrypted"));
    make(&plain)?;
    make(&encrypted)?;
    Ok((plain, encrypted))
}

fn encrypt_all(project: &Path, dango: &Path, command: &str) -> Contestant {
    Contestant::new("`encrypt --all`", dango, &["--quiet", command, "encrypt", "--all"], project).with("DANGO_KEY", KEY)
}

fn get_last(project: &Path, dango: &Path, sections: usize) -> Contestant {
    let arguments = ["secrets", "get", "--reveal", &projects::path(sections)];
    Contestant::new("`dango secrets get`", dango, &arguments, project).answering(projects::value(sections))
}

fn empty_process(project: &Path) -> Contestant {
    Contestant::new("`true`, an empty process", Path::new("true"), &[], project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_case_can_be_prepared_and_compares_something() {
        let folder = std::env::temp_dir().join(format!("xtask-bench-{}", std::process::id()));
        for name in NAMES.iter().copied().filter(|name| *name != LOGIN_TIMING) {
            let ours = Ours {
                people: 1_000,
                dango: "dango".into(),
                server: "dango-server".into(),
                load: "load".into(),
                seed: "seed".into(),
                measure: "measure".into(),
                verification_rate: "verification_rate".into(),
            };
            let others = Others {
                counterparts: Counterparts::at(Path::new(".")),
                original: "original".into(),
            };
            let case = prepare(name, &folder, &ours, &others).expect(name);
            assert!(case.contestants.len() >= 2, "{name}");
            assert!(case.runs(50) >= 3, "{name}");
        }
        std::fs::remove_dir_all(&folder).expect("a folder of our own");
    }
}
