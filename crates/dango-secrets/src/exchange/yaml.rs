//! YAML text written from a tree, in the part of the language on which YAML 1.1 and 1.2 readers agree.

use zeroize::Zeroizing;

use super::Tree;
use super::json::{capacity, indent, push_float, push_integer, push_quoted};

/// A longer key needs the explicit form (YAML 1.2.2 §8.2.2 allows 1024 characters; an escape takes up to 6).
const MAX_SIMPLE_KEY: usize = 128;

/// Plain words that some reader takes for something other than text; compared in lower case.
const TYPED_WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// Writes a YAML mapping: block style, text always in double quotes on one line, names in their order.
///
/// Times become text as TOML spells them; infinities and NaN are `.inf`, `-.inf` and `.nan`.
pub fn write_yaml(entries: &[(String, Tree)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(entries)));
    if entries.is_empty() {
        text.push_str("{}\n");
    } else {
        table(&mut text, entries, 0);
    }
    text
}

/// The entries of a mapping, the first one where the text is, the others on lines of their own.
fn table(text: &mut String, entries: &[(String, Tree)], depth: usize) {
    for (index, (name, value)) in entries.iter().enumerate() {
        if index > 0 {
            indent(text, depth);
        }
        if name.len() > MAX_SIMPLE_KEY {
            text.push_str("? ");
            quoted(text, name);
            text.push('\n');
            indent(text, depth);
        } else if is_plain_key(name) {
            text.push_str(name);
        } else {
            quoted(text, name);
        }
        text.push(':');
        match value {
            Tree::Table(entries) if !entries.is_empty() => {
                text.push('\n');
                indent(text, depth + 1);
                table(text, entries, depth + 1);
            }
            Tree::Array(values) if !values.is_empty() => {
                text.push('\n');
                indent(text, depth + 1);
                array(text, values, depth + 1);
            }
            value => {
                text.push(' ');
                scalar(text, value);
            }
        }
    }
}

fn array(text: &mut String, values: &[Tree], depth: usize) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            indent(text, depth);
        }
        text.push_str("- ");
        match value {
            Tree::Table(entries) if !entries.is_empty() => table(text, entries, depth + 1),
            Tree::Array(values) if !values.is_empty() => array(text, values, depth + 1),
            value => scalar(text, value),
        }
    }
}

/// A value on the rest of a line; tables and arrays come here only when they are empty.
fn scalar(text: &mut String, tree: &Tree) {
    match tree {
        Tree::String(secret) => quoted(text, secret.expose()),
        Tree::Datetime(time) => quoted(text, time),
        Tree::Integer(number) => push_integer(text, *number),
        Tree::Float(number) if number.is_finite() => push_float(text, *number),
        Tree::Float(number) => text.push_str(match (number.is_nan(), number.is_sign_negative()) {
            (true, _) => ".nan",
            (false, true) => "-.inf",
            (false, false) => ".inf",
        }),
        Tree::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::Array(_) => text.push_str("[]"),
        Tree::Table(_) => text.push_str("{}"),
    }
    text.push('\n');
}

/// A double-quoted scalar (YAML 1.2.2 §7.3.1): JSON's strings, and escapes for what is not printable (§5.1).
pub(super) fn quoted(text: &mut String, content: &str) {
    push_quoted(text, content, |c| matches!(c, '\u{fffe}' | '\u{ffff}'));
}

fn is_plain_key(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        && !TYPED_WORDS.contains(&name.to_ascii_lowercase().as_str())
}
