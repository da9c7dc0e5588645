//! JSON text (RFC 8259) made into a value to be written; strict where a lenient reader would lose something.
//!
//! Of two members of one name a usual reader drops one, and it rounds large integers; so this one is our own.

use std::collections::HashSet;

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::new_value::{NewValue, ParseNewValueError};
use super::position::line_and_column;
use super::tree::MAX_DEPTH;
use crate::References;

/// Why a text is no JSON that TOML can hold. Places are JSON pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// No JSON.
    #[error("{0}")]
    Syntax(&'static str),
    /// A member that its object has already.
    #[error("the member {place} is there twice")]
    DuplicateMember {
        /// The member.
        place: String,
    },
    /// `null`, which TOML does not have.
    #[error("TOML has no null: leave {place} out, or give it another value")]
    Null {
        /// Where it is.
        place: String,
    },
    /// A number outside 64 bits.
    #[error("the number at {place} does not fit into 64 bits; make it a string")]
    NumberTooLarge {
        /// Where it is.
        place: String,
    },
    /// The character NUL, which no environment can carry.
    #[error("the text at {place} holds the character NUL")]
    Nul {
        /// Where it is.
        place: String,
    },
    /// Too many arrays and objects in one another.
    #[error("arrays and objects are nested more than {limit} levels deep")]
    TooDeep {
        /// The deepest nesting read.
        limit: usize,
    },
}

/// Reads one JSON text.
pub(super) fn parse(text: &str, references: References) -> Result<NewValue, ParseNewValueError> {
    let mut reader = Reader {
        text,
        at: 0,
        place: Vec::new(),
        references,
    };
    let value = reader.document().map_err(|problem| {
        let (line, column) = line_and_column(text, reader.at);
        ParseNewValueError::Json { line, column, problem }
    })?;
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The member names and indexes on the way to the current value.
    place: Vec<String>,
    references: References,
}

type Read<T> = Result<T, JsonProblem>;

