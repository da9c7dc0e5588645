//! JSON read strictly: each name once, no null among the credentials, no number that would change.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::import::{MAX_DEPTH, decode};
use super::node::{Kind, Node};
use super::{Import, ImportError, ImportProblem, Place};

/// Reads a JSON object (RFC 8259) as a tree of credentials.
///
/// # Errors
///
/// [`ImportError`] with line and column, where the text is not JSON, and for what could not be
/// taken over as it is: a name that occurs twice, a null, a number that is too large, an array or
/// another value at the root.
pub fn parse_json(bytes: &[u8]) -> Result<Import, ImportError> {
    let mut reader = Reader {
        text: decode(bytes)?,
        at: 0,
        counted: 0,
        line: 1,
        column: 1,
    };
    reader.skip_space();
    let root = reader.value(0)?;
    reader.skip_space();
    if reader.at < reader.text.len() {
        return Err(reader.syntax("nothing may follow the closing brace"));
    }
    root.into_import()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Where line and column were counted up to.
    counted: usize,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    /// Where `at` is. It goes forward only, so that all places together are counted once.
    fn place(&mut self) -> Place {
        for c in self.text[self.counted..self.at].chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.counted = self.at;
        Place::Position {
            line: self.line,
            column: self.column,
        }
    }

    fn error(&mut self, problem: ImportProblem) -> ImportError {
        ImportError::new(self.place(), problem)
    }

    fn syntax(&mut self, expected: &str) -> ImportError {
        self.error(ImportProblem::Syntax(expected.to_owned()))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes a sign and the white space behind it.
    fn accept(&mut self, sign: u8) -> bool {
        let found = self.peek() == Some(sign);
        if found {
            self.at += 1;
            self.skip_space();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, ImportError> {
        let place = self.place();
        if depth > MAX_DEPTH {
            return Err(ImportError::new(place, ImportProblem::TooDeep));
        }
        let kind = match self.peek() {
            Some(b'{') => Kind::Table(self.table(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { place, kind })
    }

    fn table(&mut self, depth: usize) -> Result<Vec<(String, Node)>, ImportError> {
        self.accept(b'{');
        let mut entries = Vec::new();
        let mut names = HashSet::new();
        if self.accept(b'}') {
            return Ok(entries);
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a name in double quotes was expected"));
            }
            let place = self.place();
            let name = std::mem::take(&mut *self.string()?);
            if !names.insert(name.clone()) {
                return Err(ImportError::new(place, ImportProblem::Duplicate));
            }
            self.skip_space();
            if !self.accept(b':') {
                return Err(self.syntax("`:` was expected"));
            }
            entries.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.accept(b'}') {
                return Ok(entries);
            }
            if !self.accept(b',') {
                return Err(self.syntax("`,` or `}` was expected"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, ImportError> {
        self.accept(b'[');
        let mut values = Vec::new();
        if self.accept(b']') {
            return Ok(values);
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_space();
            if self.accept(b']') {
                return Ok(values);
            }
            if !self.accept(b',') {
                return Err(self.syntax("`,` or `]` was expected"));
            }
        }
    }

    fn word(&mut self) -> Result<Kind, ImportError> {
        let rest = &self.text[self.at..];
        for (word, kind) in [("null", Kind::Null), ("true", Kind::Boolean(true)), ("false", Kind::Boolean(false))] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.syntax("a value was expected: a string in double quotes, a number, true, false, `{` or `[`"))
    }

    fn number(&mut self) -> Result<Kind, ImportError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let integer = self.digits();
        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        let mut whole = true;
        let mut complete = !integer.is_empty();
        if self.peek() == Some(b'.') {
            self.at += 1;
            whole = false;
            complete &= !self.digits().is_empty();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            whole = false;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            complete &= !self.digits().is_empty();
        }
        let text = &self.text[start..self.at];
        if !complete || leading_zero {
            self.at = start;
            return Err(self.syntax("this is not a JSON number; put it in quotes to import it as text"));
        }
        let kind = if whole {
            text.parse().ok().map(Kind::Integer)
        } else {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Kind::Float)
        };
        kind.ok_or_else(|| {
            self.at = start;
            self.error(ImportProblem::NumberTooLarge)
        })
    }

    fn digits(&mut self) -> &str {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn string(&mut self) -> Result<Zeroizing<String>, ImportError> {
        let start = self.at;
        self.at += 1;
        let mut string = Zeroizing::new(String::with_capacity(self.length_to_quote()));
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    string.push(escaped);
                }
                Some(_) => return Err(self.syntax("a control character in a string must be written as an escape")),
                None => {
                    self.at = start;
                    return Err(self.error(ImportProblem::UnclosedQuote));
                }
            }
        }
    }

    /// How long the text is up to the next quote that no backslash stands before: no less than the string.
    fn length_to_quote(&self) -> usize {
        let mut escaped = false;
        let rest = &self.text.as_bytes()[self.at..];
        let end = rest.iter().position(|&byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        });
        end.unwrap_or(0)
    }

    fn escape(&mut self) -> Result<char, ImportError> {
        let start = self.at;
        self.at += 2;
        let c = match self.text.as_bytes().get(start + 1) {
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => self.unicode_escape(),
            _ => None,
        };
        c.ok_or_else(|| {
            self.at = start;
            self.syntax("this is no JSON escape")
        })
    }

    /// The four digits behind `\u`, and the second half of a surrogate pair (RFC 8259 §7).
    fn unicode_escape(&mut self) -> Option<char> {
        let unit = self.unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        if self.text.as_bytes().get(self.at..self.at + 2) != Some(b"\\u") {
            return None;
        }
        self.at += 2;
        let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + low)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
    }
}
