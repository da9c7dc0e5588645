//! Reads `.env` text exactly as node dotenv 18 does (its default mode), in linear time; nothing is expanded, as there.

use zeroize::Zeroizing;

use crate::dotenv::parser::translate_newlines;
use crate::dotenv::whitespace::{is_javascript_line_end, is_javascript_space};

/// One match of node dotenv's regular expression.
pub(in crate::dotenv) struct Assignment {
    /// The line of the key, counted from 1.
    pub(in crate::dotenv) line: usize,
    pub(in crate::dotenv) key: String,
    pub(in crate::dotenv) value: Zeroizing<String>,
}

/// Every assignment in order; the last of a key counts.
///
/// The pattern is `^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(value)?\s*(?:#.*)?$` with a value of
/// `\s*'(?:\\'|[^'])*'`, the same with `"` and `` ` ``, or `[^#\r\n]+`. It backtracks in one place
/// only: a quote that is followed by more than white space and a comment does not close, so an
/// escaped quote before it may. [`Quotes`] knows all such places beforehand.
pub(in crate::dotenv) fn read(text: &str) -> Vec<Assignment> {
    let text = translate_newlines(text);
    let scanner = Scanner {
        text: &text,
        quotes: QUOTES.map(|quote| Quotes::index(&text, quote)),
    };
    let mut assignments = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    loop {
        at = scanner.skip_space(at);
        if at == text.len() {
            break;
        }
        let end = match scanner.assignment(at) {
            Some(found) => {
                line += text[counted..found.key_from].matches('\n').count();
                counted = found.key_from;
                // A plain object's `__proto__` takes no text.
                if found.key != "__proto__" {
                    assignments.push(Assignment {
                        line,
                        key: found.key.to_owned(),
                        value: unquote(found.value.trim_matches(is_javascript_space)),
                    });
                }
                found.end
            }
            None => at,
        };
        at = scanner.line_end(end);
    }
    assignments
}

const QUOTES: [char; 3] = ['\'', '"', '`'];

struct Match<'t> {
    key_from: usize,
    key: &'t str,
    value: &'t str,
    end: usize,
}

struct Scanner<'t> {
    text: &'t str,
    quotes: [Quotes; 3],
}

impl<'t> Scanner<'t> {
    /// The match whose first character that is no white space stands at `at`.
    fn assignment(&self, at: usize) -> Option<Match<'t>> {
        let key_from = self.behind_export(at);
        let key_to = self.skip(key_from, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if key_from == key_to {
            return None;
        }
        let sign = self.skip_space(key_to);
        let value_from = if self.text[sign..].starts_with('=') {
            sign + 1
        } else {
            let behind_colon = self.text[key_to..].strip_prefix(':')?;
            let space = behind_colon.chars().next().filter(|&c| is_javascript_space(c))?;
            key_to + 1 + space.len_utf8()
        };
        let value_to = self
            .closing_quote(value_from)
            .unwrap_or_else(|| self.skip(value_from, |c| !matches!(c, '#' | '\n')));
        Some(Match {
            key_from,
            key: &self.text[key_from..key_to],
            value: &self.text[value_from..value_to],
            end: self.trailing_end(value_to),
        })
    }

    /// Where the key starts: behind `export` and white space if a key follows it, else at `at`.
    fn behind_export(&self, at: usize) -> usize {
        if !self.text[at..].starts_with("export") {
            return at;
        }
        let behind = at + "export".len();
        let next = self.skip_space(behind);
        let is_key = self.text[next..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if next > behind && is_key { next } else { at }
    }

    /// The place behind the quote that closes the one that starts the value.
    fn closing_quote(&self, value_from: usize) -> Option<usize> {
        let open = self.skip_space(value_from);
        let quotes = QUOTES.iter().position(|&quote| self.text[open..].starts_with(quote))?;
        self.quotes[quotes].closing(open).map(|at| at + 1)
    }

    /// Where a match ends whose value ends at `at`: behind white space and a comment, at a line's end.
    fn trailing_end(&self, at: usize) -> usize {
        let next = self.skip_space(at);
        if next == self.text.len() {
            return next;
        }
        if self.text[next..].starts_with('#') {
            return self.line_end(next);
        }
        at + self.text[at..next].rfind(is_javascript_line_end).unwrap_or(next - at)
    }

    fn line_end(&self, at: usize) -> usize {
        self.skip(at, |c| !is_javascript_line_end(c))
    }

    fn skip_space(&self, at: usize) -> usize {
        self.skip(at, is_javascript_space)
    }

    fn skip(&self, at: usize, matches: impl Fn(char) -> bool) -> usize {
        self.text[at..].find(|c| !matches(c)).map_or(self.text.len(), |length| at + length)
    }
}

/// Where quotes of one kind stand, in order.
struct Quotes {
    /// Those without a backslash before them, with whether only white space and a comment follow on the line.
    plain: Vec<(usize, bool)>,
    /// Those behind a backslash that only white space and a comment follow on the line.
    escaped: Vec<usize>,
}

impl Quotes {
    fn index(text: &str, quote: char) -> Self {
        let mut plain = Vec::new();
        let mut escaped = Vec::new();
        let mut line_ends_behind = true;
        for (at, c) in text.char_indices().rev() {
            if c == quote {
                if !text[..at].ends_with('\\') {
                    plain.push((at, line_ends_behind));
                } else if line_ends_behind {
                    escaped.push(at);
                }
            }
            line_ends_behind = c == '#' || is_javascript_line_end(c) || (line_ends_behind && is_javascript_space(c));
        }
        plain.reverse();
        escaped.reverse();
        Self { plain, escaped }
    }

    fn closing(&self, open: usize) -> Option<usize> {
        let behind = self.plain.partition_point(|&(at, _)| at <= open);
        let limit = match self.plain.get(behind) {
            Some(&(at, true)) => return Some(at),
            Some(&(at, false)) => at,
            None => usize::MAX,
        };
        let below = self.escaped.partition_point(|&at| at < limit);
        let last = *self.escaped[..below].last()?;
        (last > open).then_some(last)
    }
}

/// Takes quotes off, `/^(['"`])([\s\S]*)\1$/mg`, and decodes `\n` and `\r` if a `"` came first.
fn unquote(value: &str) -> Zeroizing<String> {
    let ends_line = |at: usize| value[at..].chars().next().is_none_or(is_javascript_line_end);
    let last_closing = |quote: char| value.rmatch_indices(quote).map(|(at, _)| at).find(|&at| ends_line(at + 1));
    let closing = QUOTES.map(last_closing);
    let mut unquoted = Zeroizing::new(String::with_capacity(value.len()));
    let mut at = 0;
    while at < value.len() {
        let quote = QUOTES.iter().position(|&quote| value[at..].starts_with(quote));
        if let Some(close) = quote.and_then(|quote| closing[quote]).filter(|&close| close > at) {
            unquoted.push_str(&value[at + 1..close]);
            at = close + 1;
        }
        let rest = &value[at..];
        let next = rest
            .find(is_javascript_line_end)
            .map_or(rest.len(), |end| end + rest[end..].chars().next().map_or(0, char::len_utf8));
        unquoted.push_str(&rest[..next]);
        at += next;
    }
    if !value.starts_with('"') {
        return unquoted;
    }
    let newlines = Zeroizing::new(unquoted.replace("\\n", "\n"));
    Zeroizing::new(newlines.replace("\\r", "\r"))
}
