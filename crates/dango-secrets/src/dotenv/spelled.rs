//! Values and comments of a `.env` document as they are spelled, and many of them spelled anew at once, with proof.

use std::collections::HashSet;
use std::ops::Range;

use zeroize::Zeroizing;

use super::edit::{Readings, first_difference};
use super::parser::{BOM, Statement, StatementKind, count_lines};
use super::{Binding, EnvDocument};

/// One value spelled anew. There is no `Debug`: it may be a secret.
#[derive(Clone, Copy)]
pub struct EnvRespelling<'a> {
    /// Which binding, counted from 0 in the order of [`EnvDocument::bindings`].
    pub index: usize,
    /// What stands behind the `=`, a comment behind the value included where `with_comment` is set.
    pub spelling: &'a str,
    /// Whether the comment behind the value is replaced, too, with the blanks before it.
    pub with_comment: bool,
}

/// One binding as it is spelled. There is no `Debug`: it may be a secret.
#[derive(Clone, Copy)]
pub struct EnvSpelled<'d> {
    /// The binding.
    pub binding: &'d Binding,
    /// What stands behind its `=`, quotes included; `None` without one.
    pub spelling: Option<&'d str>,
    /// The comment behind the value, with the blanks before it, or nothing.
    pub comment: &'d str,
}

/// A comment, or a line that is skipped, with its place. There is no `Debug`: people put secrets into comments.
#[derive(Clone, Copy)]
pub struct EnvComment<'d> {
    /// The line, from 1.
    pub line: usize,
    /// What stands there, the line end left out.
    pub text: &'d str,
}

/// Why values were not spelled anew; it names lines, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvRespellError {
    /// There is no such binding, or it has no `=`.
    #[error("there is no value to be spelled anew")]
    NotAValue,
    /// Another line would read differently, for python-dotenv or for node dotenv.
    #[error("line {line} would be read differently")]
    OtherLine {
        /// The line, from 1.
        line: usize,
    },
}

impl EnvRespellError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAValue => "env_respell_not_a_value",
            Self::OtherLine { .. } => "env_other_line",
        }
    }
}

