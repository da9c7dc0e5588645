//! What a user of `dango secrets import` and `export` relies on, seen from outside the crate: what the tests share.

mod exports;
mod imports;
mod round_trips;

use dango_core::SecretValue;
use dango_secrets::dlt::path_of;
use dango_secrets::exchange::{ExportError, Import, ImportError, Tree, Variable};
use zeroize::Zeroizing;

pub(crate) fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("no NUL")
}

pub(crate) fn variables(entries: &[(&str, &str)]) -> Vec<Variable> {
    let variable = |&(name, value): &(&str, &str)| Variable {
        name: name.to_owned(),
        path: path_of(name).unwrap_or_else(|| "unnamed".parse().expect("a path")),
        value: secret(value),
    };
    entries.iter().map(variable).collect()
}

pub(crate) fn string(text: &str) -> Tree {
    Tree::String(secret(text))
}

pub(crate) fn entry(name: &str, tree: Tree) -> (String, Tree) {
    (name.to_owned(), tree)
}

/// A tree as text, types included, so that two can be compared.
pub(crate) fn show(tree: &Tree) -> String {
    match tree {
        Tree::String(value) => format!("{:?}", value.expose()),
        Tree::Integer(number) => format!("int {number}"),
        Tree::Float(number) => format!("float {number:?}"),
        Tree::Boolean(value) => format!("{value}"),
        Tree::Datetime(text) => format!("time {}", text.as_str()),
        Tree::Array(values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        Tree::Table(entries) => format!("{{{}}}", show_entries(entries)),
        _ => "a kind that the tests do not know".to_owned(),
    }
}

pub(crate) fn show_entries(entries: &[(String, Tree)]) -> String {
    let entries = entries.iter().map(|(name, value)| format!("{name:?}: {}", show(value)));
    entries.collect::<Vec<_>>().join(", ")
}

pub(crate) fn show_import(import: &Import) -> Vec<String> {
    let lines = import.credentials.iter().map(|(path, value)| format!("{path} = {}", show(value)));
    lines.collect()
}

pub(crate) fn imported(result: Result<Import, ImportError>) -> Vec<String> {
    show_import(&result.expect("this can be imported"))
}

pub(crate) fn refused(result: Result<Import, ImportError>) -> String {
    result.err().expect("refused").to_string()
}

pub(crate) fn problems(error: &ExportError) -> Vec<String> {
    error.problems.iter().map(ToString::to_string).collect()
}

/// One of everything, and the text that is hard to quote.
pub(crate) fn specimen() -> Vec<(String, Tree)> {
    let hard = "a\"b\\c\u{8}\t\n\u{c}\r\u{1}\u{1b}\u{7f}\u{85}\u{a0}\u{2028}\u{feff}\u{ffff}é🍡 ${HOME} $(x) `y` 'z' %41 # & * ! | > {}[],";
    vec![
        entry("pin", Tree::Integer(-42)),
        entry("big", Tree::Integer(i64::MIN)),
        entry("ratio", Tree::Float(0.1)),
        entry("huge", Tree::Float(1e300)),
        entry("tiny", Tree::Float(-2.5e-8)),
        entry("whole", Tree::Float(3.0)),
        entry("on", Tree::Boolean(true)),
        entry("hard", string(hard)),
        entry("empty", string("")),
        entry("looks_like_a_number", string("0123")),
        entry("looks_like_null", string("null")),
        entry("since", Tree::Datetime(Zeroizing::new("2026-11-21T21:34:00Z".to_owned()))),
        entry("none", Tree::Array(Vec::new())),
        entry(
            "mixed",
            Tree::Array(vec![
                Tree::Integer(1),
                string("two\nlines"),
                Tree::Array(vec![Tree::Boolean(false), Tree::Array(Vec::new())]),
                Tree::Table(vec![
                    entry("a", string("x")),
                    entry("b.c", Tree::Table(vec![entry("d", Tree::Integer(1)), entry("e", Tree::Integer(2))])),
                ]),
                Tree::Table(Vec::new()),
            ]),
        ),
        entry(
            "sources",
            Tree::Table(vec![
                entry(
                    "my.db",
                    Tree::Table(vec![entry("password", string("p")), entry("", string("empty name"))]),
                ),
                entry("bare", Tree::Table(Vec::new())),
                entry("123", Tree::Table(vec![entry("null", string("x")), entry("k\"é\n", string("y"))])),
                entry(&"long".repeat(400), Tree::Table(vec![entry("x", Tree::Integer(1))])),
            ]),
        ),
    ]
}
