//! The spellings in which a secret turns up in output: as it is, line by line, and encoded.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::encodings::{self, Form};
use super::maskable::{has_variety, is_maskable_text};

/// Shorter forms are not looked for, in bytes.
pub const MIN_FORM_BYTES: usize = 6;
/// Shorter lines of a multi-line value are not looked for on their own, in characters.
const MIN_LINE_CHARACTERS: usize = 8;

/// Lists every form of a value to look for in a stream of bytes, each once, in no particular order.
///
/// The value itself, with and without the white space around it, with LF and with CRLF for its
/// line ends, and each of its lines of 8 characters or more (but for the `-----BEGIN …-----` and
/// `-----END …-----` of PEM, which are in no way secret); each of these also in Base64 (both
/// alphabets, wherever in a group of three bytes it begins, in one line or wrapped), in
/// hexadecimal, percent-encoded for URLs, escaped as in JSON, in string literals, by shells and in
/// HTML. In Base64 only the characters that the value alone decides count, so it is found inside
/// a longer encoded text, too.
///
/// It does not decide whether the value should be looked for at all ([`is_maskable`](super::is_maskable)),
/// and forms shorter than [`MIN_FORM_BYTES`] or of fewer than 4 different bytes are left out.
pub fn encoded_forms(value: &SecretValue) -> Vec<Zeroizing<Vec<u8>>> {
    let text = value.expose();
    encoded(wholes(text).into_iter().chain(all_lines(text)))
}

/// Lists the forms of a value as a whole: those of [`encoded_forms`] without the ones of its single lines.
///
/// For a search of files, in which a line such as `"type": "service_account"` stands for good reasons.
pub fn whole_forms(value: &SecretValue) -> Vec<Zeroizing<Vec<u8>>> {
    encoded(wholes(value.expose()))
}

fn encoded(spellings: impl IntoIterator<Item = Zeroizing<String>>) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = Vec::new();
    for text in spellings {
        encode(&text, &mut forms);
    }
    forms.retain(|form| form.len() >= MIN_FORM_BYTES && has_variety(form.iter()));
    forms.sort_unstable_by(|a, b| a.as_slice().cmp(b.as_slice()));
    forms.dedup_by(|a, b| a.as_slice() == b.as_slice());
    forms
}

/// The whole text: as it is, trimmed, and with either line end.
fn wholes(text: &str) -> Vec<Zeroizing<String>> {
    let mut spellings = vec![Zeroizing::new(text.to_owned())];
    let trimmed = text.trim();
    if trimmed != text && is_maskable_text(trimmed) {
        spellings.push(Zeroizing::new(trimmed.to_owned()));
    }
    if text.contains(['\n', '\r']) {
        let unix = Zeroizing::new(text.replace("\r\n", "\n"));
        // What a terminal or a Windows program makes of the line ends.
        spellings.push(Zeroizing::new(unix.replace('\n', "\r\n")));
        spellings.push(unix);
    }
    spellings
}

/// The lines of a text that has several, on their own.
fn all_lines(text: &str) -> Vec<Zeroizing<String>> {
    let mut spellings = Vec::new();
    if text.contains(['\n', '\r']) {
        spellings.extend(lines(text, &['\n', '\r']));
    }
    if text.contains("-----BEGIN ") && text.contains("\\n") {
        // A private key in the JSON of a service account: programs print it decoded.
        let decoded = Zeroizing::new(text.replace("\\n", "\n"));
        spellings.extend(lines(&decoded, &['\n', '\r', '"']));
    }
    spellings
}

fn lines(text: &str, ends: &[char]) -> impl Iterator<Item = Zeroizing<String>> {
    text.split(ends)
        .map(str::trim)
        .filter(|line| line.chars().nth(MIN_LINE_CHARACTERS - 1).is_some() && is_maskable_text(line))
        .filter(|line| !(line.starts_with("-----") && line.ends_with("-----")))
        .map(|line| Zeroizing::new(line.to_owned()))
}

fn encode(text: &str, forms: &mut Vec<Form>) {
    let bytes = text.as_bytes();
    forms.push(Zeroizing::new(bytes.to_vec()));
    forms.extend(encodings::base64(bytes));
    forms.extend(encodings::base64_lines(bytes));
    forms.extend(encodings::hex(bytes));
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    {
        // Every encoding below leaves such a text as it is.
        return;
    }
    forms.extend(encodings::percent(bytes));
    let texts = [
        encodings::json(text),
        encodings::literals(text),
        encodings::shell(text),
        encodings::html(text),
    ];
    forms.extend(
        texts
            .into_iter()
            .flatten()
            .map(|mut form| Zeroizing::new(std::mem::take(&mut *form).into_bytes())),
    );
}
