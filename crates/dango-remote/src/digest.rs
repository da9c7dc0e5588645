//! What tells one state of a file from another: the digest that a server's own programs make, and the same one made here.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::Digest as _;

/// How a server makes digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestKind {
    /// SHA-256 (FIPS 180-4), as `sha256sum` and `shasum -a 256` print it.
    Sha256,
    /// The checksum and the length that every POSIX system's `cksum` prints (POSIX.1-2024, XCU cksum). It finds what was cut or changed by
    /// accident; against an attacker it is of no use, and none can change what ssh carries.
    Cksum,
}

impl DigestKind {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "sha256" => Some(Self::Sha256),
            "cksum" => Some(Self::Cksum),
            _ => None,
        }
    }

    /// The digest of a file with these contents.
    pub(crate) fn of(self, contents: &[u8]) -> Digest {
        Digest(match self {
            Self::Sha256 => HEXLOWER.encode(&sha2::Sha256::digest(contents)),
            Self::Cksum => format!("{}-{}", cksum(contents), contents.len()),
        })
    }
}

/// A state of the file on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// That there is no file.
    pub(crate) fn absent() -> Self {
        Self("absent".to_owned())
    }

    /// What a server said.
    pub(crate) fn told(word: &str) -> Self {
        Self(word.to_owned())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// CRC-32/CKSUM: the polynomial 0x04C11DB7 over the contents and their length, the lowest byte of it first.
fn cksum(contents: &[u8]) -> u32 {
    let length = contents.len();
    let octets = (usize::BITS - length.leading_zeros()).div_ceil(8) as usize;
    let length = length.to_le_bytes();
    let bytes = contents.iter().chain(&length[..octets]);
    !bytes.fold(0, |crc: u32, byte| {
        let shifted = crc ^ (u32::from(*byte) << 24);
        (0..8).fold(shifted, |crc, _| (crc << 1) ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_posix() {
        // Printed by `cksum` of GNU coreutils 9.1.
        for (contents, expected) in [
            (&b""[..], "4294967295-0"),
            (b"123456789", "930766865-9"),
            (b"A=1\n", "3931038032-4"),
            (&[0u8; 256], "4215202376-256"),
        ] {
            assert_eq!(DigestKind::Cksum.of(contents).to_string(), expected);
        }
    }

    #[test]
    fn the_other_digest_is_sha_256() {
        // FIPS 180-4, example of one block.
        assert_eq!(
            DigestKind::Sha256.of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
