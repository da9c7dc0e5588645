//! Where in a text a byte is: its line and its column, counted once from front to back, piece by piece.

/// Lines and columns of a text that comes in pieces.
pub(crate) struct Lines {
    line: u64,
    /// Characters of the line before the place.
    characters: u64,
}

impl Lines {
    /// The beginning of a text.
    pub(crate) fn new() -> Self {
        Self { line: 1, characters: 0 }
    }

    /// Goes on over bytes that follow.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.line += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let rest = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                self.characters = 0;
                &bytes[end + 1..]
            }
            None => bytes,
        };
        // Bytes that go on a character of UTF-8 are none of their own.
        self.characters += rest.iter().map(|byte| u64::from(byte & 0xc0 != 0x80)).sum::<u64>();
    }

    /// The line and the column of the next byte, from 1.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.line, self.characters + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_pieces_make_no_difference() {
        let text = "a\nbé\u{1f361}c".as_bytes();
        for cut in 0..text.len() {
            let mut lines = Lines::new();
            lines.advance(&text[..cut]);
            lines.advance(&text[cut..]);
            assert_eq!(lines.place(), (2, 5), "{cut}");
        }
    }
}
