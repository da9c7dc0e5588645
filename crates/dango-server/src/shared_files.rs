//! Where the values of a server's project are: in files beside it, or in rows of the database, which all servers share. What a row is, is the vault's.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dango_actions::{FilesError, FilesProblem, ProjectFiles, SecretsListing, VariableChange, VariableChanged};
use dango_core::{Clock, Entropy};
use dango_files::{KeySource, VaultFiles};
use dango_secrets::home::{Directory, EditFile, Home, HomeError, HomeLease, Refused, Rows, SharedFile, Whereabouts};
use dango_secrets::project::{Project, is_as_made};
use dango_secrets::storage::{self, Contents, ReadError, Stamp, UpdateError, WriteError};
use dango_store::BoxFuture;
use dango_store_postgres::ProjectRows;
use dango_vault::{SealedHome, Standing, identify, project_id, write_project_id};
use tokio::sync::Semaphore;

use crate::failure::Failure;

/// How long a request waits for what the files have; the database may need longer to give up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many may wait for the database at once, so that threads are left for everything else.
const WAITING: usize = 8;

/// What it takes to find the values.
pub(crate) struct Sharing {
    /// The rows of the database, where it is one that has any.
    pub(crate) rows: Option<Arc<ProjectRows>>,
    pub(crate) keys: Arc<KeySource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Where the values of a project are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// In the files of this server.
    InFiles,
    /// In the database.
    InRows,
}

/// What to do where the values are in a database that the settings do not name.
const NAME_IT: &str = "--database-url postgres://… names it";
const BRING_BACK: &str = "`dango vault move --to files` brings the values back";
/// What to do where the key is missing or another.
const BRING_KEY: &str = "give the project's key in DANGO_KEY or DANGO_KEY_FILE: all servers of one project have the same one";

/// Gives a project the home that it has, and says where its values are now. A server that comes anew to a project whose values are in the database
/// takes them from there, too.
pub(crate) fn settle(project: Project, sharing: Sharing) -> Result<(Project, Values), Failure> {
    let Some(rows) = sharing.rows.clone() else {
        let values = look(&project, false)?;
        return Ok((project, values));
    };
    if whereabouts(&project)? == Whereabouts::Directory {
        let newcomer = Newcomer {
            project: &project,
            rows,
            sharing: &sharing,
        };
        newcomer.look()?;
    }
    let home = Arc::new(Following::new(&project, sharing));
    let values = look(&project, true)?;
    let project = project.kept_in(home);
    if values == Values::InRows {
        // A server that can read nothing is found out now, not by those who ask it.
        let read = project.read(SharedFile::Secrets);
        read.map_err(|error| match &error {
            ReadError::Home(HomeError::Keys { .. } | HomeError::UnknownKey { .. }) => Failure::caused_by(&error).hint(BRING_KEY),
            _ => Failure::caused_by(&error),
        })?;
    }
    Ok((project, values))
}

/// Where the values are, looked up without making or opening anything.
pub(crate) fn look(project: &Project, has_rows: bool) -> Result<Values, Failure> {
    match whereabouts(project)? {
        Whereabouts::Directory | Whereabouts::Leaving => Ok(Values::InFiles),
        Whereabouts::Rows | Whereabouts::Returning | Whereabouts::Returned if !has_rows => Err(in_rows_of_nobody()),
        Whereabouts::Rows | Whereabouts::Returning | Whereabouts::Returned => Ok(Values::InRows),
    }
}

fn whereabouts(project: &Project) -> Result<Whereabouts, Failure> {
    Whereabouts::read(project.root()).map_err(|error| Failure::caused_by(&error))
}

fn in_rows_of_nobody() -> Failure {
    Failure::new("the values of this project were moved to a PostgreSQL database, and the settings name none")
        .hint(NAME_IT)
        .hint(BRING_BACK)
}

/// A server in whose directory nothing says that the values are elsewhere.
struct Newcomer<'a> {
    project: &'a Project,
    rows: Arc<ProjectRows>,
    sharing: &'a Sharing,
}

