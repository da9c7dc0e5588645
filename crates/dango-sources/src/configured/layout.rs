//! Lines, indentation and gaps in a YAML text: where an edit may begin and end, and how its text is put in. Knows no sources.

use std::ops::Range;

use crate::Value;
use crate::yaml::{Member, Node, NodeKind, render, render_text};

/// The text's own line break: its first one.
pub(super) fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Where the line begins that an offset lies in; a byte order mark is no part of the first line.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    text[..at].rfind('\n').map_or(first, |newline| newline + 1)
}

/// Where the line ends whose last value ends at an offset: behind the line break, or the end of the text.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    // A block scalar already ends behind its last line break.
    if text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// How far an offset is indented, or `None` where more than blanks stand before it on its line.
pub(super) fn indentation(text: &str, at: usize) -> Option<usize> {
    let before = &text[line_start(text, at)..at];
    before.bytes().all(|byte| byte == b' ').then_some(before.len())
}

/// Behind the lines of a block that ends at an offset, and the comments behind it that are indented deeper than `column`.
pub(super) fn block_end(text: &str, at: usize, column: usize) -> usize {
    let mut end = line_end(text, at);
    for line in text[end..].split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if !content.starts_with('#') || line.len() - content.len() <= column {
            break;
        }
        end += line.len();
    }
    end
}

/// The offset of the next character that is neither white space nor in a comment.
pub(super) fn next_token(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        at += blank;
        if !text[at..].starts_with('#') {
            return at;
        }
        at += text[at..].find('\n').unwrap_or(text.len() - at);
    }
}

/// The offset behind the `:` of a member, or `None` where it has none of its own.
pub(super) fn behind_colon(text: &str, member: &Member) -> Option<usize> {
    let rest = &text[member.key_end..];
    let colon = member.key_end + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    text[colon..].starts_with(':').then_some(colon + 1)
}

/// The offset behind the last character of a value, without the line breaks that a block scalar counts in.
pub(super) fn value_end(text: &str, value: &Node) -> usize {
    text[..value.end].trim_end_matches(['\n', '\r', ' ', '\t']).len().max(value.start)
}

/// Whether the lines between two offsets leave one empty.
pub(super) fn has_empty_line(text: &str, from: usize, to: usize) -> bool {
    text[from..to]
        .split_inclusive('\n')
        .any(|line| line.ends_with('\n') && line.trim().is_empty())
}

pub(super) fn block_item(members: &[(String, Value)], column: usize, offset: usize, line_break: &str) -> String {
    let mut lines = String::new();
    for (index, (key, value)) in members.iter().enumerate() {
        let lead = if index == 0 { "-" } else { "" };
        lines.push_str(&" ".repeat(column));
        lines.push_str(&format!("{lead:<offset$}{}: {}{line_break}", render_text(key), render(value)));
    }
    lines
}

/// Inserts whole lines. A text that ends without a line break goes on doing so.
pub(super) fn insert_lines(text: &str, at: usize, lines: &str) -> String {
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
pub(super) fn insert_flow(text: &str, collection: &Node, new: &str) -> String {
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
pub(super) fn flow_part(parts: impl Iterator<Item = Range<usize>>, index: usize) -> Range<usize> {
    let parts: Vec<Range<usize>> = parts.collect();
    match (parts.get(index + 1), index.checked_sub(1)) {
        (Some(next), _) => parts[index].start..next.start,
        (None, Some(previous)) => parts[previous].end..parts[index].end,
        (None, None) => parts[index].clone(),
    }
}

pub(super) fn ends_with_empty_line(text: &str) -> bool {
    text.ends_with("\n\n") || text.ends_with("\n\r\n")
}

pub(super) fn skip_empty_lines(text: &str, from: usize) -> usize {
    let empty = text[from..]
        .split_inclusive('\n')
        .take_while(|line| line.ends_with('\n') && line.trim().is_empty());
    from + empty.map(str::len).sum::<usize>()
}
