//! Changes of files as the audit log tells them: the intent before, the outcome after; what cannot be recorded is not done.

use dango_actions::{BeginChangesError, ChangeDraft, Ending};
use dango_audit::Word;

use crate::failure::{Failure, chain};
use crate::house::{caller, denied, fault, wait};
use crate::opened::Opened;
use crate::output::Output;

pub(crate) use dango_actions::drafts::{credential, file, key, project, remote, set_ending, source, variable};

/// Makes a change between its intent and its outcome.
///
/// `endings` says, from what the change answered, how each of the drafts ended. A change that fails ended so for all of them.
pub(crate) fn recorded<T>(
    opened: &Opened,
    drafts: Vec<ChangeDraft>,
    output: &mut Output<'_>,
    change: impl FnOnce(&mut Output<'_>) -> Result<T, Failure>,
    endings: impl FnOnce(&T) -> Vec<Ending>,
) -> Result<T, Failure> {
    let house = opened.house();
    let actions = house.actions(output)?;
    let count = drafts.len();
    let begun = wait(actions.begin_changes(&caller(output.host), drafts));
    let pending = begun.map_err(|error| house.named(not_begun(&error)))?;
    let done = change(output);
    let endings = match &done {
        Ok(done) => endings(done),
        Err(failure) => vec![Ending::failed(Word::new(failure.code)); count],
    };
    let finished = wait(actions.finish_each_change(pending, endings));
    house.keep_checkpoint(output);
    match (done, finished) {
        (Ok(_), Err(error)) => Err(Failure::refused(format!("the change was made, but {}", chain(&error)))),
        (done, _) => done,
    }
}

/// A change that is recorded as done when it was.
pub(crate) fn all_done<T>(count: usize) -> impl FnOnce(&T) -> Vec<Ending> {
    move |_| vec![Ending::done(); count]
}

/// A number of values, for a record.
pub(crate) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn not_begun(error: &BeginChangesError) -> Failure {
    match error {
        BeginChangesError::Denied(error) => denied(error),
        BeginChangesError::Unrecorded(error) => fault(error),
        error => Failure::caused_by(error),
    }
}
