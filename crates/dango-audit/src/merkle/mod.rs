//! The Merkle tree over the records (RFC 6962 §2.1): hashes, the frontier that grows by one leaf at a time; proofs are beside.

mod proof;
#[cfg(test)]
mod tests;

use crate::digest::{DIGEST_LENGTH, Digest, sha256};

pub use proof::{Tree, verify_consistency, verify_inclusion};

/// The hash of a leaf: SHA-256(0x00 ‖ leaf).
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    sha256(&[&[0], leaf])
}

/// The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right).
pub(crate) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The roots of the largest whole subtrees of a tree, the largest first: one for each bit of its size.
///
/// It is all that must be kept to add leaves and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// Makes the frontier of a tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; on average one more hash is made.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.subtrees.pop().expect("there is a subtree for each bit of the size");
            node = node_hash(&left, &node);
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// The root of the tree; that of an empty one is the SHA-256 of nothing.
    pub fn root(&self) -> Digest {
        let mut smallest_first = self.subtrees.iter().rev();
        let Some(smallest) = smallest_first.next() else {
            return sha256(&[]);
        };
        smallest_first.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The subtrees, one digest behind the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.subtrees.iter().flat_map(Digest::as_bytes).copied().collect()
    }

    /// Takes a frontier from its size and bytes; nothing if they do not fit together.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let count = usize::try_from(size.count_ones()).ok()?;
        let subtrees: Option<Vec<Digest>> = bytes.chunks(DIGEST_LENGTH).map(Digest::from_slice).collect();
        let subtrees = subtrees?;
        (subtrees.len() == count).then_some(Self { size, subtrees })
    }

    pub(crate) fn subtrees(&self) -> &[Digest] {
        &self.subtrees
    }
}
