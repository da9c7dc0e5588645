//! A random text that is assigned to the name of a secret: `api_key = "…"`, `"password": "…"`, `AUTH_TOKEN=…`.
//!
//! The one rule without a structure to go by, so it asks much: the name, the assignment, and characters that no person and no compiler put together.

use super::Match;
use super::checks::is_structureless;

/// How long a quoted text is.
const QUOTED: std::ops::RangeInclusive<usize> = 20..=128;
/// How long one without quotes is: a name in a program may look like a short one.
const BARE: std::ops::RangeInclusive<usize> = 24..=128;
/// How much of a name may follow the word in it, and how far away the text may be.
const NAME: usize = 32;

/// Words in a name that say that its value is not the secret itself.
const NAMES_OF_OTHERS: [&[u8]; 20] = [
    b"hash",
    b"digest",
    b"public",
    b"checksum",
    b"sha1",
    b"sha256",
    b"md5",
    b"integrity",
    b"path",
    b"file",
    b"url",
    b"name",
    b"type",
    b"etag",
    b"page",
    b"next",
    b"cursor",
    b"sync",
    b"csrf",
    b"tokeniz",
];

/// The text that is assigned to the name which holds the word that stands here.
pub(super) fn value(text: &[u8], at: usize) -> Option<Match> {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = text[..at].iter().rev().take(NAME).take_while(is_name).count();
    let rest = &text[at..];
    let name_end = at + rest.iter().take(2 * NAME).take_while(is_name).count();
    let name = &text[at - before..name_end];
    if NAMES_OF_OTHERS
        .iter()
        .any(|word| name.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word)))
        || ends_with_id(name)
    {
        return None;
    }
    let start = assigned(text, name_end)?;
    let (start, quote) = match text.get(start)? {
        quote @ (b'"' | b'\'' | b'`') => (start + 1, Some(*quote)),
        // A string within a string, as notebooks have it.
        b'\\' if matches!(text.get(start + 1), Some(b'"' | b'\'')) => (start + 2, Some(b'\\')),
        _ => (start, None),
    };
    let is_dense = |byte: &&u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b'!' | b'@' | b'^' | b'&' | b'*' | b'%' | b'#'
            )
    };
    let length = text[start..].iter().take(BARE.end() + 1).take_while(is_dense).count();
    let end = start + length;
    let is_whole = match quote {
        Some(quote) => QUOTED.contains(&length) && text.get(end) == Some(&quote),
        None => {
            BARE.contains(&length)
                && text.get(end).is_none_or(|byte| byte.is_ascii_whitespace())
                && text[start..end]
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=".contains(byte))
        }
    };
    (is_whole && !is_uuid(&text[start..end]) && is_structureless(&text[start..end])).then_some(Match { start, end })
}

/// RFC 9562 §4: what programs call requests, versions and objects by.
fn is_uuid(text: &[u8]) -> bool {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    text.len() == 36
        && (0..36).all(|at| {
            if HYPHENS.contains(&at) {
                text[at] == b'-'
            } else {
                text[at].is_ascii_alphanumeric()
            }
        })
}

/// `token_id`, `secretId`: the name of the secret.
fn ends_with_id(name: &[u8]) -> bool {
    name.ends_with(b"_id") || name.ends_with(b"Id") || name.ends_with(b"ID") || name.ends_with(b"_ids")
}

/// Where the assigned text begins: behind a closing quote, blanks, and one of `=`, `:`, `=>`, `:=`.
fn assigned(text: &[u8], mut at: usize) -> Option<usize> {
    let blanks = |at: usize| at + text[at..].iter().take(NAME).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at += match text.get(at..)? {
        [b'\\', b'"' | b'\'', ..] => 2,
        [b'"' | b'\'' | b']', ..] => 1,
        _ => 0,
    };
    at = blanks(at);
    at += match text.get(at..)? {
        [b':', b'=', ..] | [b'=', b'>', ..] => 2,
        [b'=', b'=', ..] => return None,
        [b':' | b'=', ..] => 1,
        _ => return None,
    };
    Some(blanks(at)).filter(|at| *at < text.len())
}
