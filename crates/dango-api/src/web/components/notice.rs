//! A sentence about what has happened, and how long there is to wait.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use dango_core::Timestamp;

use super::Moment;

/// What kind of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

impl Tone {
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Good, Self::Warn, Self::Bad];

    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "notice",
            Self::Good => "notice good",
            Self::Warn => "notice warn",
            Self::Bad => "notice bad",
        }
    }

    /// What is wrong interrupts; the rest waits its turn.
    const fn role(self) -> &'static str {
        match self {
            Self::Bad => "alert",
            Self::Plain | Self::Good | Self::Warn => "status",
        }
    }
}

/// A notice.
#[derive(Clone, Debug, Template)]
#[template(path = "components/notice.html")]
pub(crate) struct Notice<'a> {
    tone: Tone,
    text: Cow<'a, str>,
    countdown: Option<Countdown>,
    is_of_form: bool,
}

impl HtmlSafe for Notice<'_> {}

impl<'a> Notice<'a> {
    pub(crate) fn new(tone: Tone, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            tone,
            text: text.into(),
            countdown: None,
            is_of_form: false,
        }
    }

    /// The notice of a form, which its fields refer to.
    pub(crate) fn of_form(self) -> Self {
        Self { is_of_form: true, ..self }
    }

    pub(crate) const fn is_of_form(&self) -> bool {
        self.is_of_form
    }

    pub(crate) fn with(self, countdown: Option<Countdown>) -> Self {
        Self { countdown, ..self }
    }
}

/// How long to wait: the seconds for script, the time for everybody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Countdown {
    seconds: u64,
    end: Moment,
}

impl Countdown {
    pub(crate) fn new(seconds: u64, now: Timestamp) -> Self {
        let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let end = Timestamp::from_unix_micros(now.unix_micros().saturating_add(micros));
        Self {
            seconds,
            end: Moment::time(end),
        }
    }

    /// `14:59`.
    fn text(&self) -> String {
        format!("{}:{:02}", self.seconds / 60, self.seconds % 60)
    }
}
