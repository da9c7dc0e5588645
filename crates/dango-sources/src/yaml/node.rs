//! A parsed YAML value with the place it has in the text.

use super::Value;

/// A value and where it stands; offsets are bytes into the text, lines and columns count from 1.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// Where the value begins; of a block scalar, its first line of text, or the end of its header where it has none.
    pub(crate) start: usize,
    /// Behind its last character; of a block collection, behind that of the last value in it.
    pub(crate) end: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Scalar {
        value: Value,
        /// Whether the file has no text for it (`key:` and nothing behind).
        implied: bool,
    },
    Sequence {
        items: Vec<Node>,
        flow: bool,
    },
    Mapping {
        members: Vec<Member>,
        flow: bool,
    },
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_start: usize,
    pub(crate) key_end: usize,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            NodeKind::Mapping { members, .. } => Some(members),
            _ => None,
        }
    }

    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members()?.iter().find(|member| member.key == key)
    }

    pub(crate) fn is_flow(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Sequence { flow: true, .. } | NodeKind::Mapping { flow: true, .. }
        )
    }

    /// The value alone. The reader's depth limit bounds the recursion.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar { value, .. } => value.clone(),
            NodeKind::Sequence { items, .. } => Value::List(items.iter().map(Node::to_value).collect()),
            NodeKind::Mapping { members, .. } => {
                Value::Map(members.iter().map(|member| (member.key.clone(), member.value.to_value())).collect())
            }
        }
    }
}
