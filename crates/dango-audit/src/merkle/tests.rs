//! The tree against published vectors and against the definition in RFC 6962, written out plainly.
//!
//! Vectors: `testonly/constants.go` and `proof/verify_test.go` of transparency-dev/merkle, which come from the
//! Certificate Transparency sources (`cpp/merkletree/merkle_tree_test.cc` of google/certificate-transparency).

use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;

use super::*;

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Place, size, proof.
const INCLUSION: [(u64, u64, &[&str]); 7] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (0, 2, &["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"]),
    (1, 2, &["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"]),
];

/// Sizes, proof: `merkle_tree_test.cc`, kSHA256Proofs.
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// The tree of the definition: leaves all there, every hash made anew.
fn defined_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&defined_root(left), &defined_root(right))
        }
    }
}

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

fn published() -> Tree {
    let mut tree = Tree::new(Frontier::new());
    for leaf in LEAVES {
        tree.push(leaf_hash(&HEXLOWER.decode(leaf.as_bytes()).expect("hex")));
    }
    tree
}

fn numbered(count: u64) -> Vec<Digest> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

fn tree_of(leaves: &[Digest], pruned: usize) -> Tree {
    let mut frontier = Frontier::new();
    leaves[..pruned].iter().for_each(|leaf| frontier.push(*leaf));
    let mut tree = Tree::new(frontier);
    leaves[pruned..].iter().for_each(|leaf| tree.push(*leaf));
    tree
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let mut frontier = Frontier::new();
    let tree = published();
    for (size, root) in (0..).zip(ROOTS) {
        assert_eq!((frontier.size(), frontier.root()), (size, digest(root)));
        assert_eq!(tree.root_at(size), Some(digest(root)));
        if let Some(leaf) = usize::try_from(size).ok().and_then(|size| LEAVES.get(size)) {
            frontier.push(leaf_hash(&HEXLOWER.decode(leaf.as_bytes()).expect("hex")));
        }
    }
}

/// `compact/range_test.go` of transparency-dev/merkle: leaf i is its number in two bytes, little-endian.
#[test]
fn roots_of_larger_trees_are_those_of_another_implementation() {
    let roots = [
        (10, "VjWMPSYNtCuCNlF/RLnQy6HcwSk6CIipfxm+hettA+4="),
        (15, "j4SulYmocFuxdeyp12xXCIgK6PekBcxzAIj4zbQzNEI="),
        (16, "c+4Uc6BCMOZf/v3NZK1kqTUJe+bBoFtOhP+P3SayKRE="),
        (100, "dUh9hYH88p0CMoHkdr1wC2szbhcLAXOejWpINIooKUY="),
        (255, "SmdsuKUqiod3RX2jyF2M6JnbdE4QuTwwipfAowI4/i0="),
    ];
    for (size, root) in roots {
        let mut frontier = Frontier::new();
        for number in 0..size {
            frontier.push(leaf_hash(&u16::to_le_bytes(number)));
        }
        assert_eq!(BASE64.encode(frontier.root().as_bytes()), root, "{size}");
    }
}

#[test]
fn inclusion_proofs_are_the_published_ones() {
    for (index, size, path) in INCLUSION {
        let path: Vec<Digest> = path.iter().map(|hash| digest(hash)).collect();
        assert_eq!(published().inclusion(index, size), Some(path), "{index} in {size}");
    }
}

#[test]
fn consistency_proofs_are_the_published_ones() {
    for (first, second, path) in CONSISTENCY {
        let path: Vec<Digest> = path.iter().map(|hash| digest(hash)).collect();
        assert_eq!(published().consistency(first, second), Some(path), "{first} to {second}");
    }
}

