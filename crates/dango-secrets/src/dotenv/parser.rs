//! Reads the text of a `.env` file as python-dotenv 1.2 does: statements with their spans; values are not interpolated here.

use std::ops::Range;

use zeroize::Zeroizing;

use super::interpolation::{EnvPiece, pieces};
use super::whitespace::is_python_space;

/// One key of a `.env` file with what is assigned to it.
///
/// There is no `Debug`: any value may be a secret.
#[derive(Clone)]
pub struct Binding {
    pub(super) key: String,
    pub(super) line: usize,
    /// Where the key is spelled, its quotes included.
    pub(super) key_span: Range<usize>,
    pub(super) value: Option<RawValue>,
}

/// A value before interpolation, and where it is spelled.
#[derive(Clone)]
pub(super) struct RawValue {
    pub(super) text: Zeroizing<String>,
    pub(super) span: Range<usize>,
    /// Whether the text was opened from an encrypted value, so that no reference in it counts.
    pub(super) is_opened: bool,
}

impl Binding {
    /// The key as python-dotenv sees it, which need not be a name that a shell can export.
    ///
    /// # Security
    ///
    /// A line without a key's `=` makes its text a key; a certificate pasted without quotes does so.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The line on which the binding starts, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether there is a `=`; a key without one is `None` in python-dotenv and in no environment.
    pub fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// The value with escapes decoded, and its references as they are written; `None` without a `=`.
    ///
    /// # Security
    ///
    /// This is the secret itself.
    pub fn expose(&self) -> Option<&str> {
        self.value.as_ref().map(|value| value.text.as_str())
    }

    /// The parts of the value in order: literal text and references; none without a value.
    pub fn pieces(&self) -> Vec<EnvPiece<'_>> {
        match &self.value {
            Some(value) if value.is_opened => vec![EnvPiece::Literal(&value.text)],
            Some(value) => pieces(&value.text),
            None => Vec::new(),
        }
    }

    /// Whether the value holds a reference that python-dotenv expands.
    pub fn has_reference(&self) -> bool {
        self.pieces().iter().any(|piece| matches!(piece, EnvPiece::Reference { .. }))
    }
}

/// A stretch of whole lines that python-dotenv reads in one go.
#[derive(Clone)]
pub(super) struct Statement {
    /// From the first byte of its first line to behind its last line break; blank lines above are not in it.
    pub(super) span: Range<usize>,
    pub(super) line: usize,
    pub(super) kind: StatementKind,
}

/// What a statement means.
#[derive(Clone)]
pub(super) enum StatementKind {
    /// Blank or a comment.
    Nothing,
    Binding(Binding),
    /// What python-dotenv warns about and skips.
    Unparsable,
}

/// The byte-order mark, which python-dotenv removes once.
pub(super) const BOM: char = '\u{feff}';

/// Reads all statements.
///
/// CRLF and CR are line breaks here as they are after Python's newline translation, and become LF in
/// keys and values, so spans are those of the original text. Runs in linear time.
pub(super) fn parse(text: &str) -> Vec<Statement> {
    let mut reader = Reader {
        text,
        at: if text.starts_with(BOM) { BOM.len_utf8() } else { 0 },
        line: 1,
    };
    let mut statements = Vec::new();
    while reader.at < text.len() {
        statements.push(reader.statement());
    }
    statements
}

