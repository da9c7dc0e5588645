//! The documents' console blocks: found, run and compared with what the document says. Which documents there are is left to the test.

mod block;
mod comparison;
mod session;

use std::fmt::Write as _;
use std::path::Path;

pub use block::{Block, BlockError, Step, parse_blocks};
pub use comparison::difference;
pub use session::{Answer, Session};

/// What came of running one document.
#[derive(Debug, Default)]
pub struct Report {
    /// Commands that were run.
    pub commands: usize,
    /// Blocks that were not run, as `place: reason`.
    pub ignored: Vec<String>,
    /// What differs from the document, each with its place.
    pub failures: Vec<String>,
}

/// Runs every console block of a document in one session and compares each command's output and exit status.
///
/// # Panics
///
/// When no session can be started.
#[must_use]
pub fn run_document(name: &str, text: &str, folders_on_path: &[&Path]) -> Report {
    let mut report = Report::default();
    let blocks = match parse_blocks(text) {
        Ok(blocks) => blocks,
        Err(error) => {
            report.failures.push(format!("{name}:{}: {}", error.line, error.problem));
            return report;
        }
    };
    report.ignored.extend(
        blocks
            .iter()
            .filter_map(|block| block.ignored.as_ref().map(|reason| format!("{name}:{}: {reason}", block.line))),
    );
    let steps: Vec<&Step> = blocks
        .iter()
        .filter(|block| block.ignored.is_none())
        .flat_map(|block| &block.steps)
        .collect();
    if steps.is_empty() {
        return report;
    }
    let commands: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let answers = Session::new(folders_on_path).run(&commands);
    for (step, answer) in steps.iter().zip(answers) {
        report.commands += 1;
        report.failures.extend(
            judge(step, answer.as_ref()).map(|problem| format!("{name}:{}: `{}`\n{problem}", step.line, first_line(&step.command))),
        );
    }
    report
}

fn judge(step: &Step, answer: Option<&Answer>) -> Option<String> {
    let Some(answer) = answer else {
        return Some("  was not reached: a command before it ended the shell".to_owned());
    };
    let mut problem = String::new();
    if answer.status != step.status {
        let _ = writeln!(problem, "  exit status {}, the document says {}", answer.status, step.status);
    }
    if let Some(difference) = difference(&step.output, &answer.output) {
        let _ = write!(problem, "  - the document, + what was said\n{difference}");
    }
    (!problem.is_empty()).then_some(problem)
}

fn first_line(command: &str) -> &str {
    command.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Report {
        run_document("a.md", text, &[])
    }

    #[test]
    fn a_document_that_says_what_happens_passes() {
        let report = run(
            "```console\n$ mkdir a && cd a\n$ pwd\n/[..]/a\n$ cat <<'E' > b\nx\n\ny\nE\n$ cat b\nx\n\ny\n$ exit_with() { return $1; }\n```\n\nthen\n\n```console\n$ cat b; exit_with 3\n...\ny\n? 3\n```\n",
        );
        assert_eq!(report.failures, Vec::<String>::new());
        assert_eq!(report.commands, 6);
    }

    #[test]
    fn a_wrong_output_and_a_wrong_status_are_told_with_their_place() {
        let report = run("text\n```console\n$ echo a; echo b >&2\na\nc\n$ false\n```\n");
        assert_eq!(report.failures.len(), 2);
        assert!(
            report.failures[0].starts_with("a.md:3: `echo a; echo b >&2`\n")
                && report.failures[0].contains("- c")
                && report.failures[0].contains("+ b")
        );
        assert!(
            report.failures[1].starts_with("a.md:6: `false`\n  exit status 1, the document says 0"),
            "{}",
            report.failures[1]
        );
    }

    #[test]
    fn commands_after_the_end_of_the_shell_fail() {
        let report = run("```console\n$ exit 0\n$ echo a\na\n```\n");
        assert!(
            report.failures.iter().any(|failure| failure.contains("was not reached")),
            "{:?}",
            report.failures
        );
    }

    #[test]
    fn an_ignored_block_is_listed_and_not_run() {
        let report = run("```console ignore=needs a browser\n$ false\n```\n");
        assert_eq!(
            (report.commands, report.ignored.as_slice()),
            (0, ["a.md:1: needs a browser".to_owned()].as_slice())
        );
    }
}
