//! Lines, blanks and comments around statements, and texts put together from pieces; what a value means plays no part.

use std::ops::Range;

use zeroize::Zeroizing;

use super::encoding;

/// Where the line of `at` begins, behind a byte order mark.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at]
        .rfind('\n')
        .map_or(encoding::bom_length(text).min(at), |newline| newline + 1)
}

/// Where the line of `at` ends, its line end included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// The blanks before the statement that begins at `at`.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    &text[line_start(text, at)..at]
}

/// The line end to use for a line put behind the one that holds `at`: that line's, else the file's first, else LF.
pub(super) fn newline(text: &str, at: usize) -> &'static str {
    newline_or(text, at, "\n")
}

/// As [`newline`], for a text that may have no line end at all.
pub(super) fn newline_or(text: &str, at: usize, otherwise: &'static str) -> &'static str {
    let bytes = text.as_bytes();
    let of_line = bytes[at..].iter().position(|&byte| byte == b'\n').map(|length| at + length);
    let newline = of_line.or_else(|| bytes.iter().position(|&byte| byte == b'\n'));
    match newline {
        Some(newline) if bytes[..newline].ends_with(b"\r") => "\r\n",
        Some(_) => "\n",
        None => otherwise,
    }
}

/// Whether a line, its end left out, is blank.
fn is_blank(line: &str) -> bool {
    line.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches([' ', '\t']).starts_with('#')
}

fn next_line(text: &str, at: usize) -> &str {
    &text[at..line_end(text, at)]
}

/// Where something new can follow the statement that ends at `end`: behind its line, and behind the comment lines
/// directly below it unless they lead on to another statement.
pub(super) fn behind(text: &str, end: usize) -> usize {
    let line = line_end(text, end);
    let mut at = line;
    while is_comment(next_line(text, at)) {
        at = line_end(text, at);
    }
    if is_blank(next_line(text, at)) { at } else { line }
}

/// Where something new can stand before the header that begins at `at`: before the comment lines directly above it.
pub(super) fn before(text: &str, at: usize) -> usize {
    let mut start = line_start(text, at);
    while start > encoding::bom_length(text) {
        let previous = line_start(text, start - 1);
        if !is_comment(next_line(text, previous)) {
            break;
        }
        start = previous;
    }
    start
}

/// The edit that puts `lines` (without a line end at their end) behind the line that holds `end`.
pub(super) fn insert_lines(text: &str, end: usize, lines: &str, newline: &str) -> Splice {
    let at = line_end(text, end);
    let is_open = at == text.len() && !text.ends_with('\n') && at > encoding::bom_length(text);
    let insert = if is_open {
        [newline, lines].concat()
    } else {
        [lines, newline].concat()
    };
    Splice::insert(at, insert)
}

/// The edit that puts a whole section at `at`, the start of a line, one blank line on both sides.
pub(super) fn insert_section(text: &str, at: usize, section: &str, newline: &str) -> Splice {
    let before = &text[encoding::bom_length(text)..at];
    let mut insert = Zeroizing::new(String::with_capacity(section.len() + 16));
    let is_open = !before.is_empty() && !before.ends_with('\n');
    if is_open {
        insert.push_str(newline);
    }
    if !before.is_empty() && (is_open || !is_blank(&before[line_start(before, before.len() - 1)..])) {
        insert.push_str(newline);
    }
    insert.push_str(section);
    if !is_open {
        insert.push_str(newline);
    }
    if at < text.len() && !is_blank(next_line(text, at)) {
        insert.push_str(newline);
    }
    Splice { range: at..at, insert }
}

/// The whole lines of a statement or section, to be removed.
pub(super) fn whole_lines(text: &str, begin: usize, end: usize) -> Range<usize> {
    line_start(text, begin)..line_end(text, end)
}

/// A part of the text and what takes its place.
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) insert: Zeroizing<String>,
}

impl Splice {
    pub(super) fn insert_at(range: Range<usize>, insert: &str) -> Self {
        Self {
            range,
            insert: Zeroizing::new(insert.to_owned()),
        }
    }

    pub(super) fn insert(at: usize, insert: String) -> Self {
        Self {
            range: at..at,
            insert: Zeroizing::new(insert),
        }
    }
}

/// The text with some parts replaced; they do not overlap.
pub(super) fn splice(text: &str, mut splices: Vec<Splice>) -> Zeroizing<String> {
    splices.sort_by_key(|splice| splice.range.start);
    let added: usize = splices.iter().map(|splice| splice.insert.len()).sum();
    let mut out = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut at = 0;
    for splice in &splices {
        out.push_str(&text[at..splice.range.start]);
        out.push_str(&splice.insert);
        at = splice.range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The text without some parts, which may overlap. One that reaches the end of a text without a final line end takes
/// the line ends before it along, so that there is none afterwards either.
pub(super) fn without(text: &str, mut ranges: Vec<Range<usize>>) -> Zeroizing<String> {
    ranges.sort_by_key(|range| range.start);
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut at = 0;
    for range in ranges {
        if range.start > at {
            out.push_str(&text[at..range.start]);
        }
        at = at.max(range.end);
    }
    if at == text.len() && !text.ends_with('\n') {
        while out.ends_with('\n') {
            out.pop();
            if out.ends_with('\r') {
                out.pop();
            }
        }
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_block_belongs_to_what_it_touches_below() {
        let text = "a = 1\n# about b\n[b]\n";
        assert_eq!(behind(text, 5), 6);
        assert_eq!(before(text, 16), 6);
        let text = "a = 1\n# still a\n\n[b]\n";
        assert_eq!(behind(text, 5), 16);
        assert_eq!(before(text, 17), 17);
    }

    #[test]
    fn removing_the_last_line_keeps_the_missing_line_end() {
        assert_eq!(without("a\r\nb", vec![3..4, 3..3]).as_str(), "a");
        assert_eq!(without("a\nb\n", vec![2..4, 3..4]).as_str(), "a\n");
        assert_eq!(without("a\n\nb", vec![3..4, 3..4]).as_str(), "a");
        assert_eq!(without("a", vec![0..1, 0..1]).as_str(), "");
    }
}
