//! A file taken away for good, under the lock that its writers take.

use std::convert::Infallible;
use std::path::Path;

use dango_core::Entropy;

use super::error::{UpdateError, WriteError};
use super::place::Place;
use super::update::Update;

/// Removes a file; answers whether there was one. A symbolic link stays, its target goes.
///
/// # Errors
///
/// [`UpdateError::Read`] and [`UpdateError::Write`]; the file is then still there, but for [`WriteError::NotDurable`].
///
/// # Security
///
/// The name goes; what the disk held of the contents is overwritten only when the file system needs the room.
pub fn remove(path: &Path, entropy: &dyn Entropy) -> Result<bool, UpdateError<Infallible>> {
    let place = Place::resolve(path)?;
    let Some(directory) = place.open()? else { return Ok(false) };
    let _lock = Update::new(path, entropy).lock(&place, &directory)?;
    let failed = |source| WriteError::new(&place.path(), source);
    if directory.state(&place.name).map_err(failed)?.is_none() {
        return Ok(false);
    }
    directory.remove(&place.name).map_err(failed)?;
    directory.sync().map_err(|source| WriteError::NotDurable {
        path: place.path(),
        source,
    })?;
    Ok(true)
}
