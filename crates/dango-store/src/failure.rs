//! Why a backend could not do what it was asked, for all backends alike.

use std::error::Error;
use std::sync::Arc;

/// The store could not begin, do or commit a transaction; nothing of it happened, but for [`StoreFailure::Uncertain`]. A rule that says no
/// is never one of these.
///
/// The stores of the domains wrap it in errors of their own; [`StoreFailure::within`] finds it there.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It cannot be reached, read or written.
    #[error("the database cannot be reached, read or written")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// Others have kept it busy for longer than one waits.
    #[error("the database is in use by another program, which has kept it locked for too long")]
    Locked,
    /// There is no room for a change.
    #[error("no space is left for the database")]
    Full,
    /// It can be read and not be written.
    #[error("the database cannot be written: the file, or the disk it is on, is read-only")]
    ReadOnly,
    /// It is there and cannot be opened: mostly for want of a permission, on it or on its directory.
    #[error("the database cannot be opened: it may not be read, or nothing may be made beside it")]
    Closed,
    /// Whoever one is there may not do that, or may not be let in at all.
    #[error("the database does not allow that to the role that was used, or does not let it in")]
    Forbidden(#[source] Arc<dyn Error + Send + Sync>),
    /// What it holds is not what was put in.
    #[error("the database is damaged")]
    Damaged(#[source] Arc<dyn Error + Send + Sync>),
    /// It is somebody else's, or no database at all. It is left alone.
    #[error("this is not a database of Dango")]
    Foreign,
    /// Where it lies, others could have put it in its place or could read it: it is a link, no file, or another user's.
    #[error("the database is {what}, so it is not opened")]
    Unsafe {
        /// What is wrong with it, such as `a symbolic link`.
        what: &'static str,
    },
    /// It keeps texts in a way that knows some characters only.
    #[error("the database keeps texts as {found}, and Dango needs UTF8")]
    Encoding {
        /// What it calls that way, such as `LATIN1`.
        found: Arc<str>,
    },
    /// It was written by a newer version of Dango.
    #[error("the database has schema version {found}, and this version of Dango knows up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// There is none, and none was to be made.
    #[error("there is no database yet")]
    Missing,
    /// It was opened, and where it lay there is nothing any more, or another one. Whoever goes on with what is open works on a database
    /// that nobody else sees.
    #[error("the database that was opened is gone: its file was deleted, moved away or replaced")]
    Gone,
    /// Everything in it was moved into another one, where it lives on. What is still here is what there was at that moment.
    #[error("what was in the database was moved to {address}")]
    Moved {
        /// Where it is now, without a password.
        address: Arc<str>,
    },
    /// Another database is being moved into it, and not all is there yet, or it is not settled that this one counts.
    #[error("a move into the database is under way or was broken off, so nobody is served from it")]
    Arriving,
    /// A commit was not answered, and nobody could be asked whether it was done. Alone among the failures,
    /// this one does not say that nothing happened.
    #[error("the database did not answer to a commit, and whether it was done is not known")]
    Uncertain,
    /// The work was broken off before its end, or the store was closed.
    #[error("the work on the database was broken off")]
    Interrupted,
}

impl StoreFailure {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store-unavailable",
            Self::Locked => "store-locked",
            Self::Full => "store-full",
            Self::ReadOnly => "store-read-only",
            Self::Closed => "store-closed",
            Self::Forbidden(_) => "store-forbidden",
            Self::Damaged(_) => "store-damaged",
            Self::Foreign => "store-foreign",
            Self::Unsafe { .. } => "store-unsafe",
            Self::Encoding { .. } => "store-encoding",
            Self::Newer { .. } => "store-newer",
            Self::Missing => "store-missing",
            Self::Gone => "store-gone",
            Self::Moved { .. } => "store-moved",
            Self::Arriving => "store-arriving",
            Self::Uncertain => "store-uncertain",
            Self::Interrupted => "store-interrupted",
        }
    }

    /// Takes a cause that makes the database unreachable.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// Takes a cause that says that a role may not do something.
    pub fn forbidden(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Forbidden(Arc::from(cause.into()))
    }

    /// Takes a cause that says that the database is damaged.
    pub fn damaged(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Damaged(Arc::from(cause.into()))
    }

    /// The failure that is the cause of another error, however deep.
    pub fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(failure) = error.downcast_ref() {
                return Some(failure);
            }
            next = error.source();
        }
        None
    }
}

/// The failure as the identity domain passes it on.
impl From<StoreFailure> for dango_identity::StoreError {
    fn from(failure: StoreFailure) -> Self {
        Self::new(failure)
    }
}

/// The failure as the audit domain passes it on.
impl From<StoreFailure> for dango_audit::AuditStoreError {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::Damaged(_) | StoreFailure::Foreign => Self::Damaged(Box::new(failure)),
            _ => Self::Unavailable(Box::new(failure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_found_in_the_errors_of_the_domains() {
        let identity = dango_identity::StoreError::from(StoreFailure::Full);
        let audit = dango_audit::AuditStoreError::from(StoreFailure::Locked);
        assert_eq!(StoreFailure::within(&identity).map(StoreFailure::code), Some("store-full"));
        assert_eq!(StoreFailure::within(&audit).map(StoreFailure::code), Some("store-locked"));
        assert!(StoreFailure::within(&std::fmt::Error).is_none());
    }
}
