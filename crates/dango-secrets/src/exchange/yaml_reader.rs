//! YAML read into a tree with the core schema (YAML 1.2.2 §10.3), without what makes YAML a program: no aliases, no own tags.
//!
//! Nothing else imports `saphyr-parser`.

use std::borrow::Cow;
use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use zeroize::Zeroizing;

use super::import::{MAX_DEPTH, decode};
use super::node::{Kind, Node};
use super::{Import, ImportError, ImportProblem, Place};

/// Reads one YAML document, a mapping, as a tree of credentials.
///
/// Quoted scalars and block scalars are text; plain ones are what the core schema makes of them:
/// `yes`, `on` and dates are text, `1e3` is a number. Keys are text as they are written.
///
/// # Errors
///
/// [`ImportError`] with line and column, where the text is not YAML, and for what could not be
/// taken over as it is: a key that occurs twice, a null, a number that is too large or has leading
/// zeros (octal for YAML 1.1), anchors, aliases, merge keys, tags, a second document.
pub fn parse_yaml(bytes: &[u8]) -> Result<Import, ImportError> {
    parse_document(bytes)?.into_import()
}

/// Reads one document, whatever its root is.
pub(super) fn parse_document(bytes: &[u8]) -> Result<Node, ImportError> {
    let text = decode(bytes)?;
    check_nesting(text)?;
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
    };
    loop {
        match reader.next()? {
            (Event::DocumentStart(_), _) => break,
            (Event::StreamEnd, _) => return Err(ImportError::new(Place::File, ImportProblem::NotATable)),
            _ => {}
        }
    }
    let (event, span) = reader.next()?;
    let root = reader.node(event, span, 0)?;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(root),
            (Event::DocumentStart(_), span) => return Err(ImportError::new(place(span), ImportProblem::SecondDocument)),
            _ => {}
        }
    }
}

/// Refuses brackets nested so deep that the parser, which looks at all open ones for every token, would take minutes.
///
/// Brackets inside text count as well here; the limit leaves room for them.
fn check_nesting(text: &str) -> Result<(), ImportError> {
    const MAX_OPEN: usize = 4096;
    let mut open = 0usize;
    for (index, line) in text.lines().enumerate() {
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        if open > MAX_OPEN {
            return Err(ImportError::new(Place::Line(index + 1), ImportProblem::TooDeep));
        }
    }
    Ok(())
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), ImportError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(malformed(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ImportError> {
        let place = place(span);
        if depth > MAX_DEPTH {
            return Err(ImportError::new(place, ImportProblem::TooDeep));
        }
        let problem = match event {
            Event::Scalar(text, style, 0, tag) => {
                let kind = scalar(&text, style, tag.as_deref());
                wipe(text);
                match kind {
                    Ok(kind) => return Ok(Node { place, kind }),
                    Err(problem) => problem,
                }
            }
            Event::SequenceStart(0, tag) if is_tag(tag.as_deref(), "seq") => {
                let kind = Kind::Array(self.sequence(depth)?);
                return Ok(Node { place, kind });
            }
            Event::MappingStart(0, tag) if is_tag(tag.as_deref(), "map") => {
                let kind = Kind::Table(self.mapping(depth)?);
                return Ok(Node { place, kind });
            }
            Event::SequenceStart(0, _) | Event::MappingStart(0, _) => ImportProblem::Tag,
            _ => ImportProblem::Alias,
        };
        Err(ImportError::new(place, problem))
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, ImportError> {
        let mut values = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(values),
                (event, span) => values.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(String, Node)>, ImportError> {
        let mut entries = Vec::new();
        let mut names = HashSet::new();
        loop {
            let name = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => key(event)
                    .map_err(|problem| ImportError::new(place(span), problem))
                    .and_then(|name| {
                        if names.insert(name.clone()) {
                            Ok(name)
                        } else {
                            Err(ImportError::new(place(span), ImportProblem::Duplicate))
                        }
                    })?,
            };
            let (event, span) = self.next()?;
            entries.push((name, self.node(event, span, depth + 1)?));
        }
    }
}

fn key(event: Event<'_>) -> Result<String, ImportProblem> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, 0, None) => match &*text {
            "<<" => Err(ImportProblem::Alias),
            "" | "~" | "null" | "Null" | "NULL" => Err(ImportProblem::Null),
            _ => Ok(text.into_owned()),
        },
        Event::Scalar(text, _, 0, tag) if is_tag(tag.as_deref(), "str") => Ok(text.into_owned()),
        Event::Scalar(_, _, 0, _) => Err(ImportProblem::Tag),
        Event::SequenceStart(..) | Event::MappingStart(..) => Err(ImportProblem::Syntax("a key must be text".to_owned())),
        _ => Err(ImportProblem::Alias),
    }
}

