//! An enrolled app as a row, with its secret sealed.

use dango_core::{Entropy, EntropyError, Timestamp};

use super::totp::{TotpParameters, TotpSecret, TotpStep};
use crate::id::{FactorId, UserId};
use crate::key::ColumnKey;
use crate::seal::{Cell, OpenColumnError, SealedColumn};

/// An enrolment of an app that makes time-based codes, as a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpRecord {
    /// The row's id.
    pub id: FactorId,
    /// Whose it is.
    pub user: UserId,
    /// What the codes are made with.
    pub parameters: TotpParameters,
    /// The secret; it opens in this row only.
    pub secret: SealedColumn,
    /// When the enrolment began.
    pub created_at: Timestamp,
    /// How far it has come.
    pub state: TotpState,
}

/// How far an enrolment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpState {
    /// No code was seen yet; it protects nothing.
    Pending {
        /// When it is too late to confirm it.
        expires_at: Timestamp,
    },
    /// Confirmed.
    Active {
        /// When.
        confirmed_at: Timestamp,
        /// The newest step of which a code was accepted, that of the confirmation included.
        last_step: TotpStep,
    },
}

impl TotpRecord {
    pub(super) fn seal(
        key: &ColumnKey,
        (id, user): (FactorId, UserId),
        secret: &TotpSecret,
        entropy: &dyn Entropy,
    ) -> Result<SealedColumn, EntropyError> {
        SealedColumn::seal(key, &cell(&[user.as_bytes(), id.as_bytes()]), secret.bytes(), entropy)
    }

    pub(super) fn open(&self, key: &ColumnKey) -> Result<TotpSecret, OpenColumnError> {
        let row: [&[u8]; 2] = [self.user.as_bytes(), self.id.as_bytes()];
        let plain = self.secret.open(key, &cell(&row))?;
        TotpSecret::from_bytes(plain).ok_or(OpenColumnError::Damaged)
    }
}

fn cell<'a>(row: &'a [&'a [u8]]) -> Cell<'a> {
    Cell {
        table: "totp",
        column: "secret",
        row,
    }
}
