//! Hashing and verifying passwords: Argon2id keyed with a pepper, behind the gate. Besides `record` and `memory` the only file that names the hash crates.

mod memory;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, KeyId, Params, ParamsBuilder, Version};
use dango_core::{Entropy, EntropyError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::{IdentityKey, IdentityKeyId, PasswordPepper};

use self::memory::HashingMemory;
use super::record::{Argon2id, Kind};
use super::{Busy, HashingGate, Password, PasswordRecord};

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// bcrypt reads no further; what earlier versions hashed was never longer.
const BCRYPT_MAX_BYTES: usize = 72;

/// What one hash costs: memory in KiB, passes over it, lanes (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl HashingCost {
    /// The least that is accepted: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
    pub const FLOOR: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// Checks a cost.
    ///
    /// # Errors
    ///
    /// [`WeakCost`] below [`HashingCost::FLOOR`] in any of the three, or beyond what a stored hash may ask for.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, WeakCost> {
        let enough = memory_kib >= Self::FLOOR.memory_kib && passes >= Self::FLOOR.passes && lanes >= Self::FLOOR.lanes;
        let cost = Self { memory_kib, passes, lanes };
        // What is written must be readable again, so the limits of the reader are the limits here.
        let readable = cost
            .params(None)
            .is_some_and(|params| PasswordRecord::parse(&phc(&params, &[0; SALT_BYTES], &[0; OUTPUT_BYTES])).is_ok());
        if enough && readable { Ok(cost) } else { Err(WeakCost) }
    }

    fn params(self, key: Option<&Pepper>) -> Option<Params> {
        let mut builder = ParamsBuilder::new();
        builder
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(self.lanes)
            .output_len(OUTPUT_BYTES);
        if let Some(key) = key {
            builder.keyid(KeyId::new(key.id.as_bytes()).ok()?);
        }
        builder.build().ok()
    }
}

impl Default for HashingCost {
    fn default() -> Self {
        Self::FLOOR
    }
}

/// A hashing cost that is too low to protect anybody, or too high to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hashing cost is outside what is safe: at least 19456 KiB, 2 passes and 1 lane, at most 262144 KiB, 32 passes and 16 lanes")]
pub struct WeakCost;

/// The key that every hash depends on and that is not in the database, with the id that is.
///
/// It is Argon2's own secret input K (RFC 9106 §3.1), so it needs no construction of ours; the id stands as `keyid`
/// in the PHC string. Without it the hashes of a stolen database cannot even be guessed at.
pub struct Pepper {
    id: IdentityKeyId,
    key: PasswordPepper,
}

impl Pepper {
    /// Derives the pepper of an identity key; its id is that key's.
    pub fn derive(key: &IdentityKey) -> Self {
        Self {
            id: key.id(),
            key: PasswordPepper::derive(key),
        }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// Whether a password is the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is, and the stored form is today's.
    Matches,
    /// It is, and the stored form should be replaced: other costs, another pepper, or bcrypt.
    MatchesOutdated,
    /// It is not.
    Differs,
    /// It cannot be told: the stored form depends on a pepper that is not here. Nobody logs in with it.
    UnknownPepper,
}

/// Hashes and verifies passwords with today's cost and pepper.
pub struct PasswordHasher {
    cost: HashingCost,
    current: Pepper,
    retired: Vec<Pepper>,
    gate: Arc<HashingGate>,
    dummy: Argon2id,
    memory: HashingMemory,
}

impl PasswordHasher {
    /// A hasher that hashes with the current pepper and still verifies with the retired ones.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness for the stand-in of accounts that do not exist.
    pub fn new(
        cost: HashingCost,
        current: Pepper,
        retired: Vec<Pepper>,
        gate: Arc<HashingGate>,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let params = cost
            .params(Some(&current))
            .expect("a HashingCost and an 8-byte key id are valid parameters");
        let mut salt = vec![0; SALT_BYTES];
        let mut output = vec![0; OUTPUT_BYTES];
        entropy.fill(&mut salt)?;
        entropy.fill(&mut output)?;
        Ok(Self {
            cost,
            current,
            retired,
            gate,
            dummy: Argon2id { params, salt, output },
            memory: HashingMemory::default(),
        })
    }

    /// A hasher under one key: today's cost, as many hashes at once as there are cores, 256 waiting.
    ///
    /// # Errors
    ///
    /// As [`PasswordHasher::new`].
    pub fn with_defaults(key: &IdentityKey, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let gate = Arc::new(HashingGate::new(cores, 256));
        Self::new(HashingCost::default(), Pepper::derive(key), Vec::new(), gate, entropy)
    }

    /// Hashes a password for storing, with a new salt.
    ///
    /// # Errors
    ///
    /// [`HashPasswordError`]: busy, no randomness, or not enough memory.
    pub fn hash(&self, password: &Password, entropy: &dyn Entropy) -> Result<PasswordRecord, HashPasswordError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        let params = self.dummy.params.clone();
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        self.gate
            .enter(|| argon2id(&self.memory, password.expose(), &params, Some(&self.current), &salt, &mut *output))?
            .ok_or(HashPasswordError::Memory)?;
        Ok(PasswordRecord::parse(&phc(&params, &salt, &*output)).expect("what is written can be read"))
    }

