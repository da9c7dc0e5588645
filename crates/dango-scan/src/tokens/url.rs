//! Passwords in URLs, `scheme://user:password@host`: real ones, not those of examples and templates.

use super::Match;
use super::checks::is_placeholder;

/// Longer names and passwords are not taken for one, in bytes.
const LONGEST: usize = 256;
/// Shorter passwords are taken for examples, in bytes.
const SHORTEST: usize = 8;

/// Hosts that only the own machine, a composition of containers or a document knows; those with a dot at their end begin with it.
const HOSTS: [&[u8]; 15] = [
    b"localhost",
    b"127.",
    b"0.0.0.0",
    b"example.",
    b"host",
    b"hostname",
    b"server",
    b"db",
    b"postgres",
    b"mysql",
    b"mongo",
    b"redis",
    b"rabbitmq",
    b"proxy",
    b"foo",
];

/// Domains of examples (RFC 2606 §2 and §3).
const DOMAINS: [&[u8]; 6] = [b".example", b"example.com", b"example.org", b"example.net", b".test", b".invalid"];

/// Words of passwords in documents.
const WORDS: [&[u8]; 16] = [
    b"pass",
    b"pwd",
    b"secret",
    b"admin",
    b"root",
    b"user",
    b"test",
    b"postgres",
    b"guest",
    b"token",
    b"hunter2",
    b"foo",
    b"12345",
    b"qwerty",
    b"letmein",
    b"key",
];

/// The password of a URL whose `://` stands here.
pub(super) fn password(text: &[u8], at: usize) -> Option<Match> {
    if !text[..at].last().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let user = at + "://".len();
    let until = |from: usize, ends: &[u8]| {
        let rest = &text[from..text.len().min(from + LONGEST)];
        rest.iter()
            .position(|byte| ends.contains(byte) || byte.is_ascii_whitespace() || byte.is_ascii_control())
            .map(|length| from + length)
    };
    let colon = until(user, b":/?#@[]\"'<>`\\")?;
    if text[colon] != b':' {
        return None;
    }
    let start = colon + 1;
    // A password with one of these in it is percent-encoded (RFC 3986 §3.2.1).
    let end = until(start, b"@/?#\"'<>`\\|,;(){}[]$*")?;
    if text[end] != b'@' || end - start < SHORTEST {
        return None;
    }
    let (name, password) = (&text[user..colon], &text[start..end]);
    let host = &text[end + 1..until(end + 1, b":/?#\"'<>`\\,;)}]").unwrap_or(text.len())];
    let is_real = !name.eq_ignore_ascii_case(password) && is_made(password) && is_somewhere(host);
    is_real.then_some(Match { start, end })
}

/// No variable and no word: of at least two kinds of letters and digits, percent-encoding (RFC 3986 §2.1) left aside.
pub(super) fn is_made(password: &[u8]) -> bool {
    let mut bare = password.to_vec();
    while let Some(at) = bare
        .windows(3)
        .position(|three| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit))
    {
        bare.splice(at..at + 3, *b".");
    }
    let has = |set: fn(&u8) -> bool| usize::from(bare.iter().any(set));
    let kinds = has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit);
    let has_word = WORDS
        .iter()
        .any(|word| bare.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word)));
    let is_name = bare.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    bare.len() >= SHORTEST && kinds >= 2 && !has_word && !is_name && !password.starts_with(b"%") && !is_placeholder(&bare)
}

/// A host that could be anybody's, and is no example's.
pub(super) fn is_somewhere(host: &[u8]) -> bool {
    let begins = |text: &[u8]| host.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text));
    let ends = |text: &[u8]| host.len() > text.len() && host[host.len() - text.len()..].eq_ignore_ascii_case(text);
    let is_example = HOSTS.iter().any(|example| match example.last() {
        Some(b'.') => begins(example),
        _ => host.eq_ignore_ascii_case(example),
    });
    let is_reserved = DOMAINS.iter().any(|domain| ends(domain) || host.eq_ignore_ascii_case(domain));
    host.first().is_some_and(u8::is_ascii_alphanumeric) && !is_example && !is_reserved
}
