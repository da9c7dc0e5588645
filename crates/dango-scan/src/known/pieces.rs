//! What of a value is looked for: all of it, the lines of a private key, and the secrets in a value that is itself JSON; each in all its forms.

use dango_core::SecretValue;
use dango_secrets::redact::{is_maskable, whole_forms};
use serde_json::Value;
use zeroize::Zeroizing;

use super::worth::is_worth;
use crate::finding::Spelling;

/// Shorter forms are not looked for, in bytes: the index needs as many, and shorter ones stand everywhere.
pub(super) const MIN_FORM: usize = 8;
/// Shorter lines of a multi-line value are not looked for on their own, in bytes.
const MIN_LINE: usize = 24;

/// One form of a known value.
pub(crate) struct Form {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// The number of its value.
    pub(crate) value: usize,
    pub(crate) spelling: Spelling,
}

/// Appends the forms of a value, none where it is not looked for.
pub(super) fn push_forms(number: usize, name: &str, value: &SecretValue, forms: &mut Vec<Form>) {
    if let Some(leaves) = leaves_of_json(value) {
        leaves
            .iter()
            .filter(|(name, leaf)| is_worth(name, leaf))
            .for_each(|(_, leaf)| push_text(number, leaf, forms));
        push_whole(number, value, forms);
    } else if is_worth(name, value) {
        push_text(number, value, forms);
    }
}

fn push_text(number: usize, value: &SecretValue, forms: &mut Vec<Form>) {
    push_whole(number, value, forms);
    let text = value.expose();
    // Service accounts keep the line ends of their key escaped.
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    if !text.trim().contains('\n') {
        return;
    }
    for line in text.lines().map(str::trim) {
        if let Some(line) = telling_line(line) {
            push_whole(number, &line, forms);
        }
    }
}

/// A line that tells the value on its own: of a key or a certificate, not of a text.
fn telling_line(line: &str) -> Option<SecretValue> {
    let is_dense = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_.~".contains(&byte);
    let is_marker = line.starts_with("-----");
    let value = (line.len() >= MIN_LINE && !is_marker && line.bytes().all(is_dense)).then(|| SecretValue::new(line.to_owned()).ok())??;
    is_maskable(&value).then_some(value)
}

fn push_whole(number: usize, value: &SecretValue, forms: &mut Vec<Form>) {
    let plain = value.expose().as_bytes();
    forms.extend(
        whole_forms(value)
            .into_iter()
            .filter(|form| form.len() >= MIN_FORM)
            .map(|bytes| Form {
                spelling: if bytes.as_slice() == plain {
                    Spelling::Plain
                } else {
                    Spelling::Encoded
                },
                bytes,
                value: number,
            }),
    );
}

/// The strings of a value that is a JSON object, each with the name of its member.
fn leaves_of_json(value: &SecretValue) -> Option<Vec<(String, SecretValue)>> {
    let text = value.expose().trim();
    if !text.starts_with('{') {
        return None;
    }
    let mut leaves = Vec::new();
    let parsed: Value = serde_json::from_str(text).ok()?;
    collect(String::new(), parsed, &mut leaves);
    Some(leaves)
}

fn collect(name: String, value: Value, leaves: &mut Vec<(String, SecretValue)>) {
    match value {
        Value::String(text) => leaves.extend(SecretValue::new(text).ok().map(|text| (name, text))),
        Value::Array(items) => items.into_iter().for_each(|item| collect(name.clone(), item, leaves)),
        Value::Object(members) => members.into_iter().for_each(|(name, item)| collect(name, item, leaves)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, value: &str) -> Vec<String> {
        let mut forms = Vec::new();
        push_forms(0, name, &SecretValue::new(value.to_owned()).unwrap(), &mut forms);
        forms.iter().map(|form| String::from_utf8_lossy(&form.bytes).into_owned()).collect()
    }

    #[test]
    fn the_lines_of_a_private_key_are_looked_for_and_its_markers_are_not() {
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDEkeys";
        for key in [
            format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"),
            format!("-----BEGIN PRIVATE KEY-----\\n{line}\\n-----END PRIVATE KEY-----\\n"),
        ] {
            let texts = texts("private_key", &key);
            assert!(texts.iter().any(|text| text == line));
            assert!(!texts.iter().any(|text| text == "-----BEGIN PRIVATE KEY-----"));
        }
    }

    #[test]
    fn of_a_json_value_its_secrets_are_looked_for_and_its_settings_are_not() {
        let texts = texts(
            "credentials",
            r#"{"type": "service_account", "project_id": "shop-analytics", "private_key_id": "0a1b2c3d4e5f60718293", "token_uri": "https://oauth2.googleapis.com/token"}"#,
        );
        assert!(texts.iter().any(|text| text == "0a1b2c3d4e5f60718293"));
        for public in ["shop-analytics", "https://oauth2.googleapis.com/token", "service_account"] {
            assert!(!texts.iter().any(|text| text == public), "{public}");
        }
    }
}
