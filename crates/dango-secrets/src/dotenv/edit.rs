//! Edits of a `.env` document: one value is spliced or one binding removed, and every other byte stays.

use std::ops::Range;

use dango_core::{SecretValue, VariableName};
use zeroize::Zeroizing;

use super::dialect::node;
use super::interpolation::{EnvPiece, pieces};
use super::parser::{BOM, StatementKind};
use super::spelling::{Obstacles, spellings};
use super::{Binding, EnvDocument};
use crate::{References, SetOutcome};

/// Why a `.env` file was not edited.
///
/// # Security
///
/// It never holds a value or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvEditError {
    /// The value is to be literal, but python-dotenv expands `${…}` in whatever quotes.
    #[error("the value of {key} holds a `${{…}}`, which python-dotenv expands in every spelling")]
    Reference {
        /// The key that was to be set.
        key: VariableName,
    },
    /// No quotes and escapes fit the value.
    #[error("no spelling of the value of {key} is read back by both python-dotenv and node dotenv: it holds {obstacles}")]
    Unspellable {
        /// The key that was to be set.
        key: VariableName,
        /// What stands in the way.
        obstacles: Obstacles,
    },
    /// The value itself is fine, but a line gets in the way that the two readers read differently, such
    /// as one whose quote is never closed, or `KEY: x`, which only node dotenv takes for an assignment.
    #[error("{key} cannot be set while line {line} is as it is: python-dotenv and node dotenv read it differently")]
    OtherLine {
        /// The key that was to be set.
        key: VariableName,
        /// The line, counted from 1.
        line: usize,
    },
    /// There is no such key.
    #[error("the key is not in the file")]
    NotFound,
}

impl EnvEditError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "env_value_reference",
            Self::Unspellable { .. } => "env_value_unspellable",
            Self::OtherLine { .. } => "env_other_line",
            Self::NotFound => "env_key_not_found",
        }
    }
}

impl EnvDocument {
    /// Sets a key: its last binding gets the value, or a new line at the end does.
    ///
    /// The spelling is the plainest that python-dotenv and node dotenv both read back exactly in this
    /// very file, one that bash and docker read as well where there is one. `export `, the key's
    /// spelling and a comment behind the value stay. No other key changes for either reader.
    ///
    /// # Errors
    ///
    /// [`EnvEditError::Reference`], [`EnvEditError::Unspellable`] or [`EnvEditError::OtherLine`]; the
    /// document itself never changes.
    pub fn set(&self, key: &VariableName, value: &SecretValue, references: References) -> Result<(Self, SetOutcome), EnvEditError> {
        let value = value.expose();
        if references == References::Literal && pieces(value).iter().any(|piece| matches!(piece, EnvPiece::Reference { .. })) {
            return Err(EnvEditError::Reference { key: key.clone() });
        }
        let before = Readings::of(self);
        let target = self
            .bindings()
            .enumerate()
            .filter(|(_, binding)| binding.key() == key.as_str())
            .last();
        let is_read = before.node_value(key) == Some(value);
        if is_read && target.is_some_and(|(_, binding)| binding.expose() == Some(value)) {
            return Ok((self.clone(), SetOutcome::Unchanged));
        }
        let spellings = spellings(value).map_err(|obstacles| EnvEditError::Unspellable {
            key: key.clone(),
            obstacles,
        })?;
        let mut conflict = None;
        for spelling in &spellings {
            let places = match target {
                Some((_, binding)) => self.replacements(binding, spelling),
                None => self.additions(key, spelling),
            };
            for (at, text) in places {
                let edited = self.spliced(at, &text);
                match before.other_line(&Readings::of(&edited), target.map(|(index, _)| index), key, value) {
                    None => {
                        let outcome = if target.is_some() {
                            SetOutcome::Replaced
                        } else {
                            SetOutcome::Created
                        };
                        return Ok((edited, outcome));
                    }
                    Some(line) => conflict = conflict.or(Some(line)),
                }
            }
        }
        Err(EnvEditError::OtherLine {
            key: key.clone(),
            line: conflict.unwrap_or(1),
        })
    }

