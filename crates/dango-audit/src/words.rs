//! The texts that a record may hold, each a type that was checked or made harmless on entry; no type here takes a secret.

use std::fmt;
use std::str::FromStr;

/// The longest label, in characters.
pub const LABEL_MAX: usize = 254;
/// The longest user agent, in characters.
pub const USER_AGENT_MAX: usize = 256;
/// The longest name or path of a thing, in characters.
pub const NAME_MAX: usize = 512;

/// The place of a record in its chain, from 1 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// Before the first record.
    pub const NONE: Self = Self(0);
    /// The first record.
    pub const FIRST: Self = Self(1);

    /// Takes a number as a place.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number as databases hold it.
    pub const fn as_column(self) -> i64 {
        if self.0 > i64::MAX as u64 { i64::MAX } else { self.0 as i64 }
    }

    /// Takes a column's number; nothing if it is negative.
    pub fn from_column(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A word that stands in the program's text (`created`, `editor`, `totp`), so no user ever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(&'static str);

impl Word {
    /// Takes a word of the program.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// A public id: 1 to 40 of the characters `0-9 a-f -`, so a UUID, a key's id in hexadecimal or a user's number.
///
/// # Security
///
/// Tokens, API keys and recovery codes have other letters or more of them, so they do not fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a public id. The text is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 1 to 40 of the characters 0-9, a-f and -")]
pub struct ParseIdError;

impl FromStr for Id {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError)
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a person or thing is called at the time: an e-mail address, an operating system's user name, an API key's name.
///
/// It is personal data, so it can be erased. It is made harmless on entry: see [`UserAgent`].
///
/// # Security
///
/// Not for what somebody typed where no account was found: people type passwords into the wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(String);

impl Label {
    /// Takes a label of at most [`LABEL_MAX`] characters; a longer one is cut and ends with `…`.
    pub fn new(text: &str) -> Self {
        Self(harmless(text, LABEL_MAX))
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client says it is.
///
/// Control characters, line separators, and characters that turn the direction of text or are not seen are written as
/// `\u{202e}`, so a record is one line and looks like what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserAgent(String);

impl UserAgent {
    /// Takes a user agent of at most [`USER_AGENT_MAX`] characters; a longer one is cut and ends with `…`.
    pub fn new(text: &str) -> Self {
        Self(harmless(text, USER_AGENT_MAX))
    }

    /// The user agent as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character could break a line, command a terminal, turn text around or hide in it.
pub(crate) fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with dangerous characters spelled out, cut behind `max` characters of what comes out; reads no more than that.
pub(crate) fn harmless(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut length = 0;
    for c in text.chars() {
        let spelled = if is_dangerous(c) { c.escape_unicode().count() } else { 1 };
        if length + spelled > max {
            // The mark takes the place of one character, so the cut text is not longer than allowed.
            if length == max {
                out.pop();
            }
            out.push('…');
            return out;
        }
        if spelled == 1 {
            out.push(c)
        } else {
            out.extend(c.escape_unicode())
        }
        length += spelled;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_keys_are_no_ids() {
        for good in ["0192f3a4-7c1e-7abc-8def-0123456789ab", "00ff00ff00ff00ff", "1000"] {
            assert_eq!(good.parse::<Id>().expect("an id").as_str(), good);
        }
        let key = format!("dak_{}", "a".repeat(46));
        let hex_token = "ab".repeat(32);
        for bad in [key.as_str(), hex_token.as_str(), "", "ABCD", "XK4F-9Q2M-7RTW-1ZPE", "a\n", "é"] {
            assert_eq!(bad.parse::<Id>(), Err(ParseIdError), "{bad:?}");
        }
    }

    #[test]
    fn characters_that_deceive_are_spelled_out() {
        let label = Label::new("a\r\n\u{1b}[31m\u{202e}b\u{200b}\u{2028}\u{85}c\\n");
        assert_eq!(label.as_str(), r"a\u{d}\u{a}\u{1b}[31m\u{202e}b\u{200b}\u{2028}\u{85}c\n");
    }

    #[test]
    fn long_texts_are_cut_after_they_were_made_harmless() {
        for text in ["x".repeat(10_000), "\u{202e}".repeat(10_000), "é".repeat(257)] {
            let agent = UserAgent::new(&text);
            assert!(
                agent.as_str().chars().count() <= USER_AGENT_MAX,
                "{}",
                agent.as_str().chars().count()
            );
            assert!(agent.as_str().ends_with('…'));
        }
        assert_eq!(UserAgent::new(&"é".repeat(256)).as_str(), "é".repeat(256));
    }
}
