//! Tells where python-dotenv, node dotenv, docker and bash read a `.env` file differently, with every value masked.

use std::collections::HashMap;
use std::fmt;

use zeroize::Zeroizing;

use super::comparison::OtherReaders;
use super::parser::StatementKind;
use super::{Binding, EnvDocument};

/// A program that reads `.env` files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reader {
    /// python-dotenv 1.2, which decides what the file means.
    PythonDotenv,
    /// node dotenv 18.
    NodeDotenv,
    /// `docker run --env-file`, docker CLI 28.
    Docker,
    /// `set -a; . .env` in bash 5.
    Bash,
}

impl Reader {
    /// All readers, in the order of a finding's readings.
    pub const ALL: [Self; 4] = [Self::PythonDotenv, Self::NodeDotenv, Self::Docker, Self::Bash];

    /// The name as text and JSON spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PythonDotenv => "python-dotenv",
            Self::NodeDotenv => "node dotenv",
            Self::Docker => "docker",
            Self::Bash => "bash",
        }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a reader makes of a line, told without any part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sees {
    /// What python-dotenv sees.
    SameValue,
    /// Another text.
    OtherValue {
        /// Its length in characters.
        characters: usize,
        /// The length of what python-dotenv sees, references not expanded.
        instead_of: usize,
    },
    /// A variable where python-dotenv sees none.
    Value {
        /// Its length in characters.
        characters: usize,
    },
    /// The value and the quotes around it.
    WithQuotes,
    /// `${NAME}` as it is written.
    Unexpanded,
    /// A value in which the shell expanded something that python-dotenv takes literally.
    ShellExpanded,
    /// A key that has no value.
    KeyOnly,
    /// The variable of the machine that runs docker, if there is one.
    HostVariable,
    /// No variable.
    Nothing,
    /// A command, which is run.
    Command,
    /// An error, after which the next line is read.
    LineError,
    /// An error, for which nothing of the file is used.
    FileRefused,
    /// An error, behind which nothing is read.
    Stop,
    /// The value with U+FFFD in the place of broken bytes.
    Replaced,
    /// The bytes as they are.
    RawBytes,
    /// The value without its NUL.
    NulRemoved,
    /// Other variables, made of parts of the value.
    Strays,
}

impl fmt::Display for Sees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match *self {
            Self::OtherValue { characters, instead_of } => {
                return write!(f, "another value ({} instead of {instead_of})", Characters(characters));
            }
            Self::Value { characters } => return write!(f, "a value ({})", Characters(characters)),
            Self::SameValue => "the value",
            Self::WithQuotes => "the value with its quotes",
            Self::Unexpanded => "the value with its references not expanded",
            Self::ShellExpanded => "another value, expanded by the shell",
            Self::KeyOnly => "a key without a value",
            Self::HostVariable => "the variable of the host, if it is set there",
            Self::Nothing => "no variable",
            Self::Command => "runs a command",
            Self::LineError => "an error: no variable",
            Self::FileRefused => "an error: the whole file is refused",
            Self::Stop => "an error: nothing from here on is read",
            Self::Replaced => "the value with its broken bytes replaced",
            Self::RawBytes => "the bytes as they are",
            Self::NulRemoved => "the value without the NUL",
            Self::Strays => "other variables, made of parts of it",
        };
        f.write_str(words)
    }
}

struct Characters(usize);

impl fmt::Display for Characters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} character{plural}", self.0)
    }
}

/// What one reader makes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Who reads.
    pub reader: Reader,
    /// What it sees.
    pub sees: Sees,
}

/// A line of a `.env` file that does not mean the same to everyone, or not what it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where it starts, counted from 1.
    pub line: usize,
    /// The key, where python-dotenv sees one that does not look like a stray piece of a value.
    pub key: Option<String>,
    /// A stable name for the kind of finding.
    pub code: &'static str,
    /// A sentence for people, without any part of a value.
    pub message: String,
    /// What each reader sees, in the order of [`Reader::ALL`]; empty where they agree.
    pub readings: Vec<Reading>,
}

