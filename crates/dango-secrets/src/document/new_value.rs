//! Values to be written: what a user asks for, checked before any file is touched. How they are spelled is in `spelling`.

use std::fmt;
use std::str::FromStr;

use dango_core::SecretValue;
use toml_parser::Span as SourceSpan;
use zeroize::Zeroizing;

use super::error::DocumentProblem;
use super::json::{self, JsonProblem};
use super::scalar::{self, Form};
use crate::{References, Value};

/// A value to be written. There is no `Debug`: it may be a secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum NewValue {
    /// A string.
    String {
        /// The text.
        text: SecretValue,
        /// What `${NAME}` in it means.
        references: References,
    },
    /// An integer.
    Integer(i64),
    /// A floating-point number, infinities and NaN included.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date, a time or both.
    Datetime(DatetimeText),
    /// An array of values of any types.
    Array(Vec<NewValue>),
    /// A table; its keys differ from one another.
    Table(Vec<(String, NewValue)>),
}

/// A date, a time or both, as TOML 1.0 writes them and Python holds them.
#[derive(Clone)]
pub struct DatetimeText(Zeroizing<String>);

impl DatetimeText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatetimeText {
    type Err = ParseNewValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        scalar::check_datetime(text).map_err(ParseNewValueError::Datetime)?;
        let mut written = Zeroizing::new(text.to_owned());
        // TOML 1.0, and so every older reader, wants the seconds.
        if let Some(at) = scalar::missing_seconds(text) {
            written.insert_str(at, ":00");
        }
        Ok(Self(written))
    }
}

/// What a text given by a user is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NewType {
    /// The text itself.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A date, a time or both.
    Datetime,
    /// Whatever the JSON text is: arrays and tables, too.
    Json,
}

impl NewType {
    /// The name in lower case, as the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Datetime => "datetime",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for NewType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no [`NewType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a type is one of string, integer, float, boolean, datetime and json")]
pub struct ParseNewTypeError;

impl FromStr for NewType {
    type Err = ParseNewTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::String, Self::Integer, Self::Float, Self::Boolean, Self::Datetime, Self::Json];
        all.into_iter().find(|kind| kind.as_str() == text).ok_or(ParseNewTypeError)
    }
}

/// A text that is no value of the wanted type.
///
/// # Security
///
/// It repeats nothing of the text but the names of JSON members.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNewValueError {
    /// No integer.
    #[error("the value is no integer: digits with a sign or `_` between them, or 0x, 0o, 0b; without a leading zero")]
    Integer,
    /// An integer outside -2⁶³ … 2⁶³-1.
    #[error("the integer does not fit into 64 bits; store it as a string")]
    IntegerTooLarge,
    /// No floating-point number.
    #[error("the value is no float: 1.5, -0.25, 6e23, inf or nan, with a digit on both sides of the point")]
    Float,
    /// A number outside IEEE 754 binary64.
    #[error("the number is too large for a 64-bit float; store it as a string")]
    FloatTooLarge,
    /// No boolean.
    #[error("the value is no boolean: it is `true` or `false`, in lower case")]
    Boolean,
    /// No date or time.
    #[error("the value is no date or time: {0}")]
    Datetime(&'static str),
    /// No JSON, or JSON that TOML cannot hold.
    #[error("line {line}, column {column} of the JSON: {problem}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: JsonProblem,
    },
}

impl ParseNewValueError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Integer | Self::IntegerTooLarge => "value_not_integer",
            Self::Float | Self::FloatTooLarge => "value_not_float",
            Self::Boolean => "value_not_boolean",
            Self::Datetime(_) => "value_not_datetime",
            Self::Json { .. } => "value_not_json",
        }
    }
}

impl NewValue {
    /// Makes a value of a type from its text; `references` says what `${NAME}` in strings means, in those of JSON, too.
    ///
    /// # Errors
    ///
    /// [`ParseNewValueError`] where the text is no value of that type.
    pub fn parse(kind: NewType, text: &SecretValue, references: References) -> Result<Self, ParseNewValueError> {
        let raw = text.expose();
        match kind {
            NewType::String => Ok(Self::String {
                text: text.clone(),
                references,
            }),
            NewType::Integer => integer(raw),
            NewType::Float => float(raw),
            NewType::Boolean => match raw {
                "true" => Ok(Self::Boolean(true)),
                "false" => Ok(Self::Boolean(false)),
                _ => Err(ParseNewValueError::Boolean),
            },
            NewType::Datetime => raw.parse().map(Self::Datetime),
            NewType::Json => json::parse(raw, references),
        }
    }
}

