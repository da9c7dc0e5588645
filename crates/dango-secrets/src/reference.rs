//! `${NAME}` references in the strings of `secrets.toml`: how they are written, and what they stand for.

use std::collections::HashMap;

use dango_core::{CredentialPath, SecretValue, VariableName};
use zeroize::Zeroizing;

/// How deep defaults may nest in one another (`${A:-${B:-…}}`); deeper text is literal.
const MAX_DEPTH: usize = 16;

/// A string of `secrets.toml`: literal text and references, in order.
///
/// `${NAME}` is a reference only where `$` and `{` both stand plainly in the file; written with a
/// TOML escape (`\u0024{`) they are text. `${NAME:-default}` gives a default, also for an empty
/// variable; `${NAME:?message}` an error message. Whatever does not have one of these forms is
/// literal text. Nothing is ever executed.
#[derive(Clone)]
pub struct Text {
    pieces: Vec<Piece>,
}

/// A part of a [`Text`].
#[derive(Clone)]
#[non_exhaustive]
pub enum Piece {
    /// Text that stands for itself.
    Literal(Zeroizing<String>),
    /// A variable to look up.
    Reference(Reference),
}

/// A reference to a variable, with what holds where it is unset.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reference {
    /// The variable.
    pub name: VariableName,
    /// What to do without it.
    pub otherwise: Otherwise,
    written: Zeroizing<String>,
}

/// What a reference means where its variable is unset (or, with a default or a message, empty).
#[derive(Clone)]
#[non_exhaustive]
pub enum Otherwise {
    /// `${NAME}`: an error.
    Fail,
    /// `${NAME:-default}`: the default, in which references count, too.
    Default(Text),
    /// `${NAME:?message}`: an error with this message.
    FailWith(String),
}

/// Where references find their variables.
pub trait Lookup {
    /// The value of a variable, or `None` where it is set nowhere.
    ///
    /// # Errors
    ///
    /// The names around a cycle, where the variable's own definition leads back to itself.
    fn variable(&self, name: &VariableName) -> Result<Option<SecretValue>, Vec<VariableName>>;
}

/// Why a value with references has no text.
///
/// # Security
///
/// It names the path and the variables, never a value. A `message` is the file's own text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A variable is set nowhere.
    #[error("{path} refers to {name}, which is set neither in the environment nor in .env")]
    Unset {
        /// The credential that refers to it.
        path: CredentialPath,
        /// The variable.
        name: VariableName,
    },
    /// A variable is unset or empty, and the reference brings its own message.
    #[error("{path} refers to {name}: {message}")]
    Message {
        /// The credential that refers to it.
        path: CredentialPath,
        /// The variable.
        name: VariableName,
        /// What the reference says behind `:?`.
        message: String,
    },
    /// The variables in `.env` refer to one another in a circle.
    #[error("{path} refers to {}, which refers back to itself", join(names))]
    Cycle {
        /// The credential that refers to the first of them.
        path: CredentialPath,
        /// The variables around the circle.
        names: Vec<VariableName>,
    },
}

fn join(names: &[VariableName]) -> String {
    names.iter().map(VariableName::as_str).collect::<Vec<_>>().join(" → ")
}

impl ReferenceError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unset { .. } => "reference_unset",
            Self::Message { .. } => "reference_required",
            Self::Cycle { .. } => "reference_cycle",
        }
    }
}

impl Reference {
    /// The reference as it is written, `${` and `}` included.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }
}

impl Text {
    /// Text in which nothing is a reference.
    pub fn literal(text: impl Into<String>) -> Self {
        Self {
            pieces: vec![Piece::Literal(Zeroizing::new(text.into()))],
        }
    }

    /// Reads decoded characters, each with whether it was written plainly (not as an escape).
    pub fn from_characters<I: IntoIterator<Item = (char, bool)>>(characters: I) -> Self {
        let characters: Zeroizing<Vec<(char, bool)>> = Zeroizing::new(characters.into_iter().collect());
        Self::read(&characters, 0)
    }

    /// Reads a text written without escapes.
    pub fn from_plain(text: &str) -> Self {
        Self::from_characters(text.chars().map(|c| (c, true)))
    }

