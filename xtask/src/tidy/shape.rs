//! How large a file may be, what a module may not be called, and that no test is switched off.

use super::Finding;
use super::code::{line_of, word_places};
use super::tree::{SourceFile, SourceTree};

const MOST_LINES: usize = 400;

/// The one reason for which a test may be left out of a run: it is started by another test.
const CHILD_PROCESS: &str = "#[ignore = \"the other tests run it as their child process\"]";

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["common", "helper", "helpers", "manager", "misc", "util", "utilities", "utils"];

/// Checks the size, the names and the tests of every Rust file.
pub(super) fn check(tree: &SourceTree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|file| too_long(file).into_iter().chain(empty_name(file)).chain(ignored_tests(file)))
        .collect()
}

fn too_long(file: &SourceFile) -> Option<Finding> {
    let lines = file.text.lines().count();
    (!file.is_test() && lines > MOST_LINES).then(|| {
        Finding::at_line(
            &file.path,
            lines,
            format!("{lines} lines, {MOST_LINES} are the most"),
            "split it by its second idea, or move its tests to tests.rs beside it",
        )
    })
}

fn empty_name(file: &SourceFile) -> Vec<Finding> {
    let fix = "name it after the thing that lives there";
    let mut findings = Vec::new();
    let module = file.path.trim_end_matches(".rs").split('/').find(|part| EMPTY_NAMES.contains(part));
    findings.extend(module.map(|name| Finding::in_file(&file.path, format!("`{name}` says nothing about what is inside"), fix)));
    for (line, rest) in word_places(&file.code, "mod") {
        let name = rest["mod".len()..]
            .trim_start()
            .split(|character: char| !character.is_alphanumeric() && character != '_')
            .next()
            .unwrap_or_default();
        if EMPTY_NAMES.contains(&name) {
            findings.push(Finding::at_line(
                &file.path,
                line,
                format!("`{name}` says nothing about what is inside"),
                fix,
            ));
        }
    }
    findings
}

fn ignored_tests(file: &SourceFile) -> impl Iterator<Item = Finding> {
    word_places(&file.code, "ignore")
        .filter(|(_, rest)| is_switched_off(file, file.code.len() - rest.len()))
        .map(|(line, _)| {
            Finding::at_line(
                &file.path,
                line,
                "a test is switched off",
                "make it pass or remove it; a test that cannot run has to fail",
            )
        })
}

/// Looks at the word `ignore` at a place of the code: an attribute, and not the one that marks a child process.
fn is_switched_off(file: &SourceFile, at: usize) -> bool {
    // Blanked text keeps its characters but not its bytes, so the reason is read from the line.
    let line = file.text.lines().nth(line_of(&file.code, at) - 1).unwrap_or_default();
    file.code[..at].ends_with("#[") && !line.contains(CHILD_PROCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&SourceTree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_over_the_limit_is_found_unless_it_holds_tests() {
        let text = "x\n".repeat(MOST_LINES + 1);
        assert_eq!(problems("crates/a/src/b.rs", &text).len(), 1);
        assert!(problems("crates/a/src/b/tests.rs", &text).is_empty());
        assert!(problems("crates/a/src/b.rs", &text[2..]).is_empty());
    }

    #[test]
    fn a_name_that_says_nothing_is_found_as_file_folder_and_module() {
        assert_eq!(problems("crates/a/src/utils.rs", "").len(), 1);
        assert_eq!(problems("crates/a/src/common/b.rs", "").len(), 1);
        assert!(problems("crates/a/src/b.rs", "//! B.\npub mod helpers {}\n")[0].starts_with("crates/a/src/b.rs:2: `helpers`"));
        assert!(problems("crates/a/src/commons.rs", "mod utility;").is_empty());
    }

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        assert!(problems("tests/e2e/a.rs", "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn b() {}\n")[0].starts_with("tests/e2e/a.rs:3:"));
        assert!(problems("tests/e2e/a.rs", &format!("//! A.\n#[test]\n{CHILD_PROCESS}\nfn b() {{}}\n")).is_empty());
        assert!(problems("tests/e2e/a.rs", "// #[ignore] is not used here\nlet ignore = 1;\n").is_empty());
    }
}