#[test]
fn every_proof_of_every_small_tree_verifies_and_no_other_does() {
    let leaves = numbered(20);
    let tree = tree_of(&leaves, 0);
    let root = |size: u64| tree.root_at(size).expect("has been");
    let wrong = sha256(&[b"wrong"]);
    for size in 1..=20 {
        assert_eq!(root(size), defined_root(&leaves[..usize::try_from(size).expect("small")]));
        for index in 0..size {
            let leaf = &leaves[usize::try_from(index).expect("small")];
            let path = tree.inclusion(index, size).expect("is in it");
            assert!(verify_inclusion(leaf, index, size, &path, &root(size)), "{index} in {size}");
            assert!(!verify_inclusion(&wrong, index, size, &path, &root(size)));
            assert!(!verify_inclusion(leaf, index, size, &path, &wrong));
            for (other, leaf) in (0..size).zip(&leaves).filter(|(other, _)| *other != index) {
                assert!(
                    !verify_inclusion(leaf, other, size, &path, &root(size)),
                    "{index} as {other} in {size}"
                );
            }
            let longer = [path.as_slice(), &[wrong]].concat();
            assert!(!verify_inclusion(leaf, index, size, &longer, &root(size)));
            assert!(path.is_empty() || !verify_inclusion(leaf, index, size, &path[1..], &root(size)));
        }
        for first in 1..=size {
            let path = tree.consistency(first, size).expect("grew");
            assert!(
                verify_consistency(first, &root(first), size, &root(size), &path),
                "{first} to {size}"
            );
            assert!(!verify_consistency(first, &wrong, size, &root(size), &path));
            assert!(!verify_consistency(first, &root(first), size, &wrong, &path));
            assert!(!verify_consistency(
                first,
                &root(first),
                size,
                &root(size),
                &[path.as_slice(), &[wrong]].concat()
            ));
            assert!(path.is_empty() || !verify_consistency(first, &root(first), size, &root(size), &path[1..]));
        }
        assert!(verify_consistency(0, &root(0), size, &root(size), &[]));
        assert!(!verify_consistency(size + 1, &root(size), size, &root(size), &[]));
    }
}

#[test]
fn proofs_of_what_is_kept_are_the_same_after_pruning() {
    let leaves = numbered(22);
    let whole = tree_of(&leaves, 0);
    for pruned in 0..=22 {
        let tree = tree_of(&leaves, pruned);
        let kept = u64::try_from(pruned).expect("small");
        for size in kept.max(1)..=22 {
            assert_eq!(tree.root_at(size), whole.root_at(size), "{pruned} of {size}");
            for index in kept..size {
                assert_eq!(
                    tree.inclusion(index, size),
                    whole.inclusion(index, size),
                    "{index} in {size} without {pruned}"
                );
            }
            for first in kept.max(1)..=size {
                assert_eq!(
                    tree.consistency(first, size),
                    whole.consistency(first, size),
                    "{first} to {size} without {pruned}"
                );
            }
        }
        if pruned > 0 {
            assert_eq!(tree.inclusion(kept - 1, 22), None);
        }
    }
}

#[test]
fn a_frontier_is_read_back_only_with_the_size_it_had() {
    let mut frontier = Frontier::new();
    numbered(7).into_iter().for_each(|leaf| frontier.push(leaf));
    let bytes = frontier.to_bytes();
    assert_eq!(Frontier::from_bytes(7, &bytes), Some(frontier));
    for (size, bytes) in [(8, &bytes[..]), (7, &bytes[1..]), (7, &bytes[32..]), (0, &bytes[..])] {
        assert_eq!(Frontier::from_bytes(size, bytes), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn large_trees_prove_what_they_should(size in 1..1500_u64, index in 0..1500_u64, pruned in 0..1500_u64) {
        let (index, pruned) = (index % size, pruned % size);
        let leaves = numbered(size);
        let tree = tree_of(&leaves, usize::try_from(pruned).expect("small"));
        let root = tree.root_at(size).expect("is");
        prop_assert_eq!(root, defined_root(&leaves));
        let path = tree.inclusion(index, size);
        prop_assert_eq!(path.is_some(), index >= pruned);
        if let Some(path) = path {
            prop_assert!(verify_inclusion(&leaves[usize::try_from(index).expect("small")], index, size, &path, &root));
        }
        if pruned > 0 {
            let path = tree.consistency(pruned, size).expect("the frontier is enough");
            prop_assert!(verify_consistency(pruned, &tree.root_at(pruned).expect("was"), size, &root, &path));
        }
    }
}
