//! Python's `int()` and `float()` as dlt applies them to text; no other number syntax is known here.

use zeroize::Zeroizing;

/// The most decimal digits that Python turns into an integer (its default `int_max_str_digits`).
const MAX_DECIMAL_DIGITS: usize = 4300;

/// The first digits of the runs of ten that Python takes for decimal digits (Unicode 14, general category Nd).
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090,
    0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Removes what Python's `str.strip()` removes.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_python_space)
}

/// Python's `str.isspace`: Unicode white space and the four ASCII separators.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `int(text)` or, behind the prefix `0x`, `int(rest, 16)`; the sign and the digits without leading zeros.
///
/// Hexadecimal numbers beyond 128 bits stay hexadecimal (`0x…`, lower case), so that the time stays linear.
pub(super) fn parse_integer(stripped: &str) -> Option<Zeroizing<String>> {
    match stripped.strip_prefix("0x") {
        Some(rest) => parse_hexadecimal(rest),
        None => parse_decimal(stripped),
    }
}

/// `float(text)` or, behind the prefix `0x`, the hexadecimal integer as a float.
pub(super) fn parse_float(stripped: &str) -> Option<f64> {
    // A hexadecimal number is an integer already, or nothing.
    if stripped.starts_with("0x") {
        return None;
    }
    let text = to_ascii(stripped)?;
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut previous = '\0';
    for c in text.chars() {
        if c == '_' {
            if !previous.is_ascii_digit() {
                return None;
            }
        } else if previous == '_' && !c.is_ascii_digit() {
            return None;
        } else {
            plain.push(c);
        }
        previous = c;
    }
    if previous == '_' { None } else { plain.parse().ok() }
}

fn parse_decimal(stripped: &str) -> Option<Zeroizing<String>> {
    let text = to_ascii(stripped)?;
    let (negative, digits) = split_sign(&text);
    let digits = join_digits(digits, 10)?;
    if digits.len() > MAX_DECIMAL_DIGITS {
        return None;
    }
    Some(signed(negative, "", digits.trim_start_matches('0')))
}

fn parse_hexadecimal(rest: &str) -> Option<Zeroizing<String>> {
    let text = to_ascii(rest)?;
    // Only ASCII white space counts here, and none is left at the end.
    let text = text.trim_start_matches(['\t', '\n', '\u{b}', '\u{c}', '\r', ' ']);
    let (negative, digits) = split_sign(text);
    let digits = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(prefixed) => prefixed.strip_prefix('_').unwrap_or(prefixed),
        None => digits,
    };
    let digits = join_digits(digits, 16)?;
    let digits = digits.trim_start_matches('0');
    if digits.len() > 32 {
        let lower = Zeroizing::new(digits.to_ascii_lowercase());
        return Some(signed(negative, "0x", &lower));
    }
    let value = if digits.is_empty() {
        0
    } else {
        u128::from_str_radix(digits, 16).ok()?
    };
    let decimal = Zeroizing::new(value.to_string());
    Some(signed(negative, "", decimal.trim_start_matches('0')))
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// The digits without the single underscores between them, or `None` where anything else is there.
fn join_digits(text: &str, radix: u32) -> Option<Zeroizing<String>> {
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    let mut previous = '_';
    for c in text.chars() {
        if c.is_digit(radix) {
            digits.push(c);
        } else if c != '_' || previous == '_' {
            return None;
        }
        previous = c;
    }
    if previous == '_' { None } else { Some(digits) }
}

fn signed(negative: bool, prefix: &str, digits: &str) -> Zeroizing<String> {
    if digits.is_empty() {
        return Zeroizing::new("0".to_owned());
    }
    Zeroizing::new(format!("{}{prefix}{digits}", if negative { "-" } else { "" }))
}

/// Turns the decimal digits and the white space of every script into ASCII; `None` where anything else is not ASCII.
///
/// ASCII text stays as it is, its separators (U+001C to U+001F) too, which Python then takes for no white space.
fn to_ascii(text: &str) -> Option<Zeroizing<String>> {
    let mut ascii = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        ascii.push(match c {
            c if c.is_ascii() => c,
            c if is_python_space(c) => ' ',
            c => decimal_digit(c)?,
        });
    }
    Some(ascii)
}

fn decimal_digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let run = ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[run], 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Option<String> {
        parse_integer(strip(text)).map(|digits| digits.to_string())
    }

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("00123", Some("123")),
            (" -0_1\u{2003}", Some("-1")),
            ("-0", Some("0")),
            ("٣٤", Some("34")),
            ("0x -0x_1f", Some("-31")),
            ("0x", None),
            ("0x0x", None),
            ("0X1F", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("+ 1", None),
            ("--1", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(integer(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn long_numbers_take_no_quadratic_time() {
        assert_eq!(integer(&"1".repeat(4300)).map(|digits| digits.len()), Some(4300));
        assert_eq!(integer(&"1".repeat(4301)), None);
        assert_eq!(
            integer(&format!("0x{}", "F".repeat(1_000_000))).map(|digits| digits.len()),
            Some(1_000_002)
        );
        assert_eq!(parse_float(&"1".repeat(1_000_000)), Some(f64::INFINITY));
    }

    #[test]
    fn floats_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("1e5", Some(1e5)),
            (".5", Some(0.5)),
            ("1.", Some(1.0)),
            ("1_0.5_0e1_0", Some(10.5e10)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e999", Some(f64::INFINITY)),
            ("1_e5", None),
            ("1._5", None),
            (".", None),
            ("e5", None),
            ("0x1p3", None),
            ("in_f", None),
        ] {
            assert_eq!(parse_float(text), expected, "{text:?}");
        }
    }
}
