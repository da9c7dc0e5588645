//! Values out of the tree: one by its path, or all of them in the order of the file.

use dango_core::CredentialPath;

use super::scalar;
use super::tree::{Found, Kind, NodeId, Tree};
use crate::Value;

/// One value with its place.
#[derive(Clone)]
pub struct Entry {
    /// Where it is.
    pub path: CredentialPath,
    /// What it is; never a table.
    pub value: Value,
}

/// The value or table at a path.
pub(super) fn value_at(text: &str, tree: &Tree, path: &CredentialPath) -> Option<Value> {
    match tree.find(text, path.parts()) {
        Found::Node(id) => Some(value(text, tree, id)),
        _ => None,
    }
}

/// Decodes a node and what is below it; the tree's depth is bounded.
pub(super) fn value(text: &str, tree: &Tree, id: NodeId) -> Value {
    match &tree.node(id).kind {
        Kind::Scalar { span, form } => scalar::value(&text[span.range()], *form),
        Kind::Array { items, .. } | Kind::Tables { elements: items } => {
            Value::Array(items.iter().map(|&item| value(text, tree, item)).collect())
        }
        Kind::Inline { children, .. } | Kind::Table { children, .. } => Value::Table(
            children
                .ids()
                .iter()
                .map(|&child| (tree.node(child).key.name(text).to_owned(), value(text, tree, child)))
                .collect(),
        ),
    }
}

/// Every value that is no table and not inside an array, in the order of the file.
pub(super) fn entries(text: &str, tree: &Tree) -> Vec<Entry> {
    tree.ids()
        .filter(|&id| matches!(tree.node(id).kind, Kind::Scalar { .. } | Kind::Array { .. } | Kind::Tables { .. }))
        .filter(|&id| !is_in_array(tree, id))
        .filter_map(|id| {
            let path = tree.path(text, id)?;
            Some(Entry {
                path,
                value: value(text, tree, id),
            })
        })
        .collect()
}

fn is_in_array(tree: &Tree, mut id: NodeId) -> bool {
    while id != Tree::ROOT {
        if tree.is_element(id) {
            return true;
        }
        id = tree.node(id).parent;
    }
    false
}

/// How many values [`entries`] gives at and below a node.
pub(super) fn count(tree: &Tree, id: NodeId) -> usize {
    match tree.children(id) {
        Some(children) => children.ids().iter().map(|&child| count(tree, child)).sum(),
        None => 1,
    }
}
