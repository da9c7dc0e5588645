//! Which home a project has, as its directory says it: nothing for the directory itself, else a line in `.dango/home`, with the move's token.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::path::Path;

use dango_core::Entropy;
use zeroize::Zeroizing;

use super::{HomeError, MoveToken, SharedFile};
use crate::storage::{self, Edit, ReadError, UpdateError};

const FILE: &str = ".dango/home";
const VERSION: &str = "dango:home:v1";

/// Where a project's shared files are, and which way they are going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the project's directory.
    Directory,
    /// In the directory, being moved to rows: they can be read.
    Leaving,
    /// In rows of a database.
    Rows,
    /// In rows, being moved to the directory.
    Returning,
    /// Whole in the directory again, where they count only once the rows have forgotten what they had: until then another machine may read those.
    Returned,
}

impl Whereabouts {
    /// Reads what a project's directory says.
    ///
    /// # Errors
    ///
    /// [`ReadError`], and [`HomeError::Whereabouts`] where it says nothing that is known.
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        Ok(Self::read_move(root)?.0)
    }

    /// Reads what a project's directory says, with the token of the move that it came about by, if it names one.
    ///
    /// # Errors
    ///
    /// As [`Whereabouts::read`].
    pub fn read_move(root: &Path) -> Result<(Self, Option<MoveToken>), ReadError> {
        let path = root.join(FILE);
        // Almost always there is none, and this is asked with every file: one question to the system.
        let is_there = match storage::is_there(&path) {
            // Where `.dango` is a file nothing can be noted in it.
            Err(ReadError::Io { source, .. }) if source.kind() == ErrorKind::NotADirectory => false,
            is_there => is_there?,
        };
        let contents = if is_there { storage::read(&path)? } else { None };
        let Some(contents) = contents else {
            return Ok((Self::Directory, None));
        };
        let found = std::str::from_utf8(contents.bytes()).ok().and_then(Self::parse);
        Ok(found.ok_or_else(|| HomeError::Whereabouts {
            path: root.join(FILE).display().to_string(),
        })?)
    }

    /// Notes it in a project's directory, and no move.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Read`] and [`UpdateError::Write`].
    pub fn write(self, root: &Path, entropy: &dyn Entropy) -> Result<(), UpdateError<Infallible>> {
        if self == Self::Directory {
            return storage::remove(&root.join(FILE), entropy).map(drop);
        }
        note(root, self.as_str(), entropy)
    }

    /// Notes it in a project's directory, with the move by which it comes about.
    ///
    /// # Errors
    ///
    /// As [`Whereabouts::write`].
    pub fn write_move(self, root: &Path, token: MoveToken, entropy: &dyn Entropy) -> Result<(), UpdateError<Infallible>> {
        note(root, &format!("{} {}", self.as_str(), token.to_text()), entropy)
    }

    fn parse(text: &str) -> Option<(Self, Option<MoveToken>)> {
        let line = text.strip_prefix(VERSION)?.strip_prefix('\n')?.strip_suffix('\n')?;
        let (state, token) = match line.split_once(' ') {
            Some((state, token)) => (state, Some(MoveToken::parse(token)?)),
            None => (line, None),
        };
        let all = [Self::Directory, Self::Leaving, Self::Rows, Self::Returning, Self::Returned];
        let found = all.into_iter().find(|whereabouts| state == whereabouts.as_str())?;
        // Where there is nothing to say there is no note.
        (found != Self::Directory || token.is_some()).then_some((found, token))
    }

    /// Whether a file may be read in the directory.
    pub(super) fn may_read(root: &Path, file: SharedFile) -> Result<(), HomeError> {
        match Self::of(root)? {
            Self::Directory | Self::Leaving => Ok(()),
            Self::Rows | Self::Returning | Self::Returned => Err(moved(file)),
        }
    }

    /// Whether a file may be changed in the directory.
    pub(super) fn may_change(root: &Path, file: SharedFile) -> Result<(), HomeError> {
        match Self::of(root)? {
            Self::Directory => Ok(()),
            Self::Leaving | Self::Returning | Self::Returned => Err(HomeError::Moving {
                place: file.path().to_owned(),
            }),
            Self::Rows => Err(moved(file)),
        }
    }

    /// A note that cannot be looked at may say that the files are elsewhere: what is written here would count nowhere.
    fn of(root: &Path) -> Result<Self, HomeError> {
        Self::read(root).map_err(|error| match error {
            ReadError::Home(error) => error,
            error => HomeError::Unread {
                path: root.join(FILE).display().to_string(),
                source: error.into(),
            },
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Leaving => "leaving",
            Self::Rows => "rows",
            Self::Returning => "returning",
            Self::Returned => "returned",
        }
    }
}