impl Newcomer<'_> {
    /// Joins where the database has the values; refuses where this server has others of its own.
    fn look(&self) -> Result<(), Failure> {
        let there = self.rows.projects().map_err(|error| Failure::caused_by(&error))?;
        let own = project_id(self.project).map_err(|error| Failure::caused_by(&error))?;
        let has_files = self.has_files()?;
        let id = match (own, there.as_slice()) {
            (_, []) => return Ok(()),
            (Some(own), _) if there.contains(&own) => own,
            // Those of another project.
            (Some(_), _) => return Ok(()),
            (None, [only]) => only.clone(),
            (None, _) if has_files => return Ok(()),
            (None, _) => {
                return Err(
                    Failure::new("the database has the values of several projects, and nothing says which one this is")
                        .hint("copy .dango/project-id from another server of the project"),
                );
            }
        };
        let home = sealed(&self.rows, self.project, id.clone(), self.sharing);
        let standing = home.standing(SharedFile::Secrets);
        match (standing, has_files) {
            (Ok(Standing::Free | Standing::Away(_)), _) => Ok(()),
            (Ok(Standing::Arriving(_) | Standing::Settling(_) | Standing::Leaving(_)), _) => {
                Err(Failure::new("the values of this project are just being moved")
                    .hint("start this server again when `dango vault move` is done"))
            }
            (Ok(Standing::Live), false) => self.join(&id),
            (Ok(Standing::Live), true) => Err(Failure::new(
                "the values of this project are in the database, and this server has others in files of its own",
            )
            .hint(format!("move {} away: they count no more", self.files()?.join(", ")))),
            // Files that are opened by no key of those rows are another project's.
            (Err(HomeError::UnknownKey { .. }), true) => Ok(()),
            (Err(error), _) => Err(Failure::caused_by(&error).hint(BRING_KEY)),
        }
    }

    fn join(&self, id: &str) -> Result<(), Failure> {
        let entropy = &*self.sharing.entropy;
        if project_id(self.project).map_err(|error| Failure::caused_by(&error))?.is_none() {
            write_project_id(self.project, id, entropy).map_err(|error| Failure::caused_by(&error))?;
        }
        Whereabouts::Rows
            .write(self.project.root(), entropy)
            .map_err(|error| Failure::caused_by(&error))?;
        // They have nothing in them, and would only be in the way when the values come back.
        for file in SharedFile::ALL {
            let path = self.project.path(file);
            let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
            if let Some(contents) = contents.filter(|contents| !has_something(file, contents.bytes())) {
                storage::remove_if_same(&path, contents.bytes(), entropy).map_err(|error| Failure::caused_by(&error))?;
            }
        }
        tracing::info!("the values of this project are in the database: this server takes them from there, too");
        Ok(())
    }

    fn has_files(&self) -> Result<bool, Failure> {
        Ok(!self.files()?.is_empty())
    }

    /// The files of this server in which there is something.
    fn files(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        for file in SharedFile::ALL {
            let contents = storage::read(&self.project.path(file)).map_err(|error| Failure::caused_by(&error))?;
            if contents.is_some_and(|contents| has_something(file, contents.bytes())) {
                found.push(file.path().to_owned());
            }
        }
        Ok(found)
    }
}

/// Whether there is anything in a file that somebody may miss: a comment is something, but for those with which `dango init` begins a file.
fn has_something(file: SharedFile, bytes: &[u8]) -> bool {
    match file {
        SharedFile::Env | SharedFile::Secrets => !bytes.trim_ascii().is_empty() && !is_as_made(file, bytes),
        _ => true,
    }
}

fn sealed(rows: &Arc<ProjectRows>, project: &Project, id: String, sharing: &Sharing) -> SealedHome {
    let (keys, clock, entropy) = (Arc::clone(&sharing.keys), Arc::clone(&sharing.clock), Arc::clone(&sharing.entropy));
    // Keys are found by the project's directory alone, so this leads round in no circle.
    let bare = Project::at(project.root());
    let load = Box::new(move || keys.load(&bare, &*clock, &entropy));
    SealedHome::new(Arc::clone(rows) as Arc<dyn Rows>, project, id, load, Arc::clone(&sharing.entropy))
}

/// The home that the project's directory names at each moment, so that a server goes on while the values are moved.
struct Following {
    project: Project,
    directory: Arc<Directory>,
    sharing: Sharing,
    rows: Mutex<Option<Arc<SealedHome>>>,
}

impl Following {
    fn new(project: &Project, sharing: Sharing) -> Self {
        let root: PathBuf = project.root().to_owned();
        Self {
            project: Project::at(&root),
            directory: Arc::new(Directory::at(root)),
            sharing,
            rows: Mutex::new(None),
        }
    }

    fn now(&self) -> Result<Arc<dyn Home>, ReadError> {
        match Whereabouts::read(self.project.root())? {
            Whereabouts::Directory | Whereabouts::Leaving => {
                // What was seen of rows that count no more says nothing of those that may come.
                *self.known() = None;
                Ok(Arc::clone(&self.directory) as Arc<dyn Home>)
            }
            Whereabouts::Rows | Whereabouts::Returning | Whereabouts::Returned => Ok(self.rows()?),
        }
    }

    /// The same for whoever writes.
    fn now_to_write(&self) -> Result<Arc<dyn Home>, WriteError> {
        self.now().map_err(|error| match error {
            ReadError::Home(error) => error.into(),
            // Where it is not known where they are, nothing is written anywhere.
            _ => HomeError::Whereabouts {
                path: self.project.root().join(".dango/home").display().to_string(),
            }
            .into(),
        })
    }

