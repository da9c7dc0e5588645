//! Where the product may touch the disk: the storage of `dango-secrets`, and the file that finds a project. The rest works on text it is given.

use super::Finding;
use super::code::{line_of, word_places};
use super::tree::SourceTree;

/// Crates that are held to it, each with the places that may touch the disk.
const CRATES: &[(&str, &[&str])] = &[
    ("crates/dango-core", &[]),
    ("crates/dango-actions", &[]),
    ("crates/dango-audit", &[]),
    ("crates/dango-check", &[]),
    ("crates/dango-client", &[]),
    ("crates/dango-connections", &[]),
    ("crates/dango-doctor", &["crates/dango-doctor/src/disk.rs"]),
    ("crates/dango-files", &[]),
    ("crates/dango-identity", &[]),
    ("crates/dango-keyring", &[]),
    ("crates/dango-oauth", &[]),
    ("crates/dango-remote", &[]),
    ("crates/dango-rotation", &[]),
    (
        "crates/dango-secrets",
        &[
            "crates/dango-secrets/src/storage/",
            "crates/dango-secrets/src/project.rs",
            "crates/dango-secrets/src/project/",
        ],
    ),
    (
        "crates/dango-scan",
        &[
            "crates/dango-scan/src/tree.rs",
            "crates/dango-scan/src/baseline.rs",
            "crates/dango-scan/src/hook.rs",
            "crates/dango-scan/src/replaced.rs",
        ],
    ),
    ("crates/dango-sources", &[]),
    ("crates/dango-vault", &[]),
];

/// Methods of `Path` that ask the disk without naming `std::fs`.
const QUESTIONS: [&str; 7] = [
    ".canonicalize()",
    ".is_dir()",
    ".is_file()",
    ".read_dir()",
    ".read_link()",
    ".symlink_metadata()",
    ".try_exists()",
];

/// Looks for the word `fs` (as in `std::fs`, `use std::{fs, io}`, `rustix::fs`) and for questions to the disk.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &(folder, allowed) in CRATES {
        for (file, code) in tree.production(folder) {
            if allowed.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            let named = word_places(code, "fs").map(|(line, _)| line);
            let asked = QUESTIONS
                .iter()
                .flat_map(|question| code.match_indices(question))
                .map(|(at, _)| line_of(code, at));
            findings.extend(named.chain(asked).map(|line| {
                Finding::at_line(
                    &file.path,
                    line,
                    "this touches the disk",
                    "take the text as a parameter, or go through dango_secrets::storage",
                )
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, code: &str) -> Vec<Option<usize>> {
        check(&SourceTree::of(&[(path, code)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn every_spelling_of_the_file_system_is_found() {
        let code = "use std::fs;\nuse std::{fs, io};\nlet a = std::fs::read(x);\nuse rustix::fs::open;\nlet b = x.is_file();\n";
        assert_eq!(lines("crates/dango-secrets/src/dotenv/read.rs", code), [1, 2, 3, 4, 5].map(Some));
    }

    #[test]
    fn storage_prose_and_tests_may_name_it() {
        assert!(lines("crates/dango-secrets/src/storage/unix.rs", "use std::fs;\n").is_empty());
        assert!(lines("crates/dango-core/src/a.rs", "// std::fs is elsewhere\nlet a = \"fs\";\n").is_empty());
        assert!(lines("crates/dango-core/src/a.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n").is_empty());
    }
}
