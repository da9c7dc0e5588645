//! A random text that is assigned to the name of a secret: `api_key = "…"`, `"password": "…"`, `AUTH_TOKEN=…`.
//!
//! The one rule without a structure to go by, so it asks much: the name, the assignment, and characters that no person and no compiler put together.

use std::ops::RangeInclusive;

use data_encoding::BASE64_NOPAD;

use super::Match;
use super::checks::{is_drawn_with_signs, is_structureless};

/// How long a quoted text is.
const QUOTED: RangeInclusive<usize> = 20..=128;
/// How long one without quotes is: a name in a program may look like a short one.
const BARE: RangeInclusive<usize> = 24..=128;
/// How long passwords are, quoted and not: people shorten what machines draw.
const PASSWORD: (RangeInclusive<usize>, RangeInclusive<usize>) = (12..=128, 16..=128);
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
    let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+/=".contains(byte);
    let is_dense = |byte: &&u8| is_bare(byte) || quote.is_some() && b".~!@^&*%#".contains(byte);
    let length = text[start..].iter().take(BARE.end() + 1).take_while(is_dense).count();
    let end = start + length;
    let (quoted, bare) = match has(name, b"passw") || has(name, b"pwd") {
        true => PASSWORD,
        false => (QUOTED, BARE),
    };
    let is_whole = match quote {
        Some(quote) => quoted.contains(&length) && text.get(end) == Some(&quote),
        None => {
            bare.contains(&length)
                && text
                    .get(end)
                    .is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`,;&<\\".contains(byte))
        }
    };
    if let Some(signs) = quote.and_then(|quote| with_signs(text, start, quote)) {
        return Some(signs);
    }
    let assigned = &text[start..end];
    let is_secret = is_whole && !has_uuid(assigned) && !is_sealed(name, assigned) && !is_sentence(assigned) && is_structureless(assigned);
    (is_secret && !is_of_a_page(&text[..at - before])).then_some(Match { start, end })
}

fn has(name: &[u8], word: &[u8]) -> bool {
    name.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// A quoted text of any characters, as Django draws its `SECRET_KEY`.
fn with_signs(text: &[u8], start: usize, quote: u8) -> Option<Match> {
    let length = text[start..].iter().take(BARE.end() + 1).position(|byte| *byte == quote)?;
    let end = start + length;
    is_drawn_with_signs(&text[start..end]).then_some(Match { start, end })
}

/// What stands behind `Bearer` or `Basic` of an `Authorization` header (RFC 6750 §2.1, RFC 7617 §2).
pub(super) fn header(text: &[u8], at: usize) -> Option<Match> {
    const WORD: usize = "bearer ".len();
    let word = text.get(at..at + WORD)?;
    let start = at + word.iter().position(|byte| *byte == b' ')? + 1;
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = text[start..].iter().take(BARE.end() + 1).take_while(is_token).count();
    let end = start + length;
    let is_header = text[at.saturating_sub(NAME)..at]
        .windows(4)
        .any(|window| window.eq_ignore_ascii_case(b"auth"));
    let ends = text
        .get(end)
        .is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`,;\\".contains(byte));
    let token = &text[start..end];
    let is_secret = is_header && ends && QUOTED.contains(&length) && !has_uuid(token) && !is_sentence(token) && is_structureless(token);
    is_secret.then_some(Match { start, end })
}

/// `Next page token: …`: where the name is several words, the one before it.
fn is_of_a_page(before: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [b"page ", b"next ", b"continuation "];
    WORDS.iter().any(|word| {
        let end = &before[before.len().saturating_sub(word.len())..];
        end.eq_ignore_ascii_case(word)
    })
}

/// What is no longer the secret itself: encrypted by OpenSSL's `enc`, or a hash as databases (`md5…` of PostgreSQL, `*…` of MySQL) and devices
/// (`0x…`) keep it in the place of a password.
fn is_sealed(name: &[u8], text: &[u8]) -> bool {
    let is_password = name.windows(5).any(|window| window.eq_ignore_ascii_case(b"passw"));
    let is_hex = |text: &[u8], length: usize| text.len() == length && text.iter().all(u8::is_ascii_hexdigit);
    let is_hash = text.strip_prefix(b"md5").is_some_and(|rest| is_hex(rest, 32))
        || text.strip_prefix(b"*").is_some_and(|rest| is_hex(rest, 40))
        || text.strip_prefix(b"0x").is_some_and(|rest| is_hex(rest, 32) || is_hex(rest, 40));
    text.starts_with(b"U2FsdGVkX1") || is_password && is_hash
}

/// Base64 of words, such as `user:password`, and of URLs.
fn is_sentence(text: &[u8]) -> bool {
    let bare = text.trim_ascii_end();
    let bare = bare.strip_suffix(b"==").or_else(|| bare.strip_suffix(b"=")).unwrap_or(bare);
    let Ok(decoded) = BASE64_NOPAD.decode(bare) else { return false };
    let is_readable = decoded.iter().all(|byte| (b' '..=b'~').contains(byte));
    let is_words = !decoded.iter().any(u8::is_ascii_digit) || decoded.contains(&b' ');
    is_readable && (is_words || decoded.windows(3).any(|window| window == b"://"))
}

/// Whether a UUID (RFC 9562 §4) is most of it: what programs call requests, versions and objects by.
fn has_uuid(text: &[u8]) -> bool {
    const LONGEST: usize = 40;
    text.len() <= LONGEST && text.windows(36).any(is_uuid)
}

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

/// Where the assigned text begins: behind a closing quote, blanks, and one of `=`, `:`, `=>`, `:=`, or a type and `=` (`api_key: &str = "…"`);
/// behind the `>` of an element, in the next attribute (`key="ApiKey" value="…"`), and in quotes behind SQL's `PASSWORD`.
fn assigned(text: &[u8], mut at: usize) -> Option<usize> {
    let blanks = |at: usize| at + text[at..].iter().take(NAME).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at += match text.get(at..)? {
        [b'\\', b'"' | b'\'', ..] => 2,
        [b'"' | b'\'' | b']', ..] => 1,
        _ => 0,
    };
    let is_word = text.get(at) == Some(&b' ');
    at = blanks(at);
    at += match text.get(at..)? {
        [b'>', ..] => 1,
        [b'\'', ..] if is_word => 0,
        rest if rest.starts_with(b"value=") => "value=".len(),
        [b':', b'=', ..] | [b'=', b'>', ..] => 2,
        [b'=', b'=', ..] => return None,
        [b':', ..] => 1 + behind_type(&text[at + 1..]).unwrap_or(0),
        [b'=', ..] => 1,
        _ => return None,
    };
    Some(blanks(at)).filter(|at| *at < text.len())
}

/// The length of a type and the `=` behind it, where a quoted text follows.
fn behind_type(text: &[u8]) -> Option<usize> {
    let is_of_types = |byte: &&u8| byte.is_ascii_alphanumeric() || b" &'_<>[]:.|?".contains(byte);
    let length = text.iter().take(NAME).take_while(is_of_types).count();
    let rest = text[length..].strip_prefix(b"=")?;
    matches!(rest.trim_ascii_start().first(), Some(b'"' | b'\'' | b'`')).then_some(length + 1)
}
