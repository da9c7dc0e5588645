//! Console blocks as a document writes them, parsed into commands and what they are to say. Nothing is run here.

/// A fenced block marked `console`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of its opening fence, from 1.
    pub line: usize,
    /// Why it is not run, from `console ignore=reason`.
    pub ignored: Option<String>,
    /// Its commands, in order.
    pub steps: Vec<Step>,
}

/// One command and what the document says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line of the command, from 1.
    pub line: usize,
    /// The command as the shell gets it, here-documents included.
    pub command: String,
    /// The expected lines of output.
    pub output: Vec<String>,
    /// The expected exit status.
    pub status: i32,
}

/// A block that says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// Finds the console blocks of a Markdown text.
///
/// # Errors
///
/// When a block is not closed, begins with output, or is ignored without a reason.
pub fn parse_blocks(text: &str) -> Result<Vec<Block>, BlockError> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((line, opening)) = lines.next() {
        let Some(fence) = Fence::parse(opening) else { continue };
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some((_, text)) if fence.is_closed_by(text) => break,
                Some((line, text)) => body.push((line, fence.without_indent(text))),
                None => {
                    return Err(BlockError {
                        line,
                        problem: "the fence is never closed",
                    });
                }
            }
        }
        if let Some(ignored) = parse_info(fence.info, line)? {
            blocks.push(Block {
                line,
                ignored,
                steps: parse_steps(&body)?,
            });
        }
    }
    Ok(blocks)
}

/// An opening fence: at least three backticks or tildes, indented by as much as its text is.
struct Fence<'a> {
    indent: usize,
    marks: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let start = line.trim_start_matches(' ');
        let mark = start.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = start.trim_start_matches(mark);
        let marks = &start[..start.len() - info.len()];
        (marks.len() >= 3 && !info.contains('`')).then(|| Self {
            indent: line.len() - start.len(),
            marks,
            info: info.trim(),
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let rest = line.trim().strip_prefix(self.marks);
        rest.is_some_and(|rest| rest.chars().all(|character| self.marks.starts_with(character)))
    }

    fn without_indent<'b>(&self, line: &'b str) -> &'b str {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        &line[blanks.min(self.indent)..]
    }
}

/// Answers whether a block is a console block and, if so, why it is not run.
fn parse_info(info: &str, line: usize) -> Result<Option<Option<String>>, BlockError> {
    let (language, rest) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
    let reason = rest
        .trim()
        .strip_prefix("ignore=")
        .map(str::trim)
        .filter(|reason| !reason.is_empty());
    match (language, rest.trim(), reason) {
        ("console", "", _) => Ok(Some(None)),
        ("console", _, Some(reason)) => Ok(Some(Some(reason.to_owned()))),
        ("console", _, None) => Err(BlockError {
            line,
            problem: "after `console` only `ignore=` with a reason may stand",
        }),
        _ => Ok(None),
    }
}

fn parse_steps(body: &[Line<'_>]) -> Result<Vec<Step>, BlockError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = body;
    while let Some(((line, text), after)) = rest.split_first() {
        rest = after;
        if let Some(first) = text.strip_prefix("$ ") {
            let (command, after) = parse_command(*line, first, after)?;
            rest = after;
            steps.push(Step {
                line: *line,
                command,
                output: Vec::new(),
                status: 0,
            });
        } else if is_comment(text, after) {
            continue;
        } else if let Some(step) = steps.last_mut() {
            match text.strip_prefix("? ").and_then(|status| status.parse().ok()) {
                Some(status) => step.status = status,
                None => step.output.push((*text).to_owned()),
            }
        } else if !text.trim().is_empty() {
            return Err(BlockError {
                line: *line,
                problem: "output without a command above it",
            });
        }
    }
    for step in &mut steps {
        while step.output.last().is_some_and(|line| line.trim().is_empty()) {
            step.output.pop();
        }
    }
    Ok(steps)
}

/// A line with `#` speaks to the reader if it leads to a command or to the end of the block; elsewhere it is output.
fn is_comment(text: &str, after: &[Line<'_>]) -> bool {
    let speaks = |text: &str| text.starts_with('#') || text.trim().is_empty();
    text.starts_with('#')
        && after
            .iter()
            .find(|(_, text)| !speaks(text))
            .is_none_or(|(_, text)| text.starts_with("$ "))
}

/// A line of a document with its number.
type Line<'a> = (usize, &'a str);

/// Reads on where a `\` at the end or a here-document continues the command.
fn parse_command<'a, 'b>(line: usize, first: &str, mut rest: &'a [Line<'b>]) -> Result<(String, &'a [Line<'b>]), BlockError> {
    let mut command = first.to_owned();
    let mut last = first;
    while last.ends_with('\\') {
        let Some(((_, next), after)) = rest.split_first() else {
            return Err(BlockError {
                line,
                problem: "the command ends with `\\` and nothing follows",
            });
        };
        last = next.strip_prefix("> ").unwrap_or(next);
        command.push('\n');
        command.push_str(last);
        rest = after;
    }
    for (word, indented) in here_documents(&command) {
        loop {
            let Some(((_, next), after)) = rest.split_first() else {
                return Err(BlockError {
                    line,
                    problem: "the here-document never ends",
                });
            };
            command.push('\n');
            command.push_str(next);
            rest = after;
            if (if indented { next.trim_start_matches('\t') } else { next }) == word {
                break;
            }
        }
    }
    Ok((command, rest))
}