impl Reader<'_> {
    fn document(&mut self) -> Read<NewValue> {
        let value = self.value()?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(JsonProblem::Syntax("nothing may follow the JSON value"));
        }
        Ok(value)
    }

    fn value(&mut self) -> Read<NewValue> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => {
                let start = self.at;
                let mut text = self.string()?;
                let text = SecretValue::new(std::mem::take(&mut *text)).map_err(|_| {
                    self.at = start;
                    JsonProblem::Nul { place: self.pointer() }
                })?;
                let references = self.references;
                Ok(NewValue::String { text, references })
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", NewValue::Boolean(true)),
            Some(b'f') => self.word("false", NewValue::Boolean(false)),
            Some(b'n') if self.text[self.at..].starts_with("null") => Err(JsonProblem::Null { place: self.pointer() }),
            None => Err(JsonProblem::Syntax("the JSON ends where a value was expected")),
            Some(_) => Err(JsonProblem::Syntax("a JSON value was expected here")),
        }
    }

    fn object(&mut self) -> Read<NewValue> {
        self.enter()?;
        let mut members = Vec::new();
        let mut names = HashSet::new();
        while !self.closes(b'}', members.is_empty())? {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(JsonProblem::Syntax("a member's name in double quotes was expected here"));
            }
            let name = self.string()?.to_string();
            self.place.push(name.clone());
            if name.contains('\0') || !names.insert(name.clone()) {
                self.at = start;
                let place = self.pointer();
                return Err(if name.contains('\0') {
                    JsonProblem::Nul { place }
                } else {
                    JsonProblem::DuplicateMember { place }
                });
            }
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(JsonProblem::Syntax("a colon was expected here"));
            }
            self.at += 1;
            members.push((name, self.value()?));
            self.place.pop();
        }
        Ok(NewValue::Table(members))
    }

    fn array(&mut self) -> Read<NewValue> {
        self.enter()?;
        let mut items = Vec::new();
        while !self.closes(b']', items.is_empty())? {
            self.place.push(items.len().to_string());
            items.push(self.value()?);
            self.place.pop();
        }
        Ok(NewValue::Array(items))
    }

    fn enter(&mut self) -> Read<()> {
        if self.place.len() >= MAX_DEPTH {
            return Err(JsonProblem::TooDeep { limit: MAX_DEPTH });
        }
        self.at += 1;
        Ok(())
    }

    /// Reads what stands between two elements: whether it is the closing bracket, else one comma.
    fn closes(&mut self, bracket: u8, is_first: bool) -> Read<bool> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == bracket => {
                self.at += 1;
                Ok(true)
            }
            _ if is_first => Ok(false),
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            None => Err(JsonProblem::Syntax("the JSON ends inside an array or object")),
            Some(_) => Err(JsonProblem::Syntax("a comma or the closing bracket was expected here")),
        }
    }

    fn word(&mut self, word: &str, value: NewValue) -> Read<NewValue> {
        if !self.text[self.at..].starts_with(word) {
            return Err(JsonProblem::Syntax("a JSON value was expected here"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Read<NewValue> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.peek();
        let whole = self.digits()?;
        if first == Some(b'0') && whole > 1 {
            self.at = start;
            return Err(JsonProblem::Syntax("a JSON number has no leading zero"));
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            is_whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let digits = &self.text[start..self.at];
        let value = if is_whole {
            digits.parse().ok().map(NewValue::Integer)
        } else {
            digits.parse().ok().filter(|value: &f64| value.is_finite()).map(NewValue::Float)
        };
        value.ok_or_else(|| {
            self.at = start;
            JsonProblem::NumberTooLarge { place: self.pointer() }
        })
    }

    fn digits(&mut self) -> Read<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.at - start {
            0 => Err(JsonProblem::Syntax("a digit was expected here")),
            count => Ok(count),
        }
    }

    fn string(&mut self) -> Read<Zeroizing<String>> {
        self.at += 1;
        // Room for all of it, so that growing leaves no copy behind.
        let mut decoded = Zeroizing::new(String::with_capacity(self.written_length()));
        loop {
            let rest = &self.text[self.at..];
            let Some(c) = rest.chars().next() else {
                return Err(JsonProblem::Syntax("the JSON ends inside a string"));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(decoded);
                }
                '\\' => decoded.push(self.escape()?),
                c if u32::from(c) < 0x20 => {
                    return Err(JsonProblem::Syntax(
                        "a control character in a JSON string is written as an escape, a line end as `\\n`",
                    ));
                }
                c => {
                    decoded.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    /// How many bytes there are up to the closing quote.
    fn written_length(&self) -> usize {
        let mut escaped = false;
        let is_end = |byte: u8| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        };
        let rest = &self.text.as_bytes()[self.at..];
        rest.iter().copied().position(is_end).unwrap_or(0)
    }

    fn escape(&mut self) -> Read<char> {
        let letter = self.text.as_bytes().get(self.at + 1);
        let c = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(JsonProblem::Syntax("this is no JSON escape")),
        };
        self.at += 2;
        Ok(c)
    }

    /// Reads `\uXXXX`, or two of them that make one character (RFC 8259 §7).
    fn unicode(&mut self) -> Read<char> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
        };
        let first = unit(self.at).ok_or(JsonProblem::Syntax("`\\u` needs 4 hexadecimal digits"))?;
        let second = unit(self.at + 6);
        let units = [first, second.unwrap_or_default()];
        let pair_or_one = if (0xd800..0xdc00).contains(&first) {
            &units[..]
        } else {
            &units[..1]
        };
        match char::decode_utf16(pair_or_one.iter().copied()).next() {
            Some(Ok(c)) => {
                self.at += 6 * pair_or_one.len();
                Ok(c)
            }
            _ => Err(JsonProblem::Syntax(
                "this escape is half of a surrogate pair and names no character",
            )),
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn pointer(&self) -> String {
        if self.place.is_empty() {
            return "the top".to_owned();
        }
        let mut pointer = String::new();
        for part in &self.place {
            pointer.push('/');
            for c in part.chars() {
                match c {
                    '~' => pointer.push_str("~0"),
                    '/' => pointer.push_str("~1"),
                    c if c.is_control() => pointer.push('?'),
                    c => pointer.push(c),
                }
            }
        }
        pointer
    }
}
