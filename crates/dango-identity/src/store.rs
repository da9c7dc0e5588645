//! What every store trait answers with when the store itself fails. The traits stand with the rows they keep.

use std::error::Error;

/// The store could not do what it was asked: the disk is full, the database is gone, a row cannot be read.
///
/// It never means that a rule said no; refusals are answers.
#[derive(Debug, thiserror::Error)]
#[error("the identity store failed")]
pub struct StoreError(#[source] Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Takes over a backend's own error as the cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        "identity-store-failed"
    }
}
