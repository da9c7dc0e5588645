//! `dango oauth check`: whether the connections work, asked of the providers, or with `--offline` of what is stored alone.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Event, Word};
use dango_connections::{CheckFailure, ConnectionFiles, Found, LiveError, PATIENCE};
use dango_oauth::{CheckError, HttpClient, Providers, Status, status};
use dango_vault::Connection;
use serde::Serialize;

use super::find;
use super::stored::{NOT_SAVED, ask, draft, live_failure, providers};
use super::view::{ConnectionView, views};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status as Exit};
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::recorded;

#[derive(Args, Debug)]
pub(super) struct CheckArguments {
    /// The connections [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Ask nobody: look at what is stored only
    #[arg(long)]
    offline: bool,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    connection: ConnectionView,
    valid: bool,
    error: Option<String>,
    error_code: Option<&'static str>,
}

/// What came of one check. A connection that cannot be read keeps nobody from hearing of the others.
type Checked = Result<Found, Failure>;

pub(super) fn run(arguments: &CheckArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let connections = match arguments.names.as_slice() {
        [] => Connection::list(&document, output.host.clock.as_ref()),
        names => names.iter().map(|name| find(&document, name, output)).collect::<Result<_, _>>()?,
    };
    let found = match (arguments.offline, connections.is_empty()) {
        (_, true) => Vec::new(),
        (true, _) => connections.iter().map(|connection| Ok(offline(connection, output))).collect(),
        (false, _) => ask_all(&connections, &opened, output)?,
    };
    tell(&opened, &connections, found, output)
}

fn ask_all(connections: &[Connection], opened: &Opened, output: &mut Output<'_>) -> Result<Vec<Checked>, Failure> {
    let drafts = connections
        .iter()
        .map(|connection| draft(Event::OauthChecked, connection))
        .collect();
    let change = |output: &mut Output<'_>| {
        let files = opened.connections(output.host);
        let providers = providers(&files)?;
        let mut all = Vec::new();
        for connection in connections {
            all.push(live(connection, &files, &providers, opened, output));
        }
        Ok(all)
    };
    recorded(opened, drafts, output, change, |found: &Vec<Checked>| {
        found.iter().map(ending).collect()
    })
}

fn ending(checked: &Checked) -> Ending {
    match checked {
        Ok(Found { error: None, .. }) => Ending::done(),
        Ok(Found { error: Some(error), .. }) => Ending::failed(Word::new(error.code())),
        Err(failure) => Ending::failed(Word::new(failure.code)),
    }
}

fn offline(connection: &Connection, output: &Output<'_>) -> Found {
    match status(connection.expires_at, output.host.clock.now()) {
        Status::Expired => Found {
            valid: false,
            error: Some(CheckError::Expired),
        },
        _ => Found { valid: true, error: None },
    }
}

/// Whether the stored connection of a source works, asked of its provider; `None` where no provider is known for its type.
pub(crate) fn check_connection(connection: &Connection, opened: &Opened, output: &mut Output<'_>) -> Result<Option<Found>, Failure> {
    let files = opened.connections(output.host);
    let providers = providers(&files)?;
    served(connection, &files, &providers, opened, output)
}

fn live(connection: &Connection, files: &ConnectionFiles<'_>, providers: &Providers, opened: &Opened, output: &mut Output<'_>) -> Checked {
    if let Some(found) = served(connection, files, providers, opened, output)? {
        return Ok(found);
    }
    // A provider that is not known says nothing about the connection.
    output.warn(format!("{} cannot be checked: no provider is known for its type", connection.name));
    Ok(offline(connection, output))
}

fn served(
    connection: &Connection,
    files: &ConnectionFiles<'_>,
    providers: &Providers,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Option<Found>, Failure> {
    let http = HttpClient::new();
    let asked = ask(files.check(&connection.name, providers, &http, PATIENCE), files, opened, output)?;
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(CheckFailure::Live(LiveError::Unserved)) => Ok(None),
        Err(CheckFailure::Live(error)) => Err(live_failure(&error, connection, opened)),
        Err(CheckFailure::NotSaved(error)) => Err(opened.vault_failure(&error).hint(NOT_SAVED)),
        Err(CheckFailure::Lease(error)) => Err(opened.vault_failure(&error)),
        Err(error) => Err(Failure::caused_by(&error).with_code(error.code())),
    }
}

fn tell(opened: &Opened, connections: &[Connection], found: Vec<Checked>, output: &mut Output<'_>) -> Outcome {
    let mut unread = None;
    // A check may have renewed: what is shown is what is stored now.
    let document = opened.secrets(output)?;
    let stored = connections.iter().map(|connection| {
        let stored = Connection::find(&document, &connection.name, output.host.clock.as_ref());
        stored.unwrap_or_else(|| connection.clone())
    });
    let stored: Vec<Connection> = stored.collect();
    let rows = views(&stored, opened, output).into_iter().zip(found);
    let rows: Vec<Row> = rows
        .map(|(connection, checked)| match checked {
            Ok(found) => Row {
                connection,
                valid: found.valid,
                error: found.error.map(|error| sentence(error).to_owned()),
                error_code: found.error.map(CheckError::code),
            },
            Err(failure) => {
                let row = Row {
                    connection,
                    valid: false,
                    error: Some(failure.message.clone()),
                    error_code: Some(failure.code),
                };
                unread.get_or_insert(failure);
                row
            }
        })
        .collect();
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.say("no connections yet");
    } else {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let verdict = match (row.valid, &row.error) {
                    (true, None) => "works".to_owned(),
                    (true, Some(error)) => format!("not known: {error}"),
                    (false, error) => error.clone().unwrap_or_else(|| "does not work".to_owned()),
                };
                vec![
                    row.connection.name.clone(),
                    row.connection.provider.clone(),
                    row.connection.account(),
                    verdict,
                ]
            })
            .collect();
        output.table(&["NAME", "PROVIDER", "ACCOUNT", "RESULT"], &cells)?;
    }
    if let Some(failure) = unread {
        return Err(failure);
    }
    let bad: Vec<&Row> = rows.iter().filter(|row| !row.valid).collect();
    if bad.is_empty() {
        return Ok(());
    }
    for row in bad {
        let view = &row.connection;
        output.hint(format!("connect {} again: {}", view.name, view.how_to_connect()));
    }
    Err(Failure::silent(Exit::Found))
}

const fn sentence(error: CheckError) -> &'static str {
    match error {
        CheckError::Revoked => "the provider takes it no more",
        CheckError::Expired => "it has expired",
        CheckError::NetworkError => "the provider cannot be reached",
        CheckError::ServerError => "the provider has trouble of its own",
        CheckError::MissingCredentials => "its tokens or its app are not stored",
    }
}
