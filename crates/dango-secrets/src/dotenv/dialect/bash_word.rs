//! Reads one word of bash: quotes, escapes and expansions, none of which is carried out.

use zeroize::Zeroizing;

use super::bash::{Span, is_name};
use super::bash_scanner::{Nested, Scanner, Stop};

/// A part of a word's value.
#[derive(Clone)]
pub(in crate::dotenv) enum Part {
    /// Text that stands for itself, quotes and escapes removed.
    Literal(Zeroizing<String>),
    /// `$NAME`, `${NAME}` or `${NAME:-default}`.
    Variable {
        name: String,
        default: Option<Zeroizing<String>>,
        /// Whether it is written with braces, as python-dotenv wants it.
        braces: bool,
    },
    /// Any other expansion that runs no program: `~`, `$$`, `${A#b}`, `$'…'`, what `+=` adds to.
    Expanded,
    /// An array or an element of one; bash exports neither.
    Array,
    /// A command substitution.
    Command,
    /// An expansion that bash refuses, such as `${}`.
    Invalid,
}

/// A word, and the variable if it is an assignment.
pub(super) struct Word {
    pub(super) span: Span,
    pub(super) name: Option<String>,
    pub(super) parts: Vec<Part>,
}

impl Scanner<'_> {
    /// The word at the cursor.
    pub(super) fn word(&mut self, may_assign: bool) -> Result<Word, Stop> {
        let start = self.at();
        let mut parts = Parts::default();
        let name = if may_assign { self.assigned_name(&mut parts) } else { None };
        if name.is_some() && self.peek() == Some('(') {
            self.advance('(');
            parts.push(if self.skip_nested(Nested::Parenthesis)? {
                Part::Command
            } else {
                Part::Array
            });
        }
        let mut tilde_counts = name.is_some();
        while let Some(c) = self.peek() {
            let at_tilde_place = std::mem::replace(&mut tilde_counts, name.is_some() && c == ':');
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' => break,
                '(' | ')' => return Err(Stop),
                '~' if at_tilde_place => {
                    self.advance(c);
                    parts.push(Part::Expanded);
                }
                '\'' => self.single_quoted(&mut parts)?,
                '"' => self.double_quoted(&mut parts)?,
                '$' => self.dollar(&mut parts, Quoting::None)?,
                '`' => self.backquoted(&mut parts)?,
                '\\' => self.escaped(&mut parts),
                _ => {
                    self.advance(c);
                    parts.text(c);
                }
            }
        }
        Ok(Word {
            span: start..self.at(),
            name,
            parts: parts.finish(),
        })
    }

    /// Steps over `NAME=`, `NAME+=` or `NAME[…]=` and gives the name.
    fn assigned_name(&mut self, parts: &mut Parts) -> Option<String> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        let behind = &rest[length..];
        let sign = if behind.starts_with('=') {
            1
        } else if behind.starts_with("+=") {
            2
        } else {
            let index = behind.strip_prefix('[')?;
            let close = index.find([']', ' ', '\t', '\n']).filter(|&at| index[at..].starts_with("]="))?;
            close + "[]=".len()
        };
        if !is_name(name) {
            return None;
        }
        match sign {
            1 => {}
            2 => parts.push(Part::Expanded),
            _ => parts.push(Part::Array),
        }
        self.go_to(self.at() + length + sign);
        Some(name.to_owned())
    }

    fn single_quoted(&mut self, parts: &mut Parts) -> Result<(), Stop> {
        let inner = &self.rest()[1..];
        let end = inner.find('\'').ok_or_else(|| self.run_out())?;
        parts.text_run(&inner[..end]);
        self.go_to(self.at() + end + 2);
        Ok(())
    }

    fn double_quoted(&mut self, parts: &mut Parts) -> Result<(), Stop> {
        self.advance('"');
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.advance(c);
                    return Ok(());
                }
                '$' => self.dollar(parts, Quoting::Double)?,
                '`' => self.backquoted(parts)?,
                '\\' => {
                    self.advance(c);
                    match self.peek() {
                        Some('\n') => self.advance('\n'),
                        Some(next @ ('$' | '`' | '"' | '\\')) => {
                            self.advance(next);
                            parts.text(next);
                        }
                        _ => parts.text(c),
                    }
                }
                _ => {
                    self.advance(c);
                    parts.text(c);
                }
            }
        }
        Err(Stop)
    }

    fn escaped(&mut self, parts: &mut Parts) {
        self.advance('\\');
        match self.peek() {
            Some('\n') => self.advance('\n'),
            Some(c) => {
                self.advance(c);
                parts.text(c);
            }
            None => parts.text('\\'),
        }
    }

    fn backquoted(&mut self, parts: &mut Parts) -> Result<(), Stop> {
        self.advance('`');
        self.skip_nested(Nested::Backquote)?;
        parts.push(Part::Command);
        Ok(())
    }

    fn dollar(&mut self, parts: &mut Parts, quoting: Quoting) -> Result<(), Stop> {
        self.advance('$');
        let rest = self.rest();
        match self.peek() {
            Some('\'') if quoting == Quoting::None => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let closes = c == '\'' && !escaped;
                    escaped = c == '\\' && !escaped;
                    closes
                });
                let end = end.ok_or_else(|| self.run_out())?;
                self.go_to(self.at() + end + 2);
                parts.push(Part::Expanded);
            }
            // `$"…"` is translated where there is a catalogue for it, and there is none.
            Some('"') if quoting == Quoting::None => self.double_quoted(parts)?,
            Some('(') => {
                self.advance('(');
                self.skip_nested(Nested::Parenthesis)?;
                parts.push(Part::Command);
            }
            Some('[') => {
                self.advance('[');
                let runs = self.skip_nested(Nested::Bracket)?;
                parts.push(if runs { Part::Command } else { Part::Expanded });
            }
            Some('{') => {
                self.advance('{');
                let part = self.braces()?;
                parts.push(part);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                self.go_to(self.at() + length);
                parts.push(Part::Variable {
                    name: rest[..length].to_owned(),
                    default: None,
                    braces: false,
                });
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.advance(c);
                parts.push(Part::Expanded);
            }
            _ => parts.text('$'),
        }
        Ok(())
    }

    /// What stands behind `${`.
    fn braces(&mut self) -> Result<Part, Stop> {
        let from = self.at();
        let runs = self.skip_nested(Nested::Brace)?;
        let inner = self.text_from(from);
        let inner = &inner[..inner.len() - 1];
        let length = inner
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(inner.len());
        let (name, operation) = inner.split_at(length);
        if runs {
            return Ok(Part::Command);
        }
        if is_name(name) && (operation.is_empty() || is_plain_default(operation)) {
            return Ok(Part::Variable {
                name: name.to_owned(),
                default: operation.strip_prefix(":-").map(|default| Zeroizing::new(default.to_owned())),
                braces: true,
            });
        }
        let has_parameter = is_name(name) || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()));
        let is_special = name.is_empty() && operation.starts_with(['@', '*', '#', '?', '-', '$', '!']);
        let is_operation = operation.is_empty() || operation.starts_with([':', '-', '=', '?', '+', '#', '%', '/', '^', ',', '@', '[']);
        Ok(if is_special || (has_parameter && is_operation) {
            Part::Expanded
        } else {
            Part::Invalid
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Double,
}

fn is_plain_default(operation: &str) -> bool {
    operation
        .strip_prefix(":-")
        .is_some_and(|default| !default.contains(['$', '\'', '"', '\\', '`', '{', '~', '\n']))
}

/// Collects a word's parts; neighbouring text becomes one part.
#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    text: Zeroizing<String>,
}

impl Parts {
    fn text(&mut self, c: char) {
        self.text.push(c);
    }

    fn text_run(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn push(&mut self, part: Part) {
        self.flush();
        self.parts.push(part);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.text)));
        }
    }

    fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.parts
    }
}
