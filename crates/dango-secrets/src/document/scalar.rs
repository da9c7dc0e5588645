//! Single values: what their spelling means, checked when the text is parsed and decoded when asked for.

use std::num::IntErrorKind;

use toml_parser::decoder::{Encoding, IntegerRadix, ScalarKind};
use toml_parser::{ErrorSink, ParseError, Raw, Span as SourceSpan};
use zeroize::Zeroizing;

use super::error::DocumentProblem;
use super::proof;
use crate::{Text, Value};

/// What a scalar is and how it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    String(Quotes),
    Integer { radix: u8 },
    Float,
    Boolean(bool),
    Datetime,
}

/// How a string is quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Basic,
    Literal,
    MultilineBasic,
    MultilineLiteral,
}

/// Checks the spelling of the scalar `raw`, which stands at `span`; syntax errors go to `errors`.
pub(super) fn check(raw: &str, encoding: Option<Encoding>, span: SourceSpan, errors: &mut dyn ErrorSink) -> Result<Form, DocumentProblem> {
    if let Some(form) = check_usual(raw, encoding) {
        return Ok(form);
    }
    let source = Raw::new_unchecked(raw, encoding, span);
    if let Some(encoding) = encoding {
        let _ = source.decode_scalar(&mut (), errors);
        return Ok(Form::String(match encoding {
            Encoding::BasicString => Quotes::Basic,
            Encoding::LiteralString => Quotes::Literal,
            Encoding::MlBasicString => Quotes::MultilineBasic,
            Encoding::MlLiteralString => Quotes::MultilineLiteral,
        }));
    }
    let mut decoded = Zeroizing::new(String::new());
    let mut failed = false;
    let mut watch = |error: ParseError| {
        failed = true;
        errors.report_error(error);
    };
    let kind = source.decode_scalar(&mut *decoded, &mut watch);
    if failed {
        return Ok(Form::Boolean(false));
    }
    Ok(match kind {
        ScalarKind::Boolean(value) => Form::Boolean(value),
        ScalarKind::Integer(radix) => {
            let radix = radix_of(radix);
            i64::from_str_radix(&decoded, u32::from(radix)).map_err(|error| match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => DocumentProblem::IntegerTooLarge,
                _ => DocumentProblem::Syntax("this is no number"),
            })?;
            Form::Integer { radix }
        }
        ScalarKind::Float => {
            let value = decoded.parse::<f64>().map_err(|_| DocumentProblem::Syntax("this is no number"))?;
            if value.is_infinite() && decoded.bytes().any(|byte| byte.is_ascii_digit()) {
                return Err(DocumentProblem::FloatTooLarge);
            }
            Form::Float
        }
        ScalarKind::DateTime => {
            check_datetime(&decoded).map_err(DocumentProblem::Datetime)?;
            Form::Datetime
        }
        ScalarKind::String => return Err(DocumentProblem::Syntax("string values must be quoted")),
    })
}

/// The usual spellings, recognised without the decoder, which matters in a large document.
fn check_usual(raw: &str, encoding: Option<Encoding>) -> Option<Form> {
    let bytes = raw.as_bytes();
    match (encoding, bytes) {
        (Some(Encoding::BasicString), [b'"', inner @ .., b'"']) if !inner.contains(&b'\\') => Some(Form::String(Quotes::Basic)),
        (Some(Encoding::LiteralString), [b'\'', .., b'\'']) => Some(Form::String(Quotes::Literal)),
        (None, b"true") => Some(Form::Boolean(true)),
        (None, b"false") => Some(Form::Boolean(false)),
        (None, [b'1'..=b'9', rest @ ..]) if rest.len() < 18 && rest.iter().all(u8::is_ascii_digit) => Some(Form::Integer { radix: 10 }),
        _ => None,
    }
}

