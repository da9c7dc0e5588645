//! A YAML value without its place: what the core schema of YAML 1.2 makes of a text.

/// One value of `sources.yml`.
///
/// Scalars without quotes are resolved by the core schema (YAML 1.2.2 §10.3.2): `no`, `yes` and
/// dates are text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: an empty place, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer or a floating-point number, as its text in the file (`0x1f`, `1e3`, `.inf`).
    Number(String),
    /// Text.
    String(String),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Resolves a scalar that stands without quotes.
    pub(crate) fn resolve_plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Boolean(true),
            "false" | "False" | "FALSE" => Self::Boolean(false),
            text if is_number(text) => Self::Number(text.to_owned()),
            text => Self::String(text.to_owned()),
        }
    }

    /// The text of a string, a number or a boolean; `None` for anything else.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Number(text) => Some(text),
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Whether there is nothing in it: null, an empty text, list or mapping.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(members) => members.is_empty(),
            Self::Boolean(_) | Self::Number(_) => false,
        }
    }

    /// The value of a member, where this is a mapping that has it.
    pub fn member(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Whether the core schema takes the text for an integer or a floating-point number.
pub(crate) fn is_number(text: &str) -> bool {
    let all = |text: &str, digit: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(digit);
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| (b'0'..=b'7').contains(byte));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = if whole.is_empty() { !fraction.is_empty() } else { true };
    has_digit && digits(whole) && digits(fraction) && exponent.is_none_or(|exponent| all(exponent, u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("null", Value::Null),
            ("TRUE", Value::Boolean(true)),
            ("no", Value::String("no".to_owned())),
            ("2024-01-01", Value::String("2024-01-01".to_owned())),
            ("1_000", Value::String("1_000".to_owned())),
        ] {
            assert_eq!(Value::resolve_plain(text), value, "{text}");
        }
        for number in [
            "0", "-1", "+12", "007", "0o17", "0x1F", "1.", ".5", "1.5e3", "1e-7", "-.inf", ".NaN",
        ] {
            assert_eq!(Value::resolve_plain(number), Value::Number(number.to_owned()), "{number}");
        }
        for text in [".", "-", "+", "e3", "0x", "0xg", "1e", "1.2.3", "--1", ".e3", "1e3.5", "0b1"] {
            assert_eq!(Value::resolve_plain(text), Value::String(text.to_owned()), "{text}");
        }
    }
}
