//! `dango scan --install-hook` and `--uninstall-hook`: what was done, and what to do where it could not be.

use std::path::Path;

use dango_scan::git::Repository;
use dango_scan::hook::{self, Change, HookError};

use super::git_failure;
use crate::Outcome;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn install(repository: &Repository, project: &Path, output: &mut Output<'_>) -> Outcome {
    let project = super::real(project);
    let done = hook::install(repository, &project).map_err(|error| failure(&error))?;
    let hook = done.hook.display();
    match done.change {
        Change::Unchanged => output.say(format!("{hook} is there already; nothing was changed")),
        Change::Installed { after_another: true } => {
            output.say(format!(
                "{hook} searches what is staged, after the hook that was there, which is kept beside it"
            ));
        }
        _ => output.say(format!("{hook} searches what is staged before each commit")),
    }
    Ok(())
}

pub(super) fn uninstall(repository: &Repository, output: &mut Output<'_>) -> Outcome {
    let done = hook::uninstall(repository).map_err(|error| failure(&error))?;
    let hook = done.hook.display();
    match done.change {
        Change::Removed { another_is_back: true } => output.say(format!("{hook} is the hook again that was there before")),
        Change::Removed { another_is_back: false } => output.say(format!("{hook} is gone")),
        _ => output.say(format!("{hook} is not ours; nothing was changed")),
    }
    Ok(())
}

fn failure(error: &HookError) -> Failure {
    if let HookError::Git(error) = error {
        return git_failure(error);
    }
    let failure = Failure::caused_by(error).with_code(error.code());
    match error {
        HookError::Shared { .. } => {
            failure.hint("call `dango scan --staged` in the hook of that folder yourself: it ends with 3 where it finds something")
        }
        HookError::TwoOthers { before, .. } => failure.hint(format!(
            "put what both do into one file, take {} away, and do it again",
            before.display()
        )),
        _ => failure,
    }
}
