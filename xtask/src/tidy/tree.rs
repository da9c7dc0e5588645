//! The workspace's text files as the rules see them; built files and what git never holds are left out.

use std::fs;
use std::path::Path;

use super::code;
use crate::step::Failure;

/// Folders that hold nothing written by a person.
const LEFT_OUT: [&str; 6] = [".git", "target", "node_modules", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// Data that tests read: real tools and attackers wrote it, so no rule about our words applies.
const DATA: [&str; 2] = ["fixtures", "proptest-regressions"];

/// Every text file of the workspace.
pub(super) struct SourceTree {
    files: Vec<SourceFile>,
}

/// One text file.
pub(super) struct SourceFile {
    /// Relative to the root, with `/` between the parts.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and literals; empty for what is not Rust.
    pub(super) code: String,
}

impl SourceTree {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| SourceFile::new((*path).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    pub(super) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files, tests included.
    pub(super) fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files().filter(|file| file.is_rust())
    }

    /// The Rust files below a folder that are part of the product, each with its code above its tests.
    pub(super) fn production<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a SourceFile, &'a str)> {
        self.rust()
            .filter(move |file| file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && !file.is_test())
            .map(|file| (file, code::without_tests(&file.code)))
    }
}

impl SourceFile {
    fn new(path: String, text: String) -> Self {
        let code = if path.ends_with(".rs") {
            code::code_of(&text)
        } else {
            String::new()
        };
        Self { path, text, code }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// A file that holds nothing but tests or serves only them.
    pub(super) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.starts_with("fuzz/")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.ends_with("/tests.rs")
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        if LEFT_OUT.contains(&path.as_str()) || LEFT_OUT[..3].contains(&name.as_str()) || DATA.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).map_err(|error| Failure::new(format!("cannot read {path}: {error}")))?;
            // What is not text has no words to check.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(SourceFile::new(path, text));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_read_without_what_was_built() {
        let tree = SourceTree::read(&crate::workspace::root().expect("the tests run in the workspace")).expect("it is readable");
        assert!(tree.file("xtask/src/tidy/tree.rs").is_some());
        assert!(
            tree.files()
                .all(|file| !file.path.starts_with("target/") && !file.path.starts_with(".git/"))
        );
    }

    #[test]
    fn test_files_are_no_part_of_the_product() {
        let tree = SourceTree::of(&[
            ("crates/a/src/b.rs", ""),
            ("crates/a/src/b/tests.rs", ""),
            ("crates/a/tests/c.rs", ""),
            ("crates/ab/src/d.rs", ""),
        ]);
        let paths: Vec<&str> = tree.production("crates/a").map(|(file, _)| file.path.as_str()).collect();
        assert_eq!(paths, ["crates/a/src/b.rs"]);
    }
}
