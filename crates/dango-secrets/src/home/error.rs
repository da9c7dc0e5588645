//! Why a home that is no directory did not give or take a file; never what the file holds.

/// What stands in the way.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a shared file could not be read or written where it is kept. But for [`HomeError::Unsure`] it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// The database does not answer, or refuses.
    #[error("{place} is kept in a database that cannot be used now")]
    Unreachable {
        /// The file.
        place: String,
        /// What the database's driver said.
        source: Cause,
    },
    /// It is not known whether the change was made: the answer was lost, and others may have written since.
    #[error("it is not known whether {place} was changed: look before you do it again")]
    Unsure {
        /// The file.
        place: String,
        /// What happened last.
        source: Cause,
    },
    /// There is no row where every file of the project has one.
    #[error("{place} is missing from the database, where every file of the project has a row")]
    Missing {
        /// The file.
        place: String,
    },
    /// The row does not open: it was changed, cut, or belongs to another file, project or time.
    #[error("{place} does not open: its row in the database was changed or moved")]
    Closed {
        /// The file.
        place: String,
    },
    /// The row is sealed under a key that is not at hand.
    #[error("{place} is encrypted with the key {key}, which is not at hand")]
    UnknownKey {
        /// The file.
        place: String,
        /// The id of the key.
        key: String,
    },
    /// The key could not be fetched.
    #[error("{place} is encrypted, and the key could not be fetched")]
    Keys {
        /// The file.
        place: String,
        /// What the holder said.
        source: Cause,
    },
    /// The row is older than one that this machine has seen.
    #[error("{place} was set back in the database: this machine has seen revision {seen}, and it is {found} now")]
    SetBack {
        /// The file.
        place: String,
        /// The highest revision that was seen.
        seen: u64,
        /// The one that is there.
        found: u64,
    },
    /// The note of what this machine has seen cannot be used.
    #[error("{path} does not say which revisions this machine has seen: if it is removed, what is in the database now counts as right")]
    Seen {
        /// The note.
        path: String,
        /// Why not, where it is not just malformed.
        source: Option<Cause>,
    },
    /// The row could not be sealed.
    #[error("{place} could not be encrypted")]
    Seal {
        /// The file.
        place: String,
        /// Why not.
        source: Cause,
    },
    /// The note of where the project's files are says nothing that is known.
    #[error("{path} does not say where the project's values are")]
    Whereabouts {
        /// The note.
        path: String,
    },
    /// The note of where the project's files are could not be looked at: they may be elsewhere.
    #[error("{path}, which says where the project's values are, cannot be looked at")]
    Unread {
        /// The note.
        path: String,
        /// What the system said.
        source: Cause,
    },
    /// The database has the project's files already, and others may be using them.
    #[error("{place} is in the database already, and not because of a move that was begun here")]
    Occupied {
        /// The file.
        place: String,
    },
    /// The project is being moved from one home to another.
    #[error("{place} cannot be changed while the project is being moved: `dango vault move` goes on where it was interrupted")]
    Moving {
        /// The file.
        place: String,
    },
    /// The file was moved to another home.
    #[error("{place} was moved: the project's values are kept {whereto} now")]
    Moved {
        /// The file.
        place: String,
        /// Where it is.
        whereto: String,
    },
}

impl HomeError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "home_unreachable",
            Self::Unsure { .. } => "home_unsure",
            Self::Missing { .. } => "home_row_missing",
            Self::Closed { .. } => "home_row_closed",
            Self::UnknownKey { .. } => "home_key_unknown",
            Self::Keys { .. } => "home_key_not_fetched",
            Self::SetBack { .. } => "home_set_back",
            Self::Seen { .. } => "home_seen_malformed",
            Self::Seal { .. } => "home_seal_failed",
            Self::Whereabouts { .. } => "home_whereabouts_malformed",
            Self::Unread { .. } => "home_whereabouts_unread",
            Self::Occupied { .. } => "home_occupied",
            Self::Moving { .. } => "home_moving",
            Self::Moved { .. } => "home_moved",
        }
    }
}
