//! The dotted path of a credential, written and read as a TOML dotted key.

use std::fmt;
use std::str::FromStr;

/// The place of one value in `.dlt/secrets.toml`: a non-empty list of keys.
///
/// The text form is a TOML dotted key without white space around the dots (TOML 1.0, "Keys"):
/// a part made of `A-Z a-z 0-9 _ -` stands bare, any other is quoted. [`fmt::Display`] writes the
/// one canonical form, which [`FromStr`] reads back to an equal path.
///
/// ```
/// use dango_core::CredentialPath;
///
/// let path: CredentialPath = "sources.stripe.api_key".parse()?;
/// assert!(path.starts_with(&"sources.stripe".parse()?));
/// assert!(!path.starts_with(&"sources.str".parse()?));
/// # Ok::<(), dango_core::ParsePathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialPath {
    parts: Vec<String>,
}

impl CredentialPath {
    /// Makes a path from its parts, or `None` where there are none.
    pub fn from_parts<I, S>(parts: I) -> Option<Self>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let parts: Vec<String> = parts.into_iter().map(Into::into).collect();
        if parts.is_empty() { None } else { Some(Self { parts }) }
    }

    /// The keys from the root down; never empty.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The last key.
    pub fn leaf(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The path of the table that holds this key, or `None` for a key at the root.
    pub fn parent(&self) -> Option<Self> {
        Self::from_parts(self.parts[..self.parts.len() - 1].iter().cloned())
    }

    /// The path of a key below this one.
    pub fn child(&self, part: impl Into<String>) -> Self {
        let mut parts = self.parts.clone();
        parts.push(part.into());
        Self { parts }
    }

    /// Whether this path is `prefix` or lies below it, compared key by key.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.parts.starts_with(&prefix.parts)
    }
}

impl fmt::Display for CredentialPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write_key(f, part)?;
        }
        Ok(())
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if !key.is_empty() && key.bytes().all(is_bare) {
        return f.write_str(key);
    }
    f.write_str("\"")?;
    for c in key.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\u{8}' => f.write_str("\\b")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\u{c}' => f.write_str("\\f")?,
            '\r' => f.write_str("\\r")?,
            // Other control characters, and those that reorder text on a terminal.
            c if c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                write!(f, "\\U{:08X}", u32::from(c))?;
            }
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A text that is not a credential path.
///
/// # Security
///
/// The text itself is not kept: people paste secrets where a path was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed path at character {column}: {problem}")]
pub struct ParsePathError {
    /// Where the text stops being a path, counted in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: PathProblem,
}

/// What makes a text no [`CredentialPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// A dot at the start, at the end or beside another dot.
    #[error("a part is empty")]
    EmptyPart,
    /// A character that may only stand in a quoted part.
    #[error("this character is only allowed inside quotes, as in `sources.\"my.db\".password`")]
    NotBare,
    /// A quote that nothing closes.
    #[error("the quote is never closed")]
    UnclosedQuote,
    /// An escape that TOML does not know.
    #[error("this is no TOML escape")]
    UnknownEscape,
    /// A control character inside a quoted part.
    #[error("a control character must be written as an escape")]
    ControlCharacter,
    /// The character NUL, which no reader of the environment could take.
    #[error("the character NUL is not allowed")]
    Nul,
    /// Something other than a dot behind a closing quote.
    #[error("a dot or the end was expected here")]
    MissingDot,
}

impl FromStr for CredentialPath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = PathReader {
            chars: text.chars().collect(),
            at: 0,
        };
        if reader.chars.is_empty() {
            return Err(reader.error(PathProblem::Empty));
        }
        let mut parts = Vec::new();
        loop {
            parts.push(reader.part()?);
            match reader.next() {
                None => return Ok(Self { parts }),
                Some('.') => {}
                Some(_) => {
                    reader.at -= 1;
                    return Err(reader.error(PathProblem::MissingDot));
                }
            }
        }
    }
}

struct PathReader {
    chars: Vec<char>,
    at: usize,
}

