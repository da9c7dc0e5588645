//! Values as text on one line that YAML 1.1 and 1.2 readers alike take for the same value.

use super::Value;
use super::value::is_number;

/// Writes a value in flow style, so that it may stand behind a key as well as in brackets.
pub(crate) fn render(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

/// Writes a text, as a key or a value: plain where no reader could take it for anything else, else
/// in double quotes with the escapes of JSON.
pub(crate) fn render_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_text(&mut out, text);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(true) => out.push_str("true"),
        Value::Boolean(false) => out.push_str("false"),
        Value::Number(text) if is_number(text) => out.push_str(text),
        Value::Number(text) | Value::String(text) => write_text(out, text),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (index, (key, item)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_text(out, key);
                out.push_str(": ");
                write_value(out, item);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_shown(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
}

/// Whether a text needs no quotes anywhere: it begins with a letter, `_` or `/`, holds only characters
/// without a meaning in YAML, and is no word that a reader takes for a boolean, a number or nothing.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity",
    ];
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '+' | '=' | ' ');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && !text.ends_with(' ')
        && text.chars().all(inner)
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a character may stand in quotes as it is: printable (YAML 1.2.2 §5.1), and none that
/// breaks lines or reorders text on a screen.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
        && u32::from(c) & 0xfffe != 0xfffe
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_a_reader_could_mistake_are_quoted() {
        for text in [
            "",
            " ",
            "no",
            "Yes",
            "ON",
            "y",
            "null",
            "~",
            "1e3",
            "0x1",
            "007",
            "1_000",
            "2024-01-01",
            "12:30",
            ".inf",
            "-",
            "- a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "a: b",
            "a #b",
            "a:",
            "#a",
            "[a]",
            "{a}",
            "a,b",
            "a\nb",
            "é",
            "a ",
            "=",
            "<<",
            "?",
            "|",
            ">",
            "'a'",
            "\"a\"",
        ] {
            assert!(render_text(text).starts_with('"'), "{text:?}");
        }
        for text in ["stripe_analytics", "a b", "/data/in.csv", "me@example.com", "python-3.11", "_x"] {
            assert_eq!(render_text(text), text);
        }
        assert_eq!(render_text("a\u{202e}\u{0}"), "\"a\\U0000202E\\U00000000\"");
    }

    /// Each line: a text, and how it is written; `check_scalars.py` had every one read by PyYAML.
    const PYYAML: &str = include_str!("../../tests/fixtures/scalars.jsonl");

    #[test]
    fn readers_of_yaml_1_1_read_the_same_texts() {
        let mut count = 0;
        for line in PYYAML.lines() {
            let (text, written): (String, String) = serde_json::from_str(line).expect("JSON");
            assert_eq!(render_text(&text), written, "{text:?}");
            count += 1;
        }
        assert!(count > 100, "{count} texts");
    }

    fn values() -> impl Strategy<Value = Value> {
        let texts = prop_oneof!["[ -~]{0,8}", "\\PC{0,8}", any::<String>(), "(no|yes|1e3|0x1|~|null|true|- x)"];
        let leaves = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(|number| Value::Number(number.to_string())),
            texts.clone().prop_map(Value::String),
        ];
        leaves.prop_recursive(3, 12, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::btree_map("[^\u{0}]{1,5}", inner, 0..4).prop_map(|members| Value::Map(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            for text in [format!("k: {}\n", render(&value)), format!("k: [x, {}, y]\n", render(&value))] {
                let root = read(&text).expect("valid YAML").expect("not empty");
                let found = root.member("k").expect("the key").value.to_value();
                let found = match found {
                    Value::List(mut items) if text.starts_with("k: [x, ") => items.remove(1),
                    found => found,
                };
                prop_assert_eq!(&found, &value, "{}", text);
            }
        }
    }
}
