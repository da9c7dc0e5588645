//! TOML text written from a tree: standard tables and basic strings, which every TOML 1.0 reader knows.

use std::fmt::Write as _;

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::Tree;
use super::json::{capacity, push_float, push_integer};
use super::tree::child;

/// Writes a TOML document: in each table first its own values, then the tables below it.
///
/// A `${` in text is written `\u0024{`, so the document means the same as a `secrets.toml`, too.
pub fn write_toml(entries: &[(String, Tree)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(entries) + header_capacity(entries, 0)));
    table(&mut text, None, entries);
    text
}

/// What the headers of all tables take: each repeats the names above it.
fn header_capacity(entries: &[(String, Tree)], above: usize) -> usize {
    let of_entry = |(name, value): &(String, Tree)| match value {
        Tree::Table(entries) => {
            let header = above + name.len() * 10 + 8;
            header + header_capacity(entries, header)
        }
        _ => name.len() * 10,
    };
    entries.iter().map(of_entry).sum()
}

fn table(text: &mut String, path: Option<&CredentialPath>, entries: &[(String, Tree)]) {
    let (tables, values): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, value)| matches!(value, Tree::Table(_)));
    if let Some(path) = path
        && (!values.is_empty() || tables.is_empty())
    {
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(text, "{gap}[{path}]").expect("a string takes all text");
    }
    for (name, entry) in values {
        push_key(text, name);
        text.push_str(" = ");
        value(text, entry);
        text.push('\n');
    }
    for (name, entry) in tables {
        if let Tree::Table(entries) = entry {
            table(text, Some(&child(path, name)), entries);
        }
    }
}

fn push_key(text: &mut String, name: &str) {
    write!(text, "{}", child(None, name)).expect("a string takes all text");
}

fn value(text: &mut String, tree: &Tree) {
    match tree {
        Tree::String(secret) => basic_string(text, secret.expose()),
        Tree::Integer(number) => push_integer(text, *number),
        Tree::Float(number) => push_float(text, *number),
        Tree::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::Datetime(time) => text.push_str(time),
        Tree::Array(values) => {
            text.push('[');
            for (index, element) in values.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                value(text, element);
            }
            text.push(']');
        }
        // Inside an array: a table on one line.
        Tree::Table(entries) => {
            text.push('{');
            for (index, (name, entry)) in entries.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { " " });
                push_key(text, name);
                text.push_str(" = ");
                value(text, entry);
            }
            text.push_str(if entries.is_empty() { "}" } else { " }" });
        }
    }
}

/// A basic string (TOML 1.0, "String").
fn basic_string(text: &mut String, content: &str) {
    text.push('"');
    let mut characters = content.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '$' if characters.peek() == Some(&'{') => text.push_str("\\u0024"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                write!(text, "\\u{:04X}", u32::from(c)).expect("a string takes all text");
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
