//! The members of a TOML table, each taken as what it must be, with the line where it stands. What they mean is not known here.

use std::ops::Range;

use toml_edit::{Document, TableLike};

use super::endpoint::Template;
use super::read::{ProviderProblem, ProvidersError};

/// A TOML text that was read.
pub(super) struct File<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

impl<'a> File<'a> {
    /// Reads a text.
    pub(super) fn parse(text: &'a str) -> Result<Self, ProvidersError> {
        let document = Document::parse(text).map_err(|error| ProvidersError {
            line: line_of(text, error.span()),
            problem: ProviderProblem::Toml,
        })?;
        Ok(Self { text, document })
    }

    /// The table at the top.
    pub(super) fn root(&self) -> Members<'_> {
        Members {
            text: self.text,
            line: 1,
            table: self.document.as_table(),
        }
    }
}

/// A table of a file, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    text: &'a str,
    line: usize,
    table: &'a dyn TableLike,
}

impl<'a> Members<'a> {
    /// The tables in this one, with their names.
    pub(super) fn tables(self) -> impl Iterator<Item = Result<(&'a str, Self), ProvidersError>> {
        self.table.iter().map(move |(name, item)| {
            let line = line_of(self.text, self.table.key(name).and_then(toml_edit::Key::span));
            let table = item.as_table_like().ok_or(ProvidersError {
                line,
                problem: ProviderProblem::Unknown,
            })?;
            Ok((name, Members { line, table, ..self }))
        })
    }

    /// How many members there are.
    pub(super) fn len(self) -> usize {
        self.table.len()
    }

    /// Whether there is a member of this name.
    pub(super) fn has(self, member: &str) -> bool {
        self.table.contains_key(member)
    }

    pub(super) fn known(self, members: &[&str]) -> Result<(), ProvidersError> {
        let unknown = self.table.iter().find(|(name, _)| !members.contains(name));
        unknown.map_or(Ok(()), |(name, _)| {
            Err(ProvidersError {
                line: line_of(self.text, self.table.key(name).and_then(toml_edit::Key::span)),
                problem: ProviderProblem::Unknown,
            })
        })
    }

    pub(super) fn below(self, member: &str) -> Result<Option<Self>, ProvidersError> {
        let Some(item) = self.table.get(member) else { return Ok(None) };
        let line = line_of(
            self.text,
            self.table.key(member).and_then(toml_edit::Key::span).or_else(|| item.span()),
        );
        let table = item.as_table_like().ok_or(ProvidersError {
            line,
            problem: ProviderProblem::Unknown,
        })?;
        Ok(Some(Members { line, table, ..self }))
    }

    pub(super) fn endpoint(self, member: &'static str, placeholder: Option<&str>) -> Result<Option<Template>, ProvidersError> {
        let Some(text) = self.string(member)? else { return Ok(None) };
        Template::parse(&text, placeholder)
            .map(Some)
            .map_err(|problem| self.at(member, ProviderProblem::Endpoint { member, problem }))
    }

    pub(super) fn string(self, member: &'static str) -> Result<Option<String>, ProvidersError> {
        let Some(item) = self.table.get(member) else { return Ok(None) };
        let text = item.as_str().filter(|text| is_plain(text));
        text.map(|text| Some(text.to_owned()))
            .ok_or_else(|| self.value(member, "text on one line"))
    }

    pub(super) fn boolean(self, member: &'static str) -> Result<bool, ProvidersError> {
        let Some(item) = self.table.get(member) else { return Ok(false) };
        item.as_bool().ok_or_else(|| self.value(member, "`true` or `false`"))
    }

    pub(super) fn number(self, member: &'static str, most: u32, expected: &'static str) -> Result<Option<u32>, ProvidersError> {
        let Some(item) = self.table.get(member) else { return Ok(None) };
        let number = item.as_integer().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| (1..=most).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.value(member, expected)),
        }
    }

    pub(super) fn texts(self, member: &'static str) -> Result<Option<Vec<String>>, ProvidersError> {
        let Some(item) = self.table.get(member) else { return Ok(None) };
        let values = item.as_array().map(|array| {
            let texts = array.iter().map(|value| value.as_str().filter(|text| is_plain(text)));
            texts.map(|text| text.map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        values.flatten().map(Some).ok_or_else(|| self.value(member, "a list of texts"))
    }

    pub(super) fn pairs(self, member: &'static str, reserved: &[&str]) -> Result<Vec<(String, String)>, ProvidersError> {
        let Some(item) = self.table.get(member) else {
            return Ok(Vec::new());
        };
        let pairs = item.as_table_like().map(|table| {
            let pairs = table.iter().map(|(key, value)| {
                let value = value.as_str().filter(|text| is_plain(text))?;
                let free = is_token(key) && !reserved.iter().any(|name| name.eq_ignore_ascii_case(key));
                (free && value.is_ascii()).then(|| (key.to_owned(), value.to_owned()))
            });
            pairs.collect::<Option<Vec<_>>>()
        });
        pairs
            .flatten()
            .ok_or_else(|| self.value(member, "a table of ASCII texts, without the names that Dango sets itself"))
    }

    pub(super) fn choice<T: Copy>(
        self,
        member: &'static str,
        choices: &[(&str, T)],
        absent: T,
        expected: &'static str,
    ) -> Result<T, ProvidersError> {
        let Some(text) = self.string(member)? else { return Ok(absent) };
        let choice = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        choice.ok_or_else(|| self.value(member, expected))
    }

    pub(super) fn value(self, member: &'static str, expected: &'static str) -> ProvidersError {
        self.at(member, ProviderProblem::Value { member, expected })
    }

    pub(super) fn at(self, member: &str, problem: ProviderProblem) -> ProvidersError {
        ProvidersError {
            line: line_of(self.text, self.table.key(member).and_then(toml_edit::Key::span)).max(self.line),
            problem,
        }
    }

    pub(super) fn wrong(self, problem: ProviderProblem) -> ProvidersError {
        ProvidersError { line: self.line, problem }
    }
}

/// Text that can stand in a header and on a line: no control characters, nothing but ASCII in what is sent.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 2000 && !text.chars().any(char::is_control)
}

/// A name of a header or parameter (`token`, RFC 9110 §5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let end = span.map_or(0, |span| span.start).min(text.len());
    text.as_bytes()[..end].iter().filter(|&&byte| byte == b'\n').count() + 1
}
