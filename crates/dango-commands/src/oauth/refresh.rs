//! `dango oauth refresh`: a connection renewed, by one process at a time, and its new tokens stored before anything uses them.

use std::error::Error;

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Event, Word};
use dango_connections::{ConnectionFiles, Live, PATIENCE, RenewError};
use dango_oauth::{Due, HttpClient, Jitter, RenewalError, due};
use dango_vault::{Connection, ConnectionLease, Protection};

use super::connect::{Request, connect};
use super::fields::BesideOptions;
use super::stored::{NOT_SAVED, ask, draft, live, live_failure, parse_type, providers, tell as tell_notices};
use super::view::ConnectionView;
use super::wait::Browsing;
use super::{client, find};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, chain};
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::recorded;
use crate::source::parse_name;

#[derive(Args, Debug)]
pub(super) struct RefreshArguments {
    /// The connection, or its type where it is the only one
    #[arg(value_name = "NAME")]
    name: String,
    /// Where a browser is needed, open none: print the address, and take the answer from the browser or pasted
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    fields: BesideOptions,
}

/// What came of it.
enum Refreshed {
    /// It was renewed, now or meanwhile by another process.
    Done,
    /// Only a browser helps.
    NeedsBrowser,
}

pub(super) fn run(arguments: &RefreshArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let connection = find(&opened.secrets(output)?, &arguments.name, output)?;
    match refresh(&connection, &opened, output)? {
        Refreshed::Done => tell(&connection.name, &opened, output),
        Refreshed::NeedsBrowser => {
            output.say(format!("{} is connected anew, which takes a browser", connection.name));
            let request = Request {
                source_type: parse_type(&connection)?,
                name: parse_name(&connection.name)?,
                browsing: if arguments.no_browser {
                    Browsing::Elsewhere
                } else {
                    Browsing::Here
                },
                protection: Protection::Habit,
                fields: &arguments.fields,
            };
            connect(&request, &opened, global, output)
        }
    }
}

fn tell(name: &str, opened: &Opened, output: &mut Output<'_>) -> Outcome {
    let renewed = find(&opened.secrets(output)?, name, output)?;
    let view = ConnectionView::new(&renewed, output.host.clock.now());
    if output.json {
        return output.json(&view);
    }
    output.say(format!("{name}: renewed; {}", view.standing()));
    Ok(())
}

fn refresh(connection: &Connection, opened: &Opened, output: &mut Output<'_>) -> Result<Refreshed, Failure> {
    let files = opened.connections(output.host);
    let providers = providers(&files)?;
    let before = live(connection, &providers, &files, opened, output)?;
    let lease = files
        .lease(&connection.name, PATIENCE)
        .map_err(|error| opened.vault_failure(&error))?;
    let renewing = live(connection, &providers, &files, opened, output)?;
    if renewing.was_renewed_since(&before) {
        return Ok(Refreshed::Done);
    }
    if renewing.needs_browser(output.host.clock.now()) {
        return Ok(Refreshed::NeedsBrowser);
    }
    let draft = draft(Event::OauthRefreshed, &renewing.connection);
    let change = |output: &mut Output<'_>| renew(&renewing, &lease, &files, opened, output);
    recorded(opened, vec![draft], output, change, |()| vec![Ending::done()])?;
    Ok(Refreshed::Done)
}

/// Renews a connection whose access token has ended or is about to, before something is loaded with it.
///
/// Trouble that passes stops nothing: what is stored may still do. A connection that the provider takes no more does.
pub(crate) fn renew_due(connection: &Connection, opened: &Opened, output: &mut Output<'_>) -> Result<(), Failure> {
    let name = &connection.name;
    let files = opened.connections(output.host);
    let Ok(providers) = files.providers() else {
        output.warn(format!("{name} was not renewed: .dango/providers.toml cannot be read"));
        return Ok(());
    };
    // What cannot be read is told by whoever reads it for the program.
    let Ok(before) = files.live(name, &providers) else {
        return Ok(());
    };
    if !is_due(&before, output) {
        return Ok(());
    }
    tell_notices(&files, opened, output);
    let lease = files.lease(name, PATIENCE).map_err(|error| opened.vault_failure(&error))?;
    let renewing = live(connection, &providers, &files, opened, output)?;
    if !is_due(&renewing, output) {
        return Ok(());
    }
    let http = HttpClient::new();
    let change = |output: &mut Output<'_>| {
        let renewed = ask(renewing.renew(&files, &lease, &http, (0, Jitter::ZERO)), &files, opened, output)?;
        match renewed {
            Err(error @ (RenewError::Dead { .. } | RenewError::NotSaved(_))) => Err(failure(&error, &renewing, opened)),
            done => Ok(done.err()),
        }
    };
    let draft = draft(Event::OauthRefreshed, &renewing.connection);
    let trouble = recorded(opened, vec![draft], output, change, |trouble: &Option<RenewError>| {
        let ending = |error: &RenewError| Ending::failed(Word::new(error.code()));
        vec![trouble.as_ref().map_or_else(Ending::done, ending)]
    })?;
    if let Some(error) = trouble {
        let failure = failure(&error, &renewing, opened);
        output.warn(failure.message);
        failure.hints.iter().for_each(|hint| output.hint(hint));
    }
    Ok(())
}

fn is_due(live: &Live<'_>, output: &Output<'_>) -> bool {
    due(live.provider, &live.tokens, output.host.clock.now(), Jitter::ZERO) == Due::Now
}

fn renew(
    renewing: &Live<'_>,
    lease: &ConnectionLease,
    files: &ConnectionFiles<'_>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let http = HttpClient::new();
    let renewed = ask(renewing.renew(files, lease, &http, (0, Jitter::ZERO)), files, opened, output)?;
    renewed.map_err(|error| failure(&error, renewing, opened))
}

/// What a failure means for a person.
fn failure(error: &RenewError, renewing: &Live<'_>, opened: &Opened) -> Failure {
    let (connection, provider) = (&renewing.connection, renewing.provider);
    let (name, title) = (&connection.name, &provider.title);
    match error {
        RenewError::NoClient => client::missing(provider),
        RenewError::Reread(error) => live_failure(error, connection, opened),
        RenewError::NotSaved(cause) => opened.vault_failure(cause).hint(NOT_SAVED),
        RenewError::Dead { cause } => Failure::refused(format!("{title} takes the connection {name} no more: {cause}"))
            .with_code(error.code())
            .hint(format!("connect it again: `dango oauth {} --name {name}`", connection.source_type)),
        RenewError::Misconfigured(cause) => Failure::refused(format!("{name} was not renewed: {}", reason(cause)))
            .with_code(error.code())
            .hint(format!(
                "the app's id and secret may be others now: `dango oauth setup {}` stores them",
                provider.name
            )),
        RenewError::Later { error: cause, .. } => {
            Failure::refused(format!("{name} was not renewed: {}; what is stored stays", reason(cause)))
                .with_code(error.code())
                .hint("that says nothing about the connection: try again later")
        }
        error => Failure::caused_by(error).with_code(error.code()),
    }
}

/// Why a renewal failed, without that it failed.
fn reason(error: &RenewalError) -> String {
    error.source().map_or_else(|| error.to_string(), chain)
}