impl PathReader {
    fn error(&self, problem: PathProblem) -> ParsePathError {
        ParsePathError {
            column: self.at + 1,
            problem,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn part(&mut self) -> Result<String, ParsePathError> {
        match self.chars.get(self.at) {
            Some('"') => self.quoted('"'),
            Some('\'') => self.quoted('\''),
            _ => self.bare(),
        }
    }

    fn bare(&mut self) -> Result<String, ParsePathError> {
        let mut part = String::new();
        while let Some(&c) = self.chars.get(self.at) {
            if c == '.' {
                break;
            }
            if !c.is_ascii() || !is_bare(c as u8) {
                return Err(self.error(if c == '\0' { PathProblem::Nul } else { PathProblem::NotBare }));
            }
            part.push(c);
            self.at += 1;
        }
        if part.is_empty() {
            Err(self.error(PathProblem::EmptyPart))
        } else {
            Ok(part)
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParsePathError> {
        self.at += 1;
        let mut part = String::new();
        loop {
            let start = self.at;
            let c = match self.next() {
                None => return Err(self.error(PathProblem::UnclosedQuote)),
                Some(c) if c == quote => return Ok(part),
                Some('\\') if quote == '"' => self.escape().ok_or(ParsePathError {
                    column: start + 1,
                    problem: PathProblem::UnknownEscape,
                })?,
                Some(c) if c.is_control() && c != '\t' && c != '\0' => {
                    self.at = start;
                    return Err(self.error(PathProblem::ControlCharacter));
                }
                Some(c) => c,
            };
            if c == '\0' {
                self.at = start;
                return Err(self.error(PathProblem::Nul));
            }
            part.push(c);
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            '"' => '"',
            '\\' => '\\',
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            _ => return None,
        })
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        let mut code = 0u32;
        for _ in 0..digits {
            code = code.checked_mul(16)?.checked_add(self.next()?.to_digit(16)?)?;
        }
        char::from_u32(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> (usize, PathProblem) {
        let error = text.parse::<CredentialPath>().expect_err("this path is malformed");
        (error.column, error.problem)
    }

    #[test]
    fn malformed_paths_say_where_and_why() {
        assert_eq!(problem(""), (1, PathProblem::Empty));
        assert_eq!(problem(".a"), (1, PathProblem::EmptyPart));
        assert_eq!(problem("a..b"), (3, PathProblem::EmptyPart));
        assert_eq!(problem("a."), (3, PathProblem::EmptyPart));
        assert_eq!(problem("a b"), (2, PathProblem::NotBare));
        assert_eq!(problem("a.kéy"), (4, PathProblem::NotBare));
        assert_eq!(problem("a=b"), (2, PathProblem::NotBare));
        assert_eq!(problem("a.\"b"), (5, PathProblem::UnclosedQuote));
        assert_eq!(problem("a.\"b\"c"), (6, PathProblem::MissingDot));
        assert_eq!(problem("\"a\\qb\""), (3, PathProblem::UnknownEscape));
        assert_eq!(problem("\"a\\ud800\""), (3, PathProblem::UnknownEscape));
        assert_eq!(problem("\"a\nb\""), (3, PathProblem::ControlCharacter));
        assert_eq!(problem("a\0"), (2, PathProblem::Nul));
        assert_eq!(problem("\"\\u0000\""), (2, PathProblem::Nul));
    }

    #[test]
    fn errors_do_not_repeat_what_was_typed() {
        let error = "sk_live_canary value".parse::<CredentialPath>().expect_err("malformed");
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn quoted_parts_are_read_as_toml_reads_them() {
        let path: CredentialPath = r#"a."b\u0041\"c".'d\e'."""#.parse().expect("a path");
        assert_eq!(path.parts(), ["a", "bA\"c", "d\\e", ""]);
        assert_eq!(path.to_string(), r#"a."bA\"c"."d\\e"."""#);
    }

    proptest! {
        #[test]
        fn any_parts_survive_the_text_form(parts in proptest::collection::vec("[^\\x00]{0,8}", 1..5)) {
            let path = CredentialPath::from_parts(parts).expect("not empty");
            prop_assert_eq!(&path.to_string().parse::<CredentialPath>().expect("canonical"), &path);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<CredentialPath>();
        }
    }
}
