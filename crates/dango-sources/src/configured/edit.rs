//! Sources added to `sources.yml` and removed from it: one splice in the text, then the whole text is read again and compared.

use std::ops::Range;

use dango_core::{SourceName, SourceType};

use super::layout::{
    behind_colon, block_end, block_item, ends_with_empty_line, flow_part, has_empty_line, indentation, insert_flow, insert_lines,
    line_break, line_end, line_start, next_token, skip_empty_lines,
};
use super::{EditError, SourcesFile, is_null, refuse_secret};
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

impl NewSource {
    fn members(&self) -> Result<Vec<(String, Value)>, EditError> {
        let mut members = vec![
            ("name".to_owned(), Value::String(self.name.to_string())),
            ("type".to_owned(), Value::String(self.source_type.to_string())),
        ];
        let sync = self.sync.iter().map(|sync| ("sync".to_owned(), sync.to_value()));
        for (field, value) in self.fields.iter().cloned().chain(sync) {
            refuse_secret(&self.source_type, &field)?;
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
    /// [`EditError::Exists`], [`EditError::Secret`], [`EditError::Reserved`] for a field given twice or named like a member of every source, and
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
        // A tag or an anchor that stands alone would become that of the list.
        if bare[next_token(&bare, colon)..].starts_with(['!', '&']) {
            return Err(self.layout(colon));
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

    pub(super) fn value(&self) -> Value {
        self.root.as_ref().map_or(Value::Null, Node::to_value)
    }

    pub(super) fn layout(&self, at: usize) -> EditError {
        EditError::Layout {
            line: self.text[..at].matches('\n').count() + 1,
        }
    }

    pub(super) fn locate(&self, name: &SourceName) -> Result<(&Member, &Node, &[Node], usize), EditError> {
        let unknown = || EditError::Unknown { name: name.clone() };
        let index = self.places.get(name).copied().ok_or_else(unknown)?;
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
}

/// The lines of one item: from its dash to behind its last line and the comments that belong to it.
struct Entry {
    start: usize,
    dash: usize,
    column: usize,
    offset: usize,
    end: usize,
}

pub(super) fn expected_sources(root: &mut Value) -> Option<&mut Vec<Value>> {
    as_map(root)?.iter_mut().find_map(|(key, value)| match value {
        Value::List(items) if key == "sources" => Some(items),
        _ => None,
    })
}

pub(super) fn as_map(value: &mut Value) -> Option<&mut Vec<(String, Value)>> {
    match value {
        Value::Map(members) => Some(members),
        _ => None,
    }
}

/// Passes an edited text on only if it reads back as exactly the value that was asked for.
pub(super) fn verified(text: String, expected: &Value) -> Result<String, EditError> {
    match SourcesFile::parse(&text) {
        Ok(file) if file.value() == *expected => Ok(text),
        Ok(_) => Err(EditError::NotFaithful { source: None }),
        Err(source) => Err(EditError::NotFaithful { source: Some(source) }),
    }
}
