//! What goes from the text when a value or a table is unset; the edit itself is in `edit`.

use std::ops::Range;

use super::tree::{Kind, NodeId, Origin, Tree};
use super::{inline, layout};

/// One `key = value`, on a line or in an inline table.
pub(super) struct Statement {
    pub(super) id: NodeId,
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// The statements that give a table its keys, those of its dotted keys included, those below other headers not.
///
/// A value is its own statement.
pub(super) fn statements(tree: &Tree, id: NodeId) -> Vec<Statement> {
    let mut found = Vec::new();
    match &tree.node(id).kind {
        Kind::Inline { children, .. } | Kind::Table { children, .. } => {
            for &child in children.ids() {
                collect(tree, child, &mut found);
            }
        }
        _ => collect(tree, id, &mut found),
    }
    found
}

fn collect(tree: &Tree, id: NodeId, found: &mut Vec<Statement>) {
    let node = tree.node(id);
    match &node.kind {
        Kind::Scalar { span, .. } | Kind::Array { span, .. } | Kind::Inline { span, .. } => found.push(Statement {
            id,
            begin: node.begin as usize,
            end: span.end(),
        }),
        // Below an implied table there are headers, and dotted keys only once it is dotted itself.
        Kind::Table {
            origin: Origin::Dotted,
            children,
        } => {
            for &child in children.ids() {
                collect(tree, child, found);
            }
        }
        Kind::Table { .. } | Kind::Tables { .. } => {}
    }
}

/// The parts of the text that make a node, to be left out.
pub(super) fn ranges(text: &str, tree: &Tree, id: NodeId) -> Vec<Range<usize>> {
    let node = tree.node(id);
    if let Some(table) = inline::enclosing(tree, node.parent) {
        let gone: Vec<NodeId> = match node.kind {
            Kind::Table { .. } => statements(tree, id),
            _ => own(tree, id),
        }
        .iter()
        .map(|statement| statement.id)
        .collect();
        return inline::removed(text, tree, table, &gone);
    }
    let lines = |statement: Statement| layout::whole_lines(text, statement.begin, statement.end);
    if !matches!(node.kind, Kind::Table { .. } | Kind::Tables { .. }) {
        return own(tree, id).into_iter().map(lines).collect();
    }
    let sections = tree.sections.iter().filter(|section| is_within(tree, section.table, id));
    let mut ranges: Vec<_> = sections
        .map(|section| layout::whole_lines(text, section.header.start(), section.end as usize))
        .collect();
    if matches!(node.kind, Kind::Table { .. }) {
        ranges.extend(dotted_below(tree, id).into_iter().map(lines));
    }
    ranges
}

fn own(tree: &Tree, id: NodeId) -> Vec<Statement> {
    let mut found = Vec::new();
    collect(tree, id, &mut found);
    found
}

/// The statements below a table that has no header of its own.
fn dotted_below(tree: &Tree, id: NodeId) -> Vec<Statement> {
    match tree.node(id).kind {
        Kind::Table {
            origin: Origin::Dotted, ..
        } => own(tree, id),
        _ => Vec::new(),
    }
}

/// Whether a node is `ancestor` or lies below it.
pub(super) fn is_within(tree: &Tree, id: NodeId, ancestor: NodeId) -> bool {
    let mut at = id;
    // A child is always made after its table.
    while at > ancestor {
        at = tree.node(at).parent;
    }
    at == ancestor
}
