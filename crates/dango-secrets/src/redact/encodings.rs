//! One function per way in which programs spell a text; which of them are looked for is not decided here.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use zeroize::Zeroizing;

/// Encoded bytes.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// The part of a Base64 text (RFC 4648 §4, §5) that `bytes` alone decide, for each of the three
/// places in a group at which they can begin, and the whole text with and without padding, in both alphabets.
pub(super) fn base64(bytes: &[u8]) -> Vec<Form> {
    let mut forms = Vec::with_capacity(10);
    for (padded, bare) in [(&BASE64, &BASE64_NOPAD), (&BASE64URL, &BASE64URL_NOPAD)] {
        forms.extend([encode(padded, bytes), encode(bare, bytes)]);
        forms.extend((0..3).map(|phase| base64_within(bare, bytes, phase)));
    }
    forms
}

/// What stays the same in Base64 whatever stands around the bytes, `phase` bytes into a group.
fn base64_within(encoding: &Encoding, bytes: &[u8], phase: usize) -> Form {
    let mut shifted = Zeroizing::new(Vec::with_capacity(phase + bytes.len()));
    shifted.resize(phase, 0);
    shifted.extend_from_slice(bytes);
    let encoded = encode(encoding, &shifted);
    // A character holds six bits; the first and the last may also hold bits of a neighbour.
    let first = (phase * 8).div_ceil(6);
    let last = shifted.len() * 8 / 6;
    Zeroizing::new(encoded.get(first..last).unwrap_or_default().to_vec())
}

/// Base64 in lines of 64 (PEM, RFC 7468) and 76 characters (MIME, coreutils): each line, and all of them.
pub(super) fn base64_lines(bytes: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    for whole in [encode(&BASE64, bytes), base64_within(&BASE64_NOPAD, bytes, 0)] {
        for width in [64, 76] {
            if whole.len() > width {
                forms.extend(whole.chunks(width).map(|line| Zeroizing::new(line.to_vec())));
                for end in [b"\n".as_slice(), b"\r\n"] {
                    let lines: Vec<&[u8]> = whole.chunks(width).collect();
                    forms.push(Zeroizing::new(lines.join(end)));
                }
            }
        }
    }
    forms
}

/// Hexadecimal digits, lower and upper case (RFC 4648 §8).
pub(super) fn hex(bytes: &[u8]) -> [Form; 2] {
    [encode(&HEXLOWER, bytes), encode(&HEXUPPER, bytes)]
}

fn encode(encoding: &Encoding, bytes: &[u8]) -> Form {
    Zeroizing::new(encoding.encode(bytes).into_bytes())
}

/// What an encoder for URLs leaves as it is, beside letters and digits.
const URL_UNRESERVED: [&[u8]; 7] = [
    b"-._~",                         // RFC 3986 §2.3; Python `quote(safe="")`, curl
    b"-._~/",                        // Python `quote`
    b"-_.!~*'()",                    // JavaScript `encodeURIComponent`
    b"-_.!~*'();/?:@&=+$,#",         // JavaScript `encodeURI`
    b"-._*",                         // WHATWG URL, application/x-www-form-urlencoded
    b"-._~!$&'()*+,%",               // WHATWG URL, user information
    b"-._~!$&()*+,;=:@/?'[]|^`{}\\", // WHATWG URL, query: only what would end or break it
];

/// Percent-encodings (RFC 3986 §2.1), with upper- and lower-case digits, and with `+` for a blank.
pub(super) fn percent(bytes: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    for kept in URL_UNRESERVED {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            forms.push(percent_with(bytes, kept, digits, false));
            if bytes.contains(&b' ') {
                forms.push(percent_with(bytes, kept, digits, true));
            }
        }
    }
    forms
}

fn percent_with(bytes: &[u8], kept: &[u8], digits: &[u8; 16], plus: bool) -> Form {
    let mut form = Zeroizing::new(Vec::with_capacity(bytes.len() * 3));
    for &byte in bytes {
        if byte == b' ' && plus {
            form.push(b'+');
        } else if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            form.push(byte);
        } else {
            form.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
    }
    form
}

/// Which characters a JSON writer spells as `\uXXXX` although it need not, and how.
struct JsonStyle {
    non_ascii: bool,
    escaped: &'static [u8],
    slash: bool,
    upper: bool,
}

const JSON_STYLES: [JsonStyle; 7] = [
    // JavaScript, Rust, jq, Python with ensure_ascii=False
    JsonStyle {
        non_ascii: false,
        escaped: b"",
        slash: false,
        upper: false,
    },
    // Python
    JsonStyle {
        non_ascii: true,
        escaped: b"",
        slash: false,
        upper: false,
    },
    // PHP
    JsonStyle {
        non_ascii: true,
        escaped: b"",
        slash: true,
        upper: false,
    },
    JsonStyle {
        non_ascii: false,
        escaped: b"",
        slash: true,
        upper: false,
    },
    // Go
    JsonStyle {
        non_ascii: false,
        escaped: b"<>&",
        slash: false,
        upper: false,
    },
    // Gson
    JsonStyle {
        non_ascii: false,
        escaped: b"<>&='",
        slash: false,
        upper: false,
    },
    // .NET
    JsonStyle {
        non_ascii: true,
        escaped: b"<>&'\"+`",
        slash: false,
        upper: true,
    },
];

