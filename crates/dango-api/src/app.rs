//! What all requests share: the use cases, the server's name, its limits, and what it can find out about its machine.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dango_actions::{Actions, ConnectionDesk, LoginProviders, SecretsDesk, ValuesDesk};
use dango_audit::Id;
use dango_core::{Clock, Entropy, EntropyError, Timestamp};
use dango_identity::ApiKeyId;
use dango_store::BoxFuture;
use ipnet::IpNet;

use crate::limiter::{FailureLimiter, Standing, network};
use crate::metrics::Metrics;
use crate::rate::RateLimiter;
use crate::site::Site;
use crate::trace::Traces;

/// Where a sender stands after a request, if there is a limit.
pub(crate) type Charged = Result<Option<Standing>, Standing>;

/// What the server is built from.
pub struct Parts {
    /// The use cases.
    pub actions: Actions,
    /// The project's secrets.
    pub secrets: SecretsDesk,
    /// Where stored values are given to API keys.
    pub values: ValuesDesk,
    /// Where sources are connected to their providers, if this server does that.
    pub connections: Option<ConnectionDesk>,
    /// The providers that people may log in with, if there are any.
    pub logins: Option<Arc<dyn LoginProviders>>,
    /// How people reach the server.
    pub site: Site,
    /// The proxies whose word about a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// How much is let in at once.
    pub limits: Limits,
    /// What only the machine knows.
    pub machine: Arc<dyn Machine>,
    /// Whoever collects traces, if anybody does.
    pub traces: Option<Arc<dyn Traces>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// How much is let in at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests that are being answered; the rest is sent away at once.
    pub requests_in_flight: usize,
    /// Failed proofs of who somebody is, in a minute and from one address (IPv6: from one /64).
    pub failures_a_minute: u32,
    /// Requests in a minute with one API key; 0 for as many as come.
    pub requests_a_minute_by_key: u32,
    /// Requests in a minute from one address (IPv6: from one /64) that bring no credential which counts; 0 for as many as come. Probes
    /// and tries of a proof, which have a limit of their own, are not among them.
    pub requests_a_minute_by_strangers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_in_flight: 1024,
            failures_a_minute: 60,
            requests_a_minute_by_key: 6_000,
            requests_a_minute_by_strangers: 1_200,
        }
    }
}

/// What only the machine knows: whether everything that the server needs can be used, and what is kept beside the database.
pub trait Machine: Send + Sync {
    /// Says what cannot be used just now, if anything: database, key, project directory. It may ask the disk, and writes the reason
    /// down itself, once: anybody may ask as often as they like.
    ///
    /// # Errors
    ///
    /// [`NotReady`].
    fn check_readiness(&self) -> BoxFuture<'_, Result<(), NotReady>>;

    /// The checkpoints of the audit log that are kept outside of it, one after another; empty where none is kept yet.
    ///
    /// # Errors
    ///
    /// [`NotReady`] if they cannot be read.
    fn checkpoints(&self) -> Result<String, NotReady>;
}

/// Something that the server needs cannot be used. The reason is for the log; clients only learn that it is so.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be used")]
pub struct NotReady {
    /// What: a word of the program's text.
    pub what: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// How the audit log stood when it was verified last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verified {
    pub(crate) at: Timestamp,
    /// How many records were looked at.
    pub(crate) events: u64,
    /// The place of the first that is not as it was written.
    pub(crate) first_bad: Option<u64>,
    /// Whether everything was as it should be.
    pub(crate) is_intact: bool,
}

/// The server's state. Clones share everything.
#[derive(Clone)]
pub struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) parts: Parts,
    pub(crate) failures: Arc<FailureLimiter>,
    by_key: Option<RateLimiter<ApiKeyId>>,
    by_strangers: Option<RateLimiter<IpAddr>>,
    pub(crate) metrics: Metrics,
    in_flight: AtomicUsize,
    exports: AtomicUsize,
    verified: Mutex<Option<Verified>>,
    /// What all request ids of this process begin with.
    first_half: u64,
    requests: AtomicU64,
}

