//! What a passphrase costs to try: Argon2id with memory, passes and lanes within bounds. What its key encrypts is elsewhere.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::{ParseWrappedError, SALT_LENGTH};
use crate::encoding::parse_number;
use crate::memory::KEY_LENGTH;

/// Memory in KiB, passes, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB and three passes as in RFC 9106 §4 (second choice), in one lane: nothing here runs lanes in parallel.
    pub(super) const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    const FLOOR: &str = "64 MiB, 3 passes, 1 lane";
    const CEILING: &str = "1 GiB, 16 passes, 4 lanes, and 4 GiB over all passes";

    /// Reads what [`fmt::Display`] writes.
    pub(super) fn parse(text: &str, malformed: ParseWrappedError) -> Result<Self, ParseWrappedError> {
        let mut members = text.strip_prefix("argon2id v=19 ").ok_or(malformed)?.split(' ');
        let mut number = |word: &str| {
            let member = members.next().and_then(|member| member.strip_prefix(word));
            member
                .and_then(parse_number)
                .and_then(|number| u32::try_from(number).ok())
                .ok_or(malformed)
        };
        let cost = Self {
            memory_kib: number("m=")?,
            passes: number("t=")?,
            lanes: number("p=")?,
        };
        if members.next().is_some() {
            return Err(malformed);
        }
        cost.within_bounds()
    }

    /// Makes the key of a passphrase; `None` where there is not enough memory.
    pub(super) fn derive_key(self, passphrase: &SecretValue, salt: &[u8; SALT_LENGTH]) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LENGTH)).ok()?;
        let mut blocks: Vec<Block> = Vec::new();
        blocks.try_reserve_exact(params.block_count()).ok()?;
        blocks.resize(params.block_count(), Block::default());
        // The library erases its own intermediate values, but memory that it is given it leaves to the giver.
        let mut blocks = Zeroizing::new(blocks);
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.expose().as_bytes(), salt, key.as_mut_slice(), blocks.as_mut_slice())
            .ok()?;
        Some(key)
    }

    /// A file may come from anyone: neither may it make guessing cheap, nor one try exhaust the machine.
    fn within_bounds(self) -> Result<Self, ParseWrappedError> {
        let floor = Self::DEFAULT;
        if self.memory_kib < floor.memory_kib || self.passes < floor.passes || self.lanes < floor.lanes {
            return Err(ParseWrappedError::TooCheap { floor: Self::FLOOR });
        }
        let written = u64::from(self.memory_kib) * u64::from(self.passes);
        if self.memory_kib > 1024 * 1024 || self.passes > 16 || self.lanes > 4 || written > 4 * 1024 * 1024 {
            return Err(ParseWrappedError::TooDear { ceiling: Self::CEILING });
        }
        Ok(self)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argon2id v=19 m={} t={} p={}", self.memory_kib, self.passes, self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};
    use data_encoding::HEXLOWER;

    use super::*;

    const MALFORMED: ParseWrappedError = ParseWrappedError::Malformed { line: 2 };

    fn parse(text: &str) -> Result<Cost, ParseWrappedError> {
        Cost::parse(text, MALFORMED)
    }

    /// RFC 9106 §5.3.
    #[test]
    fn argon2id_gives_the_published_vector() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).expect("short"))
            .output_len(32)
            .build()
            .expect("valid");
        let secret = [3; 8];
        let argon2 = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).expect("short");
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).expect("valid");
        assert_eq!(
            HEXLOWER.encode(&tag),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }

    #[test]
    fn a_cost_is_read_as_it_is_written() {
        assert_eq!(parse(&Cost::DEFAULT.to_string()), Ok(Cost::DEFAULT));
        assert!(parse("argon2id v=19 m=1048576 t=4 p=4").is_ok());
        for bad in [
            "",
            "argon2id v=19 m=65536 t=3",
            "argon2id v=19 m=65536 t=3 p=1 ",
            "argon2id v=19 m=065536 t=3 p=1",
            "argon2id v=16 m=65536 t=3 p=1",
            "argon2i v=19 m=65536 t=3 p=1",
            "argon2id v=19 m=4294967296 t=3 p=1",
            "argon2id v=19 m=65536  t=3 p=1",
        ] {
            assert_eq!(parse(bad), Err(MALFORMED), "{bad}");
        }
    }

    #[test]
    fn costs_out_of_bounds_are_refused_before_any_work() {
        for cheap in ["m=65535 t=3 p=1", "m=65536 t=2 p=1", "m=65536 t=3 p=0", "m=8 t=1 p=1"] {
            let refused = parse(&format!("argon2id v=19 {cheap}"));
            assert!(matches!(refused, Err(ParseWrappedError::TooCheap { .. })), "{cheap}");
        }
        for dear in [
            "m=1048577 t=3 p=1",
            "m=65536 t=17 p=1",
            "m=65536 t=3 p=5",
            "m=1048576 t=5 p=1",
            "m=4294967295 t=4294967295 p=4294967295",
        ] {
            let refused = parse(&format!("argon2id v=19 {dear}"));
            assert!(matches!(refused, Err(ParseWrappedError::TooDear { .. })), "{dear}");
        }
    }
}