    /// Verifies a password against what is stored; without anything stored it does the same work and finds that it differs.
    ///
    /// # Errors
    ///
    /// [`HashPasswordError`]: busy, or not enough memory.
    ///
    /// # Security
    ///
    /// An account that does not exist, has no password, or has one under an unknown pepper takes as long as one whose
    /// password is wrong. Hashes of earlier Dango versions take longer, until their first login replaces them.
    pub fn verify(&self, password: &Password, stored: Option<&PasswordRecord>) -> Result<Verdict, HashPasswordError> {
        self.gate.enter(|| match stored.map(|stored| (&stored.kind, stored)) {
            Some((Kind::Argon2id(hash), _)) => self.verify_argon2id(password, hash),
            Some((Kind::Bcrypt, stored)) => Ok(verify_bcrypt(password, stored.as_str())),
            None => self.compare(password, &self.dummy, Some(&self.current)).map(|_| Verdict::Differs),
        })?
    }

    fn verify_argon2id(&self, password: &Password, hash: &Argon2id) -> Result<Verdict, HashPasswordError> {
        let key = match hash.params.keyid() {
            [] => None,
            id => match self.peppers().find(|pepper| pepper.id.as_bytes() == id) {
                Some(pepper) => Some(pepper),
                None => {
                    return self
                        .compare(password, &self.dummy, Some(&self.current))
                        .map(|_| Verdict::UnknownPepper);
                }
            },
        };
        let same = self.compare(password, hash, key)?;
        let today = hash.params == self.dummy.params && hash.salt.len() == SALT_BYTES && hash.output.len() == OUTPUT_BYTES;
        Ok(match (same, today) {
            (false, _) => Verdict::Differs,
            (true, true) => Verdict::Matches,
            (true, false) => Verdict::MatchesOutdated,
        })
    }

    fn compare(&self, password: &Password, hash: &Argon2id, key: Option<&Pepper>) -> Result<bool, HashPasswordError> {
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        argon2id(&self.memory, password.expose(), &hash.params, key, &hash.salt, &mut output).ok_or(HashPasswordError::Memory)?;
        Ok(output.ct_eq(&hash.output).into())
    }

    /// Gives the memory of earlier hashes back to the system; the next hash takes it anew. Whoever hashes rarely calls it once it is quiet.
    pub fn release_memory(&self) {
        self.memory.release();
    }

    fn peppers(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.retired)
    }

    /// Whether the pepper of a stored password is here; a server asks at its start, before anybody is turned away.
    #[must_use]
    pub fn knows_pepper_of(&self, stored: &PasswordRecord) -> bool {
        match &stored.kind {
            Kind::Argon2id(hash) => {
                hash.params.keyid().is_empty() || self.peppers().any(|pepper| pepper.id.as_bytes() == hash.params.keyid())
            }
            Kind::Bcrypt => true,
        }
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// Why a password could not be hashed or verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashPasswordError {
    /// Too many at once; the caller comes back later.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// No randomness for a salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The system gave no memory for the computation.
    #[error("not enough memory to hash a password")]
    Memory,
}

impl HashPasswordError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy(busy) => busy.code(),
            Self::Entropy(_) => "no-randomness",
            Self::Memory => "no-memory",
        }
    }
}

/// Fills the output; nothing where the system has no memory for it, which is all that can fail with checked parameters.
fn argon2id(memory: &HashingMemory, password: &str, params: &Params, key: Option<&Pepper>, salt: &[u8], output: &mut [u8]) -> Option<()> {
    let context = match key {
        Some(key) => Argon2::new_with_secret(key.key.expose(), Algorithm::Argon2id, Version::V0x13, params.clone()).ok()?,
        None => Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()),
    };
    #[cfg(test)]
    crate::testing::note_hash((
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        key.is_some(),
        salt.len(),
        output.len(),
    ));
    let compute = |blocks: &mut [Block]| {
        context
            .hash_password_into_with_memory(password.as_bytes(), salt, output, blocks)
            .ok()
    };
    memory.lend(params.block_count(), compute)?
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> String {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).expect("three numbers and eight bytes fit"),
        salt: Some(Salt::new(salt).expect("sixteen bytes are a salt")),
        hash: Some(Output::new(output).expect("thirty-two bytes are an output")),
    };
    hash.to_string()
}

/// As earlier versions did: over the bytes as typed, none of them ignored.
fn verify_bcrypt(password: &Password, stored: &str) -> Verdict {
    let typed = password.expose_typed().as_bytes();
    let same = bcrypt::verify(typed, stored).unwrap_or(false);
    if same && typed.len() <= BCRYPT_MAX_BYTES {
        Verdict::MatchesOutdated
    } else {
        Verdict::Differs
    }
}

#[cfg(test)]
mod tests;
