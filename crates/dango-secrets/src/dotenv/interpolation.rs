//! `${NAME}` in `.env` values as python-dotenv expands it: pieces, values in order, and circles; the grammar of lines is not here.

use std::collections::HashMap;

use dango_core::{SecretValue, VariableName};
use zeroize::Zeroizing;

use super::{Binding, EnvDocument};

/// How long one value may become by its references, in bytes. No system takes a larger variable.
const MAX_EXPANDED: usize = 1 << 20;

/// How long all values with references may become together, in bytes.
const MAX_EXPANDED_TOTAL: usize = 32 << 20;

/// A part of a `.env` value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EnvPiece<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// `${NAME}` or `${NAME:-default}`.
    Reference {
        /// The variable; any text without `}` and `:`.
        name: &'a str,
        /// What stands there where the variable is unset (not where it is empty); never expanded itself.
        default: Option<&'a str>,
    },
}

/// Whose value a reference takes where a name is set in both places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The file, as `dotenv_values()` and `load_dotenv(override=True)` do.
    File,
    /// The environment, as `load_dotenv()` does.
    Environment,
}

/// Why the values of a `.env` file cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvValueError {
    /// References in references grow without reason.
    #[error(
        "the value in line {line} becomes larger than 1 MiB, or all values together larger than 32 MiB, when its references are expanded"
    )]
    TooLarge {
        /// The line of the binding, counted from 1.
        line: usize,
    },
}

impl EnvValueError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "env_value_too_large",
        }
    }
}

/// What the keys of a `.env` file stand for, in the order in which they first appear.
///
/// A key without a `=` has no value.
#[derive(Clone, Default)]
pub struct EnvValues {
    entries: Vec<(String, Option<SecretValue>)>,
    places: HashMap<String, usize>,
}