    fn read(characters: &[(char, bool)], depth: usize) -> Self {
        let mut pieces = Vec::new();
        let mut literal = Zeroizing::new(String::with_capacity(characters.len() * 4));
        let closing = closing_braces(characters);
        let mut at = 0;
        while let Some(&(c, _)) = characters.get(at) {
            let end = closing.get(&at).map(|end| end - at);
            match Reference::read(&characters[at..], end, depth) {
                Some((reference, length)) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Reference(reference));
                    at += length;
                }
                None => {
                    literal.push(c);
                    at += 1;
                }
            }
        }
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Self { pieces }
    }

    /// The parts, in order; at least one.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether there is a reference in it.
    pub fn has_reference(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Reference(_)))
    }

    /// The decoded text with its references as they are written: what dlt, which expands nothing, reads.
    pub fn verbatim(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for piece in &self.pieces {
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Reference(reference) => &reference.written,
            });
        }
        text
    }

    /// The text with every reference replaced by what it stands for.
    ///
    /// What a variable holds is taken as it is: no reference in it is followed.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`], naming `path`, where a variable is unset or part of a cycle.
    pub fn resolve(&self, path: &CredentialPath, lookup: &dyn Lookup) -> Result<Zeroizing<String>, ReferenceError> {
        let mut text = Zeroizing::new(String::new());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Reference(reference) => text.push_str(&reference.resolve(path, lookup)?),
            }
        }
        Ok(text)
    }
}

impl Reference {
    /// Reads a reference at the start of a text; `end` is where the brace is that closes a `${` there.
    fn read(characters: &[(char, bool)], end: Option<usize>, depth: usize) -> Option<(Self, usize)> {
        if depth >= MAX_DEPTH || !matches!(characters, [('$', true), ('{', true), ..]) {
            return None;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = characters[2..].iter().map(|&(c, _)| c).take_while(|&c| is_name(c)).collect();
        let behind = 2 + name.len();
        let name: VariableName = name.parse().ok()?;
        let rest = &characters[behind..];
        let (otherwise, length) = match rest {
            [('}', _), ..] => (Otherwise::Fail, 1),
            [(':', _), (kind @ ('-' | '?'), _), body @ ..] => {
                // Neither a name nor what follows it holds a brace.
                let end = end?.checked_sub(behind + 2)?;
                let otherwise = if *kind == '-' {
                    Otherwise::Default(Text::read(&body[..end], depth + 1))
                } else {
                    Otherwise::FailWith(body[..end].iter().map(|&(c, _)| c).collect())
                };
                (otherwise, 2 + end + 1)
            }
            _ => return None,
        };
        let length = behind + length;
        let written = Zeroizing::new(characters[..length].iter().map(|&(c, _)| c).collect());
        Some((Self { name, otherwise, written }, length))
    }

    fn resolve(&self, path: &CredentialPath, lookup: &dyn Lookup) -> Result<Zeroizing<String>, ReferenceError> {
        let found = lookup
            .variable(&self.name)
            .map_err(|names| ReferenceError::Cycle { path: path.clone(), names })?;
        match (found, &self.otherwise) {
            (Some(value), Otherwise::Fail) => Ok(Zeroizing::new(value.expose().to_owned())),
            (Some(value), _) if !value.expose().is_empty() => Ok(Zeroizing::new(value.expose().to_owned())),
            (_, Otherwise::Default(default)) => default.resolve(path, lookup),
            (_, Otherwise::FailWith(message)) => Err(ReferenceError::Message {
                path: path.clone(),
                name: self.name.clone(),
                message: printable(message),
            }),
            (None, Otherwise::Fail) => Err(ReferenceError::Unset {
                path: path.clone(),
                name: self.name.clone(),
            }),
        }
    }
}

/// For every plain `${` where the brace is that closes it, if one does.
///
/// All of them are found in one pass: a text may be full of references that are never closed.
fn closing_braces(characters: &[(char, bool)]) -> HashMap<usize, usize> {
    let mut closing = HashMap::new();
    let mut open = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        match &characters[at..] {
            [('$', true), ('{', true), ..] => {
                open.push(at);
                at += 1;
            }
            [('}', _), ..] => closing.extend(open.pop().map(|start| (start, at))),
            _ => {}
        }
        at += 1;
    }
    closing
}

