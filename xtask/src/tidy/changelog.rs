//! That the changelog says something: a section for what is to come or was released, with at least one entry.

use super::Finding;
use super::tree::SourceTree;

const CHANGELOG: &str = "CHANGELOG.md";

/// Checks the newest section of the changelog.
pub(super) fn check(tree: &SourceTree) -> Option<Finding> {
    let Some(file) = tree.file(CHANGELOG) else {
        return Some(Finding::in_file(
            CHANGELOG,
            "it does not exist",
            "start it with a section `## Unreleased` and an entry",
        ));
    };
    let mut lines = file.text.lines().enumerate().skip_while(|(_, line)| !line.starts_with("## "));
    let Some((index, _)) = lines.next() else {
        return Some(Finding::in_file(
            CHANGELOG,
            "it has no section",
            "add a section `## Unreleased` with an entry",
        ));
    };
    let has_entry = lines
        .take_while(|(_, line)| !line.starts_with("## "))
        .any(|(_, line)| line.trim_start().starts_with("- "));
    (!has_entry).then(|| {
        Finding::at_line(
            CHANGELOG,
            index + 1,
            "the newest section has no entry",
            "say what changed in a line that begins with `- `",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        check(&SourceTree::of(&[(CHANGELOG, text)])).map(|finding| finding.to_string())
    }

    #[test]
    fn a_missing_an_empty_and_a_silent_changelog_are_found() {
        assert!(check(&SourceTree::of(&[])).is_some());
        assert!(problem("# Changelog\n").is_some());
        assert!(problem("# Changelog\n\n## Unreleased\n\n## 0.1.0\n- a\n").is_some_and(|problem| problem.starts_with("CHANGELOG.md:3:")));
    }

    #[test]
    fn an_entry_in_the_newest_section_is_enough() {
        assert_eq!(problem("# Changelog\n\n## Unreleased\n\n### Added\n- a\n"), None);
    }
}
