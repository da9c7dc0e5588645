//! The values that `.dlt/secrets.toml` holds, as they were read.

use std::fmt;

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use crate::{Lookup, ReferenceError, Text};

/// One value of `.dlt/secrets.toml`.
///
/// Numbers and times keep the text they have in the file (`0xff`, `1_000`, `1e3`) beside their
/// value. There is no `Debug`: any value may be a secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// A string, with the references in it.
    String(Text),
    /// An integer of 64 bits.
    Integer {
        /// The number.
        value: i64,
        /// Its text in the file.
        text: Zeroizing<String>,
    },
    /// A floating-point number (IEEE 754 binary64), infinities and NaN included.
    Float {
        /// The number.
        value: f64,
        /// Its text in the file.
        text: Zeroizing<String>,
    },
    /// A boolean.
    Boolean(bool),
    /// An offset date-time, a local date-time, a date or a time, as its text in the file (RFC 3339 parts).
    Datetime(Zeroizing<String>),
    /// An array; an array of tables (`[[name]]`) too.
    Array(Vec<Value>),
    /// A table: inline, standard or made of dotted keys; in the order of the file.
    Table(Vec<(String, Value)>),
}

impl Value {
    /// The type as `dango secrets list` names it, or `None` for a table, which is walked instead.
    pub fn value_type(&self) -> Option<ValueType> {
        Some(match self {
            Self::String(_) => ValueType::String,
            Self::Integer { .. } => ValueType::Integer,
            Self::Float { .. } => ValueType::Float,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Datetime(_) => ValueType::Datetime,
            Self::Array(_) => ValueType::Array,
            Self::Table(_) => return None,
        })
    }

    /// Whether a string in this value, at any depth, holds a `${NAME}` reference.
    pub fn has_reference(&self) -> bool {
        match self {
            Self::String(text) => text.has_reference(),
            Self::Array(values) => values.iter().any(Self::has_reference),
            Self::Table(entries) => entries.iter().any(|(_, value)| value.has_reference()),
            _ => false,
        }
    }

    /// The same value with every reference in its strings turned into the text that it is written as.
    pub fn into_literal(self) -> Self {
        match self {
            Self::String(text) if text.has_reference() => Self::String(Text::literal(text.verbatim().as_str())),
            Self::Array(values) => Self::Array(values.into_iter().map(Self::into_literal).collect()),
            Self::Table(entries) => Self::Table(entries.into_iter().map(|(key, value)| (key, value.into_literal())).collect()),
            other => other,
        }
    }

    /// The same value with every reference in its strings replaced by what it stands for.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`], naming `path`, where a variable is unset or part of a cycle.
    pub fn resolve(&self, path: &CredentialPath, lookup: &dyn Lookup) -> Result<Self, ReferenceError> {
        Ok(match self {
            Self::String(text) if text.has_reference() => Self::String(Text::literal(text.resolve(path, lookup)?.as_str())),
            Self::Array(values) => Self::Array(values.iter().map(|value| value.resolve(path, lookup)).collect::<Result<_, _>>()?),
            Self::Table(entries) => {
                let resolved = entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.resolve(&path.child(key), lookup)?)));
                Self::Table(resolved.collect::<Result<_, ReferenceError>>()?)
            }
            _ => self.clone(),
        })
    }
}

/// The type of a value that stands alone in a list of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A date, a time or both.
    Datetime,
    /// An array, of tables too.
    Array,
}

impl ValueType {
    /// The name in lower case, as the command line and its JSON spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Datetime => "datetime",
            Self::Array => "array",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
