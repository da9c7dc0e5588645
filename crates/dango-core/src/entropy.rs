//! Randomness and where it comes from.

/// Where random bytes come from; everything that needs them takes one.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes that nobody can predict.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is none; the caller must give up, never go on with what it has.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for randomness")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buffer).map_err(|_| EntropyError)
    }
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct EntropyError;
