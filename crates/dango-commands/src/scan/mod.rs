//! `dango scan`: the project's own values and well-known token formats, looked for where they must not be. What is looked for, and how, is `dango-scan`'s.

mod exposed;
mod hook;
mod report;
mod values;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dango_scan::git::{self, GitError, Repository, Within};
use dango_scan::tree::{self, Files, Tree};
use dango_scan::{Baseline, DEFAULT_BASELINE, Formats, KnownValue, Scanner, Survey};

use crate::Outcome;
use crate::arguments::Global;
use crate::database::is_moved;
use crate::failure::Failure;
use crate::opened::{Opened, find_project};
use crate::output::Output;
pub(crate) use exposed::{Search, look_for};

#[derive(Args, Debug)]
pub(crate) struct ScanArguments {
    /// Files and folders to search; with --staged and --history, what they are kept to [default: the whole project]
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// Search what is staged for the next commit instead of the files
    #[arg(long)]
    staged: bool,
    /// Search everything that git has ever kept, instead of the files
    #[arg(long)]
    history: bool,
    /// Search logs, those that git ignores and those of dlt's pipelines included, instead of all files
    #[arg(long)]
    logs: bool,
    /// How findings are printed [default: text, or json with --json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Look for token formats alone: no value of the project is read, and no key is needed
    #[arg(long)]
    formats_only: bool,
    /// The file of accepted findings [default: .dango-scan-baseline.json at the top of the repository or project]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Accept what is found: it is written into the baseline and not told again
    #[arg(long)]
    update_baseline: bool,
    /// Add a git pre-commit hook that searches what is staged; a hook that is there runs before it
    #[arg(long, conflicts_with_all = ["paths", "staged", "history", "logs", "format", "formats_only", "baseline", "update_baseline", "uninstall_hook"])]
    install_hook: bool,
    /// Take that hook away, and put back the one that was there before
    #[arg(long, conflicts_with_all = ["paths", "staged", "history", "logs", "format", "formats_only", "baseline", "update_baseline"])]
    uninstall_hook: bool,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each.
    Text,
    /// An array of objects.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

pub(crate) fn run(arguments: &ScanArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    if arguments.install_hook || arguments.uninstall_hook {
        let project = find_project(global, output.host)?;
        let repository = Repository::find(project.root(), &output.host.environment).map_err(|error| git_failure(&error))?;
        return match arguments.install_hook {
            true => hook::install(&repository, project.root(), output),
            false => hook::uninstall(&repository, output),
        };
    }
    let project = project(arguments, global, output)?;
    let values = match &project {
        Some(opened) if !arguments.formats_only => of_project(opened, output)?,
        _ => Vec::new(),
    };
    let (scanner, left_out) = Scanner::new(values, Formats::Sought);
    let surroundings = Surroundings::find(arguments, project.as_ref(), output)?;
    let baseline_file = match &arguments.baseline {
        Some(file) => output.host.directory.join(file),
        None => surroundings.base.join(DEFAULT_BASELINE),
    };
    let baseline = Baseline::read(&baseline_file).map_err(|error| Failure::caused_by(&error).with_code(error.code()))?;
    if baseline.is_none() && arguments.baseline.is_some() && !arguments.update_baseline {
        return Err(
            Failure::refused(format!("there is no {}", baseline_file.display())).hint("`--update-baseline` makes one of what is found")
        );
    }
    let mut survey = surroundings.search(arguments, &scanner, output)?;
    let mut baseline = baseline.unwrap_or_default();
    if arguments.update_baseline {
        let new = baseline.accept(&survey.findings);
        if new > 0 {
            baseline.write(&baseline_file).map_err(|error| Failure::caused_by(&error))?;
        }
        output.say(format!(
            "{}: {} accepted",
            baseline_file.display(),
            report::count(new, "finding", "findings")
        ));
    }
    let accepted = baseline.sift(&mut survey.findings);
    let format = arguments.format.unwrap_or(if output.json { Format::Json } else { Format::Text });
    report::print(format, &survey, output)?;
    report::conclude(&survey, accepted, left_out.0, output)
}

/// What the project stores; nothing where that is in a database, which no search waits for.
fn of_project(opened: &Opened, output: &mut Output<'_>) -> Result<Vec<KnownValue>, Failure> {
    if !is_moved(&opened.project)? {
        return values::stored(opened, output);
    }
    output.warn("the project's values are kept in the database of its server, so token formats alone are looked for");
    Ok(Vec::new())
}

/// The project, where there is one: without it token formats can be looked for all the same.
fn project(arguments: &ScanArguments, global: &Global, output: &mut Output<'_>) -> Result<Option<Opened>, Failure> {
    match find_project(global, output.host) {
        Ok(project) => Opened::at(project, output.host).map(Some),
        Err(failure) if global.project.is_some() => Err(failure),
        Err(_) => {
            if !arguments.formats_only {
                output.warn(format!(
                    "{} is not in a Dango project, so token formats alone are looked for",
                    output.host.directory.display()
                ));
            }
            Ok(None)
        }
    }
}

/// Where is searched, and how it is named.
struct Surroundings {
    roots: Vec<PathBuf>,
    /// Whether somebody named the roots.
    is_named: bool,
    project: Option<PathBuf>,
    repository: Option<Repository>,
    /// The folder that names are told from.
    base: PathBuf,
}

impl Surroundings {
    fn find(arguments: &ScanArguments, project: Option<&Opened>, output: &mut Output<'_>) -> Result<Self, Failure> {
        let directory = real(&output.host.directory);
        let project = project.map(|opened| real(opened.project.root()));
        let named: Vec<PathBuf> = arguments.paths.iter().map(|path| real(&directory.join(path))).collect();
        // In a hook git says which repository it is, and for which index.
        let is_in_hook = ["GIT_DIR", "GIT_INDEX_FILE"]
            .iter()
            .any(|name| output.host.path_variable(name).is_some());
        let first = named.first().map(|path| folder_of(path));
        let folder = match is_in_hook {
            true => directory.clone(),
            false => first.or_else(|| project.clone()).unwrap_or_else(|| directory.clone()),
        };
        let needs_git = arguments.staged || arguments.history;
        let repository = match Repository::find(&folder, &output.host.environment) {
            Ok(repository) => Some(repository),
            Err(error) if needs_git => return Err(git_failure(&error)),
            Err(GitError::NotARepository { .. } | GitError::Missing) => None,
            Err(error @ GitError::ForeignOwner { .. }) => {
                output.warn(&error);
                None
            }
            Err(error) => return Err(git_failure(&error)),
        };
        let top = repository.as_ref().and_then(|repository| repository.top()).map(real);
        let base = top.or_else(|| project.clone()).unwrap_or_else(|| directory.clone());
        let is_named = !named.is_empty();
        let roots = match is_named {
            true => named,
            false => vec![project.clone().unwrap_or(directory)],
        };
        Ok(Self {
            roots,
            is_named,
            project,
            repository,
            base,
        })
    }

