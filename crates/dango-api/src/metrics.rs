//! What is counted about requests: plain counters, one row a route, so that counting costs a request a few nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::route::Served;

/// The upper bounds of the classes of durations, in microseconds.
pub const BOUNDS: [u64; 12] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000,
];

/// What answers are called that belong to nothing in a table.
const NONE: &str = "none";

/// Requests by route or page, and outcome. Labels are words of the program's text alone.
pub struct Metrics {
    /// A row for each route and each page, and one for what belongs to none.
    rows: Vec<Row>,
    overloaded: AtomicU64,
    limited: AtomicU64,
}

#[derive(Default)]
struct Row {
    /// By the first digit of the status: 1 to 5.
    classes: [AtomicU64; 5],
    /// By duration; the last is for what is above all bounds.
    durations: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What was counted of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteCounts {
    /// The operation's name, or the page's; `none` for what belongs to neither.
    pub operation: &'static str,
    /// Answers by the first digit of their status, 1 to 5.
    pub classes: [u64; 5],
    /// Answers by duration, one class for each of [`BOUNDS`] and one for what is above; not cumulative.
    pub durations: [u64; BOUNDS.len() + 1],
    /// All durations together, in microseconds.
    pub micros: u64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            rows: Served::names().chain([NONE]).map(|_| Row::default()).collect(),
            overloaded: AtomicU64::new(0),
            limited: AtomicU64::new(0),
        }
    }

    /// Counts an answer; what is in no table counts as none.
    pub(crate) fn count(&self, served: Option<Served>, status: u16, took: Duration) {
        let place = served.map(Served::place);
        let Some(row) = place.map_or(self.rows.last(), |place| self.rows.get(place)) else {
            return;
        };
        let class = usize::from((status / 100).clamp(1, 5)) - 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bound = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        row.classes[class].fetch_add(1, Ordering::Relaxed);
        row.durations[bound].fetch_add(1, Ordering::Relaxed);
        row.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts a request that was sent away, and answers how many there are with it.
    pub(crate) fn count_sent_away(&self) -> u64 {
        self.overloaded.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn count_limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests were refused because their key or address had sent, or failed, too often.
    pub fn limited(&self) -> u64 {
        self.limited.load(Ordering::Relaxed)
    }

    /// How many requests were sent away because too much was asked at once, or of one address.
    pub fn overloaded(&self) -> u64 {
        self.overloaded.load(Ordering::Relaxed)
    }

    /// What was counted, route by route.
    pub fn routes(&self) -> impl Iterator<Item = RouteCounts> {
        let names = Served::names().chain([NONE]);
        names.zip(&self.rows).map(|(operation, row)| RouteCounts {
            operation,
            classes: std::array::from_fn(|class| row.classes[class].load(Ordering::Relaxed)),
            durations: std::array::from_fn(|bound| row.durations[bound].load(Ordering::Relaxed)),
            micros: row.micros.load(Ordering::Relaxed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_once_by_status_and_duration() {
        let metrics = Metrics::new();
        metrics.count(Some(Served::Operation(0)), 201, Duration::from_micros(100));
        metrics.count(Some(Served::Operation(0)), 404, Duration::from_micros(101));
        metrics.count(None, 503, Duration::from_secs(9));
        let rows: Vec<_> = metrics.routes().collect();
        assert_eq!(rows[0].classes, [0, 1, 0, 1, 0]);
        assert_eq!((rows[0].durations[0], rows[0].durations[1], rows[0].micros), (1, 1, 201));
        let last = rows.last().expect("a row for the rest");
        assert_eq!((last.operation, last.classes[4], last.durations[BOUNDS.len()]), ("none", 1, 1));
    }
}
