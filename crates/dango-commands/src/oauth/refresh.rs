//! `dango oauth refresh`: a connection renewed, by one process at a time, and its new tokens stored before anything uses them.

use clap::Args;
use dango_actions::Ending;
use dango_audit::Event;
use dango_core::Timestamp;
use dango_oauth::{HttpClient, Jitter, RefreshModel, RenewalError, Reread, Verdict, block_on, judge, likely_cause, renew};
use dango_vault::{Connection, Protection};

use super::connect::{PATIENCE, Request, connect};
use super::fields::BesideOptions;
use super::renewing::{Renewing, draft, parse_type};
use super::tokens::are_same;
use super::view::ConnectionView;
use super::wait::Browsing;
use super::{client, find, provider};
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
    let providers = provider::providers(opened)?;
    let before = Renewing::read(connection, &providers, opened, output)?;
    let vault = opened.vault();
    let _lease = vault
        .lease_connection(&connection.name, PATIENCE)
        .map_err(|error| opened.vault_failure(&error))?;
    let renewing = Renewing::read(connection, &providers, opened, output)?;
    // Whoever held the lease before has done the work.
    let was_renewed = renewing.connection.refreshed_at != before.connection.refreshed_at;
    if was_renewed || !are_same(&renewing.tokens, &before.tokens) {
        return Ok(Refreshed::Done);
    }
    if renewing.needs_browser(output.host.clock.now()) {
        return Ok(Refreshed::NeedsBrowser);
    }
    let draft = draft(Event::OauthRefreshed, &renewing.connection);
    let change = |output: &mut Output<'_>| renewing.renew(opened, output);
    recorded(opened, vec![draft], output, change, |()| vec![Ending::done()])?;
    Ok(Refreshed::Done)
}

impl Renewing<'_> {
    /// Whether the provider renews nothing, or what it takes for it is not stored or has ended.
    fn needs_browser(&self, now: Timestamp) -> bool {
        let has_token = match self.provider.refresh {
            RefreshModel::Static | RefreshModel::Rotating => self.tokens.refresh_token.is_some(),
            RefreshModel::Exchange => self.tokens.access_token.is_some(),
            RefreshModel::None => false,
        };
        !has_token || self.tokens.expires_at.is_some_and(|end| now >= end)
    }

    fn renew(&self, opened: &Opened, output: &mut Output<'_>) -> Result<(), Failure> {
        let client = self.client.as_ref().ok_or_else(|| client::missing(self.provider))?;
        let now = output.host.clock.now();
        let http = HttpClient::new();
        let ceremony = async {
            match renew(&http, self.provider, &self.endpoints, client, &self.tokens, now).await {
                Ok(unsaved) => self.save(unsaved, now, opened).await,
                Err(error) => self.explain(&error, now, opened, output),
            }
        };
        block_on(ceremony).map_err(|error| Failure::refused(format!("cannot wait for the network: {error}")))?
    }

    /// What a failure means. A refusal is believed only after what is stored was read again.
    fn explain(&self, error: &RenewalError, now: Timestamp, opened: &Opened, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut verdict = judge(error, Reread::NotYet, 0, Jitter::ZERO);
        if verdict == Verdict::Reread {
            let providers = provider::providers(opened)?;
            let again = Renewing::read(&self.connection, &providers, opened, output)?;
            let reread = match are_same(&again.tokens, &self.tokens) {
                true => Reread::Unchanged,
                false => Reread::Changed,
            };
            verdict = judge(error, reread, 0, Jitter::ZERO);
        }
        let name = &self.connection.name;
        let title = &self.provider.title;
        match verdict {
            Verdict::UseStored => Ok(()),
            Verdict::Dead => {
                let worked_at = self.connection.refreshed_at;
                let cause = likely_cause(self.provider, &self.tokens, self.connection.connected_at, worked_at, now);
                Err(Failure::refused(format!("{title} takes the connection {name} no more: {cause}"))
                    .with_code("revoked")
                    .hint(format!(
                        "connect it again: `dango oauth {} --name {name}`",
                        self.connection.source_type
                    )))
            }
            Verdict::Misconfigured => Err(Failure::refused(format!("{name} was not renewed: {}", chain(error)))
                .with_code(error.code())
                .hint(format!(
                    "the app's id and secret may be others now: `dango oauth setup {}` stores them",
                    self.provider.name
                ))),
            _ => Err(
                Failure::refused(format!("{name} was not renewed: {}; what is stored stays", chain(error)))
                    .with_code(error.code())
                    .hint("that says nothing about the connection: try again later"),
            ),
        }
    }
}
