//! Edits of `sources.yml`: one splice in the text, then the whole text is read again and compared.

use std::ops::Range;

use dango_core::{SourceName, SourceType};

use super::layout::{behind_colon, block_end, has_empty_line, indentation, line_break, line_end, line_start, next_token, value_end};
use super::{RESERVED, SourcesError, SourcesFile, field_names, is_null};
use crate::yaml::{Member, Node, NodeKind, render, render_text};
use crate::{SyncCommand, Value};

/// A source that is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// Its name, which no other source has.
    pub name: SourceName,
    /// Its type.
    pub source_type: SourceType,
    /// Its non-secret fields, in the order they are to stand.
    pub fields: Vec<(String, Value)>,
    /// The command that loads it.
    pub sync: Option<SyncCommand>,
}

/// Why `sources.yml` was not edited; the text stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A source of that name is there already.
    #[error("there is already a source named {name} on line {line}")]
    Exists {
        /// The name.
        name: SourceName,
        /// Its line, counted from 1.
        line: usize,
    },
    /// No source of that name is there.
    #[error("there is no source named {name}")]
    Unknown {
        /// The name.
        name: SourceName,
    },
    /// The source has no such field.
    #[error("{name} has no field of that name")]
    NoField {
        /// The source.
        name: SourceName,
    },
    /// A field with the name of a member that every source has, or one given twice.
    #[error("`{field}` cannot be set as a field")]
    Reserved {
        /// The member.
        field: String,
    },
    /// The text is laid out in a way that this edit does not know; it has to be made by hand.
    #[error("line {line}: the layout here is one that is only edited by hand")]
    Layout {
        /// The line, counted from 1.
        line: usize,
    },
    /// The edited text would not say what was asked for.
    #[error("the edited text would not read back as it should, so nothing was changed")]
    NotFaithful {
        /// What reading it back said, where it could not be read at all.
        #[source]
        source: Option<SourcesError>,
    },
}

impl EditError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "source_exists",
            Self::Unknown { .. } => "source_unknown",
            Self::NoField { .. } => "source_no_field",
            Self::Reserved { .. } => "source_reserved",
            Self::Layout { .. } => "source_layout",
            Self::NotFaithful { .. } => "source_not_faithful",
        }
    }
}

impl NewSource {
    fn members(&self) -> Result<Vec<(String, Value)>, EditError> {
        let mut members = vec![
            ("name".to_owned(), Value::String(self.name.to_string())),
            ("type".to_owned(), Value::String(self.source_type.to_string())),
        ];
        let sync = self.sync.iter().map(|sync| ("sync".to_owned(), sync.to_value()));
        for (field, value) in self.fields.iter().cloned().chain(sync) {
            if members.iter().any(|(name, _)| *name == field) {
                return Err(EditError::Reserved { field });
            }
            members.push((field, value));
        }
        Ok(members)
    }
}

impl SourcesFile {
    /// The text with a source added behind the others, in the file's own indentation and line breaks.
    ///
    /// # Errors
    ///
    /// [`EditError::Exists`], [`EditError::Reserved`] for a field given twice or named like a member of every source, and
    /// [`EditError::Layout`] or [`EditError::NotFaithful`] where the file must be edited by hand.
    pub fn add(&self, source: &NewSource) -> Result<String, EditError> {
        if let Some(existing) = self.find(&source.name) {
            return Err(EditError::Exists {
                name: source.name.clone(),
                line: existing.line(),
            });
        }
        let members = source.members()?;
        let text = self.add_text(&members)?;
        let added = Value::Map(members);
        let mut expected = self.value();
        if let Value::Null = expected {
            expected = Value::Map(Vec::new());
        }
        if let Value::Map(root) = &mut expected {
            match root.iter_mut().find(|(key, _)| key == "sources") {
                Some((_, Value::List(items))) => items.push(added),
                Some((_, value)) => *value = Value::List(vec![added]),
                None => root.push(("sources".to_owned(), Value::List(vec![added]))),
            }
        }
        verified(text, &expected)
    }

