//! How new values are written: only what dlt always reads. Where they go in the text is not decided here.

use std::fmt::Write;

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::new_value::NewValue;
use crate::reference::{Piece, Text};
use crate::{References, Value};

/// Whether a value may take more than one line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// One part of a key, bare or quoted.
pub(super) fn key(part: &str) -> String {
    dotted(std::slice::from_ref(&part))
}

/// A dotted key.
pub(super) fn dotted<S: AsRef<str>>(parts: &[S]) -> String {
    let parts = parts.iter().map(|part| part.as_ref());
    CredentialPath::from_parts(parts).map(|path| path.to_string()).unwrap_or_default()
}

/// A value behind `=`.
pub(super) fn value(value: &NewValue, lines: Lines) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(reserve(value)));
    match value {
        NewValue::String { text, references } if lines == Lines::Many && reads_better_on_many_lines(text.expose()) => {
            write_multiline(&mut out, text.expose(), *references);
        }
        value => write_value(&mut out, value),
    }
    out
}

/// A value that was read, on one line: what reads it again has the same references, the same numbers and the same times.
pub(super) fn read_value(value: &Value) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    write_read_value(&mut out, value);
    out
}

fn write_read_value(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_text(out, text),
        Value::Integer { text, .. } | Value::Float { text, .. } | Value::Datetime(text) => out.push_str(text),
        Value::Boolean(value) => append(out, format_args!("{value}")),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_read_value(out, item);
            }
            out.push(']');
        }
        Value::Table(entries) => {
            out.push('{');
            for (index, (name, item)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { " " } else { ", " });
                append(out, format_args!("{} = ", key(name)));
                write_read_value(out, item);
            }
            out.push_str(" }");
        }
    }
}

fn write_text(out: &mut String, text: &Text) {
    out.push('"');
    for piece in text.pieces() {
        match piece {
            Piece::Literal(literal) => write_basic_characters(out, literal, References::Literal),
            Piece::Reference(reference) => write_basic_characters(out, reference.written(), References::Expand),
        }
    }
    out.push('"');
}

/// Room for the text in the worst case, so that growing it leaves no copy behind.
fn reserve(value: &NewValue) -> usize {
    match value {
        NewValue::String { text, .. } => text.expose().len() * 6 + 16,
        NewValue::Array(items) => items.iter().map(|item| reserve(item) + 2).sum::<usize>() + 2,
        NewValue::Table(entries) => {
            entries
                .iter()
                .map(|(key, value)| key.len() * 10 + reserve(value) + 8)
                .sum::<usize>()
                + 4
        }
        _ => 64,
    }
}

fn write_value(out: &mut String, value: &NewValue) {
    match value {
        NewValue::String { text, references } => write_basic(out, text.expose(), *references),
        NewValue::Integer(value) => append(out, format_args!("{value}")),
        NewValue::Float(value) if value.is_nan() => out.push_str("nan"),
        NewValue::Float(value) => append(out, format_args!("{value:?}")),
        NewValue::Boolean(value) => append(out, format_args!("{value}")),
        NewValue::Datetime(text) => out.push_str(text.as_str()),
        NewValue::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_value(out, item);
            }
            out.push(']');
        }
        NewValue::Table(entries) if entries.is_empty() => out.push_str("{}"),
        NewValue::Table(entries) => {
            for (index, (name, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "{ " });
                append(out, format_args!("{} = ", key(name)));
                write_value(out, value);
            }
            out.push_str(" }");
        }
    }
}

fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String does not fail");
}

/// A line end other than at the very end, and no blank at the end of a line, which editors take away.
fn reads_better_on_many_lines(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n') && !text.split('\n').any(|line| line.ends_with([' ', '\t']))
}

fn write_basic(out: &mut String, text: &str, references: References) {
    out.push('"');
    write_basic_characters(out, text, references);
    out.push('"');
}

fn write_basic_characters(out: &mut String, text: &str, references: References) {
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => write_character(out, c, rest.peek() == Some(&'{'), references),
        }
    }
}

fn write_multiline(out: &mut String, text: &str, references: References) {
    out.push_str("\"\"\"\n");
    let mut rest = text.chars().peekable();
    let mut behind_quote = false;
    while let Some(c) = rest.next() {
        match c {
            // Never two plain quotes in a row, and none before the closing three.
            '"' if behind_quote || rest.peek().is_none() => out.push_str("\\\""),
            '"' | '\n' => out.push(c),
            c => write_character(out, c, rest.peek() == Some(&'{'), references),
        }
        behind_quote = c == '"';
    }
    out.push_str("\"\"\"");
}

fn write_character(out: &mut String, c: char, before_brace: bool, references: References) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '$' if before_brace && references == References::Literal => out.push_str("\\u0024"),
        c if is_invisible(c) => append(out, format_args!("\\u{:04X}", u32::from(c))),
        c => out.push(c),
    }
}

/// Control characters, and those that break lines or reorder text in an editor.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use dango_core::SecretValue;

    fn written(text: &str, lines: Lines, references: References) -> String {
        let text = SecretValue::new(text.to_owned()).expect("no NUL");
        value(&NewValue::String { text, references }, lines).to_string()
    }

    #[test]
    fn strings_are_basic_strings_with_escapes() {
        let one = |text| written(text, Lines::One, References::Literal);
        assert_eq!(one("00123"), "\"00123\"");
        assert_eq!(
            one("a\"b\\c\td\r\n\u{1}\u{7f}\u{85}\u{feff}é🍡"),
            r#""a\"b\\c\td\r\n\u0001\u007F\u0085\uFEFFé🍡""#
        );
        assert_eq!(one("${A}$B{$$"), r#""\u0024{A}$B{$$""#);
        assert_eq!(written("${A}", Lines::One, References::Expand), r#""${A}""#);
    }

    #[test]
    fn many_lines_take_three_quotes() {
        let many = |text| written(text, Lines::Many, References::Literal);
        assert_eq!(many("a\nb"), "\"\"\"\na\nb\"\"\"");
        assert_eq!(many("\n\"\"\"x\"\n\""), "\"\"\"\n\n\"\\\"\\\"x\"\n\\\"\"\"\"");
        assert_eq!(many("a\r\nb\\"), "\"\"\"\na\\r\nb\\\\\"\"\"");
        assert_eq!(many("a\n"), "\"a\\n\"", "one line that ends stays on one line");
        assert_eq!(many("a \nb"), "\"a \\nb\"", "an editor could take the blank away");
    }

    #[test]
    fn numbers_keep_their_type() {
        let float = |number| value(&NewValue::Float(number), Lines::One).to_string();
        assert_eq!(float(1.0), "1.0");
        assert_eq!(float(1e300), "1e300");
        assert_eq!(float(-0.0), "-0.0");
        assert_eq!(float(f64::NAN), "nan");
        assert_eq!(float(f64::NEG_INFINITY), "-inf");
    }
}
