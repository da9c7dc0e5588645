//! The other places of a value that is replaced: told, or replaced with it.

use dango_rotation::{Change, Located, copies, plain_text};
use dango_sources::FieldKind;

use super::taking::{ReadFiles, spelled};
use crate::failure::Failure;
use crate::output::Output;

/// Tells where else a value that goes is stored, and takes these places in where that is wanted.
pub(super) fn with_copies(
    changes: Vec<Change>,
    secrets_from: usize,
    wanted: bool,
    files: &ReadFiles,
    output: &mut Output<'_>,
) -> Result<Vec<Change>, Failure> {
    let mut all = changes;
    let mut others = Vec::new();
    for change in all.clone().into_iter().skip(secrets_from) {
        for copy in copies_of(&change, files, output) {
            if all.iter().any(|change| change.place == copy.place) {
                continue;
            }
            others.push(copy.place.to_string());
            if wanted {
                all.push(copy);
            }
        }
    }
    if !others.is_empty() {
        match wanted {
            true => output.say(format!("the same value is replaced in {}", others.join(", "))),
            false => {
                output.warn(format!("the same value is stored in {}, too, and stays there", others.join(", ")));
                output.hint("`--copies` replaces it there as well");
            }
        }
    }
    Ok(all)
}

/// The other places of the value that a change takes away, each as a change of its own.
pub(crate) fn copies_of(change: &Change, files: &ReadFiles, output: &Output<'_>) -> Vec<Change> {
    let located = Located {
        place: change.place.clone(),
        value: change.old.clone(),
    };
    let new = change.new.as_ref().and_then(|new| {
        plain_text(&Located {
            place: change.place.clone(),
            value: new.clone(),
        })
    });
    let found = files.with(output, |files| copies(&located, files));
    let copied = found.into_iter().map(|copy| Change {
        new: new.as_ref().and_then(|new| spelled(&copy.place, new, FieldKind::String).ok()),
        place: copy.place,
        old: copy.value,
        refused: None,
    });
    copied.collect()
}
