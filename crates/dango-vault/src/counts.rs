//! How often each key has sealed, in `.dango/seals`: one line a key, added to before anything that was sealed is written.

use dango_core::Entropy;
use dango_keyring::{KeyId, SealCount};
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_secrets::storage::Edit;
use zeroize::Zeroizing;

use crate::error::VaultError;

/// Behind the count of a key that rotation has replaced.
const RETIRED: &str = ":retired";

/// One line of the file.
struct Line {
    count: SealCount,
    is_retired: bool,
}

/// How often a key has sealed, in files of this project.
///
/// # Errors
///
/// [`VaultError::Read`], and [`VaultError::Counts`] where the file is damaged.
pub fn count_of(project: &Project, id: KeyId) -> Result<SealCount, VaultError> {
    let contents = project.read(SharedFile::Seals)?;
    let lines = parse(project, contents.as_ref().map_or(&[], |contents| contents.bytes()))?;
    let found = lines.iter().find(|line| line.count.key_id() == id);
    Ok(found.map_or(SealCount::start(id), |line| line.count))
}

/// Lets a key seal again that rotation has replaced: for a backup that is brought back on purpose.
///
/// # Errors
///
/// [`VaultError::Read`], [`VaultError::Write`] and [`VaultError::Counts`].
pub fn readmit(project: &Project, id: KeyId, entropy: &dyn Entropy) -> Result<(), VaultError> {
    mark(project, &[id], false, entropy)
}

/// Adds to the count of a key.
///
/// # Errors
///
/// [`VaultError::Exhausted`] where the key would have sealed too much, [`VaultError::Retired`] where another process
/// has rotated meanwhile: what was sealed must not be written then.
pub(crate) fn add(project: &Project, sealed: SealCount, entropy: &dyn Entropy) -> Result<(), VaultError> {
    if sealed.seals() == 0 {
        return Ok(());
    }
    let id = sealed.key_id();
    change(project, entropy, |lines| {
        let line = line_of(lines, id);
        if line.is_retired {
            return Err(VaultError::Retired { id });
        }
        let after = line
            .count
            .seals()
            .checked_add(sealed.seals())
            .filter(|after| *after <= SealCount::MOST);
        let after = after.ok_or(VaultError::Exhausted { id })?;
        line.count = format!("{id}:{after}").parse().map_err(|_| VaultError::Exhausted { id })?;
        Ok(())
    })
}

/// Notes that keys have been replaced: nothing more that is sealed with them may be written.
pub(crate) fn retire(project: &Project, ids: &[KeyId], entropy: &dyn Entropy) -> Result<(), VaultError> {
    mark(project, ids, true, entropy)
}

fn mark(project: &Project, ids: &[KeyId], is_retired: bool, entropy: &dyn Entropy) -> Result<(), VaultError> {
    change(project, entropy, |lines| {
        for &id in ids {
            line_of(lines, id).is_retired = is_retired;
        }
        Ok(())
    })
}

fn change(
    project: &Project,
    entropy: &dyn Entropy,
    mut edit: impl FnMut(&mut Vec<Line>) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    project
        .update(SharedFile::Seals, entropy, |old| {
            let mut lines = parse(project, old.unwrap_or_default())?;
            edit(&mut lines)?;
            let text = |line: &Line| format!("{}{}\n", line.count, if line.is_retired { RETIRED } else { "" });
            let text: String = lines.iter().map(text).collect();
            Ok(Edit::Replace(Zeroizing::new(text.into_bytes()), ()))
        })
        .map_err(VaultError::from)
}

/// The line of a key, made where there is none.
fn line_of(lines: &mut Vec<Line>, id: KeyId) -> &mut Line {
    let at = lines.iter().position(|line| line.count.key_id() == id).unwrap_or_else(|| {
        lines.push(Line {
            count: SealCount::start(id),
            is_retired: false,
        });
        lines.len() - 1
    });
    &mut lines[at]
}

fn parse(project: &Project, bytes: &[u8]) -> Result<Vec<Line>, VaultError> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            let count = line.strip_suffix(RETIRED);
            let parsed = count.unwrap_or(line).parse();
            parsed
                .map(|parsed| Line {
                    count: parsed,
                    is_retired: count.is_some(),
                })
                .map_err(|_| VaultError::Counts {
                    path: project.path(SharedFile::Seals).display().to_string(),
                    line: index + 1,
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn counts_only_grow_and_end_at_the_most_of_one_key() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let count = |text: &str| -> SealCount { text.parse().expect("a count") };
        let one = count("0123456789abcdef:3");
        let other = count("fedcba9876543210:1");
        for sealed in [one, other, one] {
            add(&project, sealed, &OsEntropy).expect("fits");
        }
        assert_eq!(count_of(&project, one.key_id()).map(|count| count.seals()).ok(), Some(6));
        assert_eq!(count_of(&project, other.key_id()).map(|count| count.seals()).ok(), Some(1));
        let rest = count(&format!("0123456789abcdef:{}", SealCount::MOST - 6));
        add(&project, rest, &OsEntropy).expect("the last one");
        let error = add(&project, other, &OsEntropy).and_then(|()| add(&project, one, &OsEntropy));
        assert_eq!(error.err().map(|error| error.code()), Some("key-exhausted"));
        assert_eq!(
            count_of(&project, one.key_id()).map(|count| count.seals()).ok(),
            Some(SealCount::MOST)
        );
    }

    #[test]
    fn a_key_that_was_replaced_seals_nothing_more_until_it_is_brought_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        let sealed: SealCount = "0123456789abcdef:3".parse().expect("a count");
        add(&project, sealed, &OsEntropy).expect("fits");
        retire(&project, &[sealed.key_id()], &OsEntropy).expect("written");
        let refused = add(&project, sealed, &OsEntropy).err().map(|error| error.code());
        assert_eq!(refused, Some("key-retired"));
        readmit(&project, sealed.key_id(), &OsEntropy).expect("written");
        add(&project, sealed, &OsEntropy).expect("fits");
        assert_eq!(count_of(&project, sealed.key_id()).map(|count| count.seals()).ok(), Some(6));
    }
}