/// The text does not go on as the grammar wants.
struct Mismatch;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Reader<'t> {
    fn statement(&mut self) -> Statement {
        let mark = self.at;
        self.skip(is_python_space);
        let blank = &self.text[mark..self.at];
        self.line += count_lines(blank);
        let start = mark + blank.rfind(['\r', '\n']).map_or(0, |last| last + 1);
        let line = self.line;
        let kind = if self.at == self.text.len() {
            StatementKind::Nothing
        } else {
            match self.binding() {
                Ok(Some(binding)) => StatementKind::Binding(binding),
                Ok(None) => StatementKind::Nothing,
                Err(Mismatch) => {
                    self.skip(|c| !is_line_break(c));
                    self.line_break();
                    StatementKind::Unparsable
                }
            }
        };
        self.line += count_lines(&self.text[mark + blank.len()..self.at]);
        Statement {
            span: start..self.at,
            line,
            kind,
        }
    }

    fn binding(&mut self) -> Result<Option<Binding>, Mismatch> {
        let line = self.line;
        self.export();
        let key_from = self.at;
        let key = self.key()?;
        let key_span = key_from..self.at;
        self.skip(is_blank);
        let value = if self.peek() == Some('=') { Some(self.value()?) } else { None };
        self.comment();
        self.end_of_line()?;
        Ok(key.map(|key| Binding {
            key,
            line,
            key_span,
            value,
        }))
    }

    fn export(&mut self) {
        let Some(rest) = self.rest().strip_prefix("export") else { return };
        if rest.starts_with(is_blank) {
            self.at += "export".len();
            self.skip(is_blank);
        }
    }

    /// A key, or `None` where a comment stands in its place.
    fn key(&mut self) -> Result<Option<String>, Mismatch> {
        match self.peek() {
            Some('#') => Ok(None),
            Some('\'') => {
                let inner = &self.rest()[1..];
                let end = inner.find('\'').filter(|&end| end > 0).ok_or(Mismatch)?;
                self.at += end + 2;
                Ok(Some(translate_newlines(&inner[..end]).to_string()))
            }
            _ => {
                let start = self.at;
                self.skip(|c| c != '=' && c != '#' && !is_python_space(c));
                if start == self.at {
                    return Err(Mismatch);
                }
                Ok(Some(self.text[start..self.at].to_owned()))
            }
        }
    }

    /// The value behind the `=` at the cursor.
    fn value(&mut self) -> Result<RawValue, Mismatch> {
        self.at += 1;
        let behind_sign = self.at;
        self.skip(is_blank);
        let empty = RawValue {
            text: Zeroizing::new(String::new()),
            span: behind_sign..behind_sign,
            is_opened: false,
        };
        match self.peek() {
            Some('#') if self.at > behind_sign => Ok(empty),
            None | Some('\r' | '\n') => Ok(empty),
            Some('\'') => self.quoted('\'', |c| matches!(c, '\\' | '\'').then_some(c)),
            Some('"') => self.quoted('"', decode_double),
            _ => Ok(self.unquoted()),
        }
    }

    fn quoted(&mut self, quote: char, decode: fn(char) -> Option<char>) -> Result<RawValue, Mismatch> {
        let start = self.at;
        let inner = &self.rest()[1..];
        let mut escaped = false;
        let end = inner.find(|c| {
            let closes = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let end = end.ok_or(Mismatch)?;
        self.at += end + 2;
        Ok(RawValue {
            text: decode_escapes(&translate_newlines(&inner[..end]), decode),
            span: start..self.at,
            is_opened: false,
        })
    }

    fn unquoted(&mut self) -> RawValue {
        let start = self.at;
        self.skip(|c| !is_line_break(c));
        let part = &self.text[start..self.at];
        let mut blank_since = None;
        let mut end = part.len();
        for (at, c) in part.char_indices() {
            if is_python_space(c) {
                blank_since.get_or_insert(at);
            } else if let Some(blank) = blank_since.take()
                && c == '#'
            {
                end = blank;
                break;
            }
        }
        let text = part[..end].trim_end_matches(is_python_space);
        RawValue {
            text: Zeroizing::new(text.to_owned()),
            span: start..start + text.len(),
            is_opened: false,
        }
    }

    fn comment(&mut self) {
        if self.rest().trim_start_matches(is_blank).starts_with('#') {
            self.skip(|c| !is_line_break(c));
        }
    }

    fn end_of_line(&mut self) -> Result<(), Mismatch> {
        self.skip(is_blank);
        if self.at < self.text.len() && !self.line_break() {
            return Err(Mismatch);
        }
        Ok(())
    }

    fn line_break(&mut self) -> bool {
        let length = match self.rest().as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        self.at += length;
        length > 0
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, matches: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !matches(c)).unwrap_or(self.text.len() - self.at);
    }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// White space that stays on its line.
fn is_blank(c: char) -> bool {
    is_python_space(c) && !is_line_break(c)
}

/// How many line breaks (LF, CRLF or CR) a text holds.
pub(super) fn count_lines(text: &str) -> usize {
    let count = |wanted: u8| text.bytes().filter(|&byte| byte == wanted).count();
    match count(b'\r') {
        0 => count(b'\n'),
        returns => returns + count(b'\n') - text.matches("\r\n").count(),
    }
}

/// CRLF and CR become LF, as where Python reads a file in text mode and where node dotenv begins.
pub(super) fn translate_newlines(text: &str) -> Zeroizing<String> {
    let mut translated = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        translated.push_str(&rest[..at]);
        translated.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    translated.push_str(rest);
    translated
}

fn decode_escapes(text: &str, decode: fn(char) -> Option<char>) -> Zeroizing<String> {
    let mut decoded = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek().and_then(|&next| if c == '\\' { decode(next) } else { None }) {
            Some(meant) => {
                decoded.push(meant);
                characters.next();
            }
            None => decoded.push(c),
        }
    }
    decoded
}

fn decode_double(c: char) -> Option<char> {
    Some(match c {
        '\\' | '\'' | '"' => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        _ => return None,
    })
}