/// Whether there is no tag, or the one of the core schema with this name.
fn is_tag(tag: Option<&Tag>, name: &str) -> bool {
    tag.is_none_or(|tag| tag.is_yaml_core_schema() && tag.suffix == name)
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Kind, ImportProblem> {
    let string = || Kind::String(Zeroizing::new(text.to_owned()));
    // `!` alone, the non-specific tag, makes text of anything.
    let non_specific = tag.is_some_and(|tag| tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty());
    match tag {
        _ if non_specific => Ok(string()),
        None if style != ScalarStyle::Plain => Ok(string()),
        None => plain(text).map(|kind| kind.unwrap_or_else(string)),
        Some(tag) if !tag.is_yaml_core_schema() => Err(ImportProblem::Tag),
        Some(tag) if tag.suffix == "str" => Ok(string()),
        Some(tag) => match (tag.suffix.as_str(), plain(text)?) {
            ("null", Some(kind @ Kind::Null)) | ("bool", Some(kind @ Kind::Boolean(_))) | ("int", Some(kind @ Kind::Integer(_))) => {
                Ok(kind)
            }
            ("float", Some(kind @ Kind::Float(_))) => Ok(kind),
            ("float", Some(Kind::Integer(number))) => Ok(Kind::Float(number as f64)),
            _ => Err(ImportProblem::Tag),
        },
    }
}

/// What the core schema (§10.3.2) makes of a plain scalar; `None` for text.
fn plain(text: &str) -> Result<Option<Kind>, ImportProblem> {
    Ok(Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Boolean(true),
        "false" | "False" | "FALSE" => Kind::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => Kind::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Kind::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Kind::Float(f64::NEG_INFINITY),
        text => return number(text),
    }))
}

fn number(text: &str) -> Result<Option<Kind>, ImportProblem> {
    let all = |digits: &str, radix: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| all(digits, radix)) {
            let number = i64::from_str_radix(digits, radix).map_err(|_| ImportProblem::NumberTooLarge)?;
            return Ok(Some(Kind::Integer(number)));
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_integer = all(unsigned, 10);
    if !is_integer && !is_float(unsigned) {
        return Ok(None);
    }
    if unsigned.starts_with('0') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Err(ImportProblem::LeadingZeros);
    }
    let number = if is_integer {
        text.parse().ok().map(Kind::Integer)
    } else {
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Kind::Float)
    };
    number.map(Some).ok_or(ImportProblem::NumberTooLarge)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

/// Erases a scalar's text, if the parser made it: a borrowed one is the caller's.
fn wipe(text: Cow<'_, str>) {
    if let Cow::Owned(text) = text {
        drop(Zeroizing::new(text));
    }
}

fn place(span: Span) -> Place {
    Place::Position {
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

fn malformed(error: &ScanError) -> ImportError {
    let marker = error.marker();
    let place = Place::Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    };
    // The parser's messages are fixed texts, but for a single `%`, `@` or backtick that one of them repeats.
    ImportError::new(place, ImportProblem::Syntax(error.info().to_owned()))
}
