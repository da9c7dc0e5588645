//! Connections kept alive while the server runs: each is renewed before it ends, by one process at a time, and left alone for a while
//! where that did not work. What a failure means is `dango-oauth`'s to say.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dango_actions::{Actions, BrokenCause, Caller, Ending, drafts};
use dango_audit::{Event, Word};
use dango_connections::{ConnectionFiles, Live, RenewError, provider_of};
use dango_core::Timestamp;
use dango_oauth::{Due, Jitter, Provider, Providers, RefreshModel};
use dango_secrets::storage::WriteError;
use dango_vault::{Connection, ConnectionLease, VaultError};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::desk::Desk;
use super::trouble::{Edition, broken_cause};
use crate::failure::chain;

/// How long a connection is left alone that only a person can help, unless it was made anew.
const UNTIL_SOMEBODY_HELPS: Duration = Duration::from_secs(86_400);
/// How long one is left alone that could not be read, recorded or stored: that may be over soon.
const UNTIL_FILES_WORK: Duration = Duration::from_secs(300);

/// How long one is left alone that was renewed, whatever its new tokens say of their end.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(120);
/// The same for tokens that live for weeks.
const BETWEEN_EXCHANGES: Duration = Duration::from_secs(86_400);

/// How renewals ended, for whoever collects it.
#[derive(Clone, Default)]
pub(crate) struct RenewalCounts(Family<OutcomeLabel, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl RenewalCounts {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("oauth_renewals", "Renewals of connections, by how they ended", self.0.clone());
    }

    fn count(&self, outcome: &'static str) {
        self.0.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}

/// What keeps connections alive.
pub(crate) struct Renewals {
    desk: Arc<Desk>,
    actions: Actions,
    counts: RenewalCounts,
    known: HashMap<String, Known>,
}

/// What is remembered of one connection.
struct Known {
    edition: Edition,
    /// How much earlier than others it is renewed.
    jitter: Jitter,
    /// Before this it is not looked at, unless it is another edition.
    not_before: Timestamp,
    /// Failures in a row.
    attempt: u32,
}

impl Renewals {
    pub(crate) fn new(desk: Arc<Desk>, actions: Actions, counts: RenewalCounts) -> Self {
        Self {
            desk,
            actions,
            counts,
            known: HashMap::new(),
        }
    }

    /// Looks at all connections now and again after each interval, until `ends` says so. What is under way then is finished.
    pub(crate) fn spawn(mut self, interval: Duration, mut ends: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            while !*ends.borrow() {
                let (handle, still) = (Handle::current(), ends.clone());
                let looked = tokio::task::spawn_blocking(move || {
                    self.look(&handle, &|| *still.borrow());
                    self
                });
                match looked.await {
                    Ok(back) => self = back,
                    Err(error) => {
                        tracing::error!("connections are not renewed any more: {error}");
                        return;
                    }
                }
                tokio::select! {
                    // Who would say so is gone: that is the end, too.
                    _ = ends.changed() => {}
                    () = tokio::time::sleep(interval) => {}
                }
                if ends.has_changed().is_err() {
                    return;
                }
            }
        })
    }

    /// Renews what is due. It blocks for as long as providers and files take.
    pub(super) fn look(&mut self, handle: &Handle, is_over: &dyn Fn() -> bool) {
        let desk = Arc::clone(&self.desk);
        let listed = desk.with_files(|files| {
            let providers = desk.providers(files).map_err(|error| chain(&error))?;
            Ok::<_, String>((files.list().map_err(|error| chain(&error))?, providers))
        });
        let (connections, providers) = match listed {
            Ok(listed) => listed,
            Err(why) => {
                tracing::error!("connections cannot be looked at: {why}");
                return;
            }
        };
        self.known
            .retain(|name, _| connections.iter().any(|connection| connection.name == *name));
        let candidates = connections.iter().filter(|connection| can_be_due(connection, &providers));
        for connection in candidates {
            if is_over() {
                return;
            }
            if self.is_left_alone(connection, &providers) {
                continue;
            }
            // Each with the files of its own, so that what was done meanwhile counts.
            desk.with_files(|files| self.look_at(connection, &providers, files, handle));
        }
    }

    /// Whether it is not to be looked at yet. What was made or renewed since is looked at anew; where that was a renewal, by whichever
    /// server, it is left alone as long as after one's own.
    fn is_left_alone(&mut self, connection: &Connection, providers: &Providers) -> bool {
        let edition = Edition::of(connection);
        match self.known.get(&connection.name) {
            Some(known) if known.edition == edition => self.desk.clock().now() < known.not_before,
            _ => {
                let pause = provider_of(providers, connection).map_or(BETWEEN_RENEWALS, |(provider, _)| pause_after(provider));
                // A time to come is one of a clock that was wrong.
                let renewed = connection.refreshed_at.filter(|renewed| *renewed <= self.desk.clock().now());
                let not_before = renewed.map(|renewed| later(renewed, pause));
                let known = Known {
                    edition,
                    // Without randomness they are all renewed as late as may be.
                    jitter: Jitter::draw(self.desk.entropy()).unwrap_or(Jitter::ZERO),
                    not_before: not_before.unwrap_or(Timestamp::from_unix_micros(i64::MIN)),
                    attempt: 0,
                };
                self.known.insert(connection.name.clone(), known);
                not_before.is_some_and(|not_before| self.desk.clock().now() < not_before)
            }
        }
    }

    fn look_at(&mut self, connection: &Connection, providers: &Providers, files: &ConnectionFiles<'_>, handle: &Handle) {
        let name = &connection.name;
        let Some(known) = self.known.get(name) else { return };
        let (jitter, attempt) = (known.jitter, known.attempt);
        let live = match files.live(name, providers) {
            Ok(live) => live,
            Err(error) => {
                tracing::warn!(connection = name, "the connection cannot be looked at: {}", chain(&error));
                return self.leave_alone(name, UNTIL_FILES_WORK);
            }
        };
        match live.due(self.desk.clock().now(), jitter) {
            Due::Now => {}
            Due::At(at) => return self.leave_alone_until(name, at),
            // Its badge says so; nothing that the server could do changes it.
            Due::Never | Due::Reconnect => return self.leave_alone(name, UNTIL_SOMEBODY_HELPS),
        }
        let lease = match files.lease(name, Duration::ZERO) {
            Ok(lease) => lease,
            // Somebody else is at it.
            Err(VaultError::Write(WriteError::Locked { .. })) => return,
            Err(error) => {
                tracing::warn!(connection = name, "the connection cannot be renewed: {}", chain(&error));
                return self.leave_alone(name, UNTIL_FILES_WORK);
            }
        };
        // Whoever held the lease before may have done the work.
        match files.live(name, providers) {
            Ok(live) if live.due(self.desk.clock().now(), jitter) == Due::Now => {
                self.renew(&live, (files, &lease), handle, (attempt, jitter))
            }
            _ => {}
        }
    }

    /// Renews a connection of which the lease is held, between its two records.
    fn renew(
        &mut self,
        live: &Live<'_>,
        (files, lease): (&ConnectionFiles<'_>, &ConnectionLease),
        handle: &Handle,
        (attempt, jitter): (u32, Jitter),
    ) {
        let name = &live.connection.name;
        let draft = drafts::connection(Event::OauthRefreshed, name, live.connection.source_type.parse().ok().as_ref());
        let begun = handle.block_on(self.actions.begin_changes(&Caller::system(), vec![draft]));
        let pending = match begun {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!(
                    connection = name,
                    "the connection is not renewed, since that cannot be recorded: {}",
                    chain(&error)
                );
                return self.leave_alone(name, UNTIL_FILES_WORK);
            }
        };
        let renewed = handle.block_on(live.renew(files, lease, self.desk.http(), (attempt, jitter)));
        let (ending, outcome) = match &renewed {
            Ok(()) => (Ending::done(), "renewed"),
            Err(error) => (Ending::failed(Word::new(error.code())), error.code()),
        };
        self.counts.count(outcome);
        if let Err(error) = handle.block_on(self.actions.finish_changes(pending, ending)) {
            tracing::error!(connection = name, "how the renewal ended could not be recorded: {}", chain(&error));
        }
        match renewed {
            Ok(()) => {
                tracing::info!(connection = name, "renewed");
                self.desk.troubles.forget(name);
                if let (Some(known), Ok(Some(now))) = (self.known.get_mut(name), files.find(name)) {
                    known.edition = Edition::of(&now);
                    known.attempt = 0;
                }
                self.leave_alone(name, pause_after(live.provider));
            }
            Err(error) => self.take(&error, live),
        }
    }

    /// What follows from a failure.
    fn take(&mut self, error: &RenewError, live: &Live<'_>) {
        let (name, edition) = (&live.connection.name, Edition::of(&live.connection));
        match error {
            RenewError::Dead { cause } => {
                tracing::warn!(connection = name, "the provider takes the connection no more: {cause}");
                self.desk.troubles.note(name, edition, broken_cause(*cause));
                self.leave_alone(name, UNTIL_SOMEBODY_HELPS);
            }
            RenewError::Misconfigured(_) | RenewError::NoClient => {
                tracing::warn!(connection = name, "the connection was not renewed: {}", chain(error));
                self.desk.troubles.note(name, edition, BrokenCause::Misconfigured);
                // The app may be set right any time, which changes nothing of the connection.
                self.leave_alone(name, UNTIL_FILES_WORK);
            }
            // Whoever has it now does the work; if nobody has, the next look finds it due.
            RenewError::LeaseLost => tracing::warn!(connection = name, "the connection was not renewed: {}", chain(error)),
            RenewError::Later { after, .. } => {
                tracing::warn!(
                    connection = name,
                    "the connection was not renewed, what is stored stays: {}",
                    chain(error)
                );
                if let Some(known) = self.known.get_mut(name) {
                    known.attempt = known.attempt.saturating_add(1);
                }
                self.leave_alone(name, *after);
            }
            RenewError::NotSaved(_) => {
                tracing::error!(
                    connection = name,
                    "the provider gave new tokens that could not be stored; if it takes the old ones no more, it has to be connected again: {}",
                    chain(error)
                );
                self.leave_alone(name, UNTIL_FILES_WORK);
            }
            error => {
                tracing::warn!(connection = name, "the connection was not renewed: {}", chain(error));
                self.leave_alone(name, UNTIL_FILES_WORK);
            }
        }
    }

    fn leave_alone(&mut self, name: &str, wait: Duration) {
        self.leave_alone_until(name, later(self.desk.clock().now(), wait));
    }

    fn leave_alone_until(&mut self, name: &str, until: Timestamp) {
        if let Some(known) = self.known.get_mut(name) {
            known.not_before = until;
        }
    }
}

/// How long a connection is left alone after a renewal. A provider that gives tokens which end soon is not asked for others at each look.
fn pause_after(provider: &Provider) -> Duration {
    match provider.refresh {
        RefreshModel::Exchange => BETWEEN_EXCHANGES,
        _ => BETWEEN_RENEWALS,
    }
}

fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(at.unix_micros().saturating_add(micros))
}

/// Whether a connection can become due at all, by its record alone: most sources make their own access tokens, and no key is fetched
/// to look at those.
fn can_be_due(connection: &Connection, providers: &Providers) -> bool {
    let served = provider_of(providers, connection);
    served.is_some_and(|(provider, source)| provider.refresh != RefreshModel::None && source.access_token.is_some())
}
