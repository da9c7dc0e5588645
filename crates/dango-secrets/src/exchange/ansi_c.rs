//! The escapes in bash's `$'…'`, decoded; where such a text may stand is in `shell`.

use zeroize::Zeroizing;

/// Decodes what follows `$'` up to its closing quote: the bytes, and how much of the text they took without the quote.
///
/// An octal or hexadecimal escape is a byte, as bash prints what is not printable in its locale. Nothing where the
/// quote is never closed. A NUL, which ends the text for bash, is kept, so that it is noticed.
pub(super) fn decode(text: &str) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    // Decoded text is never longer than its escapes, so that this leaves no copy behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.find('\n').unwrap_or(text.len())));
    let mut rest = text;
    loop {
        let length = rest.find(['\'', '\\'])?;
        append(&mut bytes, &rest.as_bytes()[..length]);
        rest = &rest[length..];
        if rest.starts_with('\'') {
            return Some((bytes, text.len() - rest.len()));
        }
        rest = escape(&rest[1..], &mut bytes)?;
    }
}

/// Decodes one escape behind its backslash and answers with what follows it.
fn escape<'a>(text: &'a str, bytes: &mut Zeroizing<Vec<u8>>) -> Option<&'a str> {
    let first = text.chars().next()?;
    let behind = &text[first.len_utf8()..];
    let simple = match first {
        'a' => 0x07,
        'b' => 0x08,
        'e' | 'E' => 0x1b,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' | '\'' | '"' | '?' => first as u8,
        '0'..='7' => return Some(number(text, 8, 3, bytes)),
        'x' if behind.starts_with(|c: char| c.is_ascii_hexdigit()) => return Some(number(behind, 16, 2, bytes)),
        'u' | 'U' => {
            let (code, rest) = digits(behind, 16, if first == 'u' { 4 } else { 8 });
            if let Some(c) = char::from_u32(code).filter(|_| rest.len() < behind.len()) {
                append(bytes, c.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(rest);
            }
            append(bytes, b"\\");
            return Some(text);
        }
        _ => {
            append(bytes, b"\\");
            append(bytes, first.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(behind);
        }
    };
    append(bytes, &[simple]);
    Some(behind)
}

/// Appends the byte that some digits name; bash takes the lowest eight bits.
fn number<'a>(text: &'a str, radix: u32, most: usize, bytes: &mut Zeroizing<Vec<u8>>) -> &'a str {
    let (code, rest) = digits(text, radix, most);
    append(bytes, &code.to_le_bytes()[..1]);
    rest
}

fn digits(text: &str, radix: u32, most: usize) -> (u32, &str) {
    let length = text.chars().take(most).take_while(|c| c.is_digit(radix)).count();
    (u32::from_str_radix(&text[..length], radix).unwrap_or_default(), &text[length..])
}

/// Appends without leaving a copy behind when the buffer grows.
fn append(bytes: &mut Zeroizing<Vec<u8>>, part: &[u8]) {
    if bytes.len() + part.len() > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity((bytes.len() + part.len()) * 2));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_what_bash_5_2_reads() {
        for (text, expected, length) in [
            (r"l1\nl2\001' rest", &b"l1\nl2\x01"[..], 10),
            (r"it\'s \\ \e[0m\t\x41\x4'", b"it's \\ \x1b[0m\tA\x04", 23),
            (r"\303\274\u00fc\U1F600'", "üü😀".as_bytes(), 21),
            (r"\q\xg$(id)`'", b"\\q\\xg$(id)`", 11),
            ("a\nb'", b"a\nb", 3),
            ("'", b"", 0),
        ] {
            let (bytes, taken) = decode(text).expect("the quote is closed");
            assert_eq!((bytes.as_slice(), taken), (expected, length), "{text}");
        }
        assert!(decode("a").is_none() && decode(r"a\'").is_none() && decode("a\\").is_none());
    }
}