    fn add_text(&self, members: &[(String, Value)]) -> Result<String, EditError> {
        let text = &self.text;
        let flow = || render(&Value::Map(members.to_vec()));
        let root = match &self.root {
            Some(root) if !is_null(root) => root,
            _ => {
                let lines = format!("sources:{}{}", line_break(text), block_item(members, 2, 2, line_break(text)));
                return Ok(insert_lines(text, text.len(), &lines));
            }
        };
        let Some(member) = root.member("sources") else {
            if root.is_flow() {
                let new = format!("{}: [{}]", render_text("sources"), flow());
                return Ok(insert_flow(text, root, &new));
            }
            let column = indentation(text, root.start).ok_or_else(|| self.layout(root.start))?;
            let lines = block_item(members, column + 2, 2, line_break(text));
            let lines = format!("{}sources:{}{lines}", " ".repeat(column), line_break(text));
            return Ok(insert_lines(text, text.len(), &lines));
        };
        let list = &member.value;
        match &list.kind {
            NodeKind::Sequence { items, flow: false } => {
                let last = self.entry(list, member, items.len().saturating_sub(1))?;
                let gap = match items.len() {
                    0 | 1 => false,
                    // Empty lines at the end of the last item may be a part of its text.
                    _ if ends_with_empty_line(&text[..last.end]) => false,
                    count => has_empty_line(text, line_end(text, items[count - 2].end), last.dash),
                };
                let empty = if gap { line_break(text) } else { "" };
                let lines = format!("{empty}{}", block_item(members, last.column, last.offset, line_break(text)));
                Ok(insert_lines(text, last.end, &lines))
            }
            NodeKind::Sequence { items, .. } => {
                let slice = &text[list.start..list.end];
                let bare = slice
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .trim_matches([' ', '\t'])
                    .is_empty();
                if items.is_empty() && bare && !root.is_flow() {
                    return self.fill_empty_list(member, Some(list.start..list.end), members);
                }
                Ok(insert_flow(text, list, &flow()))
            }
            NodeKind::Scalar { implied, .. } if !root.is_flow() => {
                self.fill_empty_list(member, (!implied).then_some(list.start..list.end), members)
            }
            _ => Err(self.layout(list.start)),
        }
    }

    /// Writes the first item behind `sources:`, in place of the `[]` or `null` that stood there.
    fn fill_empty_list(&self, member: &Member, instead_of: Option<Range<usize>>, members: &[(String, Value)]) -> Result<String, EditError> {
        let text = &self.text;
        let column = indentation(text, member.key_start).ok_or_else(|| self.layout(member.key_start))?;
        let colon = behind_colon(text, member).ok_or_else(|| self.layout(member.key_start))?;
        let mut bare = text.clone();
        let mut at = colon;
        if let Some(range) = instead_of {
            if !text[colon..range.start].trim_matches([' ', '\t']).is_empty() {
                return Err(self.layout(range.start));
            }
            bare.replace_range(colon..range.end, "");
        }
        at = block_end(&bare, at, column);
        Ok(insert_lines(&bare, at, &block_item(members, column + 2, 2, line_break(text))))
    }

    /// The text without a source; comments above its entry stay.
    ///
    /// # Errors
    ///
    /// [`EditError::Unknown`], and [`EditError::Layout`] or [`EditError::NotFaithful`] where the file must be edited by hand.
    pub fn remove(&self, name: &SourceName) -> Result<String, EditError> {
        let (member, list, items, index) = self.locate(name)?;
        let text = &self.text;
        let mut edited = text.clone();
        if list.is_flow() {
            edited.replace_range(flow_part(items.iter().map(|item| item.start..item.end), index), "");
        } else {
            let entry = self.entry(list, member, index)?;
            let mut end = entry.end;
            if ends_with_empty_line(&text[..entry.start]) {
                end = skip_empty_lines(text, end);
            }
            edited.replace_range(entry.start..end, "");
            if items.len() == 1 {
                let colon = behind_colon(text, member).ok_or_else(|| self.layout(member.key_start))?;
                edited.insert_str(colon, " []");
            }
        }
        let mut expected = self.value();
        if let Some(items) = expected_sources(&mut expected) {
            items.remove(index);
        }
        verified(edited, &expected)
    }

