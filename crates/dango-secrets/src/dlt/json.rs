//! Whether orjson, dlt's JSON reader, takes a text, and for what; the values themselves are not built.

/// How deep arrays and objects may nest (orjson 3.13 refuses the next level).
pub(super) const MAX_DEPTH: usize = 1024;

/// What a JSON document is at its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Array,
    Object,
    Scalar,
}

/// Checks a whole document as orjson does (RFC 8259; no lone surrogate, no number beyond a 64-bit float).
pub(super) fn parse_root(text: &str) -> Option<Root> {
    let mut reader = Reader { rest: text };
    reader.skip_space();
    let root = match reader.rest.as_bytes().first()? {
        b'[' => Root::Array,
        b'{' => Root::Object,
        _ => Root::Scalar,
    };
    reader.document()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(root)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads one value of any depth; the stack is a list of closing brackets, so nesting costs no call stack.
    fn document(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.skip_space();
            let opened = match self.rest.as_bytes().first()? {
                b'[' => Some(b']'),
                b'{' => Some(b'}'),
                _ => None,
            };
            if let Some(close) = opened {
                self.skip(1);
                if open.len() == MAX_DEPTH {
                    return None;
                }
                open.push(close);
                self.skip_space();
                if self.rest.as_bytes().first() != Some(&close) {
                    if close == b'}' {
                        self.key()?;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // A value has ended, or its empty container is about to: close what closes here.
            loop {
                let Some(&close) = open.last() else {
                    return Some(());
                };
                self.skip_space();
                let found = *self.rest.as_bytes().first()?;
                self.skip_ascii()?;
                if found == close {
                    open.pop();
                } else if found == b',' {
                    self.skip_space();
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                } else {
                    return None;
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.skip_space();
        self.take(":")
    }

    fn scalar(&mut self) -> Option<()> {
        match self.rest.as_bytes().first()? {
            b'"' => self.string(),
            b't' => self.take("true"),
            b'f' => self.take("false"),
            b'n' => self.take("null"),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<()> {
        let start = self.rest;
        let _ = self.take("-");
        if self.take("0").is_none() {
            self.digits()?;
        }
        if self.take(".").is_some() {
            self.digits()?;
        }
        if self.take("e").or_else(|| self.take("E")).is_some() {
            let _ = self.take("+").or_else(|| self.take("-"));
            self.digits()?;
        }
        let number: f64 = start[..start.len() - self.rest.len()].parse().ok()?;
        number.is_finite().then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let end = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        self.skip(end);
        (end > 0).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        self.take("\"")?;
        loop {
            let plain = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
            self.skip(plain);
            if self.take("\"").is_some() {
                return Some(());
            }
            self.take("\\")?;
            let escape = *self.rest.as_bytes().first()?;
            self.skip_ascii()?;
            match escape {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => match self.code_unit()? {
                    0xd800..=0xdbff => {
                        self.take("\\u")?;
                        if !(0xdc00..=0xdfff).contains(&self.code_unit()?) {
                            return None;
                        }
                    }
                    0xdc00..=0xdfff => return None,
                    _ => {}
                },
                _ => return None,
            }
        }
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.skip(4);
        u32::from_str_radix(digits, 16).ok()
    }

    fn take(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Skips one character if it is ASCII; no structure of JSON begins with another.
    fn skip_ascii(&mut self) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        Some(())
    }

    /// Skips bytes that were seen to end at a character's end.
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_are_taken_as_orjson_takes_them() {
        for text in [
            "[]",
            " {} \n",
            "[-0, 1E5, 1e-400, 123456789012345678901234567890]",
            r#"{"a":{"b":[{}, [], "\u0000\ud800\udc00é"]},"a":null}"#,
        ] {
            assert!(parse_root(text).is_some(), "{text}");
        }
        for text in [
            "",
            "[",
            "[1,]",
            "{,}",
            "[1 2]",
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[1e400]",
            "[NaN]",
            "{1:2}",
            "{\"a\"}",
            "[]]",
            "[}",
            "[]\0",
            "\u{feff}[]",
            "[\u{a0}1]",
            r#"["\ud800"]"#,
            r#"["\udc00"]"#,
            r#"["\u+123"]"#,
            "[\"\u{1f}\"]",
            "[é]",
            "[1é",
            "[\"\\é\"]",
        ] {
            assert_eq!(parse_root(text), None, "{text:?}");
        }
        assert_eq!(parse_root("\"text\""), Some(Root::Scalar));
    }

    #[test]
    fn nesting_is_bounded_where_orjson_bounds_it() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(parse_root(&nested(1024)), Some(Root::Array));
        assert_eq!(parse_root(&nested(1025)), None);
        assert_eq!(parse_root(&"[".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn serde_json_agrees(text in r#"[\[\]{}",:0-9eE.+\-truefalsn \\u]{0,16}"#) {
            let ours = parse_root(&text).is_some();
            prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{:?}", text);
        }

        #[test]
        fn what_serde_json_writes_is_taken(keys in proptest::collection::vec("\\PC{0,6}", 0..5)) {
            let text = serde_json::to_string(&keys).expect("strings are JSON");
            prop_assert_eq!(parse_root(&text), Some(Root::Array));
        }
    }
}
