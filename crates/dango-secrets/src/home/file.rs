//! The closed list of files that machines share, with the names and paths that are part of the format.

/// A file of a project that every machine that uses the project must see alike.
///
/// What is a machine's own is not here: where its key is, the project's id, what it has seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SharedFile {
    /// `.dlt/secrets.toml`: the credentials.
    Secrets,
    /// `.env`: the variables.
    Env,
    /// `.dango/sources.yml`: the sources.
    Sources,
    /// `.dango/providers.toml`: the project's own providers.
    Providers,
    /// `.dango/seals`: how often each key has sealed.
    Seals,
    /// `.dango/history`: values that were replaced.
    History,
    /// `.dango/rotations`: values that were laid aside.
    Rotations,
}

impl SharedFile {
    /// All of them, in the order in which they are moved: what guards the others comes first.
    pub const ALL: [Self; 7] = [
        Self::Seals,
        Self::History,
        Self::Rotations,
        Self::Providers,
        Self::Sources,
        Self::Secrets,
        Self::Env,
    ];

    /// The name under which a home without paths keeps it. It is part of the format and never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets.toml",
            Self::Env => ".env",
            Self::Sources => "sources.yml",
            Self::Providers => "providers.toml",
            Self::Seals => "seals",
            Self::History => "history",
            Self::Rotations => "rotations",
        }
    }

    /// Where it is in a project's directory.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Secrets => ".dlt/secrets.toml",
            Self::Env => ".env",
            Self::Sources => ".dango/sources.yml",
            Self::Providers => ".dango/providers.toml",
            Self::Seals => ".dango/seals",
            Self::History => ".dango/history",
            Self::Rotations => ".dango/rotations",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_listed_once_and_has_a_name_and_a_path_of_its_own() {
        let names: BTreeSet<_> = SharedFile::ALL.iter().map(|file| file.name()).collect();
        let paths: BTreeSet<_> = SharedFile::ALL.iter().map(|file| file.path()).collect();
        assert_eq!((names.len(), paths.len()), (SharedFile::ALL.len(), SharedFile::ALL.len()));
        for file in SharedFile::ALL {
            assert!(file.path().ends_with(file.name()));
        }
    }
}
