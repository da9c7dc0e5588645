//! What a content is by its first bytes: text, data, or a compiled program.

/// What a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Something that people write: names say what values are.
    Text,
    /// Anything with a NUL in it.
    Data,
    /// A compiled program. The keys and passwords in it are those of its sources, mostly for testing itself.
    Program,
}

/// How much is looked at, in bytes.
const HEAD: usize = 8 * 1024;

/// What compiled programs begin with: ELF, archives of `ar`, Java and universal Mach-O, Mach-O in either order, Windows, WebAssembly, LLVM, Dalvik.
const PROGRAMS: [&[u8]; 12] = [
    b"\x7fELF",
    b"!<arch>\n",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"MZ",
    b"\0asm",
    b"BC\xc0\xde",
    b"dex\n",
    b"\xca\xfe\xd0\x0d",
];

impl Nature {
    /// Tells it by the beginning of a content.
    pub(crate) fn of(content: &[u8]) -> Self {
        let head = &content[..content.len().min(HEAD)];
        if !head.contains(&0) {
            return Self::Text;
        }
        // Python's compiled modules have a number of their version, and then this.
        let is_python = head.get(2..4) == Some(b"\r\n");
        match is_python || PROGRAMS.iter().any(|begin| head.starts_with(begin)) {
            true => Self::Program,
            false => Self::Data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_data_and_text() {
        assert_eq!(Nature::of(b"MZ is how this text begins"), Nature::Text);
        assert_eq!(Nature::of(b"MZ\x90\0\x03\0"), Nature::Program);
        assert_eq!(Nature::of(b"\x7fELF\x02\x01\x01\0"), Nature::Program);
        assert_eq!(Nature::of(b"\xcb\x0d\r\n\0\0\0\0"), Nature::Program);
        assert_eq!(Nature::of(b"SQLite format 3\0"), Nature::Data);
        assert_eq!(Nature::of(b""), Nature::Text);
    }
}
