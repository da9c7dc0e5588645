//! How often a source's credentials are to be replaced, as `rotate_every` in `sources.yml` says; whether they were is judged elsewhere.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// The longest interval, ten years: what is longer was mistyped.
const LONGEST: u64 = 3650 * DAY;

/// An interval of whole hours (`12h`), days (`90d`), weeks (`4w`) or years of 365 days (`1y`).
///
/// ```
/// use dango_sources::RotateEvery;
///
/// let quarterly: RotateEvery = "90d".parse()?;
/// assert_eq!(quarterly.duration().as_secs(), 90 * 24 * 60 * 60);
/// # Ok::<(), dango_sources::ParseRotateEveryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotateEvery {
    count: u64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
    Years,
}

impl Unit {
    const fn letter(self) -> char {
        match self {
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
            Self::Years => 'y',
        }
    }

    const fn seconds(self) -> u64 {
        match self {
            Self::Hours => HOUR,
            Self::Days => DAY,
            Self::Weeks => 7 * DAY,
            Self::Years => 365 * DAY,
        }
    }
}

/// A text that is no interval. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an interval is a number and `h`, `d`, `w` or `y`, such as 90d, and at most ten years")]
pub struct ParseRotateEveryError;

impl RotateEvery {
    /// How long it is.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.count * self.unit.seconds())
    }
}

impl FromStr for RotateEvery {
    type Err = ParseRotateEveryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [Unit::Hours, Unit::Days, Unit::Weeks, Unit::Years];
        let found = units
            .into_iter()
            .find_map(|unit| text.strip_suffix(unit.letter()).map(|number| (number, unit)));
        let (number, unit) = found.ok_or(ParseRotateEveryError)?;
        let is_number = number.starts_with(|c: char| matches!(c, '1'..='9')) && number.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = number.parse().ok().filter(|_| is_number).ok_or(ParseRotateEveryError)?;
        match count.checked_mul(unit.seconds()) {
            Some(seconds) if seconds <= LONGEST => Ok(Self { count, unit }),
            _ => Err(ParseRotateEveryError),
        }
    }
}

impl fmt::Display for RotateEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_come_back_as_they_were_written() {
        for (text, days) in [("24h", 1), ("90d", 90), ("4w", 28), ("1y", 365), ("10y", 3650)] {
            let every: RotateEvery = text.parse().expect("an interval");
            assert_eq!((every.to_string().as_str(), every.duration().as_secs()), (text, days * DAY));
        }
    }

    #[test]
    fn what_could_be_meant_otherwise_is_no_interval() {
        for text in [
            "",
            "90",
            "d",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "90 d",
            " 90d",
            "90D",
            "3m",
            "90days",
            "11y",
            "99999999999999999999d",
            "٩d",
        ] {
            assert_eq!(text.parse::<RotateEvery>(), Err(ParseRotateEveryError), "{text:?}");
        }
    }
}