/// The closing words of a command's here-documents; true for `<<-`, whose word may be indented.
fn here_documents(command: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut rest = command;
    while let Some(at) = rest.find("<<") {
        rest = &rest[at + 2..];
        if let Some(here_string) = rest.strip_prefix('<') {
            rest = here_string;
            continue;
        }
        let (indented, after) = rest.strip_prefix('-').map_or((false, rest), |after| (true, after));
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let after = after.trim_start_matches(['\'', '"']);
        let end = after
            .find(|character: char| !character.is_alphanumeric() && character != '_')
            .unwrap_or(after.len());
        // `1 << 2` is arithmetic: a closing word begins with a letter, or is quoted.
        if end > 0 && (quote.is_some() || !after.starts_with(|character: char| character.is_ascii_digit())) {
            words.push((after[..end].to_owned(), indented));
        }
        rest = &after[end..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(body: &str) -> Vec<(String, Vec<String>, i32)> {
        let blocks = parse_blocks(&format!("```console\n{body}```\n")).unwrap();
        blocks
            .into_iter()
            .flat_map(|block| block.steps)
            .map(|step| (step.command, step.output, step.status))
            .collect()
    }

    fn step(command: &str, output: &[&str], status: i32) -> (String, Vec<String>, i32) {
        (command.to_owned(), output.iter().map(|line| (*line).to_owned()).collect(), status)
    }

    #[test]
    fn a_command_has_the_lines_below_it_as_output() {
        assert_eq!(steps("$ a\n1\n\n2\n\n$ b\n"), [step("a", &["1", "", "2"], 0), step("b", &[], 0)]);
    }

    #[test]
    fn a_status_line_says_how_the_command_ends() {
        assert_eq!(
            steps("$ a\nno\n? 3\n$ b\n? really\n"),
            [step("a", &["no"], 3), step("b", &["? really"], 0)]
        );
    }

    #[test]
    fn a_command_goes_on_after_a_backslash() {
        assert_eq!(steps("$ a \\\n    b \\\n> c\nout\n"), [step("a \\\n    b \\\nc", &["out"], 0)]);
    }

    #[test]
    fn a_here_document_belongs_to_its_command() {
        assert_eq!(
            steps("$ cat > a <<'END'\n$ not a command\n# kept\nEND\nout\n"),
            [step("cat > a <<'END'\n$ not a command\n# kept\nEND", &["out"], 0)]
        );
        assert_eq!(
            steps("$ cat <<-E | b\n\tx\n\tE\n$ cat <<< word\nword\n$ echo $((1 << 2))\n4\n").len(),
            3
        );
    }

    #[test]
    fn a_comment_leads_to_a_command_and_elsewhere_a_hash_is_output() {
        assert_eq!(
            steps("# first\n$ a\n# in the file\nx\n\n# then\n$ b\n# the end\n"),
            [step("a", &["# in the file", "x"], 0), step("b", &[], 0)]
        );
    }

    #[test]
    fn only_console_blocks_count_and_each_knows_its_line() {
        let blocks =
            parse_blocks("```sh\n$ a\n```\n\n- item\n\n  ```console\n  $ b\n    indented\n  ```\n~~~~console\n$ c\n```\n~~~~\n").unwrap();
        let found: Vec<(usize, usize, &str, &[String])> = blocks
            .iter()
            .map(|block| {
                (
                    block.line,
                    block.steps[0].line,
                    block.steps[0].command.as_str(),
                    block.steps[0].output.as_slice(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (7, 8, "b", ["  indented".to_owned()].as_slice()),
                (11, 12, "c", ["```".to_owned()].as_slice())
            ]
        );
    }

    #[test]
    fn an_ignored_block_needs_a_reason() {
        assert_eq!(
            parse_blocks("```console ignore=needs a phone\n```\n").unwrap()[0]
                .ignored
                .as_deref(),
            Some("needs a phone")
        );
        for info in ["console ignore", "console ignore=", "console no_run"] {
            assert!(parse_blocks(&format!("```{info}\n```\n")).is_err(), "{info}");
        }
    }

    #[test]
    fn what_is_not_whole_is_an_error_with_its_line() {
        for (text, line) in [
            ("a\n```console\n$ a\n", 2),
            ("```console\nout\n```\n", 2),
            ("```console\n$ a \\\n```\n", 2),
            ("```console\n$ a <<E\n```\n", 2),
        ] {
            assert_eq!(parse_blocks(text).unwrap_err().line, line, "{text}");
        }
    }
}