fn note(root: &Path, line: &str, entropy: &dyn Entropy) -> Result<(), UpdateError<Infallible>> {
    let text = format!("{VERSION}\n{line}\n");
    storage::update(&root.join(FILE), entropy, |_| {
        Ok(Edit::Replace(Zeroizing::new(text.clone().into_bytes()), ()))
    })
}

/// What the directory says of a file that is in rows.
fn moved(file: SharedFile) -> HomeError {
    HomeError::Moved {
        place: file.path().to_owned(),
        whereto: "in the database of its server".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn a_note_that_cannot_be_looked_at_lets_nothing_be_read_or_changed() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let may = || {
            [
                Whereabouts::may_read(root, SharedFile::Env),
                Whereabouts::may_change(root, SharedFile::Env),
            ]
        };
        let may = || may().map(|answer| answer.map_err(|error| error.code()));
        let nothing = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(Vec::new()), ()));
        storage::update(&root.join(".dango"), &OsEntropy, nothing).expect("a file in its place");
        assert_eq!(may(), [Ok(()), Ok(())]);
        std::fs::remove_file(root.join(".dango")).expect("removed");
        // Links that lead round in a circle are refused to root, too.
        std::os::unix::fs::symlink(".dango", root.join(".dango")).expect("a link");
        assert_eq!(may(), [Err("home_whereabouts_unread"); 2]);
    }

    #[test]
    fn files_that_rows_have_still_to_forget_are_neither_read_nor_changed() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        use Whereabouts::{Directory, Leaving, Returned, Returning, Rows};
        for (whereabouts, read, change) in [
            (Directory, None, None),
            (Leaving, None, Some("home_moving")),
            (Rows, Some("home_moved"), Some("home_moved")),
            (Returning, Some("home_moved"), Some("home_moving")),
            (Returned, Some("home_moved"), Some("home_moving")),
        ] {
            whereabouts.write(root, &OsEntropy).expect("noted");
            let code = |answer: Result<(), HomeError>| answer.err().map(|error| error.code());
            let may = (
                code(Whereabouts::may_read(root, SharedFile::Env)),
                code(Whereabouts::may_change(root, SharedFile::Env)),
            );
            assert_eq!(may, (read, change), "{whereabouts:?}");
        }
    }

    #[test]
    fn what_is_noted_is_read_and_what_is_no_note_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        use Whereabouts::{Directory, Leaving, Returned, Returning, Rows};
        assert_eq!(Whereabouts::read(root).ok(), Some(Whereabouts::Directory));
        for whereabouts in [Rows, Leaving, Returning, Returned, Directory] {
            whereabouts.write(root, &OsEntropy).expect("noted");
            assert_eq!(Whereabouts::read(root).ok(), Some(whereabouts));
        }
        let token = MoveToken::make(&OsEntropy).expect("random");
        for whereabouts in [Rows, Leaving, Returning, Returned, Directory] {
            whereabouts.write_move(root, token, &OsEntropy).expect("noted");
            assert_eq!(Whereabouts::read_move(root).ok(), Some((whereabouts, Some(token))));
        }
        for malformed in [
            "",
            "dango:home:v1\n",
            "dango:home:v2\nrows\n",
            "dango:home:v1\nrows",
            "dango:home:v1\ndirectory\n",
            "dango:home:v1\nrows 00\n",
            "dango:home:v1\nrows \n",
        ] {
            let write = |_: Option<&[u8]>| Ok::<_, Infallible>(Edit::Replace(Zeroizing::new(malformed.as_bytes().to_vec()), ()));
            storage::update(&root.join(FILE), &OsEntropy, write).expect("written");
            assert_eq!(
                Whereabouts::read(root).err().map(|error| error.code()),
                Some("home_whereabouts_malformed"),
                "{malformed:?}"
            );
        }
    }
}
