//! The number that ends everything issued to a user so far. Which events raise it is decided where they happen.

/// How often everything issued to a user was ended: at each change of password, reset, deactivation and import.
///
/// Sessions and device cookies carry the number they were issued under and count for nothing once the user's is
/// another. It is stored with the user, begins at 0 and only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecurityEpoch(u64);

impl SecurityEpoch {
    /// Takes the number back from a database.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, as a database stores it.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