fn radix_of(radix: IntegerRadix) -> u8 {
    match radix {
        IntegerRadix::Dec => 10,
        IntegerRadix::Hex => 16,
        IntegerRadix::Oct => 8,
        IntegerRadix::Bin => 2,
    }
}

/// Whether a text is a date, a time or both as TOML 1.1 writes them and Python's `datetime` holds them.
pub(super) fn check_datetime(text: &str) -> Result<(), &'static str> {
    if !proof::is_datetime(text) {
        return Err("the form is 2024-01-31T08:00:00Z, 2024-01-31T08:00:00, 2024-01-31 or 08:00:00, with real days and hours");
    }
    // Python's datetime has neither; TOML has both.
    if text.starts_with("0000-") {
        return Err("there is no year 0000");
    }
    if has_leap_second(text) {
        return Err("there is no second 60");
    }
    Ok(())
}

fn has_leap_second(text: &str) -> bool {
    let seconds = seconds(text);
    text.as_bytes().get(seconds..seconds + 3) == Some(b":60")
}

/// Where the seconds belong that a text of this kind lacks: TOML 1.1 allows `07:32`, TOML 1.0 does not.
pub(super) fn missing_seconds(text: &str) -> Option<usize> {
    let (has_time, at) = (text.contains(':'), seconds(text));
    (has_time && text.as_bytes().get(at) != Some(&b':')).then_some(at)
}

/// Where the seconds stand in a date with a time, or a time: behind its `HH:MM`.
fn seconds(text: &str) -> usize {
    text.find(['T', 't', ' ']).map_or(0, |separator| separator + 1) + 5
}

/// The value of a scalar that was checked.
pub(super) fn value(raw: &str, form: Form) -> Value {
    let text = || Zeroizing::new(raw.to_owned());
    match form {
        Form::String(quotes) => Value::String(string(raw, quotes)),
        Form::Boolean(value) => Value::Boolean(value),
        Form::Datetime => Value::Datetime(text()),
        Form::Integer { radix } => {
            let digits = if radix == 10 { raw } else { raw.get(2..).unwrap_or_default() };
            let digits = Zeroizing::new(digits.replace('_', ""));
            let value = i64::from_str_radix(&digits, u32::from(radix)).expect("checked when the document was parsed");
            Value::Integer { value, text: text() }
        }
        Form::Float => {
            let digits = Zeroizing::new(raw.replace('_', ""));
            let value = digits.parse().expect("checked when the document was parsed");
            Value::Float { value, text: text() }
        }
    }
}

/// A string with the references in it. A line end that stands in it as CRLF is LF, as dlt reads it.
fn string(raw: &str, quotes: Quotes) -> Text {
    let characters = Characters::new(raw, quotes);
    if raw.contains("${") {
        return Text::from_characters(characters);
    }
    if !raw.contains(['\\', '\r']) {
        return Text::literal(characters.rest.as_str());
    }
    let mut text = String::with_capacity(raw.len());
    text.extend(characters.map(|(c, _)| c));
    Text::literal(text)
}

/// The characters of a string that was checked, each with whether it stands plainly in the file.
struct Characters<'a> {
    rest: std::str::Chars<'a>,
    quotes: Quotes,
}

impl<'a> Characters<'a> {
    fn new(raw: &'a str, quotes: Quotes) -> Self {
        let delimiter = match quotes {
            Quotes::Basic | Quotes::Literal => 1,
            Quotes::MultilineBasic | Quotes::MultilineLiteral => 3,
        };
        let mut inner = raw.get(delimiter..raw.len().saturating_sub(delimiter)).unwrap_or_default();
        if delimiter == 3 {
            inner = inner.strip_prefix('\n').or_else(|| inner.strip_prefix("\r\n")).unwrap_or(inner);
        }
        Self {
            rest: inner.chars(),
            quotes,
        }
    }

    fn skip(&mut self, is_skipped: fn(char) -> bool) {
        self.rest = self.rest.as_str().trim_start_matches(is_skipped).chars();
    }

