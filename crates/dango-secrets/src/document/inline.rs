//! Entries of inline tables put in and taken out, with their commas; statements on lines of their own are not here.

use std::ops::Range;

use super::layout::{self, Splice};
use super::removal::statements;
use super::tree::{Kind, NodeId, Tree};

/// The inline table that a node lies in, if it does; the node itself counts.
pub(super) fn enclosing(tree: &Tree, id: NodeId) -> Option<NodeId> {
    let mut at = id;
    while at != Tree::ROOT {
        if matches!(tree.node(at).kind, Kind::Inline { .. }) {
            return Some(at);
        }
        at = tree.node(at).parent;
    }
    None
}

/// One `key = value` of an inline table.
struct Element {
    range: Range<usize>,
    /// Where its comma is, if one follows.
    comma: Option<usize>,
    removed: bool,
}

impl Element {
    /// Where it ends, its comma included.
    fn end(&self) -> usize {
        self.comma.map_or(self.range.end, |comma| comma + 1)
    }
}

fn elements(text: &str, tree: &Tree, table: NodeId, removed: &[NodeId]) -> Vec<Element> {
    let mut own = statements(tree, table);
    own.sort_by_key(|statement| statement.begin);
    own.into_iter()
        .map(|statement| {
            let next = skip(text, statement.end);
            Element {
                range: statement.begin..statement.end,
                comma: text[next..].starts_with(',').then_some(next),
                removed: removed.contains(&statement.id),
            }
        })
        .collect()
}

/// Skips blanks, line ends and comments.
fn skip(text: &str, mut at: usize) -> usize {
    loop {
        at = text.len() - text[at..].trim_start_matches([' ', '\t', '\r', '\n']).len();
        if !text[at..].starts_with('#') {
            return at;
        }
        at = layout::line_end(text, at);
    }
}

/// The edit that adds `entry` at the end of an inline table.
pub(super) fn insert(text: &str, tree: &Tree, table: NodeId, entry: &str) -> Vec<Splice> {
    let Kind::Inline { span, .. } = &tree.node(table).kind else {
        return Vec::new();
    };
    let Some(last) = elements(text, tree, table, &[]).pop() else {
        let inner = &text[span.start() + 1..span.end() - 1];
        let gap = match inner.find('\n') {
            Some(_) => format!("{}{}  ", layout::newline(text, span.start()), line_indentation(text, span.start())),
            None => inner.to_owned(),
        };
        return vec![Splice::insert(span.start() + 1, [&gap, entry].concat())];
    };
    let end = last.end();
    let rest_of_line = skip_on_line(text, end);
    let is_on_lines = text[rest_of_line..].starts_with(['\r', '\n']);
    if !is_on_lines {
        return vec![Splice::insert(
            end,
            match last.comma {
                Some(_) => format!(" {entry},"),
                None => format!(", {entry}"),
            },
        )];
    }
    let gap = format!("{}{}", layout::newline(text, end), line_indentation(text, last.range.start));
    match last.comma {
        Some(_) => vec![Splice::insert(rest_of_line, format!("{gap}{entry},"))],
        None => vec![
            Splice::insert(end, ",".to_owned()),
            Splice::insert(rest_of_line, format!("{gap}{entry}")),
        ],
    }
}

fn line_indentation(text: &str, at: usize) -> &str {
    let line = &text[layout::line_start(text, at)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Skips blanks and a comment up to the end of the line.
fn skip_on_line(text: &str, at: usize) -> usize {
    let blank = text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    let at = at + blank;
    if !text[at..].starts_with('#') {
        return at;
    }
    at + text[at..]
        .find('\n')
        .map_or(text.len() - at, |end| text[at..at + end].trim_end_matches('\r').len())
}

/// What goes when some entries of an inline table do: each with one comma, and its lines where it has them to itself.
pub(super) fn removed(text: &str, tree: &Tree, table: NodeId, removed: &[NodeId]) -> Vec<Range<usize>> {
    let elements = elements(text, tree, table, removed);
    let mut ranges = Vec::new();
    for (index, element) in elements.iter().enumerate().filter(|(_, element)| element.removed) {
        ranges.push(own_range(text, element, elements[index + 1..].iter().any(|next| !next.removed)));
        // The last entry has no comma of its own, so the one before it goes.
        let kept = elements[..index].iter().rev().find(|previous| !previous.removed);
        if element.comma.is_none()
            && let Some(comma) = kept.and_then(|previous| previous.comma)
        {
            ranges.push(comma..comma + 1);
        }
    }
    ranges
}

fn own_range(text: &str, element: &Element, is_followed: bool) -> Range<usize> {
    let Range { start, .. } = element.range;
    let end = element.end();
    let line = layout::line_start(text, start);
    let rest_of_line = skip_on_line(text, end);
    let begins_line = text[line..start].trim_matches([' ', '\t']).is_empty();
    if begins_line && line > 0 && text[rest_of_line..].starts_with(['\r', '\n']) {
        return line..layout::line_end(text, rest_of_line);
    }
    if is_followed {
        let blanks = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
        return start..end + blanks;
    }
    let before = text[..start].trim_end_matches([' ', '\t']).len();
    before..end
}
