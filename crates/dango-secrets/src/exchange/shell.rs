//! `export` commands for a POSIX shell, and assignments read back without a shell: nothing is ever expanded or run.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::ansi_c;
use super::export::{SHELL_NAME, check_variables, is_shell_name, join_lines};
use super::import::decode;
use super::node::secret;
use super::{ExportError, Format, Import, ImportError, ImportProblem, Place, Reason, Variable};

/// Variables that bash sets itself, whatever is assigned to them.
const RESERVED: &[&str] = &["_", "BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"];

/// Writes `export NAME='value'` commands, which any POSIX shell reads back exactly.
///
/// # Errors
///
/// [`ExportError`] with every credential whose variable a shell cannot export.
///
/// # Security
///
/// Everything stands in single quotes (POSIX.1-2024, XCU 2.2.2), where no character has a meaning
/// but the quote itself, so sourcing the text runs nothing.
pub fn write_shell(variables: &[Variable]) -> Result<Zeroizing<String>, ExportError> {
    check_variables(Format::Shell, variables, |variable| {
        if !is_shell_name(&variable.name) {
            Some(Reason::Name(SHELL_NAME))
        } else if RESERVED.contains(&variable.name.as_str()) {
            Some(Reason::ReservedName("bash"))
        } else {
            None
        }
    })?;
    let lines: Vec<_> = variables.iter().map(write_line).collect();
    Ok(join_lines(&lines))
}

fn write_line(variable: &Variable) -> Zeroizing<String> {
    let value = variable.value.expose();
    let quotes = value.matches('\'').count();
    let mut line = Zeroizing::new(String::with_capacity(variable.name.len() + value.len() + 3 * quotes + 10));
    line.push_str("export ");
    line.push_str(&variable.name);
    line.push_str("='");
    for (index, part) in value.split('\'').enumerate() {
        if index > 0 {
            line.push_str("'\\''");
        }
        line.push_str(part);
    }
    line.push('\'');
    line
}