/// Everything that bytes hold which other readers read differently; also where they are no `.env` file.
///
/// Lines with broken bytes are findings of their own; they are linted further with U+FFFD in the place
/// of such bytes, so nothing hides behind them.
pub fn lint_bytes(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in byte_lines(bytes).enumerate() {
        if line.contains(&0) {
            findings.push(broken(
                index + 1,
                "nul",
                "a NUL byte is in this line, and no variable can hold one",
                NUL_READINGS,
            ));
        }
        if std::str::from_utf8(line).is_err() {
            findings.push(broken(index + 1, "not_utf8", "this line is not UTF-8", NOT_UTF8_READINGS));
        }
    }
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let text = Zeroizing::new(text.replace('\0', "\u{fffd}"));
    findings.extend(lint(&EnvDocument::from_text(text)));
    findings.sort_by_key(|finding| finding.line);
    findings
}

/// Everything in a document that other readers read differently, in the order of its lines.
///
/// A line for which a reader gives up (docker on `export A=1`, bash on `A=it's`) does not hide what is
/// behind it: every line is judged as if such lines were not there.
pub fn lint(document: &EnvDocument) -> Vec<Finding> {
    let others = OtherReaders::of(document.text());
    let mut findings = Vec::new();
    let mut first_lines: HashMap<&str, usize> = HashMap::new();
    let mut from = (0, 0);
    for (index, statement) in document.statements.iter().enumerate() {
        let next = document.statements.get(index + 1);
        let to = next.map_or((usize::MAX, usize::MAX), |next| (next.line, next.span.start));
        findings.extend(others.compare(statement, from, to));
        from = to;
        let StatementKind::Binding(binding) = &statement.kind else {
            continue;
        };
        match first_lines.get(binding.key()) {
            Some(first) => findings.push(duplicate(binding, *first)),
            None => {
                first_lines.insert(binding.key(), binding.line());
            }
        }
    }
    findings
}

/// The key for a finding, unless it may be a piece of a value: in a certificate pasted without quotes
/// every line is a key, the padded last one even with a `=`.
pub(super) fn shown_key(binding: &Binding) -> Option<String> {
    let key = binding.key();
    let is_plausible = key.len() <= 128
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let is_padding = binding
        .expose()
        .is_none_or(|value| !value.is_empty() && value.chars().all(|c| c == '='));
    (is_plausible && !is_padding).then(|| key.to_owned())
}

const NUL_READINGS: [Sees; 4] = [Sees::SameValue, Sees::SameValue, Sees::SameValue, Sees::NulRemoved];
const NOT_UTF8_READINGS: [Sees; 4] = [Sees::FileRefused, Sees::Replaced, Sees::FileRefused, Sees::RawBytes];

fn broken(line: usize, code: &'static str, message: &str, sees: [Sees; 4]) -> Finding {
    Finding {
        line,
        key: None,
        code,
        message: message.to_owned(),
        readings: readings(sees),
    }
}

fn duplicate(binding: &Binding, first: usize) -> Finding {
    Finding {
        line: binding.line(),
        key: shown_key(binding),
        code: "duplicate_key",
        message: format!("the key is set in line {first} already; the last one counts"),
        readings: Vec::new(),
    }
}

/// What each reader sees, in the order of [`Reader::ALL`].
pub(super) fn readings(sees: [Sees; 4]) -> Vec<Reading> {
    let pairs = Reader::ALL.into_iter().zip(sees);
    pairs.map(|(reader, sees)| Reading { reader, sees }).collect()
}

/// Lines ended by LF, CRLF or CR.
fn byte_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines: Vec<&[u8]> = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let ended = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        lines.extend(ended.split(|&byte| byte == b'\r'));
    }
    lines.into_iter()
}
