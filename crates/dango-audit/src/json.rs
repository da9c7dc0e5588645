//! JSON texts (RFC 8259) of one line: how a member is written, always in the same way; reading them is done elsewhere.

use std::fmt::Write as _;

use crate::words::is_dangerous;

/// Appends a JSON string in which nothing dangerous stands as itself.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // Most texts are plain, and a log is written and read by the million.
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if rest.as_bytes().iter().all(plain) {
        out.push_str(rest);
        rest = "";
    }
    for c in rest.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_dangerous(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a String takes every text");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Appends a JSON string, or `null`.
pub(crate) fn push_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.push_str("null"),
    }
}

/// Appends an object's member with a string or `null`, with a comma before it unless it is the first.
pub(crate) fn push_member(out: &mut String, name: &str, text: Option<&str>) {
    push_name(out, name);
    push_optional(out, text);
}

/// Appends a member's name and the colon, with a comma before it unless it is the first of its object.
pub(crate) fn push_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_line_and_read_back_as_it_was() {
        for text in [
            "",
            "plain é ✓",
            "\"\\/",
            "\r\n\t\u{0}\u{1b}",
            "\u{7f}\u{85}\u{202e}\u{2028}\u{feff}",
            "\u{e0041}😀",
        ] {
            let mut json = String::new();
            push_string(&mut json, text);
            assert!(!json.chars().any(is_dangerous), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }
    }
}
