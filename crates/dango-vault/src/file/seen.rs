//! The state of a file that was seen last, in `.dango/`; what it says is the keyring's.

use std::path::PathBuf;

use dango_core::Entropy;
use dango_keyring::{KeyId, KeySet, ParseSeenError, SeenState};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit};
use zeroize::Zeroizing;

use super::SealedFile;
use crate::error::VaultError;

/// What was seen last: nothing, a state, or a text that is none.
pub(crate) fn load_seen<F: SealedFile>(project: &Project, keys: &KeySet) -> Result<Result<Option<SeenState>, ParseSeenError>, VaultError> {
    let Some(text) = read::<F>(project)? else { return Ok(Ok(None)) };
    Ok(keys.file_sealer(F::PURPOSE).parse_seen(&text).map(Some))
}

/// Keeps a state, unless a later one was kept meanwhile.
pub(crate) fn keep_seen<F: SealedFile>(
    project: &Project,
    keys: &KeySet,
    seen: &SeenState,
    entropy: &dyn Entropy,
) -> Result<(), VaultError> {
    let sealer = keys.file_sealer(F::PURPOSE);
    let Ok(text) = sealer.write_seen(seen) else { return Ok(()) };
    storage::update(&path::<F>(project), entropy, |old| {
        let old = old.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let later = old.and_then(|text| sealer.parse_seen(text).ok());
        let is_outrun = later.is_some_and(|later| later.counter() > seen.counter());
        Ok(if is_outrun {
            Edit::Keep(())
        } else {
            Edit::Replace(Zeroizing::new(text.clone().into_bytes()), ())
        })
    })
    .map_err(VaultError::from)
}

/// Whether a state with encrypted values was kept, and the key of whatever was, without a key to check either with.
pub(crate) fn seen_key<F: SealedFile>(project: &Project) -> Result<Option<(bool, Option<KeyId>)>, VaultError> {
    let Some(text) = read::<F>(project)? else { return Ok(None) };
    let has_values = text.lines().any(|line| line.starts_with("value ")) || !text.ends_with('\n');
    let key = text.lines().find_map(|line| line.strip_prefix("key ")?.parse().ok());
    Ok(Some((has_values, key)))
}

fn read<F: SealedFile>(project: &Project) -> Result<Option<String>, VaultError> {
    let contents = storage::read(&path::<F>(project))?;
    Ok(contents.map(|contents| String::from_utf8_lossy(contents.bytes()).into_owned()))
}

fn path<F: SealedFile>(project: &Project) -> PathBuf {
    project.dango_dir().join(F::SEEN)
}
