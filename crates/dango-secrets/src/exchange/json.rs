//! JSON text written from a tree, and the numbers and strings that YAML and TOML spell in the same way.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::Tree;

/// Writes a JSON object (RFC 8259): two blanks of indentation, names in their order, non-ASCII characters as they are.
///
/// What JSON lacks becomes text: times as TOML spells them, and `"inf"`, `"-inf"` and `"nan"`.
pub fn write_json(entries: &[(String, Tree)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(entries)));
    table(&mut text, entries, 0);
    text.push('\n');
    text
}

fn table(text: &mut String, entries: &[(String, Tree)], depth: usize) {
    if entries.is_empty() {
        text.push_str("{}");
        return;
    }
    text.push('{');
    for (index, (name, entry)) in entries.iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        indent(text, depth + 1);
        push_quoted(text, name, |_| false);
        text.push_str(": ");
        value(text, entry, depth + 1);
    }
    text.push('\n');
    indent(text, depth);
    text.push('}');
}

fn value(text: &mut String, tree: &Tree, depth: usize) {
    match tree {
        Tree::String(secret) => push_quoted(text, secret.expose(), |_| false),
        Tree::Integer(number) => push_integer(text, *number),
        Tree::Float(number) if number.is_finite() => push_float(text, *number),
        Tree::Float(number) => {
            text.push('"');
            push_float(text, *number);
            text.push('"');
        }
        Tree::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::Datetime(time) => push_quoted(text, time, |_| false),
        Tree::Array(values) if values.is_empty() => text.push_str("[]"),
        Tree::Array(values) => {
            text.push('[');
            for (index, element) in values.iter().enumerate() {
                text.push_str(if index > 0 { ",\n" } else { "\n" });
                indent(text, depth + 1);
                value(text, element, depth + 1);
            }
            text.push('\n');
            indent(text, depth);
            text.push(']');
        }
        Tree::Table(entries) => table(text, entries, depth),
    }
}

pub(super) fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// A string in double quotes (RFC 8259 §7), with `\uXXXX` also for what `escape` picks within the basic plane.
pub(super) fn push_quoted(text: &mut String, content: &str, escape: impl Fn(char) -> bool) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            // Left bare by JSON, but a terminal or a reader of lines would act on them.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') || escape(c) => {
                write!(text, "\\u{:04x}", u32::from(c)).expect("a string takes all text");
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

pub(super) fn push_integer(text: &mut String, number: i64) {
    write!(text, "{number}").expect("a string takes all text");
}

/// The shortest decimal that reads back as the same number, with a point and a signed exponent,
/// which YAML 1.1 readers want; `inf`, `-inf` and `nan` as in TOML.
pub(super) fn push_float(text: &mut String, number: f64) {
    if number.is_nan() {
        text.push_str("nan");
        return;
    }
    let digits = Zeroizing::new(format!("{number:?}"));
    match digits.split_once('e') {
        None => text.push_str(&digits),
        Some((mantissa, exponent)) => {
            text.push_str(mantissa);
            text.push_str(if mantissa.contains('.') { "e" } else { ".0e" });
            text.push_str(if exponent.starts_with('-') { "" } else { "+" });
            text.push_str(exponent);
        }
    }
}

/// Room for the text of a tree in any format, so that its buffer does not grow and leave copies behind.
///
/// A character becomes six at most, and a line is indented by as much as its value is deep.
pub(super) fn capacity(entries: &[(String, Tree)]) -> usize {
    fn of_value(tree: &Tree, depth: usize) -> usize {
        let content = match tree {
            Tree::String(secret) => secret.expose().len() * 6,
            Tree::Datetime(time) => time.len() * 6,
            Tree::Array(values) => values.iter().map(|value| of_value(value, depth + 1)).sum(),
            Tree::Table(entries) => of_entries(entries, depth + 1),
            Tree::Integer(_) | Tree::Float(_) | Tree::Boolean(_) => 32,
        };
        content + 2 * depth + 16
    }
    fn of_entries(entries: &[(String, Tree)], depth: usize) -> usize {
        let entries = entries
            .iter()
            .map(|(name, value)| name.len() * 6 + of_value(value, depth) + 2 * depth + 16);
        entries.sum::<usize>() + 16
    }
    of_entries(entries, 1)
}
