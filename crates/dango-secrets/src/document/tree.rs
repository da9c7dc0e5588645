//! The light tree over a document's text: keys, tables and values as spans; nothing here is decoded but keys.

use std::collections::HashMap;
use std::ops::Range;

use dango_core::CredentialPath;

use super::scalar::Form;

/// The deepest nesting of tables and arrays, counted from the root. dlt's parser recurses and gives
/// up at about twice this.
pub(super) const MAX_DEPTH: usize = 48;

/// Up to how many children a table is searched from end to end.
const SEARCHED: usize = 8;

/// A range of bytes of the text, of at most 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// The empty range before `at`.
    pub(super) fn empty(at: usize) -> Self {
        Self::new(at, at)
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// An offset as it is stored; a document is far smaller than 4 GiB.
pub(super) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct NodeId(u32);

impl NodeId {
    /// Its place among the nodes of its tree.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One key as it stands in the text.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) span: Span,
    /// The key where its quotes or escapes hide it.
    pub(super) decoded: Option<Box<str>>,
}

impl Key {
    pub(super) fn name<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.decoded {
            Some(decoded) => decoded,
            None => &text[self.span.range()],
        }
    }
}

/// A value or a table.
#[derive(Clone)]
pub(super) struct Node {
    /// Its key; empty for the root and for the elements of arrays.
    pub(super) key: Key,
    pub(super) parent: NodeId,
    /// Where the statement or the inline entry begins that makes it: at the first part of its key,
    /// for a table at its header's bracket.
    pub(super) begin: u32,
    pub(super) depth: u16,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Clone)]
pub(super) enum Kind {
    Scalar {
        span: Span,
        form: Form,
    },
    Array {
        span: Span,
        items: Vec<NodeId>,
    },
    /// A table in braces.
    Inline {
        span: Span,
        children: Children,
    },
    Table {
        origin: Origin,
        children: Children,
    },
    /// `[[name]]`: its elements are tables.
    Tables {
        elements: Vec<NodeId>,
    },
}

/// How a table that is not in braces came to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Only by the longer path of a header: `a` in `[a.b]`.
    Implied,
    /// By the longer path of a key: `a` in `a.b = 1`, or in braces.
    Dotted,
    /// By a header of its own, with the number of its section; the root has section 0.
    Header(u32),
}

/// The keys of a table, in the order of the file.
#[derive(Clone, Default)]
pub(super) struct Children {
    list: Vec<NodeId>,
    index: Option<Box<Index>>,
}

/// Boxed, because nearly every table is small and every node has the size of the largest kind.
#[derive(Default, Clone)]
struct Index(HashMap<Box<str>, NodeId>);

impl Children {
    pub(super) fn ids(&self) -> &[NodeId] {
        &self.list
    }
}

/// A header and the statements below it, down to the next header; section 0 has no header.
#[derive(Clone)]
pub(super) struct Section {
    pub(super) table: NodeId,
    /// From the opening to the closing bracket.
    pub(super) header: Span,
    /// Where its last statement begins, or the header where there is none.
    pub(super) last: u32,
    /// Where its last statement ends, or the header where there is none.
    pub(super) end: u32,
}

/// The tree of one document.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) sections: Vec<Section>,
}

impl Tree {
    pub(super) const ROOT: NodeId = NodeId(0);

    pub(super) fn new(start: usize, length: usize) -> Self {
        let at = Span::empty(start);
        let root = Node {
            key: Key { span: at, decoded: None },
            parent: Self::ROOT,
            begin: at.start,
            depth: 0,
            kind: Kind::Table {
                origin: Origin::Header(0),
                children: Children::default(),
            },
        };
        let section = Section {
            table: Self::ROOT,
            header: at,
            last: at.start,
            end: at.start,
        };
        // Room for the usual line of 40 bytes or more, so that a large tree is not moved while it grows.
        let mut nodes = Vec::with_capacity(length / 40 + 1);
        nodes.push(root);
        Self {
            nodes,
            sections: vec![section],
        }
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// Every node in the order in which the text makes them.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..narrow(self.nodes.len())).map(NodeId)
    }

    /// The keys of a table of any kind.
    pub(super) fn children(&self, id: NodeId) -> Option<&Children> {
        match &self.node(id).kind {
            Kind::Table { children, .. } | Kind::Inline { children, .. } => Some(children),
            _ => None,
        }
    }

    /// The value or table of a key, where `table` is a table.
    pub(super) fn child(&self, text: &str, table: NodeId, name: &str) -> Option<NodeId> {
        let children = self.children(table)?;
        match &children.index {
            Some(index) => index.0.get(name).copied(),
            None => children.list.iter().copied().find(|&id| self.node(id).key.name(text) == name),
        }
    }

    /// Adds a node below `parent`; a table learns its key.
    pub(super) fn add(&mut self, text: &str, parent: NodeId, key: Key, begin: usize, kind: Kind) -> NodeId {
        let id = NodeId(narrow(self.nodes.len()));
        let depth = self.node(parent).depth + 1;
        match &mut self.node_mut(parent).kind {
            Kind::Array { items, .. } => items.push(id),
            Kind::Tables { elements } => elements.push(id),
            Kind::Table { children, .. } | Kind::Inline { children, .. } => {
                children.list.push(id);
                if let Some(index) = &mut children.index {
                    index.0.insert(key.name(text).into(), id);
                }
            }
            Kind::Scalar { .. } => {}
        }
        self.nodes.push(Node {
            key,
            parent,
            begin: narrow(begin),
            depth,
            kind,
        });
        if self.children(parent).is_some_and(|children| children.list.len() == SEARCHED + 1) {
            self.index(text, parent);
        }
        id
    }

    /// Makes the index of a table that has grown large.
    fn index(&mut self, text: &str, table: NodeId) {
        let Some(children) = self.children(table) else { return };
        let entries = children.list.iter().map(|&id| (self.node(id).key.name(text).into(), id));
        let made = Some(Box::new(Index(entries.collect())));
        if let Kind::Table { children, .. } | Kind::Inline { children, .. } = &mut self.node_mut(table).kind {
            children.index = made;
        }
    }

    /// The keys from the root down to a node, elements of arrays left out.
    pub(super) fn path(&self, text: &str, id: NodeId) -> Option<CredentialPath> {
        let mut parts = Vec::new();
        let mut at = id;
        while at != Self::ROOT {
            let node = self.node(at);
            if !self.is_element(at) {
                parts.push(node.key.name(text).to_owned());
            }
            at = node.parent;
        }
        parts.reverse();
        CredentialPath::from_parts(parts)
    }

    /// Whether a node is an element of an array, which has no key.
    pub(super) fn is_element(&self, id: NodeId) -> bool {
        id != Self::ROOT && matches!(self.node(self.node(id).parent).kind, Kind::Array { .. } | Kind::Tables { .. })
    }

    /// How far a path leads.
    pub(super) fn find(&self, text: &str, parts: &[String]) -> Found {
        let mut at = Self::ROOT;
        for (index, part) in parts.iter().enumerate() {
            if self.children(at).is_none() {
                return Found::Blocked { by: at };
            }
            match self.child(text, at, part) {
                Some(child) => at = child,
                None => return Found::Missing { table: at, known: index },
            }
        }
        Found::Node(at)
    }
}

/// What a path leads to.
#[derive(Clone)]
pub(super) enum Found {
    Node(NodeId),
    /// The first `known` parts lead to this table, which lacks the next.
    Missing {
        table: NodeId,
        known: usize,
    },
    /// This value has no keys, but the path goes on below it.
    Blocked {
        by: NodeId,
    },
}
