//! The rules of the house that no compiler knows, and the list of them all. Each rule is a file with its table at the top and a bad sample in its tests.

mod changelog;
mod code;
mod disk;
mod headings;
mod imports;
mod isolation;
mod layers;
mod metadata;
mod picture;
mod shape;
mod supply;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

use crate::step::Failure;

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the workspace's root.
    pub file: String,
    /// The line, from 1; absent where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do instead.
    pub fix: String,
}

impl Finding {
    fn in_file(file: &str, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            problem: problem.into(),
            fix: fix.into(),
        }
    }

    fn at_line(file: &str, line: usize, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(line),
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}\n    fix: {}", self.problem, self.fix)
    }
}

/// Applies every rule to the workspace and returns what breaks one.
///
/// # Errors
///
/// When the workspace cannot be read or cargo cannot describe it; a broken rule is no error here.
pub fn check(root: &Path) -> Result<Vec<Finding>, Failure> {
    let tree = tree::SourceTree::read(root)?;
    let packages = metadata::Metadata::of_workspace(root)?;
    let fuzz = metadata::Metadata::of_fuzz(root)?;
    let mut findings = Vec::new();
    findings.extend(layers::check(&packages, fuzz.as_ref()));
    findings.extend(picture::check(&tree));
    findings.extend(isolation::check(&packages));
    findings.extend(supply::check(&tree, &packages)?);
    findings.extend(imports::check(&tree));
    findings.extend(disk::check(&tree));
    findings.extend(headings::check(&tree));
    findings.extend(shape::check(&tree));
    findings.extend(words::check(&tree));
    findings.extend(changelog::check(&tree));
    Ok(findings)
}

/// As [`check`], with every finding shown.
///
/// # Errors
///
/// As [`check`], and when there is any finding.
pub fn run(root: &Path) -> Result<(), Failure> {
    let findings = check(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new("one rule of the house is broken, see above")),
        many => Err(Failure::new(format!("rules of the house are broken in {many} places, see above"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_problem_and_fix() {
        let finding = Finding::at_line("src/a.rs", 7, "it is wrong", "make it right");
        assert_eq!(finding.to_string(), "src/a.rs:7: it is wrong\n    fix: make it right");
        assert_eq!(
            Finding::in_file("a.md", "empty", "fill it").to_string(),
            "a.md: empty\n    fix: fill it"
        );
    }
}