    /// The text with a non-secret field of a source set: where it stands now, else in the section named by the type
    /// where earlier versions made one, else at the end of the entry.
    ///
    /// `sync` is set the same way, as text or as a list of words.
    ///
    /// # Errors
    ///
    /// [`EditError::Unknown`], [`EditError::Reserved`] for `name` and `type`, and [`EditError::Layout`] or
    /// [`EditError::NotFaithful`] where the file must be edited by hand.
    pub fn set_field(&self, name: &SourceName, field: &str, value: &Value) -> Result<String, EditError> {
        let (.., items, index) = self.locate(name)?;
        let place = self.field_place(&items[index], field)?;
        let text = match place.mapping(&items[index]).and_then(|mapping| mapping.member(place.key)) {
            Some(member) => self.replace_value(member, value)?,
            None => match place.mapping(&items[index]) {
                Some(mapping) => self.append_member(mapping, place.key, value)?,
                None => return Err(self.layout(items[index].start)),
            },
        };
        let mut expected = self.value();
        if let Some(members) = place.expected(&mut expected, index) {
            match members.iter_mut().find(|(key, _)| key == place.key) {
                Some((_, old)) => *old = value.clone(),
                None => members.push((place.key.to_owned(), value.clone())),
            }
        }
        verified(text, &expected)
    }

    /// The text without a field of a source.
    ///
    /// # Errors
    ///
    /// [`EditError::Unknown`], [`EditError::NoField`], [`EditError::Reserved`] for `name` and `type`, and [`EditError::Layout`]
    /// or [`EditError::NotFaithful`] where the file must be edited by hand.
    pub fn unset_field(&self, name: &SourceName, field: &str) -> Result<String, EditError> {
        let (.., items, index) = self.locate(name)?;
        let mut place = self.field_place(&items[index], field)?;
        let no_field = || EditError::NoField { name: name.clone() };
        let mut mapping = place.mapping(&items[index]).ok_or_else(no_field)?;
        let mut members = mapping.members().ok_or_else(no_field)?;
        let mut at = members.iter().position(|member| member.key == place.key).ok_or_else(no_field)?;
        if let (1, Some(section)) = (members.len(), place.section) {
            // An emptied section would become a null, so the section goes, too.
            place = FieldPlace {
                section: None,
                key: section,
            };
            mapping = &items[index];
            members = mapping.members().ok_or_else(no_field)?;
            at = members.iter().position(|member| member.key == section).ok_or_else(no_field)?;
        }
        let mut edited = self.text.clone();
        edited.replace_range(self.member_range(mapping, members, at)?, "");
        let mut expected = self.value();
        if let Some(members) = place.expected(&mut expected, index) {
            members.retain(|(key, _)| key != place.key);
        }
        verified(edited, &expected)
    }

    fn value(&self) -> Value {
        self.root.as_ref().map_or(Value::Null, Node::to_value)
    }

    fn layout(&self, at: usize) -> EditError {
        EditError::Layout {
            line: self.text[..at].matches('\n').count() + 1,
        }
    }

    fn locate(&self, name: &SourceName) -> Result<(&Member, &Node, &[Node], usize), EditError> {
        let unknown = || EditError::Unknown { name: name.clone() };
        let index = self.sources.iter().position(|source| source.name == *name).ok_or_else(unknown)?;
        let member = self.root.as_ref().and_then(|root| root.member("sources")).ok_or_else(unknown)?;
        match &member.value.kind {
            NodeKind::Sequence { items, .. } => Ok((member, &member.value, items, index)),
            _ => Err(unknown()),
        }
    }

