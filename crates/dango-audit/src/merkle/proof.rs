//! Proofs that a record is in the log and that a log only grew (RFC 6962 §2.1.1 and §2.1.2), and how they are checked (RFC 9162 §2.1.3.2, §2.1.4.2).

use super::{Frontier, node_hash};
use crate::digest::Digest;

/// A tree from which proofs are made: the frontier of what was pruned, and the hashes of the leaves that are kept.
#[derive(Clone, Debug)]
pub struct Tree {
    pruned: Frontier,
    leaves: Vec<Digest>,
}

impl Tree {
    /// Makes a tree that begins where the frontier ends.
    pub fn new(pruned: Frontier) -> Self {
        Self {
            pruned,
            leaves: Vec::new(),
        }
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        self.leaves.push(leaf);
    }

    /// How many leaves it has, the pruned ones included.
    pub fn size(&self) -> u64 {
        self.pruned.size() + self.leaves.len() as u64
    }

    /// The root when it had so many leaves; nothing if it never did or what is needed was pruned.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        if size == 0 {
            return Some(Frontier::new().root());
        }
        self.subtree(0, size)
    }

    /// The proof that a leaf is in the tree of that size, the nearest sibling first; places count from 0.
    ///
    /// Nothing if there is no such leaf or it was pruned.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.size() || index < self.pruned.size() {
            return None;
        }
        let (mut begin, mut end) = (0, size);
        let mut path = Vec::new();
        while end - begin > 1 {
            let middle = begin + split(end - begin);
            if index < middle {
                path.push(self.subtree(middle, end)?);
                end = middle;
            } else {
                path.push(self.subtree(begin, middle)?);
                begin = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the tree of the second size has the leaves of the first and more.
    ///
    /// Nothing if there is no such tree or what is needed was pruned.
    pub fn consistency(&self, first: u64, second: u64) -> Option<Vec<Digest>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let (mut begin, mut end) = (0, second);
        let mut path = Vec::new();
        while end != first {
            let middle = begin + split(end - begin);
            if first <= middle {
                path.push(self.subtree(middle, end)?);
                end = middle;
            } else {
                path.push(self.subtree(begin, middle)?);
                begin = middle;
            }
        }
        if begin > 0 {
            path.push(self.subtree(begin, end)?);
        }
        path.reverse();
        Some(path)
    }

    /// The root of the leaves from `begin` up to, not including, `end`.
    fn subtree(&self, begin: u64, end: u64) -> Option<Digest> {
        let pruned = self.pruned.size();
        if begin >= pruned {
            let at = |place: u64| usize::try_from(place - pruned).ok();
            return Some(root_of(self.leaves.get(at(begin)?..at(end)?)?));
        }
        if end <= pruned && (end - begin).is_power_of_two() {
            // Of what was pruned, only the whole subtrees of its frontier are known.
            let mut start = 0;
            for (subtree, size) in self.pruned.subtrees().iter().zip(powers(pruned)) {
                if (start, start + size) == (begin, end) {
                    return Some(*subtree);
                }
                start += size;
            }
        }
        if end - begin == 1 {
            return None;
        }
        let middle = begin + split(end - begin);
        Some(node_hash(&self.subtree(begin, middle)?, &self.subtree(middle, end)?))
    }
}

/// Checks that the leaf at the place, from 0, is in the tree of that size and root (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut node) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(sibling, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Checks that the tree of the second size and root grew from the first (RFC 9162 §2.1.4.2); every tree grew from the empty one.
pub fn verify_consistency(first: u64, first_root: &Digest, second: u64, second_root: &Digest, path: &[Digest]) -> bool {
    if first == 0 || first == second {
        let same = if first == 0 {
            *first_root == Frontier::new().root()
        } else {
            first_root == second_root
        };
        return first <= second && path.is_empty() && same;
    }
    if first > second {
        return false;
    }
    let whole = first.is_power_of_two().then_some(first_root);
    let mut hashes = whole.into_iter().chain(path);
    let Some(start) = hashes.next() else {
        return false;
    };
    let (mut place, mut last) = (first - 1, second - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*start, *start);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}

/// The root of leaves that are all there.
fn root_of(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

/// The largest power of two below a size of two or more: how many leaves are on the left.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The sizes of the subtrees of a frontier, the largest first.
fn powers(size: u64) -> impl Iterator<Item = u64> {
    (0..64).rev().map(|bit| 1 << bit).filter(move |power| size & power != 0)
}
