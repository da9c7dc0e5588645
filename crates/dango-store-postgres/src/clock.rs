//! The time of the database, which all servers share: what it told last, and what has gone by since. This machine's clock may be put forward or
//! back meanwhile, and the machine may sleep.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_core::{Clock, Timestamp};
use dango_store::StoreFailure;
use rustix::time::{ClockId, clock_gettime};

use crate::column::Columns;
use crate::connection::{Connection, query};

/// For how long a measurement is kept although later ones took longer, and so say less.
const KEPT: Duration = Duration::from_secs(300);

/// What may be an error of measuring, in microseconds: by so little the time never goes back. By more it does where the database's does.
const JITTER: i64 = 2_000_000;

/// A clock that tells the database's time without asking for it. Until the first measurement it is this machine's.
pub struct DatabaseClock {
    own: Arc<dyn Clock>,
    /// For how long this machine is up.
    uptime: fn() -> Duration,
    told: Mutex<Option<Told>>,
    /// The latest time that was told to anybody.
    latest: AtomicI64,
}

/// What the database said of its time.
#[derive(Clone, Copy, Debug)]
struct Told {
    time: i64,
    /// When it said so, in this machine's time of being up: half way between the asking and the answer.
    at: Duration,
    /// By how much that may be wrong.
    within: Duration,
}

impl Told {
    fn new(time: i64, asked: Duration, answered: Duration) -> Self {
        let within = answered.saturating_sub(asked) / 2;
        Self {
            time,
            at: asked + within,
            within,
        }
    }

    fn at(&self, now: Duration) -> i64 {
        // An earlier moment comes of a measurement that another thread has just made.
        let since = micros(now.saturating_sub(self.at)) - micros(self.at.saturating_sub(now));
        self.time.saturating_add(since)
    }

    /// Which of two says more: the one that is less wrong, unless it is old, or the clock was put elsewhere since.
    fn or(self, later: Self) -> Self {
        let is_old = later.at.saturating_sub(self.at) > KEPT;
        let apart = self.at(later.at).abs_diff(later.time);
        let is_another = u128::from(apart) > (self.within + later.within).as_micros() + 1_000;
        match is_old || is_another || later.within <= self.within {
            true => later,
            false => self,
        }
    }
}

/// For how long this machine is up, whatever its clock was put to. That it slept counts: at the database, and for everybody else, time went on.
/// What the standard library goes by stands still meanwhile.
fn uptime() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    // It began at zero.
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl DatabaseClock {
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self {
            own,
            uptime,
            told: Mutex::new(None),
            latest: AtomicI64::new(i64::MIN),
        }
    }

    /// By how many microseconds the database's clock is ahead of this machine's.
    pub fn ahead_micros(&self) -> i64 {
        let own = self.own.now().unix_micros();
        self.at((self.uptime)()).map_or(0, |time| time.saturating_sub(own))
    }

    /// Asks the database for its time.
    pub(crate) async fn measure(&self, connection: &Connection) -> Result<(), StoreFailure> {
        let asked = (self.uptime)();
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let told = connection.one(&query(sql), |row| Columns::of(row).integer()).await?;
        if let Some(time) = told {
            self.learn(Told::new(time, asked, (self.uptime)()));
        }
        Ok(())
    }

    fn learn(&self, later: Told) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some(told.map_or(later, |before| before.or(later)));
    }

    fn at(&self, now: Duration) -> Option<i64> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).map(|told| told.at(now))
    }

    /// The time, but none a little before one that was told already.
    fn onward(&self, time: i64) -> i64 {
        let latest = self.latest.fetch_max(time, Ordering::Relaxed);
        match latest.saturating_sub(time) {
            1..=JITTER => latest,
            // It was put back, and not by us: what counts is what all others go by.
            back if back > JITTER => {
                self.latest.store(time, Ordering::Relaxed);
                time
            }
            _ => time,
        }
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let time = self.at((self.uptime)());
        Timestamp::from_unix_micros(time.map_or_else(|| self.own.now().unix_micros(), |time| self.onward(time)))
    }

    fn local_offset_seconds(&self, at: Timestamp) -> i32 {
        self.own.local_offset_seconds(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock of the machine that somebody puts wherever they like.
    struct Put(AtomicI64);

    impl Clock for Put {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(self.0.load(Ordering::Relaxed))
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    const SECOND: i64 = 1_000_000;

    fn told(time: i64, asked: Duration, round: u64) -> Told {
        Told::new(time, asked, asked + Duration::from_millis(round))
    }

    #[test]
    fn putting_the_machines_clock_elsewhere_changes_nothing() {
        let own = Arc::new(Put(AtomicI64::new(50 * SECOND)));
        let clock = DatabaseClock::new(Arc::<Put>::clone(&own));
        assert_eq!(clock.now().unix_micros(), 50 * SECOND, "nothing was measured yet");
        clock.learn(told(1_000 * SECOND, uptime(), 0));
        let before = clock.now().unix_micros();
        own.0.store(9_000 * SECOND, Ordering::Relaxed);
        let after = clock.now().unix_micros();
        assert!((before..before + 100 * SECOND).contains(&after), "{before} {after}");
        assert!(clock.ahead_micros() < -7_000 * SECOND, "which is told");
    }

    #[test]
    fn time_goes_on_while_the_machine_sleeps() {
        static UPTIME: AtomicI64 = AtomicI64::new(1);
        let clock = DatabaseClock {
            uptime: || Duration::from_secs(UPTIME.load(Ordering::Relaxed).unsigned_abs()),
            ..DatabaseClock::new(Arc::new(Put(AtomicI64::new(0))))
        };
        clock.learn(told(1_000 * SECOND, (clock.uptime)(), 0));
        UPTIME.fetch_add(3_600, Ordering::Relaxed);
        assert_eq!(clock.now().unix_micros(), 4_600 * SECOND);
        // What it goes by is what the system says, which counts that it slept.
        if let Ok(said) = std::fs::read_to_string("/proc/uptime") {
            let seconds: f64 = said.split(' ').next().and_then(|text| text.parse().ok()).expect("a number");
            assert!((uptime().as_secs_f64() - seconds).abs() < 5.0, "{said}");
        }
    }

    #[test]
    fn the_shortest_of_the_last_measurements_counts_until_it_is_old_or_wrong() {
        let begun = uptime();
        let minute = |number: u64| begun + Duration::from_secs(60 * number);
        let short = told(0, begun, 2);
        // Half a second off, and may be.
        let long = told(60 * SECOND, minute(1), 1_000);
        assert_eq!(short.or(long).within, short.within);
        assert_eq!(
            long.or(told(120 * SECOND + SECOND / 2, minute(2), 2)).within,
            Duration::from_millis(1)
        );
        let late = told(600 * SECOND, minute(10), 1_000);
        assert_eq!(short.or(late).within, late.within, "it is old");
        let put_back = told(-3_600 * SECOND, minute(1), 1_000);
        assert_eq!(short.or(put_back).time, put_back.time, "the database's clock was put back");
    }

    #[test]
    fn it_does_not_go_back_but_where_the_databases_does() {
        let clock = DatabaseClock::new(Arc::new(Put(AtomicI64::new(0))));
        let times = [10, 12, 11, 12, 13].map(|seconds| clock.onward(seconds * SECOND));
        assert_eq!(times, [10, 12, 12, 12, 13].map(|seconds| seconds * SECOND));
        assert_eq!(clock.onward(-3_600 * SECOND), -3_600 * SECOND);
        assert_eq!(clock.onward(-3_599 * SECOND), -3_599 * SECOND);
    }
}
