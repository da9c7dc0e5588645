//! `dango run`: a program with `.env` and every credential in its environment; everything is resolved before it starts.

mod program;
mod redacted;

use std::ffi::OsString;

use clap::Args;
use dango_core::SecretValue;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::environment::{self, EnvironmentError, Selection, Variable};

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::secrets::parse_path;
use crate::server::{Purpose, Server, Wanted, parse_age};

pub(crate) use program::Program;
pub(crate) use redacted::passed_on;

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// Mask known values in what the command prints
    #[arg(long)]
    redact: bool,
    /// Only credentials at or below this path (.env is handed on whole)
    #[arg(long, value_name = "PREFIX")]
    only: Option<String>,
    /// With --server: where nobody answers there, go on with what it answered last, if that is no older than this, as in 12h
    #[arg(long, value_name = "AGE")]
    offline_cache: Option<String>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(arguments: RunArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    if arguments
        .command
        .first()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"-"))
    {
        return Err(
            Failure::usage("an option was given that `dango run` does not have (it is not shown: it may be a secret)")
                .hint("the command stands behind `--`, as in `dango run -- python pipeline.py`"),
        );
    }
    let only = arguments.only.as_deref().map(parse_path).transpose()?;
    let age = arguments.offline_cache.as_deref().map(parse_age).transpose()?;
    let prepared = match Server::of(global, output)? {
        None if age.is_some() => return Err(Failure::usage("--offline-cache is for a project on a server; add `--server URL`")),
        None => Prepared::read(&Opened::find(global, output.host)?, output)?,
        Some(server) if age.is_some() => Prepared::of(server.values_or_kept(Purpose::Run, age, output)?),
        Some(server) => Prepared::of(server.values(Purpose::Run, Wanted::Below(only.as_ref()), output)?),
    };
    let variables = prepared.variables(only.as_ref(), output)?;
    let mut words = arguments.command.into_iter();
    let Some(name) = words.next() else {
        return Err(Failure::usage("a command is missing"));
    };
    let program = Program {
        name,
        arguments: words.collect(),
        variables,
        directory: None,
    };
    if arguments.redact {
        let values = prepared.known_values(output);
        return redacted::run(&program, values, output);
    }
    Err(program.replace(output))
}

/// The two files that a program's environment is made of.
pub(crate) struct Prepared {
    secrets: SecretsDocument,
    env: EnvDocument,
}

impl Prepared {
    /// Both with everything opened: what does not open stops the command before anything starts.
    pub(crate) fn read(opened: &Opened, output: &mut Output<'_>) -> Result<Self, Failure> {
        let (secrets, env) = (opened.secrets(output)?, opened.env()?);
        Ok(Self {
            secrets: opened.open_secrets(&secrets, None, output)?,
            env: opened.open_env(&env, output)?,
        })
    }

    /// What somebody else has read and opened.
    pub(crate) fn of((secrets, env): (SecretsDocument, EnvDocument)) -> Self {
        Self { secrets, env }
    }

    /// What is added to the environment; every problem is reported, and with one left nothing may start.
    pub(crate) fn variables(&self, only: Option<&dango_core::CredentialPath>, output: &mut Output<'_>) -> Result<Vec<Variable>, Failure> {
        let selection = Selection {
            only,
            limit: program::largest_variable(),
        };
        let assembled = {
            let process = process_variable(output.host);
            environment::assemble(&self.secrets, &self.env, &process, selection)
        };
        assembled.map_err(|problems| all_of(&problems, "started"))
    }

    /// Every value that output is to be cleaned of, whether it is handed on or not.
    fn known_values(&self, output: &Output<'_>) -> Vec<SecretValue> {
        let process = process_variable(output.host);
        environment::known_values(&self.secrets, &self.env, &process)
    }
}

/// Every problem in one failure; `done` says what was therefore not done.
pub(crate) fn all_of(problems: &[EnvironmentError], done: &str) -> Failure {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if lines.len() > 1 {
        lines.insert(0, format!("{} problems; nothing was {done}", lines.len()));
    } else if let Some(line) = lines.first_mut() {
        line.push_str(&format!("; nothing was {done}"));
    }
    let mut failure = Failure::refused(lines.join("\n  "));
    for problem in problems {
        let hint = match problem {
            EnvironmentError::Reference(dango_secrets::ReferenceError::Unset { name, .. }) => {
                format!("set {name} with `dango env set {name}`")
            }
            EnvironmentError::Collision { .. } => "rename one of the two keys, or narrow with `--only PREFIX`".to_owned(),
            EnvironmentError::TooLarge { .. } => "keep large values in a file of their own, or narrow with `--only PREFIX`".to_owned(),
            _ => continue,
        };
        if !failure.hints.contains(&hint) {
            failure = failure.hint(hint);
        }
    }
    failure
}