    fn hex(&mut self, digits: usize) -> char {
        let code = self.rest.by_ref().take(digits).fold(0u32, |code, digit| {
            code.wrapping_mul(16).wrapping_add(digit.to_digit(16).unwrap_or_default())
        });
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

impl Iterator for Characters<'_> {
    type Item = (char, bool);

    fn next(&mut self) -> Option<(char, bool)> {
        let escapes = matches!(self.quotes, Quotes::Basic | Quotes::MultilineBasic);
        loop {
            match self.rest.next()? {
                '\r' => {}
                '\\' if escapes => match self.rest.next()? {
                    ' ' | '\t' | '\r' | '\n' => self.skip(|c| matches!(c, ' ' | '\t' | '\r' | '\n')),
                    'b' => return Some(('\u{8}', false)),
                    't' => return Some(('\t', false)),
                    'n' => return Some(('\n', false)),
                    'f' => return Some(('\u{c}', false)),
                    'r' => return Some(('\r', false)),
                    'e' => return Some(('\u{1b}', false)),
                    'x' => return Some((self.hex(2), false)),
                    'u' => return Some((self.hex(4), false)),
                    'U' => return Some((self.hex(8), false)),
                    other => return Some((other, false)),
                },
                c => return Some((c, true)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, quotes: Quotes) -> String {
        string(raw, quotes).verbatim().to_string()
    }

    #[test]
    fn all_four_kinds_of_strings_are_decoded() {
        assert_eq!(
            read(r#""a\tb\u00e9\U0001F361\x41\e\"\\""#, Quotes::Basic),
            "a\tb\u{e9}\u{1F361}A\u{1b}\"\\"
        );
        assert_eq!(read(r"'C:\new'", Quotes::Literal), r"C:\new");
        assert_eq!(
            read("\"\"\"\r\none\\r\\n\r\ntwo \\\r\n   \r\n  three\"\"\"", Quotes::MultilineBasic),
            "one\r\n\ntwo three"
        );
        assert_eq!(read("'''\n'a'\r\n\\n''''", Quotes::MultilineLiteral), "'a'\n\\n'");
        assert_eq!(read("\"\"\"\"\"\"", Quotes::MultilineBasic), "");
    }

    #[test]
    fn only_a_plain_dollar_and_brace_make_a_reference() {
        assert!(string(r#""${A}""#, Quotes::Basic).has_reference());
        assert!(string(r"'${A}'", Quotes::Literal).has_reference());
        assert!(!string(r#""\u0024{A}""#, Quotes::Basic).has_reference());
        assert!(!string(r#""$\u007bA}""#, Quotes::Basic).has_reference());
        let mixed = string(r#""\u0024{A}${B}""#, Quotes::Basic);
        assert!(mixed.has_reference());
        assert_eq!(mixed.verbatim().as_str(), "${A}${B}");
    }

    #[test]
    fn times_that_python_lacks_are_refused() {
        assert!(check_datetime("2016-12-31T23:59:60Z").is_err());
        assert!(check_datetime("23:59:60").is_err());
        assert!(check_datetime("0000-01-01").is_err());
        assert!(check_datetime("2023-02-29").is_err());
        for good in ["2024-02-29", "07:32", "1979-05-27 07:32:00.999999999-07:00", "1979-05-27t07:32:59z"] {
            assert_eq!(check_datetime(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn only_a_time_without_seconds_lacks_them() {
        for (text, at) in [
            ("07:32", 5),
            ("2024-01-02T03:04", 16),
            ("2024-01-02 03:04+05:30", 16),
            ("2024-01-02t03:04z", 16),
        ] {
            assert_eq!(missing_seconds(text), Some(at), "{text}");
        }
        for text in ["2024-01-02", "07:32:00", "2024-01-02T03:04:05.5+05:30", "2024-01-02 03:04:05Z"] {
            assert_eq!(missing_seconds(text), None, "{text}");
        }
    }
}