    fn search(&self, arguments: &ScanArguments, scanner: &Scanner, output: &mut Output<'_>) -> Result<Survey, Failure> {
        let mut survey = Survey::default();
        if !(arguments.staged || arguments.history || arguments.logs) {
            survey.join(self.search_files(scanner, &self.roots, Files::All)?);
        }
        if arguments.logs {
            let mut roots = self.roots.clone();
            if !self.is_named {
                roots.extend(pipelines(output));
            }
            survey.join(self.search_files(scanner, &roots, Files::Logs)?);
        }
        if let Some(repository) = &self.repository {
            let places: &[PathBuf] = if self.is_named { &self.roots } else { &[] };
            if arguments.staged {
                survey.join(git::search_staged(scanner, repository, Within { places }).map_err(|error| git_failure(&error))?);
            }
            if arguments.history {
                survey.join(git::search_history(scanner, repository, Within { places }).map_err(|error| git_failure(&error))?);
            }
        }
        survey.finish();
        Ok(survey)
    }

    fn search_files(&self, scanner: &Scanner, roots: &[PathBuf], files: Files) -> Result<Survey, Failure> {
        let stores = self.project.as_deref().map(values::places).unwrap_or_default();
        let tree = Tree {
            roots,
            files,
            base: &self.base,
            stores: &stores,
            repository: self.repository.as_ref(),
        };
        tree::search(scanner, &tree).map_err(|error| git_failure(&error))
    }
}

/// The folder in which dlt keeps what it knows of its runs, where there is one.
fn pipelines(output: &Output<'_>) -> Option<PathBuf> {
    let data = output.host.path_variable("DLT_DATA_DIR");
    let folder = data.or_else(|| output.host.home().map(|home| home.join(".dlt")))?.join("pipelines");
    folder.is_dir().then(|| real(&folder))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.is_dir() {
        true => path.to_path_buf(),
        false => path.parent().unwrap_or(path).to_path_buf(),
    }
}

/// A path as git tells it: without links. One that is not there stays as it is.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Why git could not be asked, with what to do.
fn git_failure(error: &GitError) -> Failure {
    let failure = Failure::caused_by(error).with_code(error.code());
    match error {
        GitError::Missing => failure.hint("install git; files are searched without it by `dango scan`"),
        GitError::NotARepository { .. } => failure.hint("files are searched without a repository by `dango scan`"),
        GitError::ForeignOwner { folder } => failure.hint(format!(
            "if you trust it: `git config --global --add safe.directory {}`",
            folder.display()
        )),
        _ => failure.hint("the search is not complete; `git fsck` says whether the repository is damaged"),
    }
}
