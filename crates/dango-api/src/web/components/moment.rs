//! A time: in UTC as it comes from the server, in the reader's zone where there is script.

use askama::Template;
use askama::filters::HtmlSafe;
use dango_core::Timestamp;

/// A time, or a day of it.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "components/moment.html")]
pub(crate) struct Moment {
    at: Timestamp,
    is_day: bool,
}

impl HtmlSafe for Moment {}

impl Moment {
    /// A time to the minute.
    pub(crate) const fn time(at: Timestamp) -> Self {
        Self { at, is_day: false }
    }

    /// The day alone; the time is in its title.
    pub(crate) const fn day(at: Timestamp) -> Self {
        Self { at, is_day: true }
    }

    /// `2026-11-21 21:34 UTC`, or the day.
    fn text(&self) -> String {
        let exact = self.at.to_string();
        match (exact.split_once('T'), self.is_day) {
            (Some((day, _)), true) => day.to_owned(),
            (Some((day, time)), false) => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
            (None, _) => exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_exact_on_demand() {
        let at = "2026-11-21T21:34:05Z".parse().expect("a time");
        let time = Moment::time(at).to_string();
        assert_eq!(
            time.trim(),
            "<time datetime=\"2026-11-21T21:34:05Z\" title=\"2026-11-21T21:34:05Z\">2026-11-21 21:34 UTC</time>"
        );
        assert!(Moment::day(at).to_string().contains(">2026-11-21</time>"));
        assert!(!Moment::time(Timestamp::from_unix_micros(i64::MAX)).to_string().is_empty());
    }
}