    /// Removes a key: every binding of it, with the comments on their lines; comments above stay.
    ///
    /// Any key that python-dotenv sees can be removed. Gives how many bindings are gone.
    ///
    /// # Errors
    ///
    /// [`EnvEditError::NotFound`].
    pub fn unset(&self, key: &str) -> Result<(Self, usize), EnvEditError> {
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + 1));
        let mut kept_to = 0;
        let mut removed = 0;
        for statement in &self.statements {
            if matches!(&statement.kind, StatementKind::Binding(binding) if binding.key() == key) {
                text.push_str(&self.text[kept_to..statement.span.start]);
                kept_to = statement.span.end;
                removed += 1;
            }
        }
        if removed == 0 {
            return Err(EnvEditError::NotFound);
        }
        text.push_str(&self.text[kept_to..]);
        if text.starts_with(BOM) && !self.text.starts_with(BOM) {
            // In the middle of a file U+FEFF belongs to a key; at its start it would not.
            text.insert(0, '\n');
        }
        Ok((Self::from_text(text), removed))
    }

    /// The value's new spelling; the second choice takes quotes off the key, which node dotenv does not know.
    fn replacements(&self, binding: &Binding, spelling: &str) -> Vec<(Range<usize>, Zeroizing<String>)> {
        let (span, sign) = match &binding.value {
            Some(value) => (value.span.clone(), ""),
            None => (binding.key_span.end..binding.key_span.end, "="),
        };
        let value = self.with_line_breaks(&Zeroizing::new(format!("{sign}{spelling}")));
        let key_span = &binding.key_span;
        let between = &self.text[key_span.end..span.start];
        let with_key = Zeroizing::new(format!("{}{between}{}", binding.key(), *value));
        let is_quoted = self.text[key_span.clone()].starts_with('\'');
        let with_key = is_quoted.then_some((key_span.start..span.end, with_key));
        std::iter::once((span, value)).chain(with_key).collect()
    }

    /// The new line at the end; the second choice has a blank line above it, for a file that ends
    /// with what node dotenv would continue on the next line.
    fn additions(&self, key: &VariableName, spelling: &str) -> Vec<(Range<usize>, Zeroizing<String>)> {
        let end = self.text.len()..self.text.len();
        let content = self.text.strip_prefix(BOM).unwrap_or(&self.text);
        let is_line_open = !content.is_empty() && !content.ends_with(['\r', '\n']);
        let separator = if is_line_open { "\n" } else { "" };
        let line = |above: &str| self.with_line_breaks(&Zeroizing::new(format!("{above}{separator}{key}={spelling}\n")));
        vec![(end.clone(), line("")), (end, line("\n"))]
    }

    /// Writes line breaks as the last one of the file is written.
    pub(super) fn with_line_breaks(&self, text: &str) -> Zeroizing<String> {
        let line_break = match self.text.rfind(['\r', '\n']) {
            Some(at) if self.text[at..].starts_with('\r') => "\r",
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        Zeroizing::new(text.replace('\n', line_break))
    }

    pub(super) fn spliced(&self, at: Range<usize>, new: &str) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + new.len()));
        text.push_str(&self.text[..at.start]);
        text.push_str(new);
        text.push_str(&self.text[at.end..]);
        Self::from_text(text)
    }
}

/// What python-dotenv and node dotenv make of a document.
pub(super) struct Readings<'d> {
    pub(super) python: Vec<&'d Binding>,
    pub(super) problems: Vec<usize>,
    pub(super) node: Vec<node::Assignment>,
}

impl<'d> Readings<'d> {
    pub(super) fn of(document: &'d EnvDocument) -> Self {
        Self {
            python: document.bindings().collect(),
            problems: document.problems().collect(),
            node: node::read(document.text()),
        }
    }

    fn node_value(&self, key: &VariableName) -> Option<&str> {
        let last = self.node.iter().rfind(|assignment| assignment.key == key.as_str())?;
        Some(last.value.as_str())
    }

    /// A line that reads differently after an edit, though it should not; `None` where only the
    /// edited key changed and both readers read its new value.
    fn other_line(&self, after: &Readings<'_>, target: Option<usize>, key: &VariableName, value: &str) -> Option<usize> {
        let edited = target.unwrap_or(self.python.len());
        let old = without(&self.python, edited).map(|binding| (binding.line, binding.key(), binding.expose()));
        let new = without(&after.python, edited).map(|binding| (binding.line, binding.key(), binding.expose()));
        let is_set = |binding: &&Binding| binding.key == key.as_str() && binding.expose() == Some(value);
        let edited_line = after.python.get(edited).map_or(1, |binding| binding.line);
        if let Some(line) = first_difference(old, new) {
            return Some(line);
        }
        if self.problems.len() != after.problems.len() {
            return self.problems.iter().chain(&after.problems).max().copied();
        }
        if !after.python.get(edited).is_some_and(is_set) {
            return Some(after.problems.last().copied().unwrap_or(edited_line));
        }
        if let Some(line) = first_difference(self.node_others(key), after.node_others(key)) {
            return Some(line);
        }
        let last = after.node.iter().rfind(|assignment| assignment.key == key.as_str());
        match last {
            Some(last) if last.value.as_str() == value => None,
            Some(last) => Some(last.line),
            None => Some(edited_line),
        }
    }

    fn node_others<'r>(&'r self, key: &'r VariableName) -> impl Iterator<Item = (usize, &'r str, Option<&'r str>)> {
        let others = self.node.iter().filter(|assignment| assignment.key != key.as_str());
        others.map(|other| (other.line, other.key.as_str(), Some(other.value.as_str())))
    }
}

fn without<'r>(bindings: &'r [&Binding], index: usize) -> impl Iterator<Item = &'r Binding> {
    bindings
        .iter()
        .enumerate()
        .filter(move |&(at, _)| at != index)
        .map(|(_, binding)| *binding)
}

/// The line at which two readings part, lines themselves not compared.
pub(super) fn first_difference<'r>(
    mut old: impl Iterator<Item = (usize, &'r str, Option<&'r str>)>,
    mut new: impl Iterator<Item = (usize, &'r str, Option<&'r str>)>,
) -> Option<usize> {
    loop {
        match (old.next(), new.next()) {
            (None, None) => return None,
            (Some((_, key, value)), Some((_, new_key, new_value))) if key == new_key && value == new_value => {}
            (Some((line, ..)), _) | (None, Some((line, ..))) => return Some(line),
        }
    }
}
