//! Setting and unsetting one value: where it goes, and the proof that nothing else changed. Files are not touched.

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::error::DocumentError;
use super::layout::{self, Splice};
use super::new_value::NewValue;
use super::sameness::is_same;
use super::spelling::{self, Lines};
use super::tree::{Found, Kind, NodeId, Origin, Tree};
use super::{SecretsDocument, encoding, inline, proof, read, removal};
use crate::SetOutcome;

/// Why a document was not edited.
///
/// # Security
///
/// It names paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Nothing is at the path.
    #[error("there is nothing at {path}")]
    NotFound {
        /// The path.
        path: CredentialPath,
    },
    /// A table is at the path.
    #[error("{path} is a table: unset it first, or set the values in it one by one")]
    IsTable {
        /// The path.
        path: CredentialPath,
    },
    /// The path leads through something that is no table.
    #[error("{path} cannot be set, because {at} is a value and no table")]
    ThroughValue {
        /// The path.
        path: CredentialPath,
        /// The part of it that has a value.
        at: CredentialPath,
    },
    /// The file, edited, would be one that dlt cannot read.
    #[error("{path} cannot be edited in this file: dlt could not read the result")]
    Unreadable {
        /// The path.
        path: CredentialPath,
        /// What would be wrong; line and column are those of the result.
        #[source]
        source: DocumentError,
    },
    /// Another parser does not see the wanted change, or sees more; a bug, caught before anything was written.
    #[error("{path} was not edited: the result did not prove to be the same file with only this change")]
    Unproven {
        /// The path.
        path: CredentialPath,
    },
}

impl EditError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "edit_not_found",
            Self::IsTable { .. } => "edit_is_table",
            Self::ThroughValue { .. } => "edit_through_value",
            Self::Unreadable { .. } => "edit_unreadable",
            Self::Unproven { .. } => "edit_unproven",
        }
    }
}

/// What a file's own lines look like.
#[derive(Clone, Copy)]
struct Style {
    lines: Lines,
    newline: &'static str,
    /// Whether the file's last line is ended.
    ends_line: bool,
}

impl SecretsDocument {
    /// Makes a document in which `path` has this value; every byte outside the value stays.
    ///
    /// A new key goes where its neighbours are, in their manner. An object becomes standard tables. A table over a
    /// single value replaces it; a value over a table is refused.
    ///
    /// # Errors
    ///
    /// - [`EditError::IsTable`], [`EditError::ThroughValue`] where the path does not fit what the file holds;
    /// - [`EditError::Unreadable`], [`EditError::Unproven`] where the result is not what it should be.
    pub fn set(&self, path: &CredentialPath, value: &NewValue) -> Result<(Self, SetOutcome), EditError> {
        let unreadable = |source| EditError::Unreadable {
            path: path.clone(),
            source,
        };
        let (text, outcome) = match self.tree.find(&self.text, path.parts()) {
            Found::Blocked { by } => {
                let at = self.tree.path(&self.text, by).unwrap_or_else(|| path.clone());
                return Err(EditError::ThroughValue { path: path.clone(), at });
            }
            Found::Missing { table, known } => (self.with_new(path, table, known, value, self.style()), SetOutcome::Created),
            Found::Node(id) => {
                if is_same(&read::value(&self.text, &self.tree, id), value) {
                    return Ok((Self::from_text(self.text.clone()).map_err(unreadable)?, SetOutcome::Unchanged));
                }
                if self.tree.children(id).is_some() {
                    return Err(EditError::IsTable { path: path.clone() });
                }
                let text = match self.with_replaced(id, value) {
                    Some(text) => text,
                    None => {
                        let rest = Self::from_text(self.without(id)).map_err(unreadable)?;
                        rest.with_anew(path, value, self.style())
                    }
                };
                (text, SetOutcome::Replaced)
            }
        };
        Ok((self.proven(text, path, Some(value))?, outcome))
    }

    /// Makes a document without the value or the table at `path`, and says how many values went.
    ///
    /// A comment behind a value goes with it; those above it stay. The header of a table that becomes empty stays.
    ///
    /// # Errors
    ///
    /// [`EditError::NotFound`] where nothing is there, else as for [`SecretsDocument::set`].
    pub fn unset(&self, path: &CredentialPath) -> Result<(Self, usize), EditError> {
        let Found::Node(id) = self.tree.find(&self.text, path.parts()) else {
            return Err(EditError::NotFound { path: path.clone() });
        };
        let count = read::count(&self.tree, id);
        Ok((self.proven(self.without(id), path, None)?, count))
    }

