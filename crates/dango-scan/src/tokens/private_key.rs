//! Private keys in text: the marker and some of the key behind it, so that a program that looks for markers is none.

use super::Match;
use super::checks::is_placeholder;

/// As much of a key has to stand behind the marker, in characters of base64.
const LEAST_KEY: usize = 24;
/// How far behind the marker it may begin, and how long a line of a header may be.
const LINE: usize = 100;

/// `-----BEGIN … PRIVATE KEY-----` (RFC 7468), `… PRIVATE KEY BLOCK-----` (RFC 4880): with line ends of any kind, escaped ones too.
pub(super) fn pem(text: &[u8], at: usize) -> Option<Match> {
    let label = text.get(at + "-----BEGIN".len()..)?;
    let label = &label[..label.len().min(48)];
    let dashes = label.windows(5).position(|window| window == b"-----")?;
    let name = &label[..dashes];
    let is_private = name.ends_with(b" PRIVATE KEY") || name.ends_with(b" PRIVATE KEY BLOCK");
    if !is_private
        || !name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ')
    {
        return None;
    }
    let end = at + "-----BEGIN".len() + dashes + 5;
    key_behind(text, end).map(|end| Match { start: at, end })
}

/// `PuTTY-User-Key-File-2: …`, with the lines of the private part.
pub(super) fn putty(text: &[u8], at: usize) -> Option<Match> {
    let file = &text[at..text.len().min(at + 4096)];
    let private = b"Private-Lines:";
    let found = file.windows(private.len()).position(|window| window == private)?;
    let digits = file[found + private.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b' ')
        .count();
    key_behind(text, at + found + private.len() + digits).map(|end| Match { start: at, end })
}

/// The end of the first line of base64 behind a marker, past line ends and headers (`Proc-Type:`, `Version:`).
fn key_behind(text: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..8 {
        at += separator(&text[at..]);
        let line = &text[at..text.len().min(at + LINE)];
        let key = line
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
            .count();
        if key >= LEAST_KEY {
            // One that goes on with dots was shortened for a reader.
            let is_shortened = line.get(key) == Some(&b'.');
            return (!is_shortened && !is_placeholder(&line[..key.min(LEAST_KEY)])).then_some(at + key);
        }
        // A header: a name, a colon, and the rest of its line.
        line[key..]
            .iter()
            .take_while(|byte| **byte == b'-' || byte.is_ascii_alphanumeric())
            .count()
            .checked_add(key)
            .filter(|colon| line.get(*colon) == Some(&b':'))?;
        at += line.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'\\'))?;
    }
    None
}

/// The length of white space, escaped line ends, and what strings of programs put between lines.
fn separator(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match &text[length..] {
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'+' | b'\\' | b'>' | b'#' | b',', ..] => 1,
            _ => return length,
        };
        if length > LINE {
            return length;
        }
    }
}
