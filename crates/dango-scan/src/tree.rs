//! Files on disk: which of them are searched, and for what. What git keeps of them is searched in [`git`](crate::git).

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::content;
use crate::git::{GitError, Repository};
use crate::scanner::{Scanner, Scratch, Sought};
use crate::survey::{Name, Survey, name_below};
use crate::workers::spread;

/// Which files are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// All of them.
    All,
    /// Logs: `*.log`, `*.log.1`, `*.out`, `*.err`, packed ones too, and everything in a folder called `log` or `logs`.
    Logs,
}

/// What is searched, and how it is named.
pub struct Tree<'a> {
    /// Folders and files; a link that is named here is followed.
    pub roots: &'a [PathBuf],
    /// Which of the files in them.
    pub files: Files,
    /// The folder that names are told from.
    pub base: &'a Path,
    /// Where the project keeps its values: files and folders that are passed over, unless git tracks what is there.
    pub stores: &'a [PathBuf],
    /// The repository around the roots.
    pub repository: Option<&'a Repository>,
}

/// Searches files, on all cores.
///
/// Symbolic links are not followed, and nothing but regular files is read. In files that git ignores the project's own values are looked for,
/// and no token formats; folders of other people's programs (`node_modules`, Python environments, caches that say so) are left out where git
/// ignores them, and where there is no git. A root that is named is searched for everything. `.git` is not part of the tree.
///
/// # Errors
///
/// [`GitError`] where git does not say what it ignores and tracks. What cannot be read is counted in the survey.
pub fn search(scanner: &Scanner, tree: &Tree<'_>) -> Result<Survey, GitError> {
    let mut walk = Walk::new(scanner, tree)?;
    for (number, root) in tree.roots.iter().enumerate() {
        walk.root = number;
        walk.begin(root);
    }
    let Walk { files, mut survey, .. } = walk;
    let parts = spread(&files, Scratch::default, |scratch, file| {
        let mut survey = Survey::default();
        search_file(scanner, tree, file, scratch, &mut survey);
        survey
    });
    parts.into_iter().for_each(|part| survey.join(part));
    survey.finish();
    Ok(survey)
}

struct Chosen {
    path: PathBuf,
    /// The number of the root that it was found below.
    root: usize,
    sought: Sought,
    is_root: bool,
}

fn search_file(scanner: &Scanner, tree: &Tree<'_>, file: &Chosen, scratch: &mut Scratch, survey: &mut Survey) {
    let name = name_below(tree.base, &file.path);
    // The folders around a whole search say nothing about what is in it.
    let below_root = name_below(&tree.roots[file.root], &file.path);
    let opened = open(&file.path, file.is_root);
    match opened.and_then(|opened| {
        opened
            .map(|opened| content::search(scanner, opened, file.sought, scratch))
            .transpose()
    }) {
        Ok(Some(searched)) => survey.add_file(scanner, Name::New(&name), &below_root, searched),
        // It became something else since it was listed.
        Ok(None) => {}
        // It is gone since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.is_root => {}
        Err(error) => survey.add_unread(scanner, &name, error),
    }
}

/// Opens a regular file; neither a link nor a pipe in its place is waited for.
fn open(path: &Path, is_root: bool) -> io::Result<Option<File>> {
    let mut flags = OFlags::NONBLOCK;
    if !is_root {
        flags |= OFlags::NOFOLLOW;
    }
    let flags = i32::try_from(flags.bits()).map_err(|_| io::ErrorKind::Unsupported)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Collects the files.
struct Walk<'a> {
    tree: &'a Tree<'a>,
    scanner: &'a Scanner,
    /// Files and folders that git ignores.
    ignored: HashSet<PathBuf>,
    /// Files that git tracks in the project's stores.
    tracked: HashSet<PathBuf>,
    seen: HashSet<PathBuf>,
    /// The number of the root that is walked.
    root: usize,
    files: Vec<Chosen>,
    survey: Survey,
}

