//! Columns of a row as the types of the domains, read from left to right. What cannot have been written is damage.

use std::str::FromStr;

use dango_core::Timestamp;
use dango_store::StoreFailure;

use crate::connection::Row;
use crate::failure::BadColumn;

/// The columns of a row; each call reads the next one.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// The place of the next column.
    fn step(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The column that was read last holds what it cannot hold.
    pub(crate) fn bad(&self) -> StoreFailure {
        let column = self.next - 1;
        StoreFailure::damaged(BadColumn { column })
    }

    pub(crate) fn integer(&mut self) -> Result<i64, StoreFailure> {
        self.optional_integer()?.ok_or_else(|| self.bad())
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, StoreFailure> {
        let number = self.integer()?;
        T::try_from(number).map_err(|_| self.bad())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, StoreFailure> {
        Ok(self.integer()? != 0)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreFailure> {
        Ok(Timestamp::from_unix_micros(self.integer()?))
    }

    pub(crate) fn optional_integer(&mut self) -> Result<Option<i64>, StoreFailure> {
        self.row.integer_at(self.step())
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, StoreFailure> {
        Ok(self.optional_integer()?.map(Timestamp::from_unix_micros))
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, StoreFailure> {
        self.optional_text()?.ok_or_else(|| self.bad())
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<&'r str>, StoreFailure> {
        self.row.text_at(self.step())
    }

    /// A text that is the form of something else.
    pub(crate) fn parsed<T: FromStr>(&mut self) -> Result<T, StoreFailure> {
        self.text()?.parse().map_err(|_| self.bad())
    }

    pub(crate) fn optional_parsed<T: FromStr>(&mut self) -> Result<Option<T>, StoreFailure> {
        let parsed = self.optional_text()?.map(str::parse).transpose();
        parsed.map_err(|_| self.bad())
    }

    pub(crate) fn blob(&mut self) -> Result<&'r [u8], StoreFailure> {
        self.optional_blob()?.ok_or_else(|| self.bad())
    }

    pub(crate) fn optional_blob(&mut self) -> Result<Option<&'r [u8]>, StoreFailure> {
        self.row.blob_at(self.step())
    }

    /// Bytes of a fixed length.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreFailure> {
        self.blob()?.try_into().map_err(|_| self.bad())
    }

    pub(crate) fn optional_bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreFailure> {
        let Some(bytes) = self.optional_blob()? else {
            return Ok(None);
        };
        bytes.try_into().map(Some).map_err(|_| self.bad())
    }

    /// Bytes of a fixed length that are the form of something else, such as an id.
    pub(crate) fn id<T, E>(&mut self, parse: impl FnOnce([u8; 16]) -> Result<T, E>) -> Result<T, StoreFailure> {
        let bytes = self.bytes()?;
        parse(bytes).map_err(|_| self.bad())
    }

    pub(crate) fn optional_id<T, E>(&mut self, parse: impl FnOnce([u8; 16]) -> Result<T, E>) -> Result<Option<T>, StoreFailure> {
        let Some(bytes) = self.optional_blob()? else {
            return Ok(None);
        };
        let bytes = bytes.try_into().map_err(|_| self.bad())?;
        parse(bytes).map(Some).map_err(|_| self.bad())
    }
}

/// The form that SQLite has for a number that is never negative. What is too large for it never comes to be counted.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
