//! Passwords in URLs, `scheme://user:password@host`: real ones, not those of examples and templates.

use super::Match;
use super::checks::is_placeholder;

/// Longer names and passwords are not taken for one, in bytes.
const LONGEST: usize = 256;
/// Shorter passwords are taken for examples, in bytes.
const SHORTEST: usize = 8;

/// Hosts of examples (RFC 2606 §2 and §3), and those that only the own machine or a composition of containers knows.
const HOSTS: [&[u8]; 16] = [
    b"localhost",
    b"127.",
    b"0.0.0.0",
    b"[::1]",
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
fn is_made(password: &[u8]) -> bool {
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

fn is_somewhere(host: &[u8]) -> bool {
    let is_example = |example: &&[u8]| {
        host.eq_ignore_ascii_case(example)
            || (example.ends_with(b".") || example.len() > 8)
                && host.len() > example.len()
                && host[..example.len()].eq_ignore_ascii_case(example)
    };
    let ends = |end: &[u8]| host.len() > end.len() && host[host.len() - end.len()..].eq_ignore_ascii_case(end);
    let first = host.first().is_some_and(u8::is_ascii_alphanumeric) || host.first() == Some(&b'[');
    first
        && !HOSTS.iter().any(|host| is_example(host))
        && ![
            &b".example"[..],
            b"example.com",
            b"example.org",
            b"example.net",
            b".test",
            b".invalid",
        ]
        .iter()
        .any(|end| ends(end))
        && host != b"example.com"
}
