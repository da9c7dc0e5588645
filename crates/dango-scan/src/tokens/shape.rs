//! Formats as runs of characters: a small language without alternatives, so that matching never goes back.

use super::checks::{Verdict, is_beginning};
use super::{Anchor, Match, Matcher, Rule, Strength};

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Digit,
    /// Digits and `a` to `f`.
    Hex,
    /// Upper-case letters and digits.
    Upper,
    Letter,
    Alnum,
    /// Letters, digits, `+` and `/` (RFC 4648 §4).
    Base64,
    /// Letters, digits, `-` and `_` (RFC 4648 §5).
    Base64Url,
    /// Letters, digits, `-`, `_`, `.`, `=` and `~`.
    Dense,
}

impl Set {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Letter => byte.is_ascii_alphabetic(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dense => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=' | b'~'),
        }
    }
}

/// A part of a format.
pub(super) enum Part {
    /// These very bytes.
    Text(&'static str),
    /// As many bytes of a set as there are, at least and at most so many.
    Run(Set, usize, usize),
}

/// As many bytes of a set, no more and no less.
pub(super) const fn exactly(set: Set, count: usize) -> Part {
    Part::Run(set, count, count)
}

/// What stands around the anchor's text.
pub(super) struct Shape {
    /// Bytes of a set before the anchor, at least and at most so many.
    before: Option<(Set, usize, usize)>,
    after: &'static [Part],
    check: fn(&[u8]) -> Verdict,
}

impl Anchor {
    /// A format that begins with the anchor.
    pub(super) const fn begins(text: &'static str, after: &'static [Part], check: fn(&[u8]) -> Verdict) -> Self {
        Self {
            text,
            matcher: Matcher::Shape(Shape {
                before: None,
                after,
                check,
            }),
        }
    }

    /// A format that has the anchor after some bytes of a set.
    pub(super) const fn within(
        before: (Set, usize, usize),
        text: &'static str,
        after: &'static [Part],
        check: fn(&[u8]) -> Verdict,
    ) -> Self {
        Self {
            text,
            matcher: Matcher::Shape(Shape {
                before: Some(before),
                after,
                check,
            }),
        }
    }
}

impl Rule {
    /// A format that machines fill with random characters.
    pub(super) const fn random(id: &'static str, what: &'static str, source: &'static str, anchors: &'static [Anchor]) -> Self {
        Self {
            id,
            what,
            source,
            strength: Strength::Random,
            anchors,
        }
    }
}

impl Shape {
    /// The token around an anchor that stands at a place, where there is one.
    pub(super) fn find(&self, text: &[u8], at: usize, anchor: usize) -> Option<Match> {
        let start = match self.before {
            None => at,
            Some((set, least, most)) => {
                let count = text[..at].iter().rev().take(most).take_while(|byte| set.has(**byte)).count();
                (least..=most).contains(&count).then(|| at - count)?
            }
        };
        if !is_beginning(text, start) {
            return None;
        }
        let mut end = at + anchor;
        let mut last = None;
        for part in self.after {
            match part {
                Part::Text(literal) => {
                    end = text[end..].starts_with(literal.as_bytes()).then(|| end + literal.len())?;
                    last = None;
                }
                Part::Run(set, least, most) => {
                    let count = text[end..].iter().take(*most).take_while(|byte| set.has(**byte)).count();
                    end = (count >= *least).then(|| end + count)?;
                    last = Some(*set);
                }
            }
        }
        // What goes on behind it is something longer.
        let goes_on = text
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || last.is_some_and(|set| set.has(*byte)));
        (!goes_on && (self.check)(&text[start..end]) == Verdict::Token).then_some(Match { start, end })
    }
}
