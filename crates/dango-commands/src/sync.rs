//! `dango sync`: a source's own command, run once its credentials are complete and not expired.

use std::ffi::OsString;
use std::process::Stdio;

use clap::Args;
use dango_audit::Event;
use dango_sources::Expiry;
use dango_vault::Connection;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status};
use crate::oauth;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as record, all_done, recorded};
use crate::run::{Prepared, Program, passed_on};
use crate::server::{Purpose, Server, Wanted};
use crate::signals::Forwarder;
use crate::source::{Sources, parse_name};

#[derive(Args, Debug)]
pub(crate) struct SyncArguments {
    /// The sources, loaded one after the other
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,
}

pub(crate) fn run(arguments: &SyncArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    if let Some(server) = Server::of(global, output)? {
        // The commands are those of the project here, where the code is: what a server says is never executed.
        let (secrets, env) = server.values(Purpose::Sync, Wanted::Below(None), output)?;
        let sources = Sources::with(&opened, secrets.clone(), env.clone())?;
        return load(arguments, &opened, &sources, &Prepared::of((secrets, env)), Told::OnServer, output);
    }
    let mut sources = Sources::read(&opened, output)?;
    let connections = connections(arguments, &sources, output)?;
    if !connections.is_empty() {
        connections
            .iter()
            .try_for_each(|connection| oauth::renew_due(connection, &opened, output))?;
        // With the tokens as they are now.
        sources = Sources::read(&opened, output)?;
    }
    let prepared = Prepared::read(&opened, output)?;
    load(arguments, &opened, &sources, &prepared, Told::Here, output)
}

/// Where it is recorded that a source is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// In the audit log of the project here.
    Here,
    /// On the server, with the values that it gave.
    OnServer,
}

fn load(
    arguments: &SyncArguments,
    opened: &Opened,
    sources: &Sources,
    prepared: &Prepared,
    told: Told,
    output: &mut Output<'_>,
) -> Outcome {
    // Every source is checked, and the environment resolved, before the first command starts.
    let mut commands: Vec<Vec<OsString>> = Vec::new();
    for name in &arguments.sources {
        let words = checked(name, sources, told, output)?;
        commands.push(words.into_iter().map(OsString::from).collect());
    }
    prepared.variables(None, output)?;
    let last = commands.len() - 1;
    for (index, words) in commands.into_iter().enumerate() {
        let mut words = words.into_iter();
        let Some(name) = words.next() else { continue };
        // The command takes this process's place, so that it was triggered is all that can be told.
        if told == Told::Here {
            let draft = record::source(Event::SyncTriggered, &parse_name(&arguments.sources[index])?);
            recorded(opened, vec![draft], output, |_| Ok(()), all_done(1))?;
        }
        let variables = prepared.variables(None, output)?;
        let program = Program {
            name,
            arguments: words.collect(),
            variables,
            directory: Some(opened.project.root().to_owned()),
        };
        if index == last {
            return Err(program.replace(output));
        }
        let forwarder =
            Forwarder::start(output.host.terminal.input).map_err(|error| Failure::refused(format!("cannot take over signals: {error}")))?;
        let mut child = program
            .start(Stdio::inherit, output)
            .map_err(|error| program.not_started(&error, output))?;
        forwarder.point_at(&child);
        let waited = child.wait();
        forwarder.stop();
        let status = waited.map_err(|error| Failure::refused(format!("cannot wait for the command: {error}")))?;
        if !status.success() {
            let message = format!("{} failed; the sources behind it were not loaded", arguments.sources[index]);
            let Some(code) = status.code().and_then(|code| u8::try_from(code).ok()) else {
                output.warn(message);
                return passed_on(status);
            };
            let mut failure = Failure::refused(message);
            failure.status = Status::Program(code);
            return Err(failure);
        }
    }
    Ok(())
}

/// The connections of the sources that have one.
fn connections(arguments: &SyncArguments, sources: &Sources, output: &Output<'_>) -> Result<Vec<Connection>, Failure> {
    let mut found = Vec::new();
    for name in &arguments.sources {
        let name = parse_name(name)?;
        sources.find(&name)?;
        found.extend(sources.connection(&name, output));
    }
    Ok(found)
}

/// The words of a source's command, if its credentials allow it to be loaded.
fn checked(name: &str, sources: &Sources, told: Told, output: &mut Output<'_>) -> Result<Vec<String>, Failure> {
    let name = parse_name(name)?;
    let source = sources.find(&name)?;
    if let Some(state) = sources.state(source, output)
        && !state.is_complete()
    {
        let missing: Vec<String> = state.missing.iter().map(|missing| missing.path.to_string()).collect();
        let failure = Failure::refused(format!("{name} is not loaded: it has no value for {}", missing.join(", ")));
        return Err(failure.hint(format!("store it with `dango secrets set {}`", missing[0])));
    }
    match sources.expiry(&name, output)? {
        Expiry::Expired => {
            return Err(
                Failure::refused(format!("{name} is not loaded: its connection has expired")).hint(match told {
                    Told::Here => format!("renew it with `dango oauth refresh {name}`"),
                    Told::OnServer => format!("renew it there, with `dango oauth refresh {name}` on the server's machine or on its page"),
                }),
            );
        }
        Expiry::Expiring { days } => output.warn(match days {
            0 => format!("the connection of {name} expires within a day"),
            1 => format!("the connection of {name} expires in 1 day"),
            days => format!("the connection of {name} expires in {days} days"),
        }),
        _ => {}
    }
    let Some(command) = source.sync() else {
        return Err(Failure::refused(format!("{name} has no `sync` command in .dango/sources.yml"))
            .hint(format!("set one with `dango source edit {name} --set 'sync=python pipeline.py'`")));
    };
    if let Some(sign) = command.shell_syntax() {
        output.warn(format!(
            "the sync command of {name} holds `{sign}`, which only a shell understands; write `sh -c '…'` if one is meant"
        ));
    }
    command.words().map_err(|error| Failure::caused_by(&error))
}
