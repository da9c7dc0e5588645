//! Where the workspace is. What is in it is read elsewhere.

use std::path::{Path, PathBuf};

use crate::step::Failure;

/// Finds the workspace's root, from the package that cargo runs or else from the working directory.
///
/// # Errors
///
/// When no parent holds `xtask/Cargo.toml`.
pub fn root() -> Result<PathBuf, Failure> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => PathBuf::from(package),
        None => std::env::current_dir().map_err(|error| Failure::new(format!("cannot tell the working directory: {error}")))?,
    };
    above(&start).ok_or_else(|| {
        Failure::new(format!(
            "{} is in no checkout of this workspace: no parent holds xtask/Cargo.toml",
            start.display()
        ))
    })
}

/// The program that runs cargo: the one that started us, so that one toolchain does all.
#[must_use]
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file())
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_a_package_deep_inside() {
        let root = root().expect("the tests run in the workspace");
        assert_eq!(above(&root.join("crates/dango-core/src")).as_deref(), Some(root.as_path()));
    }

    #[test]
    fn outside_any_checkout_there_is_no_root() {
        assert_eq!(above(Path::new("/")), None);
    }
}