impl EnvValues {
    /// Keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&SecretValue>)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_ref()))
    }

    /// The value of a key; `None` for a key without a value, too.
    pub fn value(&self, key: &str) -> Option<&SecretValue> {
        self.entries[*self.places.get(key)?].1.as_ref()
    }

    fn set(&mut self, key: &str, value: Option<SecretValue>) {
        match self.places.get(key) {
            Some(&at) => self.entries[at].1 = value,
            None => {
                self.places.insert(key.to_owned(), self.entries.len());
                self.entries.push((key.to_owned(), value));
            }
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl IntoIterator for EnvValues {
    type Item = (String, Option<SecretValue>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl EnvDocument {
    /// Expands every value, line by line: a reference sees what stands above it, and the environment.
    ///
    /// The last duplicate counts; a reference to nothing is empty, as python-dotenv has it.
    ///
    /// # Errors
    ///
    /// [`EnvValueError::TooLarge`] where references blow a value up.
    pub fn values(&self, environment: &dyn Fn(&str) -> Option<SecretValue>, precedence: Precedence) -> Result<EnvValues, EnvValueError> {
        let mut values = EnvValues::default();
        let mut total = 0usize;
        for binding in self.bindings() {
            let look_up = |name: &str| -> Found {
                let in_file = || values.places.get(name).map(|&at| values.entries[at].1.clone());
                let outside = || environment(name).map(Some);
                match precedence {
                    Precedence::File => in_file().or_else(outside),
                    Precedence::Environment => outside().or_else(in_file),
                }
            };
            let value = expand(binding, &look_up, &mut total)?;
            values.set(binding.key(), value);
        }
        Ok(values)
    }

    /// What one key stands for; `None` where it is missing or has no value.
    ///
    /// # Errors
    ///
    /// As [`EnvDocument::values`].
    pub fn value(
        &self,
        key: &str,
        environment: &dyn Fn(&str) -> Option<SecretValue>,
        precedence: Precedence,
    ) -> Result<Option<SecretValue>, EnvValueError> {
        Ok(self.values(environment, precedence)?.value(key).cloned())
    }

    /// The names around a circle of references to which a variable's definition leads.
    ///
    /// Followed are references without a default, to variables that the environment does not set,
    /// from the last binding of `name`: each to the nearest binding above it, or, where there is
    /// none, to the last one below. So `A=1`, `B=${A}`, `A=${B}` is no circle. The first name is
    /// repeated at the end. A key that is no [`VariableName`] is left out of the names.
    pub fn cycle(&self, name: &VariableName, environment: &dyn Fn(&str) -> Option<SecretValue>) -> Option<Vec<VariableName>> {
        let bindings: Vec<&Binding> = self.bindings().collect();
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, binding) in bindings.iter().enumerate() {
            places.entry(binding.key()).or_default().push(at);
        }
        let targets = |from: usize| -> Vec<usize> {
            let names = bindings[from].pieces().into_iter().filter_map(|piece| match piece {
                EnvPiece::Reference { name, default: None } => Some(name),
                _ => None,
            });
            names
                .filter_map(|name| {
                    let places = places.get(name)?;
                    let above = places.partition_point(|&at| at < from);
                    let target = if above > 0 { places[above - 1] } else { *places.last()? };
                    environment(name).is_none().then_some(target)
                })
                .collect()
        };
        let start = *places.get(name.as_str())?.last()?;
        let circle = find_circle(start, bindings.len(), &targets)?;
        let mut names: Vec<VariableName> = circle.iter().filter_map(|&at| bindings[at].key().parse().ok()).collect();
        names.extend(names.first().cloned());
        Some(names)
    }
}

/// `None`: not set; `Some(None)`: a key without a value, which python-dotenv reads as empty.
type Found = Option<Option<SecretValue>>;

fn expand(binding: &Binding, look_up: &dyn Fn(&str) -> Found, total: &mut usize) -> Result<Option<SecretValue>, EnvValueError> {
    let Some(raw) = binding.expose() else { return Ok(None) };
    let pieces = binding.pieces();
    let has_reference = pieces.iter().any(|piece| matches!(piece, EnvPiece::Reference { .. }));
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    for piece in pieces {
        let found;
        let part = match piece {
            EnvPiece::Literal(literal) => literal,
            EnvPiece::Reference { name, default } => {
                found = look_up(name);
                match &found {
                    Some(value) => value.as_ref().map_or("", SecretValue::expose),
                    None => default.unwrap_or_default(),
                }
            }
        };
        if has_reference && (text.len() + part.len() > MAX_EXPANDED || *total + text.len() + part.len() > MAX_EXPANDED_TOTAL) {
            return Err(EnvValueError::TooLarge { line: binding.line() });
        }
        if text.len() + part.len() > text.capacity() {
            // Growing by hand, so that no copy of the secret stays behind unerased.
            let mut larger = Zeroizing::new(String::with_capacity((text.len() + part.len()) * 2));
            larger.push_str(&text);
            text = larger;
        }
        text.push_str(part);
    }
    if has_reference {
        *total += text.len();
    }
    let value = SecretValue::new(std::mem::take(&mut *text)).expect("neither the file nor a SecretValue holds a NUL");
    Ok(Some(value))
}

/// Depth-first from `start`, without recursion: the first circle met, in the order of its references.
fn find_circle(start: usize, count: usize, targets: &dyn Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
    let mut seen = vec![false; count];
    let mut on_path = vec![false; count];
    let mut path: Vec<(usize, std::vec::IntoIter<usize>)> = vec![(start, targets(start).into_iter())];
    seen[start] = true;
    on_path[start] = true;
    while let Some((from, open)) = path.last_mut() {
        let Some(to) = open.next() else {
            on_path[*from] = false;
            path.pop();
            continue;
        };
        if on_path[to] {
            return Some(path.iter().map(|(at, _)| *at).skip_while(|&at| at != to).collect());
        }
        if !seen[to] {
            seen[to] = true;
            on_path[to] = true;
            path.push((to, targets(to).into_iter()));
        }
    }
    None
}

/// Splits a value into literal text and references; linear, however many `${` stay open.
pub(super) fn pieces(value: &str) -> Vec<EnvPiece<'_>> {
    let mut pieces = Vec::new();
    let mut literal_from = 0;
    let mut search_from = 0;
    let mut colon = Next::new(':');
    let mut brace = Next::new('}');
    while let Some(found) = value[search_from..].find("${") {
        let start = search_from + found;
        let name_from = start + 2;
        let Some(close) = brace.from(value, name_from) else { break };
        let name_to = colon.from(value, name_from).map_or(close, |colon| colon.min(close));
        let default = value[name_to..close].strip_prefix(":-");
        if name_to < close && default.is_none() {
            search_from = name_from;
            continue;
        }
        if literal_from < start {
            pieces.push(EnvPiece::Literal(&value[literal_from..start]));
        }
        pieces.push(EnvPiece::Reference {
            name: &value[name_from..name_to],
            default,
        });
        literal_from = close + 1;
        search_from = literal_from;
    }
    if literal_from < value.len() {
        pieces.push(EnvPiece::Literal(&value[literal_from..]));
    }
    pieces
}

/// Finds one character again and again from growing places, each byte of the text looked at once.
struct Next {
    wanted: char,
    found: Option<usize>,
    searched: bool,
}

impl Next {
    fn new(wanted: char) -> Self {
        Self {
            wanted,
            found: None,
            searched: false,
        }
    }

    fn from(&mut self, text: &str, from: usize) -> Option<usize> {
        let stale = !self.searched || self.found.is_some_and(|at| at < from);
        if stale {
            self.searched = true;
            self.found = text[from..].find(self.wanted).map(|at| from + at);
        }
        self.found
    }
}