    fn rows(&self) -> Result<Arc<SealedHome>, HomeError> {
        let mut known = self.known();
        if let Some(rows) = known.as_ref() {
            return Ok(Arc::clone(rows));
        }
        let place = || SharedFile::Secrets.path().to_owned();
        let id = identify(&self.project, &*self.sharing.entropy).map_err(|error| HomeError::Keys {
            place: place(),
            source: error.into(),
        })?;
        let rows = self.sharing.rows.as_ref().ok_or_else(|| HomeError::Missing { place: place() })?;
        let rows = Arc::new(sealed(rows, &self.project, id, &self.sharing));
        *known = Some(Arc::clone(&rows));
        Ok(rows)
    }

    fn known(&self) -> MutexGuard<'_, Option<Arc<SealedHome>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Home for Following {
    fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError> {
        self.now()?.read(file)
    }

    fn stamp(&self, file: SharedFile) -> Result<Option<Stamp>, ReadError> {
        self.now()?.stamp(file)
    }

    fn update(&self, file: SharedFile, entropy: &dyn Entropy, edit: &mut EditFile<'_>) -> Result<(), UpdateError<Refused>> {
        self.now()?.update(file, entropy, edit)
    }

    fn lease(&self, name: &str, patience: Duration) -> Result<HomeLease, WriteError> {
        self.now_to_write()?.lease(name, patience)
    }

    fn keys(&self) -> Result<Vec<String>, ReadError> {
        self.now()?.keys()
    }

    fn keep_under_active_key(&self, entropy: &dyn Entropy) -> Result<usize, WriteError> {
        self.now_to_write()?.keep_under_active_key(entropy)
    }
}

/// A project's files asked on threads that may wait: where they are rows, each question goes to the database.
pub(crate) struct Aside {
    files: Arc<VaultFiles>,
    room: Arc<Semaphore>,
}

impl Aside {
    pub(crate) fn new(files: Arc<VaultFiles>) -> Self {
        Self {
            files,
            room: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl ProjectFiles for Aside {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        Box::pin(async {
            let asked = async {
                let place = Arc::clone(&self.room).acquire_owned().await.ok();
                let files = Arc::clone(&self.files);
                let listed = tokio::task::spawn_blocking(move || {
                    let listed = files.list();
                    drop(place);
                    listed
                });
                listed
                    .await
                    .unwrap_or_else(|_| Err(FilesError::new(FilesProblem::Unusable, "interrupted")))
            };
            let listed = tokio::time::timeout(PATIENCE, asked).await;
            listed.unwrap_or_else(|_| Err(FilesError::new(FilesProblem::Unusable, "home_unreachable")))
        })
    }

    fn change(&self, changes: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        self.files.change(changes)
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn a_file_that_init_makes_has_nothing_in_it_and_one_with_a_comment_has() {
        let directory = tempfile::tempdir().expect("a directory");
        Project::init(directory.path(), &OsEntropy).expect("made");
        let project = Project::at(directory.path());
        for file in [SharedFile::Env, SharedFile::Secrets] {
            let made = project.read(file).expect("read").expect("made");
            assert!(!has_something(file, made.bytes()), "{file:?}");
        }
        assert!(!has_something(SharedFile::Env, b" \n\n"));
        for (file, text) in [
            (SharedFile::Env, "# STRIPE_KEY=sk_live_1, put aside\n"),
            (SharedFile::Secrets, "# api_key = 'sk_live_1'\n"),
            (SharedFile::Env, "# nothing\nA=\n"),
            (SharedFile::Env, "\0"),
            (SharedFile::Secrets, "a = 1\n"),
            (SharedFile::Secrets, "a = \n"),
            (SharedFile::Sources, ""),
        ] {
            assert!(has_something(file, text.as_bytes()), "{file:?} {text:?}");
        }
    }

    #[test]
    fn values_in_rows_need_settings_that_name_a_database() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::at(directory.path());
        for (whereabouts, expected) in [
            (Whereabouts::Directory, Some(Values::InFiles)),
            (Whereabouts::Leaving, Some(Values::InFiles)),
            (Whereabouts::Rows, None),
            (Whereabouts::Returning, None),
            (Whereabouts::Returned, None),
        ] {
            whereabouts.write(project.root(), &OsEntropy).expect("noted");
            assert_eq!(look(&project, false).ok(), expected, "{whereabouts:?}");
            assert_eq!(
                look(&project, true).ok(),
                Some(expected.unwrap_or(Values::InRows)),
                "{whereabouts:?}"
            );
        }
    }
}
