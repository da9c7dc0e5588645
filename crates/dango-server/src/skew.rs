//! The difference between the database's clock and this machine's, for whoever collects it. What counts is the database's.

use std::fmt;
use std::sync::Arc;

use dango_store_postgres::DatabaseClock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// Says by how many seconds the database's clock was ahead when it was asked last.
pub(crate) struct Skew(pub(crate) Arc<DatabaseClock>);

impl Collector for Skew {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "a difference of clocks that large is wrong in any case")]
        let seconds = self.0.ahead_micros() as f64 / 1_000_000.0;
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
