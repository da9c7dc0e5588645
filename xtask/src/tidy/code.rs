//! Rust text with comments and literals blanked out, so that a rule about code never trips over prose. No parser: lines and columns stay as they are.

/// Replaces the contents of comments, strings and characters by blanks; line ends stay.
pub(super) fn code_of(text: &str) -> String {
    let mut scanner = Scanner {
        rest: text,
        code: String::with_capacity(text.len()),
    };
    while let Some(next) = scanner.rest.chars().next() {
        scanner.step(next);
    }
    scanner.code
}

/// The lines before the tests at the bottom of a file.
pub(super) fn without_tests(code: &str) -> &str {
    let mut start = 0;
    let mut below_attribute = false;
    let mut attribute_start = 0;
    for line in code.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with("#[cfg(test)]") {
            below_attribute = true;
            attribute_start = start;
        } else if below_attribute && trimmed.starts_with("mod ") && trimmed.ends_with('{') {
            return &code[..attribute_start];
        } else if !trimmed.starts_with("#[") {
            below_attribute = false;
        }
        start += line.len();
    }
    code
}

/// The places where a word stands by itself, as (line from 1, the text from the word on).
pub(super) fn word_places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(word).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let alone = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        alone.then(|| (line_of(code, at), &code[at..]))
    })
}

/// The line, from 1, of a byte position.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
}

impl Scanner<'_> {
    fn step(&mut self, next: char) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(end);
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment_length(self.rest));
        } else if next == '"' {
            self.blank(string_length(self.rest));
        } else if let Some(length) = raw_string_length(self.rest).filter(|_| !self.code.ends_with(is_word)) {
            self.blank(length);
        } else if let Some(length) = character_length(self.rest) {
            self.blank(length);
        } else {
            self.code.push(next);
            self.rest = &self.rest[next.len_utf8()..];
        }
    }

    fn blank(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.code
            .extend(gone.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string that begins with the quote at the start.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string (`r"…"`, `br#"…"#`) at the start.
fn raw_string_length(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let hashes = text[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix.len() + hashes;
    if !text[open..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text[open + 1..].find(&close).map_or(text.len(), |at| open + 1 + at + close.len()))
}

/// The length of a character literal at the start; a lifetime is none.
fn character_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if inside.starts_with('\\') {
        // An escape ends at the first quote after the escaped character.
        let escaped = inside.char_indices().nth(1).map(|(at, character)| at + character.len_utf8())?;
        return inside[escaped..].find('\'').map(|at| 1 + escaped + at + 1);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then(|| 1 + first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_blank_and_lines_stay() {
        assert_eq!(code_of("a // b\nc /* d\n /* e */ f */ g"), "a     \nc     \n              g");
    }

    #[test]
    fn the_contents_of_every_kind_of_string_are_blank() {
        for text in [
            r#"x("std::fs \" std::fs")"#,
            r##"x(r#"std::fs " std::fs"#)"##,
            r#"x(b"std::fs")"#,
            r#"x(br"std::fs")"#,
        ] {
            let code = code_of(text);
            assert!(!code.contains("std::fs"), "{text} became {code}");
            assert!(code.starts_with("x(") && code.ends_with(')'), "{text} became {code}");
        }
    }

    #[test]
    fn a_quote_character_opens_no_string_and_a_lifetime_is_no_character() {
        assert_eq!(code_of(r#"['"', '\'', '\\', '\u{7f}'] fs"#), "[   ,     ,     ,         ] fs");
        assert_eq!(code_of("fn a<'a>(b: &'a str) {}"), "fn a<'a>(b: &'a str) {}");
    }

    #[test]
    fn a_name_that_ends_in_r_opens_no_raw_string() {
        assert_eq!(code_of(r#"for"fs" in x"#), "for     in x");
    }

    #[test]
    fn the_tests_at_the_bottom_are_cut_off() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert_eq!(without_tests(code), "fn a() {}\n");
        let apart = "#[cfg(test)]\nmod tests;\nfn a() {}\n";
        assert_eq!(without_tests(apart), apart);
    }

    #[test]
    fn a_word_inside_another_is_not_found() {
        let places: Vec<usize> = word_places("offs fs_x\nfs::read(fs)", "fs").map(|(line, _)| line).collect();
        assert_eq!(places, [2, 2]);
    }
}
