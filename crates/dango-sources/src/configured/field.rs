//! Edits of one field of a source. Adding and removing whole sources is in `edit`.

use std::ops::Range;

use dango_core::SourceName;

use super::edit::{as_map, expected_sources, verified};
use super::layout::{behind_colon, flow_part, indentation, insert_flow, insert_lines, line_break, line_end, line_start, value_end};
use super::{EditError, RESERVED, SourcesFile, field_names, refuse_secret};
use crate::Value;
use crate::yaml::{Member, Node, NodeKind, render, render_text};

impl SourcesFile {
    /// The text with a non-secret field of a source set: where it stands now, else in the section named by the type
    /// where earlier versions made one, else at the end of the entry.
    ///
    /// `sync` is set the same way, as text or as a list of words.
    ///
    /// # Errors
    ///
    /// [`EditError::Unknown`], [`EditError::Secret`], [`EditError::Reserved`] for `name` and `type`, and
    /// [`EditError::Layout`] or [`EditError::NotFaithful`] where the file must be edited by hand.
    pub fn set_field(&self, name: &SourceName, field: &str, value: &Value) -> Result<String, EditError> {
        let (.., items, index) = self.locate(name)?;
        refuse_secret(self.sources()[index].source_type(), field)?;
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
