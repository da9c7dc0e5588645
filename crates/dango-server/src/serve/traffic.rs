//! What the frame counts: connections and requests that no router sees. Requests that one answers are the router's to count.

use std::sync::atomic::AtomicI64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Reasons = Family<[(&'static str, &'static str); 1], Counter>;

/// The numbers of one listener; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Traffic {
    connections: Gauge<i64, AtomicI64>,
    accepted: Counter,
    refused_connections: Reasons,
    refused_requests: Reasons,
}

impl Traffic {
    /// Registers them; names have the registry's prefix.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Connections that are open", self.connections.clone());
        registry.register("connections_accepted", "Connections that were accepted", self.accepted.clone());
        registry.register(
            "connections_refused",
            "Connections that were closed at once, or before a request",
            self.refused_connections.clone(),
        );
        registry.register(
            "requests_refused",
            "Requests that were refused before they were routed",
            self.refused_requests.clone(),
        );
    }

    pub(super) fn refuse_connection(&self, reason: &'static str) {
        self.refused_connections.get_or_create(&[("reason", reason)]).inc();
    }

    pub(super) fn refuse_request(&self, reason: &'static str) {
        self.refused_requests.get_or_create(&[("reason", reason)]).inc();
    }

    pub(super) fn open(&self) -> Open {
        self.accepted.inc();
        self.connections.inc();
        Open(self.connections.clone())
    }
}

/// A connection that is counted until it is dropped.
pub(super) struct Open(Gauge<i64, AtomicI64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
