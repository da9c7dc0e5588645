//! The `sync` command of a source, as words for a program's start; nothing here runs anything.

use crate::Value;

/// The command that loads a source: one text, or a list of words.
///
/// A list is taken word by word. A text is split as the shell quotes (POSIX.1-2024, XCU 2.2): blanks
/// and line breaks separate, `'…'` is literal, in `"…"` a backslash escapes `$ ` " \` and the line
/// break, elsewhere any character.
///
/// # Security
///
/// There is no shell behind it: variables, `~`, `*`, `;`, `|`, `>` and `$(…)` are plain characters,
/// so nothing is executed because of what a value says. A command that needs a shell says so:
/// `sh -c 'first && second'`.
///
/// ```
/// use dango_sources::SyncCommand;
///
/// let command = SyncCommand::from_text("python pipeline.py --only 'big table' $HOME");
/// assert_eq!(command.words()?, ["python", "pipeline.py", "--only", "big table", "$HOME"]);
/// # Ok::<(), dango_sources::SyncError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCommand {
    written: Written,
    line: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Text(String),
    Words(Vec<String>),
}

/// A `sync` command that has no words.
///
/// # Security
///
/// The command itself is not repeated: it may hold a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the `sync` command{} {problem}", place(*line))]
pub struct SyncError {
    /// The line of `sources.yml`, counted from 1; `None` for a command from elsewhere.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub problem: SyncProblem,
}

/// What makes a `sync` command unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncProblem {
    /// No word, or an empty first word.
    #[error("is empty")]
    Empty,
    /// A `'` without its partner.
    #[error("has a single quote that is never closed")]
    SingleQuote,
    /// A `"` without its partner.
    #[error("has a double quote that is never closed")]
    DoubleQuote,
    /// A backslash with nothing behind it.
    #[error("ends with a backslash")]
    Backslash,
    /// The character NUL, which no program's argument can hold.
    #[error("holds the character NUL")]
    Nul,
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!(" on line {line}")).unwrap_or_default()
}

impl SyncCommand {
    /// A command as one text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            written: Written::Text(text.into()),
            line: None,
        }
    }

    /// A command as its words.
    pub fn from_words<I, S>(words: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            written: Written::Words(words.into_iter().map(Into::into).collect()),
            line: None,
        }
    }

    /// Takes the member `sync` of a source, or `None` where it is neither a text nor a list of texts.
    pub(crate) fn from_value(value: &Value, line: usize) -> Option<Self> {
        let written = match value {
            Value::List(items) => Written::Words(items.iter().map(|item| item.as_text().map(str::to_owned)).collect::<Option<_>>()?),
            value => Written::Text(value.as_text()?.to_owned()),
        };
        Some(Self { written, line: Some(line) })
    }

    /// The command as `sources.yml` holds it.
    pub fn to_value(&self) -> Value {
        match &self.written {
            Written::Text(text) => Value::String(text.clone()),
            Written::Words(words) => Value::List(words.iter().cloned().map(Value::String).collect()),
        }
    }

    /// The program and its arguments.
    ///
    /// # Errors
    ///
    /// [`SyncError`] where a quote is never closed, where there is no program, or at a NUL.
    pub fn words(&self) -> Result<Vec<String>, SyncError> {
        let words = match &self.written {
            Written::Words(words) => Ok(words.clone()),
            Written::Text(text) => split(text).map(|words| words.into_iter().map(|word| word.text).collect()),
        };
        let words = words.and_then(|words: Vec<String>| match words.first() {
            _ if words.iter().any(|word| word.contains('\0')) => Err(SyncProblem::Nul),
            Some(program) if !program.is_empty() => Ok(words),
            _ => Err(SyncProblem::Empty),
        });
        words.map_err(|problem| SyncError { line: self.line, problem })
    }

    /// The first unquoted word that only a shell would act on (`&&`, `|`, `>out`, `cd`): a hint that the command was
    /// written for one.
    pub fn shell_syntax(&self) -> Option<&'static str> {
        const OPERATORS: [&str; 9] = ["&&", "||", "|", ";", "&", ">", "<", "$(", "`"];
        const BUILTINS: [&str; 4] = ["cd", "export", "source", "."];
        let Written::Text(text) = &self.written else { return None };
        let words = split(text).ok()?;
        let operator = |word: &Word| {
            let found = OPERATORS.iter().find(|operator| word.bare && word.text.starts_with(**operator));
            let found = found.or_else(|| (word.bare && word.text.ends_with(';')).then_some(&";"));
            found.copied()
        };
        let builtin = words
            .first()
            .and_then(|word| BUILTINS.iter().find(|builtin| word.bare && word.text == **builtin));
        builtin.copied().or_else(|| words.iter().find_map(operator))
    }
}

