//! Digests that sign-ins to databases are made of; the old ones only where a protocol asks for them.

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use ring::digest;
use zeroize::Zeroizing;

/// MD5 (RFC 1321) of several parts, as 32 hexadecimal digits.
pub(super) fn md5_hex(parts: &[&[u8]]) -> Zeroizing<String> {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(HEXLOWER.encode(&hash.finalize()))
}

/// A digest of several parts.
pub(super) fn of(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    Zeroizing::new(context.finish().as_ref().to_vec())
}

/// Two texts of one length, combined bit by bit.
pub(super) fn xor(one: &[u8], other: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(one.iter().zip(other).map(|(one, other)| one ^ other).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_is_that_of_rfc_1321() {
        assert_eq!(md5_hex(&[b"message ", b"digest"]).as_str(), "f96b697d7cb7938d525a2f31aaf161d0");
    }
}
