//! The text that stands for a TOML value in the environment, so that dlt reads the same value from it. Names are in `name`.

use zeroize::Zeroizing;

use super::json::MAX_DEPTH;
use crate::Value;

/// Why a value has no text for the environment.
///
/// # Security
///
/// It names no value and no key; the caller adds the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentTextError {
    /// A string with the character NUL, at which every environment ends a value.
    #[error("the string holds the character NUL, which no environment variable can")]
    Nul,
    /// An infinity or NaN inside an array or a table, which JSON cannot write (RFC 8259 §6).
    #[error("an infinity or NaN inside an array or a table has no JSON text")]
    NotFinite,
    /// Arrays and tables nested deeper than dlt's JSON reader follows.
    #[error("arrays and tables are nested more than {max} deep, which dlt cannot read as JSON")]
    TooDeep {
        /// The deepest nesting that dlt reads.
        max: usize,
    },
}

impl EnvironmentTextError {
    /// A stable name for the kind of error.
    pub fn code(self) -> &'static str {
        match self {
            Self::Nul => "environment_nul",
            Self::NotFinite => "environment_not_finite",
            Self::TooDeep { .. } => "environment_too_deep",
        }
    }
}

/// The text to put into the environment for a value, so that dlt reads from it what it reads from the file.
///
/// Strings are as they are, references in them verbatim: resolve them before. Integers are decimal, floats as
/// Python writes them, booleans `true` and `false`; times keep their text, with a capital `T` and `Z`, without which
/// dlt reads no time from text. Arrays and tables are compact JSON with times as strings.
///
/// Text has no type, so a few things differ from the file, as dlt defines them: `dlt.secrets["…"]` casts the text
/// ([`super::auto_cast`]) and gives a time as text; a `str` argument gets `true` for a boolean (from the file `True`) and a time with
/// `Z` (from the file `+00:00`); a `bool` argument takes no number but 0 and 1, an `int` argument no `1.0`.
///
/// # Errors
///
/// [`EnvironmentTextError`] where no text can stand for the value.
pub fn environment_text(value: &Value) -> Result<Zeroizing<String>, EnvironmentTextError> {
    match value {
        Value::String(text) => {
            let text = text.verbatim();
            if text.contains('\0') {
                return Err(EnvironmentTextError::Nul);
            }
            Ok(text)
        }
        Value::Datetime(text) => Ok(capital_time(text)),
        Value::Float { value, .. } => Ok(python_float(*value)),
        Value::Integer { .. } | Value::Boolean(_) | Value::Array(_) | Value::Table(_) => {
            // Counted first, so that the buffer never moves and leaves no copy behind.
            let mut length = 0;
            write_json(value, 0, &mut |piece| length += piece.len())?;
            let mut text = Zeroizing::new(String::with_capacity(length));
            write_json(value, 0, &mut |piece| text.push_str(piece))?;
            Ok(text)
        }
    }
}

fn write_json(value: &Value, depth: usize, write: &mut dyn FnMut(&str)) -> Result<(), EnvironmentTextError> {
    if depth > MAX_DEPTH || (depth == MAX_DEPTH && matches!(value, Value::Array(_) | Value::Table(_))) {
        return Err(EnvironmentTextError::TooDeep { max: MAX_DEPTH });
    }
    match value {
        Value::String(text) => write_json_string(&text.verbatim(), write),
        Value::Datetime(text) => write_json_string(&capital_time(text), write),
        Value::Integer { value, .. } => write(&Zeroizing::new(value.to_string())),
        Value::Float { value, .. } if value.is_finite() => write(&python_float(*value)),
        Value::Float { .. } => return Err(EnvironmentTextError::NotFinite),
        Value::Boolean(value) => write(if *value { "true" } else { "false" }),
        Value::Array(values) => {
            write("[");
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    write(",");
                }
                write_json(value, depth + 1, write)?;
            }
            write("]");
        }
        Value::Table(entries) => {
            write("{");
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    write(",");
                }
                write_json_string(key, write);
                write(":");
                write_json(value, depth + 1, write)?;
            }
            write("}");
        }
    }
    Ok(())
}

