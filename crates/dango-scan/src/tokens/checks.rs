//! Whether a text in a token's format is one: checksums, and what tells random characters from examples and words.

use std::collections::HashSet;

use super::words::Pairs;

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is a token, or random enough to be one.
    Token,
    /// It is an example, a placeholder, or something else.
    Other,
}

impl From<bool> for Verdict {
    fn from(is_token: bool) -> Self {
        if is_token { Self::Token } else { Self::Other }
    }
}

/// Whether a token can begin here: behind no letter, digit or `_`, unless they end an escape such as `\n`, `%3D` or `\u0022`.
pub(super) fn is_beginning(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let Some(last) = before.last() else { return true };
    if !last.is_ascii_alphanumeric() && *last != b'_' {
        return true;
    }
    let hex = |count: usize| before.len() > count && before[before.len() - count..].iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', _, _] => hex(2),
        [.., b'\\', b'x', _, _] => hex(2),
        [.., b'\\', b'u', _, _, _, _] => hex(4),
        _ => false,
    }
}

/// Random characters, as far as one can see.
pub(super) fn random(token: &[u8]) -> Verdict {
    is_random(token).into()
}

/// Random characters at the end, behind numbers that name an account.
pub(super) fn random_end(token: &[u8]) -> Verdict {
    const END: usize = 32;
    is_random(&token[token.len().saturating_sub(END)..]).into()
}

/// Any characters: the format alone tells it.
pub(super) fn any(token: &[u8]) -> Verdict {
    (!is_placeholder(token)).into()
}

/// A prefix up to the last `_`, 30 random characters, and their CRC-32 in six base62 digits: GitHub's and npm's tokens since 2021.
///
/// One with a wrong checksum counts where it is random: somebody has changed a character of it, and the rest is still a token.
pub(super) fn checksummed(token: &[u8]) -> Verdict {
    let body = token.rsplit(|byte| *byte == b'_').next().unwrap_or_default();
    (has_checksum(body) || is_random(body)).into()
}

/// As [`checksummed`], where no other program made such tokens before there was a checksum: it has to be right.
pub(super) fn strictly_checksummed(token: &[u8]) -> Verdict {
    has_checksum(token.rsplit(|byte| *byte == b'_').next().unwrap_or_default()).into()
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: usize = 6;

/// Whether the last six characters are the CRC-32 (ISO-HDLC) of those before, in base62.
pub(super) fn has_checksum(body: &[u8]) -> bool {
    let Some(begin) = body.len().checked_sub(CHECKSUM) else {
        return false;
    };
    let (random, given) = body.split_at(begin);
    let mut rest = crc32fast::hash(random);
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits == given
}

/// AWS's own examples end so.
pub(super) fn aws_id(token: &[u8]) -> Verdict {
    (!token.ends_with(b"EXAMPLE") && is_random(&token[4..])).into()
}

/// Facebook's access tokens have no other character than letters and digits, and spell some of those as `ZA` to `ZD`.
pub(super) fn facebook(token: &[u8]) -> Verdict {
    let escapes = token
        .windows(2)
        .filter(|pair| pair[0] == b'Z' && (b'A'..=b'D').contains(&pair[1]))
        .count();
    (escapes >= 2 && is_random(token)).into()
}

/// OpenAI's tokens have its name in base64 in their middle.
pub(super) fn openai(token: &[u8]) -> Verdict {
    (token.windows(8).any(|window| window == b"T3BlbkFJ") && is_random(token)).into()
}

/// Slack's tokens name a workspace and a user by their numbers, and end with what is random.
pub(super) fn slack(token: &[u8]) -> Verdict {
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let last = token.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
    (digits >= 8 && last.len() >= 10 && !is_placeholder(last)).into()
}

/// Whether characters look as if a machine had drawn them: many different ones, no words of placeholders, no runs.
pub(super) fn is_random(text: &[u8]) -> bool {
    let different = text.iter().collect::<HashSet<_>>().len();
    different >= (text.len() / 4).clamp(6, 12) && !is_placeholder(text)
}

/// Words of those who write an example.
const EXAMPLES: [&[u8]; 13] = [
    b"exampl",
    b"xxxx",
    b"your",
    b"placeholder",
    b"redacted",
    b"dummy",
    b"replace",
    b"insert",
    b"changeme",
    b"fake",
    b"...",
    b"****",
    b"not_real",
];

/// Whether somebody wrote it for a reader: it holds such a word, a character six times in a row, eight in the order of the alphabet, or is
/// one piece over and over.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    let has_word = |word: &&[u8]| text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    EXAMPLES.iter().any(has_word) || has_run(text, 0, 6) || has_run(text, 1, 8) || is_repeated(text)
}

/// Whether a text is a piece of at most 16 characters twice or more, or once and again for 8 characters at least, without regard to case.
fn is_repeated(text: &[u8]) -> bool {
    const LONGEST: usize = 16;
    const AGAIN: usize = 8;
    let is_again = |length: &usize| 2 * length <= text.len() || length + AGAIN <= text.len();
    (1..=LONGEST)
        .take_while(is_again)
        .any(|length| text[length..].eq_ignore_ascii_case(&text[..text.len() - length]))
}

/// Whether so many characters in a row are each greater by `step` than the one before.
fn has_run(text: &[u8], step: u8, length: usize) -> bool {
    let mut run = 1;
    text.windows(2).any(|pair| {
        run = if pair[0].checked_add(step) == Some(pair[1]) { run + 1 } else { 1 };
        run >= length
    })
}

/// Whether a text that somebody assigned is random: letters and digits that chance has put together, and as often another kind of character as it has.
pub(super) fn is_structureless(text: &[u8]) -> bool {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0u8,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = text.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    let pairs = Pairs::of(text);
    let is_hex = text.iter().all(u8::is_ascii_hexdigit);
    let is_chance = match pairs.are_many() && !is_hex {
        true => pairs.are_chance() && changes * 10 >= text.len() * 2,
        false => changes * 10 >= text.len() * 3,
    };
    text.iter().filter(|byte| byte.is_ascii_digit()).count() >= 2
        && text.iter().any(u8::is_ascii_alphabetic)
        && is_chance
        && text.iter().filter(|byte| kind(**byte) == 3).count() * 6 <= text.len()
        && is_random(text)
}

/// Whether a text is random with all the signs of a keyboard in it, and neither a sentence nor a template.
pub(super) fn is_drawn_with_signs(text: &[u8]) -> bool {
    const LEAST: usize = 32;
    const LEAST_DIFFERENT: usize = 20;
    let is_sign = |byte: &&u8| b"!@#$%^&*(-_=+)~?:|".contains(byte);
    let signs = text.iter().filter(is_sign).count();
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_digit].map(|kind: fn(&u8) -> bool| text.iter().filter(|byte| kind(byte)).count());
    text.len() >= LEAST
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || is_sign(&byte))
        && text.iter().collect::<HashSet<_>>().len() >= LEAST_DIFFERENT
        && signs * 6 > text.len()
        && signs * 2 < text.len()
        && kinds.iter().all(|count| *count >= 2)
        && Pairs::of(text).are_chance()
        && !is_placeholder(text)
}