    /// The lines of an item of a block list.
    fn entry(&self, list: &Node, member: &Member, index: usize) -> Result<Entry, EditError> {
        let text = &self.text;
        let NodeKind::Sequence { items, .. } = &list.kind else {
            return Err(self.layout(list.start));
        };
        let before = match index.checked_sub(1) {
            Some(previous) => line_end(text, items[previous].end),
            None => behind_colon(text, member).ok_or_else(|| self.layout(member.key_start))?,
        };
        let dash = next_token(text, before);
        let column = indentation(text, dash).filter(|_| text[dash..].starts_with('-'));
        let column = column.ok_or_else(|| self.layout(dash))?;
        let item = &items[index];
        let offset = if text[dash..item.start].contains('\n') {
            2
        } else {
            item.start - dash
        };
        Ok(Entry {
            start: line_start(text, dash),
            dash,
            column,
            offset,
            end: block_end(text, item.end, column),
        })
    }

    fn field_place<'f>(&self, entry: &'f Node, field: &'f str) -> Result<FieldPlace<'f>, EditError> {
        if matches!(field, "name" | "type") {
            return Err(EditError::Reserved { field: field.to_owned() });
        }
        let beside = |key| FieldPlace { section: None, key };
        if RESERVED.contains(&field) {
            return Ok(beside(field));
        }
        let Some(source_type) = entry.member("type").map(|member| member.value.to_value()) else {
            return Ok(beside(field));
        };
        let names = match source_type.as_text().and_then(|text| text.parse().ok()) {
            Some(source_type) => field_names(&source_type, field),
            None => vec![field],
        };
        let found = |mapping: &Node| names.iter().copied().find(|name| mapping.member(name).is_some());
        if let Some(key) = found(entry).filter(|key| !RESERVED.contains(key)) {
            return Ok(beside(key));
        }
        let section = entry
            .members()
            .into_iter()
            .flatten()
            .find(|member| source_type.as_text() == Some(member.key.as_str()) && member.value.members().is_some());
        Ok(match section {
            Some(section) => FieldPlace {
                section: Some(&section.key),
                key: found(&section.value).unwrap_or(field),
            },
            None => beside(field),
        })
    }

    fn replace_value(&self, member: &Member, value: &Value) -> Result<String, EditError> {
        let text = &self.text;
        let colon = behind_colon(text, member).ok_or_else(|| self.layout(member.key_start))?;
        let mut edited = text.clone();
        if matches!(member.value.kind, NodeKind::Scalar { implied: true, .. }) {
            edited.insert_str(colon, &format!(" {}", render(value)));
            return Ok(edited);
        }
        let end = value_end(text, &member.value);
        let gap = text.get(colon..member.value.start).unwrap_or_default();
        if !gap.is_empty() && gap.bytes().all(|byte| byte == b' ' || byte == b'\t') {
            edited.replace_range(member.value.start..end, &render(value));
        } else {
            edited.replace_range(colon..end, &format!(" {}", render(value)));
        }
        Ok(edited)
    }

    fn append_member(&self, mapping: &Node, key: &str, value: &Value) -> Result<String, EditError> {
        let new = format!("{}: {}", render_text(key), render(value));
        if mapping.is_flow() {
            return Ok(insert_flow(&self.text, mapping, &new));
        }
        let first = mapping
            .members()
            .and_then(<[Member]>::first)
            .ok_or_else(|| self.layout(mapping.start))?;
        let column = first.key_start - line_start(&self.text, first.key_start);
        let line = format!("{}{new}{}", " ".repeat(column), line_break(&self.text));
        Ok(insert_lines(&self.text, line_end(&self.text, mapping.end), &line))
    }

    fn member_range(&self, mapping: &Node, members: &[Member], index: usize) -> Result<Range<usize>, EditError> {
        let text = &self.text;
        let member = &members[index];
        let end = |member: &Member| match member.value.kind {
            NodeKind::Scalar { implied: true, .. } => member.key_end,
            _ => member.value.end,
        };
        if mapping.is_flow() {
            return Ok(flow_part(members.iter().map(|member| member.key_start..end(member)), index));
        }
        if indentation(text, member.key_start).is_some() {
            return Ok(line_start(text, member.key_start)..line_end(text, end(member)));
        }
        // It stands on the line of the dash: the next member moves up to it.
        match members.get(index + 1) {
            Some(next) => Ok(member.key_start..next.key_start),
            None => Err(self.layout(member.key_start)),
        }
    }
}

