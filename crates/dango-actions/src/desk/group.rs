//! The one thread that changes files: intents of all that wait, one save, outcomes of all. It knows nobody's permission and no file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use dango_secrets::SetOutcome;
use futures_channel::oneshot;
use futures_util::future::{join, join_all};

use super::error::ChangeVariableError;
use super::files::{FilesError, ProjectFiles, VariableChange, VariableChanged};
use crate::actions::Actions;
use crate::caller::Caller;
use crate::drafts;
use crate::recording::{ChangeDraft, Ending, Pending};

/// The most changes that are made together.
const GROUP: usize = 64;

/// A change that waits for its turn.
pub(super) struct Request {
    pub(super) caller: Caller,
    pub(super) draft: ChangeDraft,
    pub(super) change: VariableChange,
    pub(super) answer: Answer,
}

type Answer = oneshot::Sender<Result<VariableChanged, ChangeVariableError>>;

/// A change whose intent is recorded.
struct Begun {
    pending: Pending,
    answer: Answer,
}

/// A change that was made or refused; how, is still to be recorded.
struct Ended {
    begun: Begun,
    result: Result<VariableChanged, FilesError>,
}

/// Serves until nobody can send any more and everything is done.
pub(super) fn serve(actions: &Actions, files: &dyn ProjectFiles, requests: &Receiver<Request>) {
    let mut ended = Vec::new();
    loop {
        let waiting = take(requests, &ended);
        if waiting.is_empty() && ended.is_empty() {
            return;
        }
        // The outcomes of one group and the intents of the next are on the disk with one wait for it.
        let (begun, ()) = pollster::block_on(join(begin(actions, waiting), finish(actions, ended)));
        ended = change(files, begun);
    }
}

/// All that waits; where there is nothing else to do, it waits for the first.
fn take(requests: &Receiver<Request>, ended: &[Ended]) -> Vec<Request> {
    let first = if ended.is_empty() {
        requests.recv().ok()
    } else {
        requests.try_recv().ok()
    };
    let mut waiting: Vec<Request> = first.into_iter().collect();
    while !waiting.is_empty() && waiting.len() < GROUP {
        match requests.try_recv() {
            Ok(request) => waiting.push(request),
            Err(_) => break,
        }
    }
    waiting
}

/// Records the intents, each by itself, as each has a caller of its own; whoever's cannot be recorded is answered at once.
async fn begin(actions: &Actions, waiting: Vec<Request>) -> Vec<(VariableChange, Begun)> {
    let begun = join_all(waiting.into_iter().map(|request| async move {
        let Request {
            caller,
            draft,
            change,
            answer,
        } = request;
        match actions.begin_changes(&caller, vec![draft]).await {
            Ok(pending) => Some((change, Begun { pending, answer })),
            Err(error) => {
                // Whoever asked may have gone.
                let _ = answer.send(Err(error.into()));
                None
            }
        }
    }));
    begun.await.into_iter().flatten().collect()
}

/// Makes the changes. One that the files gave no answer to, because the work broke off, keeps its intent open: nobody knows.
fn change(files: &dyn ProjectFiles, begun: Vec<(VariableChange, Begun)>) -> Vec<Ended> {
    if begun.is_empty() {
        return Vec::new();
    }
    let (changes, begun): (Vec<_>, Vec<_>) = begun.into_iter().unzip();
    let made = catch_unwind(AssertUnwindSafe(|| files.change(&changes))).unwrap_or_default();
    drop(changes);
    // An answer that is dropped says so: `Interrupted`.
    let ended = begun.into_iter().zip(made);
    ended.map(|(begun, result)| Ended { begun, result }).collect()
}

/// Records the outcomes and answers.
async fn finish(actions: &Actions, ended: Vec<Ended>) {
    let finished = ended.into_iter().map(|Ended { begun, result }| async move {
        let recorded = actions.finish_each_change(begun.pending, vec![ending(&result)]).await;
        let answer = match (result, recorded) {
            (Ok(_), Err(error)) => Err(ChangeVariableError::OutcomeUnrecorded(error)),
            (result, _) => result.map_err(ChangeVariableError::from),
        };
        // Whoever asked may have gone.
        let _ = begun.answer.send(answer);
    });
    join_all(finished).await;
}

fn ending(result: &Result<VariableChanged, FilesError>) -> Ending {
    match result {
        Ok(VariableChanged::Set { outcome, encrypted }) => drafts::set_ending(action(*outcome), *encrypted),
        Ok(VariableChanged::Deleted) => Ending::done(),
        Err(error) => Ending::failed(error.word()),
    }
}

const fn action(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Created => "created",
        SetOutcome::Replaced => "updated",
        SetOutcome::Unchanged => "unchanged",
    }
}