    fn proven(&self, text: Zeroizing<String>, path: &CredentialPath, wanted: Option<&NewValue>) -> Result<Self, EditError> {
        let edited = Self::from_text(text).map_err(|source| EditError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let reads_back = match (edited.value(path), wanted) {
            (Some(value), Some(wanted)) => is_same(&value, wanted),
            (None, None) => true,
            _ => false,
        };
        if reads_back && proof::holds(&self.text, &edited.text, path, wanted) {
            Ok(edited)
        } else {
            Err(EditError::Unproven { path: path.clone() })
        }
    }

    fn without(&self, id: NodeId) -> Zeroizing<String> {
        layout::without(&self.text, removal::ranges(&self.text, &self.tree, id))
    }

    /// The text with the span of a value replaced, or nothing where its line has to go instead.
    fn with_replaced(&self, id: NodeId, value: &NewValue) -> Option<Zeroizing<String>> {
        let (Kind::Scalar { span, .. } | Kind::Array { span, .. }) = self.tree.node(id).kind else {
            return None;
        };
        let in_braces = inline::enclosing(&self.tree, id).is_some();
        if matches!(value, NewValue::Table(_)) && !in_braces {
            return None;
        }
        let lines = if in_braces { Lines::One } else { self.style().lines };
        Some(layout::splice(
            &self.text,
            vec![Splice {
                range: span.range(),
                insert: spelling::value(value, lines),
            }],
        ))
    }

    fn style(&self) -> Style {
        let has_crlf = self.text.contains("\r\n");
        Style {
            // In a file with CRLF no value may bring a lone LF.
            lines: if has_crlf { Lines::One } else { Lines::Many },
            newline: layout::newline(&self.text, 0),
            ends_line: self.text.ends_with('\n') || self.text.len() == encoding::bom_length(&self.text),
        }
    }

    /// The text with a key that was there before its line went, in the style the file had then.
    fn with_anew(&self, path: &CredentialPath, value: &NewValue, style: Style) -> Zeroizing<String> {
        match self.tree.find(&self.text, path.parts()) {
            Found::Missing { table, known } => self.with_new(path, table, known, value, style),
            _ => self.text.clone(),
        }
    }

    /// The text with a key that is missing: the first `known` parts of its path lead to `table`.
    fn with_new(&self, path: &CredentialPath, table: NodeId, known: usize, value: &NewValue, style: Style) -> Zeroizing<String> {
        let (text, tree, parts) = (&self.text, &self.tree, path.parts());
        if let Some(braces) = inline::enclosing(tree, table) {
            let key = &parts[usize::from(tree.node(braces).depth)..];
            let entry = assignment("", key, value, Lines::One);
            return layout::splice(text, inline::insert(text, tree, braces, &entry));
        }
        let splice = match &tree.node(table).kind {
            Kind::Table {
                origin: Origin::Dotted, ..
            } => self.beside_dotted(table, parts, value, style),
            Kind::Table {
                origin: Origin::Header(section),
                ..
            } if known + 1 == parts.len() && !matches!(value, NewValue::Table(_)) => {
                self.in_section(*section as usize, parts, value, style)
            }
            _ => self.as_section(table, parts, value, style),
        };
        let mut edited = layout::splice(text, vec![splice]);
        if text.len() == encoding::bom_length(text) && !style.ends_line {
            let length = edited.trim_end_matches(['\r', '\n']).len();
            edited.truncate(length);
        }
        edited
    }

    /// A further line behind the last one of a group of dotted keys.
    fn beside_dotted(&self, table: NodeId, parts: &[String], value: &NewValue, style: Style) -> Splice {
        let mut top = table;
        while matches!(
            self.tree.node(top).kind,
            Kind::Table {
                origin: Origin::Dotted,
                ..
            }
        ) {
            top = self.tree.node(top).parent;
        }
        let key = &parts[usize::from(self.tree.node(top).depth)..];
        let mut group = removal::statements(&self.tree, table);
        group.sort_by_key(|statement| statement.begin);
        let (begin, end) = group.last().map_or((0, 0), |last| (last.begin, last.end));
        let indentation = layout::indentation(&self.text, begin);
        let newline = layout::newline_or(&self.text, end, style.newline);
        let mut lines = Vec::new();
        flatten(&mut lines, key.to_vec(), value, &mut |key, value| {
            assignment(indentation, key, value, style.lines)
        });
        layout::insert_lines(&self.text, end, &join(&lines, newline), newline)
    }

    /// A line behind the last one of a section.
    fn in_section(&self, number: usize, parts: &[String], value: &NewValue, style: Style) -> Splice {
        let section = &self.tree.sections[number];
        let key = &parts[parts.len() - 1..];
        let has_statements = section.end as usize > section.header.end();
        if number == 0 && !has_statements {
            return self.before_all_sections(&assignment("", key, value, style.lines), style);
        }
        let indentation = layout::indentation(&self.text, section.last as usize);
        let line = assignment(indentation, key, value, style.lines);
        let end = section.end as usize;
        layout::insert_lines(&self.text, end, &line, layout::newline_or(&self.text, end, style.newline))
    }

    fn before_all_sections(&self, line: &str, style: Style) -> Splice {
        match self.tree.sections.get(1) {
            Some(first) => {
                let at = layout::before(&self.text, first.header.start());
                let newline = layout::newline_or(&self.text, at, style.newline);
                let mut insert = Zeroizing::new(String::with_capacity(line.len() + 4));
                for piece in [line, newline, newline] {
                    insert.push_str(piece);
                }
                Splice { range: at..at, insert }
            }
            None => layout::insert_lines(&self.text, self.text.len(), line, style.newline),
        }
    }

    /// A new section behind those it belongs to.
    fn as_section(&self, table: NodeId, parts: &[String], value: &NewValue, style: Style) -> Splice {
        let at = self.behind_relatives(table);
        let newline = layout::newline_or(&self.text, at.saturating_sub(1), style.newline);
        let mut sections = Vec::new();
        match value {
            NewValue::Table(entries) => write_sections(&mut sections, parts, entries, newline, style.lines),
            value => {
                let (parent, leaf) = parts.split_at(parts.len() - 1);
                sections.push(section(parent, vec![assignment("", leaf, value, style.lines)], newline));
            }
        }
        layout::insert_section(&self.text, at, &join(&sections, &[newline, newline].concat()), newline)
    }

    /// Behind the last section of a table, or of the nearest table above it that has one; else at the end.
    fn behind_relatives(&self, table: NodeId) -> usize {
        let mut relative = table;
        while relative != Tree::ROOT {
            let mut sections = self.tree.sections.iter().rev();
            if let Some(last) = sections.find(|section| removal::is_within(&self.tree, section.table, relative)) {
                return layout::behind(&self.text, last.end as usize);
            }
            relative = self.tree.node(relative).parent;
        }
        self.text.len()
    }
}

/// The sections of a table and of the tables in it.
fn write_sections(sections: &mut Vec<Zeroizing<String>>, path: &[String], entries: &[(String, NewValue)], newline: &str, lines: Lines) {
    let is_table = |value: &NewValue| matches!(value, NewValue::Table(_));
    let own = entries.iter().filter(|(_, value)| !is_table(value));
    let own: Vec<_> = own
        .map(|(name, value)| assignment("", std::slice::from_ref(name), value, lines))
        .collect();
    if !own.is_empty() || entries.is_empty() {
        sections.push(section(path, own, newline));
    }
    for (name, value) in entries {
        if let NewValue::Table(entries) = value {
            let path = [path, std::slice::from_ref(name)].concat();
            write_sections(sections, &path, entries, newline, lines);
        }
    }
}

/// A header with its lines.
fn section(path: &[String], lines: Vec<Zeroizing<String>>, newline: &str) -> Zeroizing<String> {
    let header = Zeroizing::new(format!("[{}]", spelling::dotted(path)));
    join(&[vec![header], lines].concat(), newline)
}

fn assignment(indentation: &str, key: &[String], value: &NewValue, lines: Lines) -> Zeroizing<String> {
    let key = spelling::dotted(key);
    let value = spelling::value(value, lines);
    let mut line = Zeroizing::new(String::with_capacity(indentation.len() + key.len() + value.len() + 3));
    for piece in [indentation, &key, " = ", &value] {
        line.push_str(piece);
    }
    line
}

/// A table as lines of dotted keys.
fn flatten(
    lines: &mut Vec<Zeroizing<String>>,
    key: Vec<String>,
    value: &NewValue,
    line: &mut dyn FnMut(&[String], &NewValue) -> Zeroizing<String>,
) {
    match value {
        NewValue::Table(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                let key = [key.as_slice(), std::slice::from_ref(name)].concat();
                flatten(lines, key, value, line);
            }
        }
        value => lines.push(line(&key, value)),
    }
}

fn join(pieces: &[Zeroizing<String>], between: &str) -> Zeroizing<String> {
    let length = pieces.iter().map(|piece| piece.len() + between.len()).sum();
    let mut joined = Zeroizing::new(String::with_capacity(length));
    for (index, piece) in pieces.iter().enumerate() {
        joined.push_str(if index > 0 { between } else { "" });
        joined.push_str(piece);
    }
    joined
}