/// Reads assignments as a POSIX shell reads them: `NAME=…`, `export NAME=…` and bash's `declare -x NAME=…`.
///
/// `declare` may have further flags, as in the output of `export -p`. Values may be made of `'…'`, `"…"`, bash's `$'…'`,
/// backslash escapes and plain characters. What a shell would
/// expand (`$NAME`, `` `…` ``, `~`, `*`) and every other command is refused. CRLF ends a line, too.
///
/// # Errors
///
/// [`ImportError`] with the line.
///
/// # Security
///
/// No shell is involved, and no variable is looked up.
pub fn parse_shell(bytes: &[u8]) -> Result<Import, ImportError> {
    let mut reader = Reader {
        text: decode(bytes)?,
        at: 0,
        line: 1,
    };
    let mut variables = Vec::new();
    while reader.skip_to_command() {
        reader.command(&mut variables)?;
    }
    Import::from_variables(variables)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, problem: ImportProblem) -> ImportError {
        ImportError::new(Place::Line(self.line), problem)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        for _ in text.chars().take_while(|_| found) {
            self.next();
        }
        found
    }

    fn skip_blanks(&mut self) {
        while self.accept(" ") || self.accept("\t") || self.accept("\\\n") {}
    }

    /// Skips empty lines and comments; whether there is more.
    fn skip_to_command(&mut self) -> bool {
        loop {
            self.skip_blanks();
            if self.peek() == Some('#') {
                let length = self.rest().find('\n').unwrap_or(self.rest().len());
                self.at += length;
            } else if !(self.accept("\n") || self.accept("\r\n")) {
                return self.peek().is_some();
            }
        }
    }

    /// Whether the command ends here; takes what ends it.
    fn accept_end(&mut self) -> bool {
        self.peek().is_none() || self.peek() == Some('#') || self.accept("\n") || self.accept("\r\n") || self.accept(";")
    }

    fn command(&mut self, variables: &mut Vec<(String, SecretValue)>) -> Result<(), ImportError> {
        let exports = self.accept_word("export") || self.accept_declaration();
        loop {
            self.skip_blanks();
            if self.accept_end() {
                return Ok(());
            }
            let line = self.line;
            let name = self.name()?;
            if self.accept("=") {
                let value = self.value()?;
                variables.push((name.to_owned(), secret(Place::Line(line), value)?));
            } else if !exports {
                return Err(self.error(ImportProblem::Command));
            }
            // `export NAME` alone sets nothing.
            if !matches!(self.peek(), None | Some(' ' | '\t' | '\n' | '\r' | ';' | '\\')) {
                return Err(self.error(ImportProblem::Command));
            }
        }
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.rest().strip_prefix(word).is_some_and(|behind| behind.starts_with([' ', '\t']));
        found && self.accept(word)
    }

    /// Takes `declare -x`, with whatever else bash says there about the variable (`-rx`, `-ix`).
    fn accept_declaration(&mut self) -> bool {
        let flags = self.rest().strip_prefix("declare -").unwrap_or_default();
        let length = flags.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(flags.len());
        // An array is no text.
        let exports = flags[..length].contains('x') && !flags[..length].contains(['a', 'A']);
        exports && self.accept_word(&self.rest()[.."declare -".len() + length])
    }

    fn name(&mut self) -> Result<&'a str, ImportError> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let name = &self.rest()[..length];
        if !is_shell_name(name) {
            return Err(self.error(ImportProblem::Command));
        }
        self.at += length;
        Ok(name)
    }

    fn value(&mut self) -> Result<Zeroizing<String>, ImportError> {
        // A value ends at the latest where its line does, not counting lines inside quotes.
        let mut value = Zeroizing::new(String::new());
        loop {
            match self.peek() {
                None | Some(' ' | '\t' | '\n' | ';') => return Ok(value),
                Some('\r') if self.rest().starts_with("\r\n") => return Ok(value),
                Some('\'') => self.single_quoted(&mut value)?,
                Some('"') => self.double_quoted(&mut value)?,
                Some('$') if self.rest().starts_with("$'") => self.dollar_quoted(&mut value)?,
                Some('\\') => {
                    self.next();
                    match self.next() {
                        None => return Err(self.error(ImportProblem::Syntax("nothing follows the backslash".to_owned()))),
                        Some('\n') => {}
                        Some(c) => push(&mut value, c.encode_utf8(&mut [0; 4])),
                    }
                }
                Some('$' | '`' | '~' | '*' | '?' | '[' | '{' | '}') => return Err(self.error(ImportProblem::Expansion)),
                Some('&' | '|' | '<' | '>' | '(' | ')') => return Err(self.error(ImportProblem::Command)),
                Some(c) if c.is_control() => {
                    return Err(self.error(ImportProblem::Syntax("a control character must stand in quotes".to_owned())));
                }
                Some(c) => {
                    self.next();
                    push(&mut value, c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn single_quoted(&mut self, value: &mut Zeroizing<String>) -> Result<(), ImportError> {
        let Some(length) = self.rest()[1..].find('\'') else {
            return Err(self.error(ImportProblem::UnclosedQuote));
        };
        let part = &self.rest()[1..=length];
        push(value, part);
        self.line += part.matches('\n').count();
        self.at += length + 2;
        Ok(())
    }

    /// Bash's `$'…'`, in which it prints what holds control characters; nothing in it is expanded.
    fn dollar_quoted(&mut self, value: &mut Zeroizing<String>) -> Result<(), ImportError> {
        let inner = &self.rest()[2..];
        let Some((bytes, length)) = ansi_c::decode(inner) else {
            return Err(self.error(ImportProblem::UnclosedQuote));
        };
        let Ok(part) = std::str::from_utf8(&bytes) else {
            return Err(self.error(ImportProblem::Syntax("the bytes between $' and ' are not UTF-8".to_owned())));
        };
        push(value, part);
        self.line += inner[..length].matches('\n').count();
        self.at += length + 3;
        Ok(())
    }

    fn double_quoted(&mut self, value: &mut Zeroizing<String>) -> Result<(), ImportError> {
        let start = self.line;
        self.next();
        loop {
            let Some(length) = self.rest().find(['"', '\\', '$', '`']) else {
                return Err(ImportError::new(Place::Line(start), ImportProblem::UnclosedQuote));
            };
            let part = &self.rest()[..length];
            push(value, part);
            self.line += part.matches('\n').count();
            self.at += length;
            match self.next() {
                Some('"') => return Ok(()),
                Some('\\') => match self.peek() {
                    Some(c @ ('"' | '\\' | '$' | '`')) => {
                        self.next();
                        push(value, c.encode_utf8(&mut [0; 4]));
                    }
                    Some('\n') => {
                        self.next();
                    }
                    _ => push(value, "\\"),
                },
                _ => return Err(self.error(ImportProblem::Expansion)),
            }
        }
    }
}

/// Appends without leaving a copy behind when the buffer grows.
fn push(value: &mut Zeroizing<String>, part: &str) {
    if value.len() + part.len() > value.capacity() {
        let mut larger = Zeroizing::new(String::with_capacity((value.len() + part.len()) * 2));
        larger.push_str(value);
        *value = larger;
    }
    value.push_str(part);
}