impl EnvDocument {
    /// Every binding with what is spelled behind its `=`, in the order of [`EnvDocument::bindings`].
    pub fn spelled(&self) -> Vec<EnvSpelled<'_>> {
        let spelled = |(statement, binding): (&Statement, _)| {
            let binding: &Binding = binding;
            let span = binding.value.as_ref().map(|value| value.span.clone());
            let comment = span.as_ref().and_then(|span| self.comment_range(statement, span));
            EnvSpelled {
                binding,
                spelling: span.map(|span| &self.text[span]),
                comment: comment.map_or("", |range| &self.text[range]),
            }
        };
        self.bound().map(spelled).collect()
    }

    /// Every comment, behind values too, and every line that is skipped because it makes no sense.
    pub fn comments(&self) -> Vec<EnvComment<'_>> {
        let mut comments = Vec::new();
        for statement in &self.statements {
            let (line, range) = match &statement.kind {
                StatementKind::Nothing | StatementKind::Unparsable => (statement.line, statement.span.clone()),
                StatementKind::Binding(binding) => {
                    let end = binding.value.as_ref().map_or(binding.key_span.end, |value| value.span.end);
                    let line = statement.line + count_lines(&self.text[statement.span.start..end]);
                    match self.comment_range(statement, &(end..end)) {
                        Some(range) => (line, range),
                        None => continue,
                    }
                }
            };
            let text = self.text[range].trim_end_matches(['\r', '\n']);
            if !text.trim().is_empty() {
                comments.push(EnvComment { line, text });
            }
        }
        comments
    }

    /// Makes a document in which these values are spelled so; every other byte stays.
    ///
    /// # Errors
    ///
    /// [`EnvRespellError`]: no such value, or another value or line would read differently for python-dotenv or node dotenv.
    pub fn respell(&self, changes: &[EnvRespelling<'_>]) -> Result<Self, EnvRespellError> {
        let bound: Vec<_> = self.bound().collect();
        let mut splices = Vec::with_capacity(changes.len());
        for change in changes {
            let value = bound
                .get(change.index)
                .and_then(|(statement, binding)| Some((*statement, binding.value.as_ref()?)));
            let (statement, value) = value.ok_or(EnvRespellError::NotAValue)?;
            let mut span = value.span.clone();
            if change.with_comment
                && let Some(comment) = self.comment_range(statement, &span)
            {
                span.end = comment.end;
            }
            splices.push((span, change.spelling));
        }
        splices.sort_by_key(|(span, _)| span.start);
        let added: usize = splices.iter().map(|(_, spelling)| spelling.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + added));
        let mut at = 0;
        for (span, spelling) in splices {
            let kept = self.text.get(at..span.start).ok_or(EnvRespellError::NotAValue)?;
            text.push_str(kept);
            text.push_str(spelling);
            at = span.end;
        }
        text.push_str(&self.text[at..]);
        let edited = Self::from_text(text);
        let changed: HashSet<usize> = changes.iter().map(|change| change.index).collect();
        match self.difference(&edited, &changed) {
            None => Ok(edited),
            Some(line) => Err(EnvRespellError::OtherLine { line }),
        }
    }

    /// Makes a document in which the comment line that `is_wanted` picks is `line`, or in which there is none.
    ///
    /// A new one goes to the end, from where it is taken away without a trace. Of several the last is replaced and the others go.
    ///
    /// # Errors
    ///
    /// [`EnvRespellError::OtherLine`] where another line would read differently.
    pub fn with_comment_line(&self, is_wanted: impl Fn(&str) -> bool, line: Option<&str>) -> Result<Self, EnvRespellError> {
        let wanted: Vec<Range<usize>> = self.comment_lines().filter(|range| is_wanted(&self.text[range.clone()])).collect();
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + line.map_or(0, str::len) + 4));
        let mut at = 0;
        for (number, range) in wanted.iter().enumerate() {
            text.push_str(&self.text[at..range.start]);
            at = range.end;
            let own = &self.text[range.clone()];
            let newline = &own[own.trim_end_matches(['\r', '\n']).len()..];
            match line {
                Some(line) if number + 1 == wanted.len() => {
                    text.push_str(line);
                    text.push_str(newline);
                }
                // It stood at the end of a file without a final line end, which had none before either.
                _ if newline.is_empty() => {
                    let length = text
                        .strip_suffix('\n')
                        .map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
                    text.truncate(length);
                }
                _ => {}
            }
        }
        text.push_str(&self.text[at..]);
        if let (Some(line), true) = (line, wanted.is_empty()) {
            let content = self.text.strip_prefix(BOM).unwrap_or(&self.text);
            let is_open = !content.is_empty() && !content.ends_with(['\r', '\n']);
            let (before, after) = if is_open { ("\n", "") } else { ("", "\n") };
            text.push_str(&self.with_line_breaks(&format!("{before}{line}{after}")));
        }
        let edited = Self::from_text(text);
        match self.difference(&edited, &HashSet::new()) {
            None => Ok(edited),
            Some(line) => Err(EnvRespellError::OtherLine { line }),
        }
    }

    /// The last comment line, its line end left out, that `read` makes something of.
    pub fn find_comment_line<T>(&self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = self
            .comment_lines()
            .filter_map(|range| read(self.text[range].trim_end_matches(['\r', '\n'])));
        found.last()
    }

    /// The spans of the lines that are comments and nothing else, line ends included.
    fn comment_lines(&self) -> impl Iterator<Item = Range<usize>> {
        let nothing = |statement: &&Statement| matches!(statement.kind, StatementKind::Nothing);
        self.statements.iter().filter(nothing).map(|statement| statement.span.clone())
    }

    fn bound(&self) -> impl Iterator<Item = (&Statement, &Binding)> {
        self.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Binding(binding) => Some((statement, binding)),
            _ => None,
        })
    }

    fn comment_range(&self, statement: &Statement, value: &Range<usize>) -> Option<Range<usize>> {
        let behind = self.text.get(value.end..statement.span.end)?.trim_end_matches(['\r', '\n']);
        let is_comment = behind.trim_start().starts_with('#');
        is_comment.then(|| value.end..value.end + behind.len())
    }

    /// A line that reads differently, though its binding is none of those that were to change.
    fn difference<'d>(&'d self, edited: &'d Self, changed: &HashSet<usize>) -> Option<usize> {
        let (before, after) = (Readings::of(self), Readings::of(edited));
        let keys: HashSet<&str> = before
            .python
            .iter()
            .enumerate()
            .filter(|(index, _)| changed.contains(index))
            .map(|(_, binding)| binding.key())
            .collect();
        let bindings = |readings: &Readings<'d>| {
            let value = |index: usize, binding: &'d Binding| binding.expose().filter(|_| !changed.contains(&index));
            let views = readings.python.iter().enumerate();
            views
                .map(|(index, binding)| (binding.line(), binding.key(), value(index, binding)))
                .collect::<Vec<_>>()
        };
        if let Some(line) = first_difference(bindings(&before).into_iter(), bindings(&after).into_iter()) {
            return Some(line);
        }
        if before.problems.len() != after.problems.len() {
            return before.problems.iter().chain(&after.problems).max().copied();
        }
        first_difference(others(&before, &keys), others(&after, &keys))
    }
}

