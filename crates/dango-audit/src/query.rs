//! What records are asked for: filters as types, how they are read from text, and how a list goes on page by page.

use std::fmt;
use std::str::FromStr;

use dango_core::Timestamp;

use crate::chain::personal_of;
use crate::digest::Digest;
use crate::encoding::Row;
use crate::event::Event;
use crate::words::{Label, Seq};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The most records that one page holds.
pub const PAGE_MAX: u32 = 500;

/// How many records a page holds: 1 to [`PAGE_MAX`], 50 unless asked otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u32);

impl PageLimit {
    /// Takes a number of records; nothing if it is 0 or more than [`PAGE_MAX`].
    pub const fn new(number: u32) -> Option<Self> {
        if number >= 1 && number <= PAGE_MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(50)
    }
}

/// Whose records are asked for: an id, or the label that the actor had at the time, without regard to ASCII case.
///
/// One text is held against both, because a name such as `ada` could be an id, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorFilter(Label);

impl ActorFilter {
    /// Takes what somebody asked for.
    pub fn new(text: &str) -> Self {
        Self(Label::new(text))
    }

    /// The text to hold against ids and labels.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn takes(&self, actor: &str, label_of: impl FnOnce(&Digest) -> Option<String>) -> bool {
        let value = serde_json::from_str::<serde_json::Value>(actor).ok();
        let id = value.as_ref().and_then(|actor| actor.get("id")?.as_str());
        let label = || personal_of(actor).as_ref().and_then(label_of);
        id == Some(self.as_str()) || label().is_some_and(|label| label.eq_ignore_ascii_case(self.as_str()))
    }
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As people read it.
    #[default]
    NewestFirst,
    /// As it was written.
    OldestFirst,
}

/// Where the next page begins: behind the record of this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(Seq);

impl Cursor {
    /// Makes the cursor behind a record.
    pub const fn behind(seq: Seq) -> Self {
        Self(seq)
    }

    /// The record that the next page begins behind.
    pub const fn seq(self) -> Seq {
        self.0
    }
}

/// A text that is not a cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: take `next_cursor` of the page before")]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse::<i64>().ok() } else { None };
        number.and_then(Seq::from_column).map(Self).ok_or(ParseCursorError)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What records are asked for; the default asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Not after this time.
    pub until: Option<Timestamp>,
    /// Only this event.
    pub event: Option<Event>,
    /// Only this actor.
    pub actor: Option<ActorFilter>,
    /// Only what comes behind this place, in the order of the list.
    pub cursor: Option<Cursor>,
    /// Which way.
    pub order: Order,
    /// Whether what was only intended is asked for, too.
    pub intents: Intents,
}

/// What becomes of intents, whose outcome is a record of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intents {
    /// They are there: whoever keeps the log wants all of it.
    #[default]
    Included,
    /// They are left out: a list or a count takes each thing once, by its outcome.
    LeftOut,
}

impl Filter {
    /// Whether a row is asked for; the model for what stores ask their databases.
    pub fn takes(&self, row: &Row<'_>, label_of: impl FnOnce(&Digest) -> Option<String>) -> bool {
        let in_time =
            self.since.is_none_or(|since| row.at >= since.unix_micros()) && self.until.is_none_or(|until| row.at <= until.unix_micros());
        let behind = self.cursor.is_none_or(|cursor| match self.order {
            Order::NewestFirst => row.seq < cursor.seq().as_column(),
            Order::OldestFirst => row.seq > cursor.seq().as_column(),
        });
        let of_event = self.event.is_none_or(|event| event.as_str() == row.event);
        let by_actor = self.actor.as_ref().is_none_or(|actor| actor.takes(row.actor, label_of));
        let is_wanted = self.intents == Intents::Included || row.outcome.is_some();
        in_time && behind && of_event && by_actor && is_wanted
    }
}

/// Which end of a span of time a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The beginning: a date is its first instant.
    Since,
    /// The end: a date is its last instant.
    Until,
}

/// A text that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: write 2026-11-21T21:34:00Z, 2026-11-21 (in UTC), or how long ago: 90m, 24h, 7d, 2w")]
pub struct ParseBoundError;

/// Reads a time: RFC 3339, a date in UTC, or how long ago in `s`, `m`, `h`, `d` or `w`.
///
/// # Errors
///
/// [`ParseBoundError`] for everything else.
pub fn parse_bound(text: &str, bound: Bound, now: Timestamp) -> Result<Timestamp, ParseBoundError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Some(age) = parse_age(text) {
        let at = now.unix_micros().checked_sub(age).ok_or(ParseBoundError)?;
        return Ok(Timestamp::from_unix_micros(at));
    }
    let day = format!("{text}T00:00:00Z").parse::<Timestamp>().map_err(|_| ParseBoundError)?;
    Ok(match bound {
        Bound::Since => day,
        Bound::Until => Timestamp::from_unix_micros(day.unix_micros() + DAY - 1),
    })
}

/// A number and a unit, in microseconds.
fn parse_age(text: &str) -> Option<i64> {
    let (unit_at, unit) = text.char_indices().next_back()?;
    let unit = match unit {
        's' => SECOND,
        'm' => 60 * SECOND,
        'h' => 3_600 * SECOND,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let digits = &text[..unit_at];
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all { digits.parse::<i64>().ok()?.checked_mul(unit) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    #[test]
    fn times_are_instants_dates_or_ages() {
        let now = at("2026-11-21T12:00:00Z");
        let cases = [
            ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999999Z"),
            ("7d", "2026-11-14T12:00:00Z", "2026-11-14T12:00:00Z"),
            ("1w", "2026-11-14T12:00:00Z", "2026-11-14T12:00:00Z"),
            ("90m", "2026-11-21T10:30:00Z", "2026-11-21T10:30:00Z"),
            ("0s", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"),
        ];
        for (text, since, until) in cases {
            assert_eq!(parse_bound(text, Bound::Since, now), Ok(at(since)), "{text}");
            assert_eq!(parse_bound(text, Bound::Until, now), Ok(at(until)), "{text}");
        }
        for wrong in [
            "",
            "d",
            "-7d",
            "+7d",
            "7 d",
            "7y",
            "2026-13-01",
            "2026-11-20T10:00:00",
            "yesterday",
            "99999999999999999999d",
            "9999999999999w",
            "7é",
        ] {
            assert_eq!(parse_bound(wrong, Bound::Since, now), Err(ParseBoundError), "{wrong}");
        }
    }

    #[test]
    fn a_cursor_is_read_only_as_it_was_written() {
        assert_eq!("42".parse::<Cursor>().map(|cursor| cursor.to_string()), Ok("42".to_owned()));
        for wrong in ["", "0", "-1", "+1", "042", "1 ", "9223372036854775808", "x"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(ParseCursorError), "{wrong}");
        }
    }

    #[test]
    fn pages_are_never_empty_and_never_too_large() {
        assert_eq!(
            [0, 1, 500, 501, u32::MAX].map(|n| PageLimit::new(n).map(PageLimit::get)),
            [None, Some(1), Some(500), None, None]
        );
        assert_eq!(PageLimit::default().get(), 50);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_times_panic(text in ".{0,30}", digits in "[0-9]{0,25}[smhdw]") {
            for text in [text, digits] {
                let _ = parse_bound(&text, Bound::Until, Timestamp::from_unix_micros(i64::MIN));
                let _ = parse_bound(&text, Bound::Until, Timestamp::from_unix_micros(i64::MAX));
            }
        }
    }
}
