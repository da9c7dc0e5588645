//! What others may read or write taken away from them, contents untouched.

use std::path::Path;

use super::error::WriteError;
use super::unix;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// Those that let anybody write.
const ANYBODY_WRITES: u32 = 0o002;

/// From whom a file or directory is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// From everybody but its owner.
    ToOthers,
    /// From changes by anybody but its owner and its group.
    ToAnybodysWrites,
}

/// Takes permission bits away; a symbolic link is followed. Answers whether there were any to take away.
///
/// # Errors
///
/// [`WriteError`]; the permissions are then as they were.
pub fn tighten(path: &Path, closed: Closed) -> Result<bool, WriteError> {
    let failed = |source| WriteError::new(path, source);
    // What was opened is what is changed, whatever has the name by then.
    let file = unix::open(path).map_err(failed)?;
    let mode = unix::status(&file).map_err(failed)?.mode;
    let wanted = match closed {
        Closed::ToOthers => mode & !OTHERS,
        Closed::ToAnybodysWrites => mode & !ANYBODY_WRITES,
    };
    if wanted == mode {
        return Ok(false);
    }
    unix::set_mode(&file, wanted).map_err(failed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_the_bits_of_others_go_and_links_are_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("secrets.toml");
        fs::OpenOptions::new().create_new(true).write(true).open(&file).expect("made");
        let link = directory.path().join("link");
        symlink(&file, &link).expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
        for (before, closed, after) in [
            (0o644, Closed::ToOthers, 0o600),
            (0o770, Closed::ToOthers, 0o700),
            (0o777, Closed::ToAnybodysWrites, 0o775),
        ] {
            fs::set_permissions(&file, Permissions::from_mode(before)).expect("set");
            assert_eq!(tighten(&link, closed).ok(), Some(true));
            assert_eq!(mode(&file), after);
            assert_eq!(tighten(&file, closed).ok(), Some(false));
        }
        assert!(tighten(&directory.path().join("absent"), Closed::ToOthers).is_err());
    }
}