/// One word, and whether it stands without quotes and backslashes.
struct Word {
    text: String,
    bare: bool,
}

fn split(text: &str) -> Result<Vec<Word>, SyncProblem> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            words.extend(word.take());
            continue;
        }
        let quoting = matches!(c, '\'' | '"' | '\\');
        let mut escaped = None;
        if c == '\\' {
            match characters.next().ok_or(SyncProblem::Backslash)? {
                '\n' => continue,
                character => escaped = Some(character),
            }
        }
        let current = word.get_or_insert(Word {
            text: String::new(),
            bare: true,
        });
        current.bare &= !quoting;
        match c {
            '\\' => current.text.extend(escaped),
            '\'' => loop {
                match characters.next().ok_or(SyncProblem::SingleQuote)? {
                    '\'' => break,
                    character => current.text.push(character),
                }
            },
            '"' => double_quoted(&mut characters, &mut current.text)?,
            c => current.text.push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn double_quoted(characters: &mut std::str::Chars<'_>, out: &mut String) -> Result<(), SyncProblem> {
    loop {
        match characters.next().ok_or(SyncProblem::DoubleQuote)? {
            '"' => return Ok(()),
            '\\' => match characters.next().ok_or(SyncProblem::DoubleQuote)? {
                '\n' => {}
                c @ ('$' | '`' | '"' | '\\') => out.push(c),
                c => out.extend(['\\', c]),
            },
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Result<Vec<String>, SyncProblem> {
        SyncCommand::from_text(text).words().map_err(|error| error.problem)
    }

    /// Each line: a text and the words that bash makes of it, as JSON; made by `make_words.sh`.
    const BASH: &str = include_str!("../tests/fixtures/words.jsonl");

    #[test]
    fn texts_are_split_as_bash_splits_them() {
        let mut count = 0;
        for line in BASH.lines() {
            let case: Vec<serde_json::Value> = serde_json::from_str(line).expect("JSON");
            let text = case[0].as_str().expect("a text");
            let expected: Vec<String> = serde_json::from_value(case[1].clone()).expect("a list of words");
            assert_eq!(words(text), Ok(expected), "{text:?}");
            count += 1;
        }
        assert!(count > 20, "{count} cases");
    }

    #[test]
    fn nothing_is_expanded_and_no_shell_is_involved() {
        assert_eq!(
            words("a $HOME ~ * $(id) `id` a;b >x # c").expect("words"),
            ["a", "$HOME", "~", "*", "$(id)", "`id`", "a;b", ">x", "#", "c"]
        );
    }

    #[test]
    fn what_has_no_words_says_why_and_where() {
        assert_eq!(words(""), Err(SyncProblem::Empty));
        assert_eq!(words(" \n"), Err(SyncProblem::Empty));
        assert_eq!(words("''"), Err(SyncProblem::Empty));
        assert_eq!(words("a 'b"), Err(SyncProblem::SingleQuote));
        assert_eq!(words("a \"b\\\""), Err(SyncProblem::DoubleQuote));
        assert_eq!(words("a \\"), Err(SyncProblem::Backslash));
        assert_eq!(words("a \0"), Err(SyncProblem::Nul));
        let command = SyncCommand::from_value(&Value::String("run 'canary".to_owned()), 7).expect("a text");
        let error = command.words().expect_err("not closed");
        assert_eq!(
            error.to_string(),
            "the `sync` command on line 7 has a single quote that is never closed"
        );
    }

    #[test]
    fn a_list_is_taken_word_by_word() {
        let command = SyncCommand::from_words(["python", "a b", "'c'", ""]);
        assert_eq!(command.words().expect("words"), ["python", "a b", "'c'", ""]);
        assert_eq!(SyncCommand::from_value(&Value::Map(Vec::new()), 1), None);
        assert_eq!(SyncCommand::from_value(&Value::List(vec![Value::Null]), 1), None);
        assert!(SyncCommand::from_words(Vec::<String>::new()).words().is_err());
    }

    #[test]
    fn a_command_written_for_a_shell_is_noticed() {
        let shell = |text: &str| SyncCommand::from_text(text).shell_syntax();
        assert_eq!(shell("cd x && python a.py"), Some("cd"));
        assert_eq!(shell("python a.py && b"), Some("&&"));
        assert_eq!(shell("python a.py; b"), Some(";"));
        assert_eq!(shell("python a.py >log 2>&1"), Some(">"));
        assert_eq!(shell("sh -c 'a && b'"), None);
        assert_eq!(shell("python a.py '|' --cd"), None);
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(wanted in proptest::collection::vec("[^\u{0}]{1,8}", 1..5)) {
            let text: Vec<String> = wanted.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
            prop_assert_eq!(words(&text.join(" ")).expect("closed"), wanted);
        }
    }
}
