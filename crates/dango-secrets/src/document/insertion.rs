//! Where a new key goes, and the text with it there; whether it may go there is decided in `edit`.

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::layout::{self, Splice};
use super::new_value::NewValue;
use super::spelling::{self, Lines};
use super::tree::{Kind, NodeId, Origin, Tree};
use super::{SecretsDocument, encoding, inline, removal};

/// What a file's own lines look like.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) lines: Lines,
    newline: &'static str,
    /// Whether the file's last line is ended.
    ends_line: bool,
}

impl SecretsDocument {
    pub(super) fn style(&self) -> Style {
        let has_crlf = self.text.contains("\r\n");
        Style {
            // In a file with CRLF no value may bring a lone LF.
            lines: if has_crlf { Lines::One } else { Lines::Many },
            newline: layout::newline(&self.text, 0),
            ends_line: self.text.ends_with('\n') || self.text.len() == encoding::bom_length(&self.text),
        }
    }

    /// The text with a key that is missing: the first `known` parts of its path lead to `table`.
    pub(super) fn with_new(&self, path: &CredentialPath, table: NodeId, known: usize, value: &NewValue, style: Style) -> Zeroizing<String> {
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
