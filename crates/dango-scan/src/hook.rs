//! The pre-commit hook: git asks `dango scan --staged` before each commit, behind a hook that was there before.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::{GitError, Repository};
use crate::replaced::{Mode, ReplaceError, replace};

const NAME: &str = "pre-commit";
/// What a hook is called that was there before.
const BEFORE: &str = "pre-commit.before-dango";
/// By this line ours is known.
const MARK: &[u8] = b"# Made by `dango scan --install-hook`; `dango scan --uninstall-hook` takes it away.";

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The hook is there now.
    Installed {
        /// Whether another one was there, which now runs before ours.
        after_another: bool,
    },
    /// It was there and asks for this project already.
    Unchanged,
    /// The hook is gone.
    Removed {
        /// Whether the one that was there before is back.
        another_is_back: bool,
    },
    /// There was none of ours.
    NotThere,
}

/// The hook could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// Git did not say where it belongs.
    #[error(transparent)]
    Git(#[from] GitError),
    /// `core.hooksPath` names a folder outside of the repository, which other repositories may use, too.
    #[error("core.hooksPath names {}, which is not this repository's own", folder.display())]
    Shared {
        /// Which folder.
        folder: PathBuf,
    },
    /// Another hook came to stand in the place of ours while the one before it is still kept.
    #[error("{} is not ours, and {} is there as well", hook.display(), before.display())]
    TwoOthers {
        /// The hook that git runs.
        hook: PathBuf,
        /// The one that was kept.
        before: PathBuf,
    },
    /// A file could not be read or moved.
    #[error("cannot change {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The hook could not be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),
}

impl HookError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Git(error) => error.code(),
            Self::Shared { .. } => "hooks-shared",
            Self::TwoOthers { .. } => "hooks-two-others",
            Self::Io { .. } | Self::Write(_) => "hook-not-changed",
        }
    }
}

/// Where the hook is, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The hook's file.
    pub hook: PathBuf,
    /// What was done.
    pub change: Change,
}

/// Installs the hook; one that is there already is kept and runs first. A second time changes nothing.
///
/// # Errors
///
/// [`HookError`], before anything is changed.
pub fn install(repository: &Repository, project: &Path) -> Result<Outcome, HookError> {
    let folder = own_hooks_folder(repository)?;
    let (hook, before) = (folder.join(NAME), folder.join(BEFORE));
    let script = script(repository, &folder, project);
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| HookError::Io { path, source }
    };
    let there = contents(&hook)?;
    let is_other = there.as_ref().is_some_and(|there| !is_ours(there));
    if is_other && contents(&before)?.is_some() {
        return Err(HookError::TwoOthers { hook, before });
    }
    if there.as_deref() == Some(script.as_slice()) && is_executable(&hook) {
        return Ok(Outcome {
            hook,
            change: Change::Unchanged,
        });
    }
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    if is_other {
        fs::rename(&hook, &before).map_err(at(&hook))?;
    }
    if let Err(error) = replace(&hook, &script, Mode::Program) {
        if is_other {
            // Without ours, the other one is what git is to run.
            fs::rename(&before, &hook).map_err(at(&before))?;
        }
        return Err(error.into());
    }
    let after_another = contents(&before)?.is_some();
    Ok(Outcome {
        hook,
        change: Change::Installed { after_another },
    })
}

/// Takes the hook away and puts the one that was there before back.
///
/// # Errors
///
/// [`HookError`], before anything is changed.
pub fn uninstall(repository: &Repository) -> Result<Outcome, HookError> {
    let folder = own_hooks_folder(repository)?;
    let (hook, before) = (folder.join(NAME), folder.join(BEFORE));
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| HookError::Io { path, source }
    };
    let change = match contents(&hook)? {
        Some(there) if is_ours(&there) => {
            let another_is_back = contents(&before)?.is_some();
            match another_is_back {
                true => fs::rename(&before, &hook).map_err(at(&before))?,
                false => fs::remove_file(&hook).map_err(at(&hook))?,
            }
            Change::Removed { another_is_back }
        }
        _ => Change::NotThere,
    };
    Ok(Outcome { hook, change })
}

/// The folder of hooks, where it belongs to the repository: in git's folder or among its files.
fn own_hooks_folder(repository: &Repository) -> Result<PathBuf, HookError> {
    let folder = repository.hooks_folder()?;
    let common = repository.common_folder()?;
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let is_own = [Some(common.as_path()), repository.top()]
        .into_iter()
        .flatten()
        .any(|home| real(&folder).starts_with(real(home)));
    if is_own { Ok(folder) } else { Err(HookError::Shared { folder }) }
}

/// What the hook does. It runs at the top of the working tree that is committed from, with git's variables set.
///
/// A hook among the files of the repository is other people's, too, so it names the project from the top; one in git's folder serves other
/// working trees, in which the project's values are not, so it names where they are.
fn script(repository: &Repository, folder: &Path, project: &Path) -> Vec<u8> {
    let is_among_files = repository.top().is_some_and(|top| folder.starts_with(top)) && !folder.starts_with(repository.git_folder());
    let named = match repository.top().and_then(|top| project.strip_prefix(top).ok()) {
        Some(below) if is_among_files => Path::new(".").join(below),
        _ => project.to_path_buf(),
    };
    let mut script = b"#!/bin/sh\n".to_vec();
    script.extend_from_slice(MARK);
    script.extend_from_slice(b"\nproject=");
    script.extend(quoted(named.as_os_str().as_bytes()));
    script.extend_from_slice(
        br#"
before=$(dirname "$0")/pre-commit.before-dango
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi
if ! command -v dango >/dev/null 2>&1; then
    echo 'error: dango is not on the PATH, so what is staged was not searched for secrets' >&2
    echo 'hint: `git commit --no-verify` commits all the same' >&2
    exit 1
fi
if [ -d "$project" ]; then
    dango --project "$project" scan --staged
else
    dango scan --staged
fi
status=$?
if [ "$status" -eq 3 ]; then
    echo 'error: the commit was stopped: what is staged holds secrets' >&2
    echo 'hint: take them out, or accept the findings with `dango scan --staged --update-baseline`' >&2
fi
exit "$status"
"#,
    );
    script
}

/// A word of a POSIX shell, whatever it holds.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in text {
        match byte {
            b'\'' => word.extend_from_slice(br"'\''"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

fn contents(path: &Path) -> Result<Option<Vec<u8>>, HookError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HookError::Io {
            path: path.to_path_buf(),
            source,
        }),
    }
}

fn is_ours(script: &[u8]) -> bool {
    script.split(|byte| *byte == b'\n').any(|line| line == MARK)
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
