//! From text to one [`Node`], by the events of `saphyr-parser`; no reference is followed.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{Member, Node, NodeKind, Value};

/// The largest text that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// How deep lists and mappings may stand in one another.
const MAX_DEPTH: usize = 32;

/// A text that is not YAML of the kind that is read here.
///
/// # Security
///
/// It tells the place, never the text: people put secrets into the wrong file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct YamlError {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: YamlProblem,
}

/// What makes a text no YAML of the kind that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YamlProblem {
    /// YAML's grammar is broken.
    #[error("this is not valid YAML ({0})")]
    Syntax(&'static str),
    /// Larger than one mebibyte.
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    /// A control character, which YAML does not allow.
    #[error("a control character is not allowed here")]
    ControlCharacter,
    /// Lists and mappings in one another, deeper than 32.
    #[error("lists and mappings are nested more than 32 deep")]
    TooDeep,
    /// An alias.
    #[error("an alias (`*name`) is not followed: write the value out")]
    Alias,
    /// A second `---` document.
    #[error("a second document begins here: the file must hold one")]
    SecondDocument,
    /// A key that is a list, a mapping or nothing.
    #[error("a key must be plain text")]
    Key,
    /// The same key twice in one mapping.
    #[error("this key stands twice in the same mapping")]
    DuplicateKey,
}

/// Reads a text that holds at most one document; `None` where it holds nothing but comments.
pub(crate) fn read(text: &str) -> Result<Option<Node>, YamlError> {
    check_characters(text)?;
    check_directives(text)?;
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = &text[skipped..];
    let mut builder = Builder {
        places: Places::new(text, skipped),
        open: Vec::new(),
        root: None,
    };
    for event in Parser::new_from_str(body) {
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => {
                return Err(YamlError {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                    problem: YamlProblem::Syntax(syntax(error.info())),
                });
            }
        }
    }
    Ok(builder.root)
}

/// Refuses what YAML refuses (YAML 1.2.2 §5.1), and what is too large to be this file.
fn check_characters(text: &str) -> Result<(), YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError {
            line: 1,
            column: 1,
            problem: YamlProblem::TooLarge,
        });
    }
    // The parser takes NUL for the end of the text, so what follows it would silently be lost.
    let forbidden = |c: char| (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    match text.find(forbidden) {
        None => Ok(()),
        Some(at) => {
            let before = &text[..at];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Err(YamlError {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                problem: YamlProblem::ControlCharacter,
            })
        }
    }
}

/// Refuses a directive (YAML 1.2.2 §6.8) with other characters than ASCII: the parser counts its bytes, so every
/// place behind it would be wrong.
fn check_directives(text: &str) -> Result<(), YamlError> {
    let lines = text.trim_start_matches('\u{feff}').split_inclusive('\n').enumerate();
    let is_preamble = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with(['%', '#']);
    for (index, line) in lines.take_while(|(_, line)| is_preamble(line)) {
        if !line.is_ascii() && line.split('\r').any(|line| line.starts_with('%')) {
            return Err(YamlError {
                line: index + 1,
                column: 1,
                problem: YamlProblem::Syntax("a line that begins with `%` is a directive, and this is none that is known"),
            });
        }
    }
    Ok(())
}

/// The parser's reasons, which may quote the file, in fixed words.
fn syntax(info: &str) -> &'static str {
    const REASONS: [(&str, &str); 12] = [
        ("tab", "a tab stands where only blanks may indent"),
        ("invalid indentation", "the indentation fits nothing above"),
        (
            "mapping values are not allowed",
            "a `:` is not expected here; quote the text if it belongs to a value",
        ),
        ("expected ':'", "a `:` is missing behind a key"),
        ("simple key", "a `:` is missing behind a key"),
        ("did not find expected key", "a key was expected here; check the indentation"),
        ("expected '-'", "a `-` was expected here; check the indentation"),
        ("unexpected end of", "a quote is never closed"),
        ("flow", "a list or mapping in brackets is broken or never closed"),
        ("recursion", "brackets are nested too deep"),
        ("unexpected character", "a text must not begin with this character; quote it"),
        ("escape", "this escape is unknown; use single quotes for a text with backslashes"),
    ];
    REASONS
        .iter()
        .find(|(part, _)| info.contains(part))
        .map_or("the parser stops here", |(_, words)| words)
}

/// From the parser's characters to bytes of the text.
struct Places<'t> {
    text: &'t str,
    skipped: usize,
    /// The byte offset of every character behind the byte order mark, unless all are ASCII.
    offsets: Option<Vec<usize>>,
}