/// The inside of a JSON string (RFC 8259 §7) as common writers spell it, and of such a string within a JSON string.
pub(super) fn json(text: &str) -> Vec<Zeroizing<String>> {
    let mut forms: Vec<_> = JSON_STYLES.iter().map(|style| json_with(text, style)).collect();
    let nested: Vec<_> = forms[..2].iter().map(|form| json_with(form, &JSON_STYLES[0])).collect();
    forms.extend(nested);
    forms
}

fn json_with(text: &str, style: &JsonStyle) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity(text.len() * 6));
    for c in text.chars() {
        match c {
            c if c.is_ascii() && style.escaped.contains(&(c as u8)) => push_units(&mut form, c, style.upper),
            '"' => form.push_str("\\\""),
            '\\' => form.push_str("\\\\"),
            '/' if style.slash => form.push_str("\\/"),
            '\n' => form.push_str("\\n"),
            '\r' => form.push_str("\\r"),
            '\t' => form.push_str("\\t"),
            '\u{8}' => form.push_str("\\b"),
            '\u{c}' => form.push_str("\\f"),
            c if u32::from(c) < 0x20 || (style.non_ascii && !c.is_ascii()) => push_units(&mut form, c, style.upper),
            c => form.push(c),
        }
    }
    form
}

fn push_units(form: &mut String, c: char, upper: bool) {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    for unit in c.encode_utf16(&mut [0; 2]) {
        form.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            form.push(char::from(digits[usize::from(*unit >> shift & 15)]));
        }
    }
}

/// The inside of string literals as programming languages print them for a reader.
pub(super) fn literals(text: &str) -> Vec<Zeroizing<String>> {
    let debug = Zeroizing::new(format!("{text:?}"));
    let rust = Zeroizing::new(debug[1..debug.len() - 1].to_owned());
    let printers = [Printer::Python, Printer::PythonBytes, Printer::Node];
    [rust].into_iter().chain(printers.map(|printer| printed(text, printer))).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Printer {
    /// `repr` of a `str`.
    Python,
    /// `repr` of the UTF-8 `bytes`.
    PythonBytes,
    /// `util.inspect`, which `console.log` uses.
    Node,
}

fn printed(text: &str, printer: Printer) -> Zeroizing<String> {
    let digits = if printer == Printer::Node {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let push_hex = |form: &mut String, byte: u8| {
        form.push_str("\\x");
        form.extend([byte >> 4, byte & 15].map(|digit| char::from(digits[usize::from(digit)])));
    };
    // They choose the quotes so that none inside needs an escape, where they can.
    let both_quotes = text.contains('\'') && text.contains('"') && (printer != Printer::Node || text.contains('`'));
    let mut form = Zeroizing::new(String::with_capacity(text.len() * 4));
    for c in text.chars() {
        match c {
            '\\' => form.push_str("\\\\"),
            '\n' => form.push_str("\\n"),
            '\r' => form.push_str("\\r"),
            '\t' => form.push_str("\\t"),
            '\'' if both_quotes => form.push_str("\\'"),
            '\u{8}' if printer == Printer::Node => form.push_str("\\b"),
            '\u{b}' if printer == Printer::Node => form.push_str("\\v"),
            '\u{c}' if printer == Printer::Node => form.push_str("\\f"),
            c if c.is_ascii_control() => push_hex(&mut form, c as u8),
            c if printer == Printer::PythonBytes && !c.is_ascii() => {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_hex(&mut form, byte));
            }
            c => form.push(c),
        }
    }
    form
}

/// The ways in which shells spell a word so that they read it back: inside `'…'`, inside `"…"`, and with backslashes.
pub(super) fn shell(text: &str) -> Vec<Zeroizing<String>> {
    // POSIX, and Python's `shlex.quote`
    let [posix, shlex] = ["'\\''", "'\"'\"'"].map(|apostrophe| {
        let mut form = Zeroizing::new(String::with_capacity(text.len() * 5));
        for c in text.chars() {
            match c {
                '\'' => form.push_str(apostrophe),
                c => form.push(c),
            }
        }
        form
    });
    let double = backslashed(text, |_, c| matches!(c, '"' | '\\' | '$' | '`'));
    // `printf %q` of bash
    let bare = backslashed(text, |index, c| {
        " '\"\\|&;()<>!{}*[?]^$`,".contains(c) || (index == 0 && "#~".contains(c))
    });
    vec![posix, shlex, double, bare]
}

fn backslashed(text: &str, special: impl Fn(usize, char) -> bool) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity(text.len() * 2));
    for (index, c) in text.char_indices() {
        if special(index, c) {
            form.push('\\');
        }
        form.push(c);
    }
    form
}

/// Character references for what HTML and XML reserve.
pub(super) fn html(text: &str) -> Vec<Zeroizing<String>> {
    ["'", "&#39;", "&#x27;", "&apos;"]
        .into_iter()
        .map(|apostrophe| {
            let mut form = Zeroizing::new(String::with_capacity(text.len() * 6));
            for c in text.chars() {
                match c {
                    '&' => form.push_str("&amp;"),
                    '<' => form.push_str("&lt;"),
                    '>' => form.push_str("&gt;"),
                    '"' => form.push_str("&quot;"),
                    '\'' => form.push_str(apostrophe),
                    c => form.push(c),
                }
            }
            form
        })
        .collect()
}
