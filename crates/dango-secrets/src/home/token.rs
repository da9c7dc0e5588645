//! What tells one move of a project from every other: random, and no secret.

use dango_core::{Entropy, EntropyError};
use data_encoding::HEXLOWER;

/// The token of one move. The directory that began it keeps it, and the rows name it until they count, and again when they are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveToken([u8; Self::LENGTH]);

impl MoveToken {
    /// How many bytes it has.
    pub const LENGTH: usize = 16;

    /// Makes the token of a new move.
    ///
    /// # Errors
    ///
    /// [`EntropyError`].
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; Self::LENGTH];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The token of these bytes.
    pub const fn of_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// As a note has it: 32 hexadecimal digits in lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    pub(super) fn to_text(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}
