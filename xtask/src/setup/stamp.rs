//! The note that says what was installed into a folder: the wanted versions word for word, written last, so a broken installation is never taken for a whole one.

use std::fs;
use std::path::Path;

use crate::step::Failure;

const NAME: &str = "installed-for";

/// Says whether the folder was completely installed for exactly these wishes.
pub(super) fn matches(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(NAME)).is_ok_and(|installed| installed == wanted)
}

/// Empties the folder for a new installation.
pub(super) fn clear(folder: &Path) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot empty {}: {error}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(cannot)?;
    }
    fs::create_dir_all(folder).map_err(cannot)
}

/// Notes that the folder is completely installed for these wishes.
pub(super) fn write(folder: &Path, wanted: &str) -> Result<(), Failure> {
    let path = folder.join(NAME);
    fs::write(&path, wanted).map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_wish_and_a_cleared_folder_ask_for_a_new_installation() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        clear(&folder).expect("a folder of our own");
        assert!(!matches(&folder, "dlt==1"));
        write(&folder, "dlt==1").expect("a folder of our own");
        assert!(matches(&folder, "dlt==1"));
        assert!(!matches(&folder, "dlt==2"));
        clear(&folder).expect("a folder of our own");
        assert!(!matches(&folder, "dlt==1"));
        fs::remove_dir_all(&folder).expect("a folder of our own");
    }
}