/// The lines of one item: from its dash to behind its last line and the comments that belong to it.
struct Entry {
    start: usize,
    dash: usize,
    column: usize,
    offset: usize,
    end: usize,
}

/// Where a field of an entry stands or is to stand.
struct FieldPlace<'f> {
    section: Option<&'f str>,
    key: &'f str,
}

impl FieldPlace<'_> {
    fn mapping<'n>(&self, entry: &'n Node) -> Option<&'n Node> {
        match self.section {
            Some(section) => Some(&entry.member(section)?.value),
            None => Some(entry),
        }
    }

    fn expected<'v>(&self, root: &'v mut Value, index: usize) -> Option<&'v mut Vec<(String, Value)>> {
        let entry = as_map(expected_sources(root)?.get_mut(index)?)?;
        match self.section {
            Some(section) => as_map(entry.iter_mut().find(|(key, _)| key == section).map(|(_, value)| value)?),
            None => Some(entry),
        }
    }
}

fn expected_sources(root: &mut Value) -> Option<&mut Vec<Value>> {
    as_map(root)?.iter_mut().find_map(|(key, value)| match value {
        Value::List(items) if key == "sources" => Some(items),
        _ => None,
    })
}

fn as_map(value: &mut Value) -> Option<&mut Vec<(String, Value)>> {
    match value {
        Value::Map(members) => Some(members),
        _ => None,
    }
}

/// Passes an edited text on only if it reads back as exactly the value that was asked for.
fn verified(text: String, expected: &Value) -> Result<String, EditError> {
    match SourcesFile::parse(&text) {
        Ok(file) if file.value() == *expected => Ok(text),
        Ok(_) => Err(EditError::NotFaithful { source: None }),
        Err(source) => Err(EditError::NotFaithful { source: Some(source) }),
    }
}

fn block_item(members: &[(String, Value)], column: usize, offset: usize, line_break: &str) -> String {
    let mut lines = String::new();
    for (index, (key, value)) in members.iter().enumerate() {
        let lead = if index == 0 { "-" } else { "" };
        lines.push_str(&" ".repeat(column));
        lines.push_str(&format!("{lead:<offset$}{}: {}{line_break}", render_text(key), render(value)));
    }
    lines
}

/// Inserts whole lines. A text that ends without a line break goes on doing so.
fn insert_lines(text: &str, at: usize, lines: &str) -> String {
    let mut edited = text.to_owned();
    if at == text.len() && !text.is_empty() && text != "\u{feff}" && !text.ends_with('\n') {
        edited.push_str(line_break(text));
        edited.push_str(lines.trim_end_matches(['\r', '\n']));
    } else {
        edited.insert_str(at, lines);
    }
    edited
}

/// Inserts a last part into a list or mapping in brackets.
fn insert_flow(text: &str, collection: &Node, new: &str) -> String {
    let last = match &collection.kind {
        NodeKind::Sequence { items, .. } => items.last().map(|item| item.end),
        NodeKind::Mapping { members, .. } => members.last().map(|member| member.value.end.max(member.key_end)),
        NodeKind::Scalar { .. } => None,
    };
    let mut edited = text.to_owned();
    match last {
        Some(end) => edited.insert_str(end, &format!(", {new}")),
        None => edited.insert_str(collection.start + 1, new),
    }
    edited
}

/// The bytes of one part between brackets, with one of the commas beside it.
fn flow_part(parts: impl Iterator<Item = Range<usize>>, index: usize) -> Range<usize> {
    let parts: Vec<Range<usize>> = parts.collect();
    match (parts.get(index + 1), index.checked_sub(1)) {
        (Some(next), _) => parts[index].start..next.start,
        (None, Some(previous)) => parts[previous].end..parts[index].end,
        (None, None) => parts[index].clone(),
    }
}

fn ends_with_empty_line(text: &str) -> bool {
    text.ends_with("\n\n") || text.ends_with("\n\r\n")
}

fn skip_empty_lines(text: &str, from: usize) -> usize {
    let empty = text[from..]
        .split_inclusive('\n')
        .take_while(|line| line.ends_with('\n') && line.trim().is_empty());
    from + empty.map(str::len).sum::<usize>()
}