fn write_json_string(text: &str, write: &mut dyn FnMut(&str)) {
    write("\"");
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        write(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => write("\\\""),
            b'\\' => write("\\\\"),
            b'\n' => write("\\n"),
            b'\r' => write("\\r"),
            b'\t' => write("\\t"),
            8 => write("\\b"),
            12 => write("\\f"),
            byte => write(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    write(rest);
    write("\"");
}

/// A date or time with a capital `T` and `Z`; TOML allows small ones, dlt's reader of text does not.
fn capital_time(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_ascii_uppercase())
}

/// A float as Python's `repr` writes it: the shortest digits that read back, an exponent below 1e-4 and from 1e16.
fn python_float(value: f64) -> Zeroizing<String> {
    if value.is_nan() {
        return Zeroizing::new("nan".to_owned());
    }
    if value.is_infinite() {
        return Zeroizing::new(if value > 0.0 { "inf" } else { "-inf" }.to_owned());
    }
    // The fewest digits that read back; written again at that length, because Rust rounds a tie away from even here.
    let shortest = Zeroizing::new(format!("{value:e}"));
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..16) => {
            let decimals = usize::try_from(i64::try_from(digits).unwrap_or(0) - 1 - i64::from(exponent)).unwrap_or(0);
            Zeroizing::new(format!("{value:.*}", decimals.max(1)))
        }
        _ => {
            let scientific = Zeroizing::new(format!("{value:.*e}", digits - 1));
            let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            Zeroizing::new(format!("{mantissa}e{sign}{exponent:0>2}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;
    use proptest::prelude::*;

    fn string(text: &str) -> Value {
        Value::String(Text::from_plain(text))
    }

    fn float(value: f64) -> Value {
        Value::Float {
            value,
            text: Zeroizing::new(String::new()),
        }
    }

    fn integer(value: i64) -> Value {
        Value::Integer {
            value,
            text: Zeroizing::new("0xff".to_owned()),
        }
    }

    fn datetime(text: &str) -> Value {
        Value::Datetime(Zeroizing::new(text.to_owned()))
    }

    fn text(value: &Value) -> String {
        environment_text(value).expect("has a text").to_string()
    }

    #[test]
    fn strings_are_as_they_are() {
        assert_eq!(text(&string(" a\nb\"${X}é ")), " a\nb\"${X}é ");
        assert_eq!(environment_text(&string("a\0")).err(), Some(EnvironmentTextError::Nul));
    }

    #[test]
    fn numbers_and_booleans_are_written_plainly() {
        assert_eq!(text(&integer(255)), "255");
        assert_eq!(text(&integer(i64::MIN)), "-9223372036854775808");
        assert_eq!(text(&Value::Boolean(true)), "true");
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        // The right column is `repr(value)` of CPython 3.11.
        for (value, expected) in [
            (1000.5, "1000.5"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (9.999e-5, "9.999e-05"),
            (-2.5e300, "-2.5e+300"),
            (5e-324, "5e-324"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(text(&float(value)), expected);
        }
    }

    #[test]
    fn times_are_written_so_that_dlt_can_read_them() {
        assert_eq!(text(&datetime("1979-05-27t07:32:00.5z")), "1979-05-27T07:32:00.5Z");
        assert_eq!(text(&datetime("1979-05-27 07:32:00+01:00")), "1979-05-27 07:32:00+01:00");
    }

    #[test]
    fn arrays_and_tables_are_compact_json() {
        let value = Value::Table(vec![
            (
                "a\"b".to_owned(),
                Value::Array(vec![integer(1), float(1e16), Value::Boolean(false)]),
            ),
            ("t".to_owned(), datetime("1979-05-27")),
            ("s".to_owned(), string("\u{1}\u{8}\n\\é\u{7f}")),
            ("e".to_owned(), Value::Table(Vec::new())),
        ]);
        assert_eq!(
            text(&value),
            "{\"a\\\"b\":[1,1e+16,false],\"t\":\"1979-05-27\",\"s\":\"\\u0001\\b\\n\\\\é\u{7f}\",\"e\":{}}"
        );
    }

    #[test]
    fn what_json_cannot_hold_is_refused() {
        assert_eq!(
            environment_text(&Value::Array(vec![float(f64::NAN)])).err(),
            Some(EnvironmentTextError::NotFinite)
        );
        let nested = |depth: usize| (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]));
        assert_eq!(text(&nested(1024)).len(), 2048);
        assert_eq!(
            environment_text(&nested(1025)).err(),
            Some(EnvironmentTextError::TooDeep { max: 1024 })
        );
    }

    proptest! {
        #[test]
        fn floats_read_back_as_themselves(value in proptest::num::f64::ANY) {
            let read: f64 = text(&float(value)).parse().expect("a float");
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        }

        #[test]
        fn json_is_read_back_by_another_reader(strings in proptest::collection::vec("[^\\x00]{0,8}", 0..5)) {
            let value = Value::Array(strings.iter().map(|text| string(text)).collect());
            let read: Vec<String> = serde_json::from_str(&text(&value)).expect("JSON");
            prop_assert_eq!(read, strings);
        }
    }
}
