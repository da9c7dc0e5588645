//! Temporary files: made beside their target, named after it, and gone unless they became it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

use dango_core::{Entropy, EntropyError};
use data_encoding::HEXLOWER;

use super::error::WriteError;
use super::place::Place;
use super::unix::{Directory, State, status};

/// How often a new name is tried where the last one was taken.
const ATTEMPTS: usize = 16;

/// A file that is removed when it is dropped, unless it has become something else.
pub(super) struct Temporary<'a> {
    directory: &'a Directory,
    name: OsString,
    file: File,
    kept: bool,
}

/// Why there is no temporary file.
pub(super) enum CreateError {
    /// The system refused.
    Io(io::Error),
    /// There is no random name.
    Entropy(EntropyError),
}

impl CreateError {
    /// The same, for the file that was to be written.
    pub(super) fn into_write_error(self, place: &Place) -> WriteError {
        match self {
            Self::Io(error) => WriteError::new(&place.directory, error),
            Self::Entropy(source) => WriteError::Entropy {
                path: place.path(),
                source,
            },
        }
    }
}

impl<'a> Temporary<'a> {
    /// Makes an empty file `.<target>.dango-<pid>-<random>.tmp`; the umask takes bits away from `mode`.
    pub(super) fn create(directory: &'a Directory, target: &OsStr, mode: u32, entropy: &dyn Entropy) -> Result<Self, CreateError> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..ATTEMPTS {
            let mut random = [0; 8];
            entropy.fill(&mut random).map_err(CreateError::Entropy)?;
            let mut name = prefix(target);
            name.push(format!("{}-{}{SUFFIX}", std::process::id(), HEXLOWER.encode(&random)));
            match directory.create(&name, mode) {
                Ok(file) => {
                    return Ok(Self {
                        directory,
                        name,
                        file,
                        kept: false,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(CreateError::Io(error)),
            }
        }
        Err(CreateError::Io(last))
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn state(&self) -> io::Result<State> {
        Ok(status(&self.file)?.state)
    }

    /// Leaves whatever now has the name alone.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary<'_> {
    /// What cannot be removed now is removed by the next write.
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.directory.remove(&self.name);
        }
    }
}

/// Removes what processes that died have left of their writes to `target`.
///
/// The caller holds the lock, so no living process owns one. A name that has another dot in its middle belongs to
/// another target. What cannot be removed is left: it stands in nobody's way.
pub(super) fn remove_stale(directory: &Directory, target: &OsStr) {
    let prefix = prefix(target);
    let prefix = prefix.as_encoded_bytes();
    for name in directory.names().unwrap_or_default() {
        let middle = name
            .as_encoded_bytes()
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
        if middle.is_some_and(|middle| !middle.contains(&b'.')) {
            let _ = directory.remove(&name);
        }
    }
}

/// Of which file a name is that of a temporary one, and the process that made it: `.env` and 42 of `..env.dango-42-<random>.tmp`.
pub fn target_of(name: &OsStr) -> Option<(&str, u32)> {
    let (target, middle) = name.to_str()?.strip_prefix('.')?.strip_suffix(SUFFIX)?.rsplit_once(MARK)?;
    let (process, random) = middle.split_once('-')?;
    let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_random && !target.is_empty()).then_some((target, process.parse().ok()?))
}

const SUFFIX: &str = ".tmp";

/// Between the name of the target and the process.
const MARK: &str = ".dango-";

fn prefix(target: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target);
    prefix.push(MARK);
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_temporary_file_tells_its_target_and_its_maker() {
        let of = |name: &str| target_of(OsStr::new(name)).map(|(target, process)| (target.to_owned(), process));
        let name = format!(
            "{}42-00112233aabbccdd{SUFFIX}",
            prefix(OsStr::new("secrets.toml")).to_string_lossy()
        );
        assert_eq!(of(&name), Some(("secrets.toml".to_owned(), 42)));
        assert_eq!(of("..env.dango-7-00112233aabbccdd.tmp"), Some((".env".to_owned(), 7)));
        for other in [
            ".env.dango-7-xyz.tmp",
            "secrets.toml.tmp",
            "..env.dango-7-00112233aabbccdd.tmp~",
            ".dango-7-00112233aabbccdd.tmp",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
