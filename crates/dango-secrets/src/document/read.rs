//! Values out of the tree: one by its path, or all of them in the order of the file, opened ones in place of what is written.

use dango_core::CredentialPath;

use super::opened::OpenedValues;
use super::tree::{Found, Kind, NodeId, Tree};
use super::{SecretsDocument, scalar};
use crate::Value;

/// One value with its place.
#[derive(Clone)]
pub struct Entry {
    /// Where it is.
    pub path: CredentialPath,
    /// What it is; never a table.
    pub value: Value,
}

/// A document as its readers see it: some values opened, or everything as it is written.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    text: &'d str,
    tree: &'d Tree,
    opened: Option<&'d OpenedValues>,
}

impl SecretsDocument {
    /// What readers see.
    pub(super) fn reader(&self) -> Reader<'_> {
        let (text, tree) = (&self.text, &self.tree);
        let opened = Some(&self.opened);
        Reader { text, tree, opened }
    }

    /// What is written, which is what edits start from.
    pub(super) fn written(&self) -> Reader<'_> {
        let opened = None;
        Reader { opened, ..self.reader() }
    }
}

impl<'d> Reader<'d> {
    /// The value or table at a path.
    pub(super) fn value_at(self, path: &CredentialPath) -> Option<Value> {
        match self.tree.find(self.text, path.parts()) {
            Found::Node(id) => Some(self.value(id)),
            Found::Blocked { by } => self.below(by, path).cloned(),
            Found::Missing { .. } => None,
        }
    }

    /// Whether there is a table at a path.
    pub(super) fn has_table_at(self, path: &CredentialPath) -> bool {
        let is_table = |value: Option<&Value>| matches!(value, Some(Value::Table(_)));
        match self.tree.find(self.text, path.parts()) {
            Found::Node(id) => self.tree.children(id).is_some() || is_table(self.opened_at(id)),
            Found::Blocked { by } => is_table(self.below(by, path)),
            Found::Missing { .. } => false,
        }
    }

    /// Decodes a node and what is below it; the tree's depth is bounded.
    pub(super) fn value(self, id: NodeId) -> Value {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Scalar { span, form } => match self.opened_at(id) {
                Some(opened) => opened.clone(),
                None => scalar::value(&self.text[span.range()], *form),
            },
            Kind::Array { items, .. } | Kind::Tables { elements: items } => {
                Value::Array(items.iter().map(|&item| self.value(item)).collect())
            }
            Kind::Inline { children, .. } | Kind::Table { children, .. } => {
                let name = |child| self.tree.node(child).key.name(self.text).to_owned();
                let children = children.ids().iter();
                Value::Table(children.map(|&child| (name(child), self.value(child))).collect())
            }
        }
    }

    /// Every value that is no table and not inside an array, in the order of the file.
    pub(super) fn entries(self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (_, entry) in self.nodes() {
            push_entries(entry, &mut entries);
        }
        entries
    }

    /// The nodes of [`Reader::entries`]; an opened table is still one.
    pub(super) fn nodes(self) -> impl Iterator<Item = (NodeId, Entry)> + use<'d> {
        let ids = self.tree.ids();
        ids.filter(move |&id| {
            matches!(
                self.tree.node(id).kind,
                Kind::Scalar { .. } | Kind::Array { .. } | Kind::Tables { .. }
            )
        })
        .filter(move |&id| !is_in_array(self.tree, id))
        .filter_map(move |id| {
            let path = self.tree.path(self.text, id)?;
            let value = self.value(id);
            Some((id, Entry { path, value }))
        })
    }

    fn opened_at(&self, id: NodeId) -> Option<&'d Value> {
        self.opened.and_then(|opened| opened.at(id))
    }

    /// What lies in the opened value of a node at the end of a path that leads through it.
    fn below(&self, id: NodeId, path: &CredentialPath) -> Option<&'d Value> {
        // No path leads into an array, so every node on the way took one part.
        let rest = path.parts().get(usize::from(self.tree.node(id).depth)..)?;
        rest.iter().try_fold(self.opened_at(id)?, |value, part| match value {
            Value::Table(entries) => entries.iter().find(|(key, _)| key == part).map(|(_, value)| value),
            _ => None,
        })
    }
}

/// Adds an entry, or those of the table that it is.
fn push_entries(entry: Entry, entries: &mut Vec<Entry>) {
    let Entry { path, value } = entry;
    match value {
        Value::Table(below) => {
            for (key, value) in below {
                let path = path.child(key);
                push_entries(Entry { path, value }, entries);
            }
        }
        value => entries.push(Entry { path, value }),
    }
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

/// How many values [`Reader::entries`] gives at and below a node, as it is written.
pub(super) fn count(tree: &Tree, id: NodeId) -> usize {
    match tree.children(id) {
        Some(children) => children.ids().iter().map(|&child| count(tree, child)).sum(),
        None => 1,
    }
}
