//! What each reader of `.env` files takes for white space; no parsing lives here.

/// `\s` of Python's `re` for text, which is also what `str.rstrip` removes.
pub(super) fn is_python_space(c: char) -> bool {
    // Nearly every character is ASCII and is asked about.
    if c.is_ascii() {
        return matches!(c, '\t'..='\r' | '\u{1c}'..=' ');
    }
    c == '\u{85}' || is_unicode_space(c)
}

/// `\s` of ECMAScript, which is also what `String.prototype.trim` removes.
pub(super) fn is_javascript_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{feff}') || is_unicode_space(c)
}

/// Where `^` and `$` of an ECMAScript regular expression match in multi-line mode, beside `\r`.
pub(super) fn is_javascript_line_end(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

/// `unicode.IsSpace` of Go.
pub(super) fn is_go_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}') || is_unicode_space(c)
}

/// The separators of Unicode (categories Zs, Zl and Zp), on which all three agree.
fn is_unicode_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}