impl<'t> Places<'t> {
    fn new(text: &'t str, skipped: usize) -> Self {
        let body = &text[skipped..];
        let offsets = (!body.is_ascii()).then(|| body.char_indices().map(|(at, _)| at + skipped).collect());
        Self { text, skipped, offsets }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.text.len()),
            None => (index + self.skipped).min(self.text.len()),
        }
    }

    /// The end of a scalar. The parser counts in what follows a closing quote on its line, and empty lines and the
    /// next line's indentation behind a block scalar; these lines belong to it only where it keeps them (`|+`).
    fn scalar_end(&self, start: usize, span_end: usize, style: ScalarStyle, value: &str) -> usize {
        let text = &self.text[start..span_end.max(start)];
        let mut characters = text.char_indices();
        match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let quote = characters.next().map(|(_, quote)| quote);
                while let Some((at, c)) = characters.next() {
                    if c == '\\' && quote == Some('"') {
                        characters.next();
                    } else if Some(c) == quote {
                        if c == '\'' && text[at + 1..].starts_with('\'') {
                            characters.next();
                        } else {
                            return start + at + 1;
                        }
                    }
                }
                span_end
            }
            ScalarStyle::Literal | ScalarStyle::Folded if value.ends_with("\n\n") => start + text.trim_end_matches([' ', '\t']).len(),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let lines = text.trim_end().len();
                start + lines + text[lines..].find('\n').map_or(0, |newline| newline + 1)
            }
            ScalarStyle::Plain => span_end,
        }
    }
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    key: Option<Key>,
    keys: HashSet<String>,
}

struct Key {
    text: String,
    start: usize,
    end: usize,
}

struct Builder<'t> {
    places: Places<'t>,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let start = self.places.byte(span.start.index());
        let end = self.places.byte(span.end.index());
        let error = |problem| YamlError {
            line: span.start.line(),
            column: span.start.col() + 1,
            problem,
        };
        let node = |kind, end| Node {
            kind,
            start,
            end,
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(error(YamlProblem::SecondDocument)),
            Event::Alias(_) => Err(error(YamlProblem::Alias)),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if self.open.len() == MAX_DEPTH {
                    return Err(error(YamlProblem::TooDeep));
                }
                if self.expects_key() {
                    return Err(error(YamlProblem::Key));
                }
                let flow = self.places.text[start..].starts_with(['[', '{']) && !span.is_empty();
                let kind = match event {
                    Event::SequenceStart(..) => NodeKind::Sequence { items: Vec::new(), flow },
                    _ => NodeKind::Mapping { members: Vec::new(), flow },
                };
                self.open.push(Open {
                    node: node(kind, end),
                    key: None,
                    keys: HashSet::new(),
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(mut open) => {
                    if open.node.is_flow() {
                        // The parser counts blanks and a comment behind the bracket in.
                        open.node.end = end.min(start + 1);
                    }
                    self.put(open.node);
                    Ok(())
                }
                None => Err(error(YamlProblem::Syntax("the parser stops here"))),
            },
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain;
                let implied = plain && (text.is_empty() || (text == "~" && !self.places.text[start..].starts_with('~')));
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let header_end = (is_block && text.is_empty()).then(|| self.header_end(start.max(end))).flatten();
                let (start, end) = match header_end {
                    Some(header_end) => (header_end, header_end),
                    None if implied => (start, start),
                    None => (start, self.places.scalar_end(start, end, style, &text)),
                };
                if self.expects_key() {
                    if implied || text.is_empty() {
                        return Err(error(YamlProblem::Key));
                    }
                    let key = Key {
                        text: text.into_owned(),
                        start,
                        end,
                    };
                    return self.put_key(key).map_err(error);
                }
                let is_text = tag.is_some_and(|tag| !(tag.is_yaml_core_schema() && tag.suffix != "str"));
                let value = if implied {
                    Value::Null
                } else if plain && !is_text {
                    Value::resolve_plain(&text)
                } else {
                    Value::String(text.into_owned())
                };
                self.put(Node {
                    start,
                    ..node(NodeKind::Scalar { value, implied }, end)
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Behind the header (`|`, `>-`) of a block scalar without text, for which the parser gives the place of what follows.
    fn header_end(&self, next: usize) -> Option<usize> {
        let open = self.open.last()?;
        let from = open.key.as_ref().map_or(open.node.end, |key| key.end);
        let behind = self.places.text.get(from..next)?;
        let header = &behind[behind.find(['|', '>'])?..];
        let rest = header.trim_start_matches(['|', '>', '+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        Some(next - rest.len())
    }

    fn expects_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| matches!(open.node.kind, NodeKind::Mapping { .. }) && open.key.is_none())
    }

    fn put_key(&mut self, key: Key) -> Result<(), YamlProblem> {
        if let Some(open) = self.open.last_mut() {
            if !open.keys.insert(key.text.clone()) {
                return Err(YamlProblem::DuplicateKey);
            }
            open.key = Some(key);
        }
        Ok(())
    }

    /// Puts a finished value into the collection that is open, or makes it the root.
    fn put(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        let mut end = node.end;
        match &mut open.node.kind {
            NodeKind::Sequence { items, .. } => items.push(node),
            NodeKind::Mapping { members, .. } => {
                if let Some(key) = open.key.take() {
                    // A value that is not there has no place of its own that could be relied on.
                    if matches!(node.kind, NodeKind::Scalar { implied: true, .. }) {
                        end = key.end;
                    }
                    members.push(Member {
                        key: key.text,
                        key_start: key.start,
                        key_end: key.end,
                        value: node,
                    });
                }
            }
            NodeKind::Scalar { .. } => {}
        }
        open.node.end = open.node.end.max(end);
    }
}

#[cfg(test)]
mod tests;
