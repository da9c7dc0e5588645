//! What a file says about itself before its first line of code, and what a crate's root demands of the rest.

use super::Finding;
use super::tree::{SourceFile, SourceTree};

/// Checks that every Rust file opens with a `//!` sentence and every library root warns of undocumented items.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    let opening = tree.rust().filter(|file| !opens_with_sentence(file)).map(|file| {
        Finding::at_line(
            &file.path,
            1,
            "the file does not say what it holds",
            "open it with one `//!` sentence: what lives here and what does not",
        )
    });
    let roots = tree
        .rust()
        .filter(|file| file.path.ends_with("/src/lib.rs") && !file.code.contains("#![warn(missing_docs)]"))
        .map(|file| {
            Finding::at_line(
                &file.path,
                1,
                "the crate may hold undocumented items",
                "put `#![warn(missing_docs)]` below the opening comment",
            )
        });
    opening
        .chain(roots)
        .chain(tree.files().filter_map(without_workspace_lints))
        .collect()
}

fn opens_with_sentence(file: &SourceFile) -> bool {
    // A fuzz target has to begin with an attribute; its sentence may follow.
    let first = file
        .text
        .lines()
        .map(str::trim)
        .find(|line| !line.starts_with("#![no_main]") && !line.is_empty());
    first
        .and_then(|line| line.strip_prefix("//! "))
        .is_some_and(|sentence| !sentence.trim().is_empty())
}

/// A package that does not take the workspace's lints escapes every rule that clippy checks.
fn without_workspace_lints(file: &SourceFile) -> Option<Finding> {
    let ours = file.path.ends_with("/Cargo.toml") && !file.path.starts_with("fuzz/");
    let lints = file
        .text
        .split_once("\n[lints]\n")
        .is_some_and(|(_, rest)| rest.starts_with("workspace = true"));
    (ours && !lints).then(|| {
        Finding::in_file(
            &file.path,
            "the package does not take the workspace's lints",
            "add `[lints]` with `workspace = true`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&SourceTree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_file_without_an_opening_sentence_is_found() {
        assert_eq!(problems("crates/a/src/b.rs", "use std::io;\n"), 1);
        assert_eq!(problems("crates/a/src/b.rs", "//!\nuse std::io;\n"), 1);
        assert_eq!(problems("crates/a/src/b.rs", "//! B lives here.\nuse std::io;\n"), 0);
        assert_eq!(problems("fuzz/fuzz_targets/a.rs", "#![no_main]\n//! A.\n"), 0);
    }

    #[test]
    fn a_library_that_may_hold_undocumented_items_is_found() {
        assert_eq!(problems("crates/a/src/lib.rs", "//! A.\n"), 1);
        assert_eq!(problems("crates/a/src/lib.rs", "//! A.\n#![warn(missing_docs)]\n"), 0);
    }

    #[test]
    fn a_package_that_escapes_the_lints_is_found() {
        assert_eq!(problems("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"), 1);
        assert_eq!(
            problems("crates/a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"),
            0
        );
    }
}
