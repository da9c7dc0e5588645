//! Byte offsets turned into lines and columns for people; nothing is parsed here.

/// Where the byte `offset` of `text` is: its line and its column, both from 1, the column in characters.
///
/// A byte order mark at the start takes no column. An offset inside a character counts as that character.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let start = if line == 1 {
        super::encoding::bom_length(text).min(offset)
    } else {
        line_start
    };
    (line, text[start..offset].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_no_byte_order_mark() {
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("ab", 9), (1, 3));
        assert_eq!(line_and_column("é🍡x", "é🍡".len()), (1, 3));
        assert_eq!(line_and_column("a\r\nbc", 4), (2, 2));
        assert_eq!(line_and_column("\u{feff}ab", 3), (1, 1));
        assert_eq!(line_and_column("\u{feff}ab", 0), (1, 1));
        assert_eq!(line_and_column("\u{feff}ab\ncd", 7), (2, 2));
        assert_eq!(line_and_column("é", 1), (1, 1));
    }
}