/// A message for a terminal: control characters are shown as `?`, and it is cut at 200 characters.
fn printable(message: &str) -> String {
    message.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Vars(&'static [(&'static str, &'static str)]);

    impl Lookup for Vars {
        fn variable(&self, name: &VariableName) -> Result<Option<SecretValue>, Vec<VariableName>> {
            if name.as_str() == "LOOP" {
                return Err(vec![name.clone(), "B".parse().expect("a name"), name.clone()]);
            }
            let found = self.0.iter().find(|(key, _)| *key == name.as_str());
            Ok(found.map(|(_, value)| SecretValue::new((*value).to_owned()).expect("no NUL")))
        }
    }

    fn resolve(text: &str) -> Result<String, String> {
        let vars = Vars(&[("A", "1"), ("EMPTY", ""), ("REF", "${A}")]);
        let path = "sources.x.k".parse().expect("a path");
        Text::from_plain(text)
            .resolve(&path, &vars)
            .map(|text| text.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn references_are_replaced_wherever_they_stand() {
        assert_eq!(resolve("x${A}y${A}").as_deref(), Ok("x1y1"));
        assert_eq!(resolve("${EMPTY}").as_deref(), Ok(""));
        assert_eq!(resolve("${EMPTY:-d}${NO:-d}${A:-d}").as_deref(), Ok("dd1"));
        assert_eq!(resolve("${NO:-${A}-${NO:-}}").as_deref(), Ok("1-"));
        assert_eq!(resolve("${NO:-{a}}").as_deref(), Ok("{a}"));
        assert_eq!(
            resolve("${REF}").as_deref(),
            Ok("${A}"),
            "what a variable holds is not expanded again"
        );
    }

    #[test]
    fn every_other_dollar_is_itself() {
        for text in [
            "$",
            "$A",
            "$$",
            "${",
            "${}",
            "${A",
            "${1A}",
            "${A-b}",
            "${A:+b}",
            "${A b}",
            "$(date)",
            "`date`",
            "p$ssw0rd{x}",
        ] {
            assert_eq!(resolve(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn escaped_characters_make_no_reference() {
        let characters = [('$', false), ('{', true), ('A', true), ('}', true)];
        assert!(!Text::from_characters(characters).has_reference());
    }

    #[test]
    fn errors_name_path_and_variable() {
        assert_eq!(
            resolve("${NO}").unwrap_err(),
            "sources.x.k refers to NO, which is set neither in the environment nor in .env"
        );
        assert_eq!(resolve("${EMPTY:?set it\n}").unwrap_err(), "sources.x.k refers to EMPTY: set it?");
        assert_eq!(
            resolve("${LOOP}").unwrap_err(),
            "sources.x.k refers to LOOP → B → LOOP, which refers back to itself"
        );
    }

    #[test]
    fn deep_nesting_ends() {
        let deep = format!("{}x{}", "${NO:-".repeat(10_000), "}".repeat(10_000));
        assert!(resolve(&deep).is_ok());
    }

    #[test]
    fn references_that_are_never_closed_are_read_in_linear_time() {
        // Were the closing brace looked for from each of them, this would take minutes.
        let unclosed = "${A:-".repeat(200_000);
        let text = Text::from_plain(&unclosed);
        assert!(!text.has_reference());
        assert_eq!(text.verbatim().as_str(), unclosed);
        assert_eq!(resolve("${NO:-${A:-${A}").as_deref(), Ok("${NO:-${A:-1"));
        assert_eq!(resolve("${NO:-${NO:-x}").as_deref(), Ok("${NO:-x"));
    }

    #[test]
    fn verbatim_is_the_text_that_dlt_reads() {
        let text = "a${A}b${NO:-${A}}${";
        assert_eq!(Text::from_plain(text).verbatim().as_str(), text);
    }
}
