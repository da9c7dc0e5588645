//! What others have counted and measured, as Prometheus collects it: the HTTP interface its answers, the database its time.

use std::fmt;
use std::sync::Arc;

use dango_api::{App, BOUNDS};
use dango_store_postgres::DatabaseClock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

const MICROS: f64 = 1_000_000.0;
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Reads the counters when they are asked for.
pub(crate) struct RequestMetrics(App);

impl RequestMetrics {
    pub(crate) fn register(app: App, registry: &mut Registry) {
        registry.register_collector(Box::new(Self(app)));
    }
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestMetrics")
    }
}

impl Collector for RequestMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let metrics = self.0.metrics();
        let mut requests = encoder.encode_descriptor(
            "http_requests",
            "Answers, by operation and class of status",
            None,
            MetricType::Counter,
        )?;
        for route in metrics.routes() {
            for (class, count) in CLASSES.iter().zip(route.classes).filter(|(_, count)| *count > 0) {
                let labels = [("operation", route.operation), ("status", class)];
                ConstCounter::new(count).encode(requests.encode_family(&labels)?)?;
            }
        }
        let overloaded = encoder.encode_descriptor(
            "http_overloaded",
            "Requests that were sent away because too much was asked at once, or of one address",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(metrics.overloaded()).encode(overloaded)?;
        let limited = encoder.encode_descriptor(
            "http_rate_limited",
            "Requests that were refused because their API key or address had sent, or failed, too often",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(metrics.limited()).encode(limited)?;
        let mut durations = encoder.encode_descriptor(
            "http_request_duration",
            "How long answers took",
            Some(&prometheus_client::registry::Unit::Seconds),
            MetricType::Histogram,
        )?;
        for route in metrics.routes().filter(|route| route.durations.iter().any(|count| *count > 0)) {
            let total = route.durations.iter().sum();
            let bounds = BOUNDS.iter().map(|micros| seconds(*micros)).chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(route.durations).collect();
            let labels = [("operation", route.operation)];
            durations
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(seconds(route.micros), total, &buckets, None)?;
        }
        Ok(())
    }
}

/// Says by how many seconds the database's clock was ahead when it was asked last.
pub(crate) struct Skew(pub(crate) Arc<DatabaseClock>);

impl Collector for Skew {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "a difference of clocks that large is wrong in any case")]
        let seconds = self.0.ahead_micros() as f64 / MICROS;
        let gauge = ConstGauge::new(seconds);
        let help = "By how many seconds the database's clock is ahead of this machine's";
        gauge.encode(encoder.encode_descriptor("database_clock_skew_seconds", help, None, gauge.metric_type())?)
    }
}

impl fmt::Debug for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skew").finish_non_exhaustive()
    }
}

/// As Prometheus counts time. What is lost beyond 2⁵³ µs is nobody's concern.
#[expect(clippy::cast_precision_loss, reason = "285 years of microseconds are exact")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / MICROS
}
