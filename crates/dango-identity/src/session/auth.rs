//! Who was proven how, and when: factors, assurance levels and the age of a proof.

use std::time::Duration;

use dango_core::Timestamp;

use crate::instant::elapsed;

/// A way of proving who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthFactor {
    /// A password.
    Password,
    /// A time-based one-time code (RFC 6238).
    Totp,
    /// A recovery code.
    Recovery,
    /// A passkey with user verification (WebAuthn).
    Passkey,
    /// A login at another provider.
    External,
}

impl AuthFactor {
    const fn bit(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Totp => 1 << 1,
            Self::Recovery => 1 << 2,
            Self::Passkey => 1 << 3,
            Self::External => 1 << 4,
        }
    }
}

/// A set of factors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FactorSet(u8);

impl FactorSet {
    const KNOWN: u8 = 0b1_1111;
    const FIRST: u8 = AuthFactor::Password.bit() | AuthFactor::External.bit();
    const SECOND: u8 = AuthFactor::Totp.bit() | AuthFactor::Recovery.bit();

    /// A set of one.
    pub const fn of(factor: AuthFactor) -> Self {
        Self(factor.bit())
    }

    /// This set with one more.
    #[must_use]
    pub const fn with(self, factor: AuthFactor) -> Self {
        Self(self.0 | factor.bit())
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a factor is among them.
    pub const fn contains(self, factor: AuthFactor) -> bool {
        self.0 & factor.bit() != 0
    }

    /// The set as bits, as a database stores it.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Takes the bits back; none where one of them is unknown.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::KNOWN == 0 { Some(Self(bits)) } else { None }
    }

    /// Whether one of them proves possession beside a password.
    pub const fn has_second_factor(self) -> bool {
        self.0 & (Self::SECOND | AuthFactor::Passkey.bit()) != 0
    }

    /// The assurance level that the factors reach together.
    pub const fn aal(self) -> Aal {
        let both = self.0 & Self::FIRST != 0 && self.0 & Self::SECOND != 0;
        if both || self.contains(AuthFactor::Passkey) {
            Aal::Two
        } else {
            Aal::One
        }
    }
}

/// An authentication assurance level (NIST SP 800-63B-4 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Aal {
    /// One factor.
    One,
    /// Two factors, or one that is two.
    Two,
}

/// How the holder of a session was proven, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthContext {
    /// The factors used, step-ups included.
    pub factors: FactorSet,
    /// When the login began to count.
    pub authenticated_at: Timestamp,
    /// When the holder was last proven again; at first, the time of the login.
    pub stepped_up_at: Timestamp,
    /// When a second factor was last proven.
    pub second_factor_at: Option<Timestamp>,
}

impl AuthContext {
    /// The context of a login at this moment.
    pub fn at_login(factors: FactorSet, now: Timestamp) -> Self {
        Self {
            factors,
            authenticated_at: now,
            stepped_up_at: now,
            second_factor_at: factors.has_second_factor().then_some(now),
        }
    }

    /// The context after the holder was proven again.
    #[must_use]
    pub fn stepped_up(self, proven: FactorSet, now: Timestamp) -> Self {
        Self {
            factors: self.factors.union(proven),
            stepped_up_at: now,
            second_factor_at: if proven.has_second_factor() {
                Some(now)
            } else {
                self.second_factor_at
            },
            ..self
        }
    }

    /// The assurance level.
    pub const fn aal(&self) -> Aal {
        self.factors.aal()
    }

    /// Whether the last proof is at most this old.
    pub fn is_fresh(&self, window: Duration, now: Timestamp) -> bool {
        elapsed(self.stepped_up_at, now) <= window
    }

    /// Whether a second factor was proven, and that at most this long ago.
    pub fn has_fresh_second_factor(&self, window: Duration, now: Timestamp) -> bool {
        self.second_factor_at.is_some_and(|at| elapsed(at, now) <= window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_kinds_of_factors_make_level_two_and_two_of_a_kind_do_not() {
        use AuthFactor::{External, Passkey, Password, Recovery, Totp};
        let level = |factors: &[AuthFactor]| factors.iter().fold(FactorSet::default(), |set, factor| set.with(*factor)).aal();
        for one in [&[][..], &[Password], &[Totp], &[External], &[Password, External], &[Totp, Recovery]] {
            assert_eq!(level(one), Aal::One, "{one:?}");
        }
        for two in [
            &[Password, Totp][..],
            &[External, Recovery],
            &[Passkey],
            &[Password, Totp, Recovery],
        ] {
            assert_eq!(level(two), Aal::Two, "{two:?}");
        }
    }

    #[test]
    fn unknown_bits_are_no_set() {
        assert_eq!(FactorSet::from_bits(0b1_1111).map(FactorSet::bits), Some(0b1_1111));
        assert_eq!(FactorSet::from_bits(0b10_0000), None);
    }
}