impl<'a> Walk<'a> {
    fn new(scanner: &'a Scanner, tree: &'a Tree<'a>) -> Result<Self, GitError> {
        let (mut ignored, mut tracked) = (HashSet::new(), HashSet::new());
        if let Some(repository) = tree.repository {
            ignored = repository.ignored()?.into_iter().collect();
            if !tree.stores.is_empty() {
                tracked = repository.tracked(tree.stores)?.into_iter().collect();
            }
        }
        Ok(Self {
            tree,
            scanner,
            ignored,
            tracked,
            seen: HashSet::new(),
            root: 0,
            files: Vec::new(),
            survey: Survey::default(),
        })
    }

    fn begin(&mut self, root: &Path) {
        let kind = fs::metadata(root).map(|facts| facts.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => self.folder(root, Sought::Everything),
            Ok(kind) if kind.is_file() => self.choose(root.to_path_buf(), Sought::Everything, true),
            Ok(_) => self
                .survey
                .add_unread(self.scanner, &name_below(self.tree.base, root), "it is no file and no folder"),
            Err(error) => self.survey.add_unread(self.scanner, &name_below(self.tree.base, root), error),
        }
    }

    fn folder(&mut self, folder: &Path, sought: Sought) {
        // Without recursion: how deep folders are is not ours to say.
        let mut waiting = vec![(folder.to_path_buf(), sought)];
        while let Some((folder, sought)) = waiting.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.survey.add_unread(self.scanner, &name_below(self.tree.base, &folder), error);
                    continue;
                }
            };
            for entry in entries {
                match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                    Ok((path, kind)) => self.entry(path, kind, sought, &mut waiting),
                    Err(error) => self.survey.add_unread(self.scanner, &name_below(self.tree.base, &folder), error),
                }
            }
        }
    }

    fn entry(&mut self, path: PathBuf, kind: FileType, sought: Sought, waiting: &mut Vec<(PathBuf, Sought)>) {
        let sought = match self.ignored.contains(&path) {
            true => Sought::KnownValues,
            false => sought,
        };
        if kind.is_file() {
            self.choose(path, sought, false);
        } else if kind.is_dir() && path.file_name() != Some(OsStr::new(".git")) && !self.is_store_without_tracked(&path) {
            let is_kept = self.tree.repository.is_some() && sought == Sought::Everything;
            if !is_kept && is_of_others(&path) {
                self.survey.left_out.push(name_below(self.tree.base, &path));
            } else {
                waiting.push((path, sought));
            }
        }
    }

    fn is_store_without_tracked(&self, folder: &Path) -> bool {
        self.tree.files == Files::All
            && self.tree.stores.iter().any(|store| store == folder)
            && !self.tracked.iter().any(|file| file.starts_with(folder))
    }

    fn choose(&mut self, path: PathBuf, sought: Sought, is_root: bool) {
        let is_stored = self.tree.stores.iter().any(|store| path.starts_with(store)) && !self.tracked.contains(&path);
        let is_log = self.tree.files == Files::Logs;
        // Logs stand among a project's own files, but its values do not.
        let is_passed_over = is_stored && !(is_log && is_log_name(&path));
        let is_wanted = !is_log || is_root || is_log_name(&path);
        if !is_passed_over && is_wanted && self.seen.insert(path.clone()) {
            let root = self.root;
            self.files.push(Chosen {
                path,
                root,
                sought,
                is_root,
            });
        }
    }
}

/// A folder that holds programs and data of others: packages of Node and Python, and caches that say that they are (bford.info/cachedir).
fn is_of_others(folder: &Path) -> bool {
    let is_named = folder
        .file_name()
        .is_some_and(|name| name == "node_modules" || name == "__pycache__" || name == "site-packages");
    is_named
        || ["pyvenv.cfg", "CACHEDIR.TAG"]
            .iter()
            .any(|mark| folder.join(mark).symlink_metadata().is_ok_and(|facts| facts.is_file()))
}

fn is_log_name(path: &Path) -> bool {
    let is_folder = |part: &OsStr| part == "log" || part == "logs";
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let is_ending = |part: &str| matches!(part, "log" | "out" | "err" | "trace");
    // `app.log.2.gz`, `app-2026.log`, `trace.pickle`
    name.split('.').skip(1).any(is_ending) || name == "trace.pickle" || path.parent().is_some_and(|folder| folder.iter().any(is_folder))
}

#[cfg(test)]
mod tests;