/// What node dotenv reads for other keys.
fn others<'r>(readings: &'r Readings<'_>, keys: &HashSet<&str>) -> impl Iterator<Item = (usize, &'r str, Option<&'r str>)> {
    let others = readings.node.iter().filter(|assignment| !keys.contains(assignment.key.as_str()));
    others.map(|other| (other.line, other.key.as_str(), Some(other.value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> EnvDocument {
        EnvDocument::parse(text.as_bytes()).expect("UTF-8")
    }

    #[test]
    fn values_are_given_and_put_back_as_they_are_spelled() {
        let text = "\u{feff}export A = 'x y' # one\r\nB=\"\"\"\nC=  bare value  # two\nD=\nE\n'F'=\"a\r\nb\"#three";
        let document = parse(text);
        let spelled: Vec<Option<&str>> = document.spelled().iter().map(|spelled| spelled.spelling).collect();
        assert_eq!(spelled, [Some("'x y'"), Some("bare value"), Some(""), None, Some("\"a\r\nb\"")]);
        for index in [0, 1, 4] {
            let spelling = document.spelled()[index].spelling.expect("has one").to_owned();
            let comment = document.spelled()[index].comment.to_owned();
            let new = EnvRespelling {
                index,
                spelling: "dango",
                with_comment: true,
            };
            let sealed = document.respell(&[new]).expect("nothing else changes");
            assert!(!sealed.text().contains(&comment));
            let back = EnvRespelling {
                index,
                spelling: &[spelling, comment].concat(),
                with_comment: true,
            };
            assert_eq!(sealed.respell(&[back]).expect("fits").text(), text);
        }
        let lines: Vec<usize> = document.comments().iter().map(|comment| comment.line).collect();
        assert_eq!(lines, [1, 2, 3, 7]);
    }

    #[test]
    fn a_spelling_that_changes_another_line_is_refused() {
        let change = |spelling| EnvRespelling {
            index: 0,
            spelling,
            with_comment: false,
        };
        for bad in ["x\nC=1", "'x", "x\n\n# \nB=9"] {
            assert!(parse("A=1\nB=2'\n").respell(&[change(bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_comment_line_comes_and_goes_without_a_trace() {
        let is_ours = |line: &str| line.starts_with("# ours:");
        for text in [
            "",
            "A=1",
            "A=1\n",
            "A=1\r\nB=2\r\n",
            "A=1\r\nB=2",
            "A='x\n# ours: no\n'\n",
            "\u{feff}A=1\n\n",
        ] {
            let with = parse(text).with_comment_line(is_ours, Some("# ours:1")).expect("fits");
            let again = with.with_comment_line(is_ours, Some("# ours:22")).expect("fits");
            let read = |line: &str| line.strip_prefix("# ours:").map(str::to_owned);
            assert_eq!(again.find_comment_line(read).as_deref(), Some("22"));
            assert_eq!(again.with_comment_line(is_ours, None).expect("fits").text(), text);
        }
        let twice = parse("# ours:1\nA=1\n# ours:2\nB=2\n");
        assert_eq!(
            twice.with_comment_line(is_ours, Some("# ours:3")).expect("fits").text(),
            "A=1\n# ours:3\nB=2\n"
        );
    }
}
