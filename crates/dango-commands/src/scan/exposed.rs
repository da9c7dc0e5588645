//! One exposed value, looked for in all files, logs, what is staged and all of git's history, for `dango exposed`.

use std::path::Path;

use dango_core::SecretValue;
use dango_scan::git::{self, Within};
use dango_scan::tree::Files;
use dango_scan::{Finding, Formats, KnownValue, Scanner, Survey};

use super::{ScanArguments, Surroundings, git_failure, pipelines, real};
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// Where a value was looked for, and where it is.
pub(crate) struct Search {
    pub(crate) findings: Vec<Finding>,
    /// What was searched, in words.
    pub(crate) searched: Vec<String>,
    /// What there is not to be searched, or not for this value, with the reason.
    pub(crate) inapplicable: Vec<String>,
    /// What could not be searched, with the reason.
    pub(crate) unsearched: Vec<String>,
}

impl Search {
    /// Nothing was searched, as nothing can be.
    pub(crate) fn without(why: &str) -> Self {
        Self {
            findings: Vec::new(),
            searched: Vec::new(),
            inapplicable: vec![why.to_owned()],
            unsearched: Vec::new(),
        }
    }
}

/// Looks for a value outside of the files in which the project keeps it.
pub(crate) fn look_for(name: &str, value: SecretValue, opened: &Opened, output: &mut Output<'_>) -> Result<Search, Failure> {
    let (scanner, left_out) = Scanner::new([KnownValue::new(name.to_owned(), value)], Formats::Left);
    if left_out.0 > 0 {
        return Ok(Search::without(
            "files and history: the value is too short or too common to be told apart from other text",
        ));
    }
    let arguments = ScanArguments {
        paths: Vec::new(),
        staged: false,
        history: false,
        logs: false,
        format: None,
        formats_only: false,
        baseline: None,
        update_baseline: false,
        install_hook: false,
        uninstall_hook: false,
    };
    let places = Surroundings::find(&arguments, Some(opened), output)?;
    let mut survey = places.search_files(&scanner, &places.roots, Files::All)?;
    let mut searched = vec![format!("the files below {}", opened.project.root().display())];
    let (mut inapplicable, mut unsearched) = (Vec::new(), Vec::new());
    if let Some(folder) = pipelines(output) {
        survey.join(places.search_files(&scanner, std::slice::from_ref(&folder), Files::Logs)?);
        searched.push(format!("the logs below {}", folder.display()));
    }
    match &places.repository {
        Some(repository) => {
            let everywhere = || Within { places: &[] };
            survey.join(git::search_staged(&scanner, repository, everywhere()).map_err(|error| git_failure(&error))?);
            survey.join(git::search_history(&scanner, repository, everywhere()).map_err(|error| git_failure(&error))?);
            searched.push("what is staged, and all of git's history".to_owned());
        }
        None if has_history(opened.project.root()) => {
            unsearched.push("git's history: there is a repository, and git does not read it".to_owned());
        }
        None => inapplicable.push("git's history: there is no repository here".to_owned()),
    }
    survey.finish();
    let Survey {
        findings, unread, partly, ..
    } = survey;
    unsearched.extend(unread.into_iter().map(|(file, why)| format!("{file}: {why}")));
    unsearched.extend(partly.into_iter().map(|(file, why)| format!("{file}, in part: {why}")));
    Ok(Search {
        findings,
        searched,
        inapplicable,
        unsearched,
    })
}

/// Whether a folder is in a repository, as far as can be told without git.
fn has_history(folder: &Path) -> bool {
    let folder = real(folder);
    folder.ancestors().any(|folder| folder.join(".git").exists())
}