/// Reads a number as TOML does, or nothing where it is none.
fn toml_scalar(raw: &str) -> Option<Result<Value, DocumentProblem>> {
    let mut failed = false;
    let mut watch = |_| failed = true;
    let form = scalar::check(raw, None, SourceSpan::new_unchecked(0, raw.len()), &mut watch);
    if failed {
        return None;
    }
    match form {
        Ok(form @ (Form::Integer { .. } | Form::Float)) => Some(Ok(scalar::value(raw, form))),
        Ok(_) => None,
        Err(problem) => Some(Err(problem)),
    }
}

fn integer(raw: &str) -> Result<NewValue, ParseNewValueError> {
    match toml_scalar(raw) {
        Some(Ok(Value::Integer { value, .. })) => Ok(NewValue::Integer(value)),
        Some(Err(DocumentProblem::IntegerTooLarge)) => Err(ParseNewValueError::IntegerTooLarge),
        _ => Err(ParseNewValueError::Integer),
    }
}

fn float(raw: &str) -> Result<NewValue, ParseNewValueError> {
    let is_decimal = !raw.contains(['x', 'o', 'b']);
    match toml_scalar(raw) {
        Some(Ok(Value::Float { value, .. })) => Ok(NewValue::Float(value)),
        Some(Ok(Value::Integer { .. }) | Err(DocumentProblem::IntegerTooLarge)) if is_decimal => {
            let digits = Zeroizing::new(raw.replace('_', ""));
            match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(NewValue::Float(value)),
                _ => Err(ParseNewValueError::FloatTooLarge),
            }
        }
        Some(Err(DocumentProblem::FloatTooLarge)) => Err(ParseNewValueError::FloatTooLarge),
        _ => Err(ParseNewValueError::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: NewType, text: &str) -> Result<NewValue, ParseNewValueError> {
        let text = SecretValue::new(text.to_owned()).expect("no NUL");
        NewValue::parse(kind, &text, References::Literal)
    }

    #[test]
    fn integers_are_read_as_toml_reads_them() {
        let value = |text| match parse(NewType::Integer, text) {
            Ok(NewValue::Integer(value)) => Ok(value),
            Ok(_) => panic!("another type"),
            Err(error) => Err(error),
        };
        assert_eq!(value("0xff"), Ok(255));
        assert_eq!(value("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(value("1_000"), Ok(1000));
        assert_eq!(value("9223372036854775808"), Err(ParseNewValueError::IntegerTooLarge));
        for bad in [
            "",
            "007",
            "1.0",
            " 1",
            "1 ",
            "+-1",
            "true",
            "abc",
            "1__0",
            "0x",
            "2024-01-01",
            "\"1\"",
            "١",
        ] {
            assert_eq!(value(bad), Err(ParseNewValueError::Integer), "{bad:?}");
        }
    }

    #[test]
    fn floats_are_read_as_toml_reads_them_and_take_integers() {
        let value = |text| match parse(NewType::Float, text) {
            Ok(NewValue::Float(value)) => Ok(value),
            Ok(_) => panic!("another type"),
            Err(error) => Err(error),
        };
        assert_eq!(value("1.5"), Ok(1.5));
        assert_eq!(value("5"), Ok(5.0));
        assert_eq!(value("99999999999999999999"), Ok(1e20));
        assert_eq!(value("-inf"), Ok(f64::NEG_INFINITY));
        assert!(value("nan").is_ok_and(f64::is_nan));
        assert_eq!(value("1e400"), Err(ParseNewValueError::FloatTooLarge));
        for bad in ["", ".5", "1.", "infinity", "0x10", "1,5", "NaN", "1e"] {
            assert_eq!(value(bad), Err(ParseNewValueError::Float), "{bad:?}");
        }
    }

    #[test]
    fn booleans_and_times_have_one_spelling() {
        assert!(matches!(parse(NewType::Boolean, "true"), Ok(NewValue::Boolean(true))));
        assert_eq!(parse(NewType::Boolean, "True").err(), Some(ParseNewValueError::Boolean));
        assert!(parse(NewType::Datetime, "2024-01-31T08:00:00Z").is_ok());
        assert!(parse(NewType::Datetime, "31.01.2024").is_err());
    }

    #[test]
    fn refused_text_is_not_repeated() {
        for kind in [NewType::Integer, NewType::Float, NewType::Boolean, NewType::Datetime, NewType::Json] {
            let error = parse(kind, "sk_live_canary").err().expect("no such value");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn types_are_named_in_lower_case() {
        for kind in [
            NewType::String,
            NewType::Integer,
            NewType::Float,
            NewType::Boolean,
            NewType::Datetime,
            NewType::Json,
        ] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("String".parse::<NewType>(), Err(ParseNewTypeError));
    }
}
