//! What TOML allows and dlt's parser (tomlkit) refuses or reads differently, found in a tree that was built.

use super::error::DocumentError;
use super::tree::Tree;

pub(super) fn check(_text: &str, _tree: &Tree) -> Result<(), DocumentError> {
    Ok(())
}