impl App {
    /// Builds the state.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn new(parts: Parts) -> Result<Self, EntropyError> {
        let mut random = [0; 8];
        parts.entropy.fill(&mut random)?;
        Ok(Self(Arc::new(Shared {
            failures: Arc::new(FailureLimiter::new(parts.limits.failures_a_minute)),
            by_key: RateLimiter::new(parts.limits.requests_a_minute_by_key),
            by_strangers: RateLimiter::new(parts.limits.requests_a_minute_by_strangers),
            metrics: Metrics::new(),
            in_flight: AtomicUsize::new(0),
            exports: AtomicUsize::new(0),
            verified: Mutex::new(None),
            first_half: u64::from_le_bytes(random),
            requests: AtomicU64::new(0),
            parts,
        })))
    }

    /// What is counted, for whoever collects it.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn actions(&self) -> &Actions {
        &self.0.parts.actions
    }

    pub(crate) fn secrets(&self) -> &SecretsDesk {
        &self.0.parts.secrets
    }

    pub(crate) fn values(&self) -> &ValuesDesk {
        &self.0.parts.values
    }

    pub(crate) fn connections(&self) -> Option<&ConnectionDesk> {
        self.0.parts.connections.as_ref()
    }

    pub(crate) fn logins(&self) -> Option<&dyn LoginProviders> {
        self.0.parts.logins.as_deref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.parts.entropy
    }

    pub(crate) fn site(&self) -> &Site {
        &self.0.parts.site
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.parts.clock
    }

    pub(crate) fn traces(&self) -> Option<&dyn Traces> {
        self.0.parts.traces.as_deref()
    }

    pub(crate) fn machine(&self) -> Arc<dyn Machine> {
        Arc::clone(&self.0.parts.machine)
    }

    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.0.parts.trusted_proxies
    }

    pub(crate) fn failures(&self) -> &Arc<FailureLimiter> {
        &self.0.failures
    }

    /// Counts a request with an API key.
    ///
    /// # Errors
    ///
    /// Where the key has been used too often.
    pub(crate) fn charge_key(&self, key: ApiKeyId) -> Charged {
        let charged = self.0.by_key.as_ref().map(|limiter| limiter.charge(key, self.clock().now()));
        charged.transpose()
    }

    /// Counts a request of somebody whose credential does not count, or who has none.
    ///
    /// # Errors
    ///
    /// Where too many such requests have come from the address.
    pub(crate) fn charge_stranger(&self, address: Option<IpAddr>) -> Charged {
        let limiter = self.0.by_strangers.as_ref();
        let charged = limiter.map(|limiter| limiter.charge(network(address), self.clock().now()));
        charged.transpose()
    }

    /// Begins an export, if few enough are being written: each has a thread. The place is free again when the guard is dropped.
    pub(crate) fn begin_export(&self) -> Option<Exporting> {
        let guard = Exporting(self.clone());
        let before = self.0.exports.fetch_add(1, Ordering::Relaxed);
        (before < EXPORTS).then_some(guard)
    }

    /// How the audit log stood when this process verified it last.
    pub(crate) fn verified(&self) -> Option<Verified> {
        *self.0.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how the audit log stands.
    pub(crate) fn note_verified(&self, verified: Verified) {
        *self.0.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    }

    /// An id that no other request has, of this process or another. It is no secret: it stands in answers and in the log.
    pub(crate) fn next_request_id(&self) -> Id {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:016x}{number:016x}", self.0.first_half);
        text.parse().expect("32 hexadecimal digits are an id")
    }

    /// Lets a request in, if there is room. The place is free again when the guard is dropped.
    pub(crate) fn admit(&self) -> Option<InFlight> {
        let guard = InFlight(self.clone());
        let before = self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        (before < self.0.parts.limits.requests_in_flight).then_some(guard)
    }
}

/// The most exports that are written at once.
const EXPORTS: usize = 2;

/// An export that is being written.
pub(crate) struct Exporting(App);

impl Drop for Exporting {
    fn drop(&mut self) {
        self.0.0.exports.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that is being answered.
pub(crate) struct InFlight(App);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
