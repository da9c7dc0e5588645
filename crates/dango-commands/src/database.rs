//! The PostgreSQL database that a project's machines share: its address, as an option, a variable or the server's settings have it, and the way in.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dango_actions::{IdentityKeyEnvironment, Premises};
use dango_core::CredentialPath;
use dango_identity::StoreError;
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_secrets::home::{Rows, Whereabouts};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Contents, ReadError};
use dango_store::{StoreExt, StoreFailure};
use dango_store_postgres::{DatabaseUrl, PostgresStore, ProjectRows, ServingRole, Surroundings, inspect, migrate_alone};
use dango_vault::{SealedHome, identify};

use crate::failure::Failure;
use crate::host::Host;
use crate::house::wait;
use crate::key_access::{KeyRoute, secret_variable};
use crate::output::Output;

/// The variable by which servers are told the same.
pub(crate) const VARIABLE: &str = "DANGO_SERVER_DATABASE_URL";

/// The key of the server's settings.
const KEY: &str = "database_url";

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// How many connections read at most: a lease is prolonged beside what it is for.
const CONNECTIONS: usize = 3;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DatabaseArguments {
    /// The database: postgres://ROLE@HOST/DATABASE [default: DANGO_SERVER_DATABASE_URL, else database_url in .dango/server.toml]
    #[arg(long, value_name = "URL")]
    database_url: Option<AddressText>,
}

/// An address as it was typed: it may hold a password.
#[derive(Clone)]
struct AddressText(String);

impl From<String> for AddressText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for AddressText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressText(***)")
    }
}

/// Where a database is, with everything that is needed to get in.
pub(crate) struct Address {
    pub(crate) url: DatabaseUrl,
    /// Whether the project's settings name PostgreSQL, so that its log is there, too.
    has_log: bool,
}

/// A schema that is there, or may be made.
pub(crate) enum Schema {
    /// It is the one of this version.
    Ready,
    /// There is none, or an older one, and this role may bring it up to date.
    ToBeMade,
}

/// A database that was opened.
#[derive(Clone)]
pub(crate) struct SharedDatabase {
    pub(crate) url: DatabaseUrl,
    pub(crate) store: Arc<PostgresStore>,
    /// Whether the project's people and its log are in it.
    pub(crate) has_log: bool,
}

impl Address {
    /// The address that is meant, if one is: the option, else the settings of the project's servers.
    pub(crate) fn find(arguments: &DatabaseArguments, project: &Project, output: &mut Output<'_>) -> Result<Option<Self>, Failure> {
        let settings = of_settings(project, output.host)?;
        let has_log = settings.is_some();
        let url = match (&arguments.database_url, settings) {
            (Some(AddressText(text)), settings) => {
                let url = DatabaseUrl::parse(text).map_err(|error| malformed("--database-url", error.wanted()))?;
                if url.has_password() {
                    output.warn("whoever is on this machine sees the password in --database-url in the list of processes");
                    output.hint(format!(
                        "give it in {VARIABLE}, in PGPASSWORD, or in the file that PGPASSFILE names"
                    ));
                }
                if let Some(settings) = settings.filter(|settings| settings.to_string() != url.to_string()) {
                    return Err(another(&url, &settings));
                }
                Some(url)
            }
            (None, settings) => settings,
        };
        url.map(|url| {
            Ok(Self {
                url: complete(url, output.host)?,
                has_log,
            })
        })
        .transpose()
    }

    /// The same, where there has to be one.
    pub(crate) fn require(arguments: &DatabaseArguments, project: &Project, output: &mut Output<'_>) -> Result<Self, Failure> {
        Self::find(arguments, project, output)?.ok_or_else(|| {
            Failure::refused("no PostgreSQL database is named").hint(format!(
                "give it in {VARIABLE}, as `--database-url postgres://ROLE@HOST/DATABASE`, or as database_url in .dango/server.toml"
            ))
        })
    }

    /// Whether one gets in, and what is there; nothing is changed.
    pub(crate) fn look(&self) -> Result<Schema, Failure> {
        let found = inspect(self.url.clone()).map_err(|failure| not_open(&failure, &self.url))?;
        match (found.schema_version >= found.latest, found.may_migrate) {
            (true, _) => Ok(Schema::Ready),
            (false, true) => Ok(Schema::ToBeMade),
            (false, false) => Err(no_schema(&self.url)),
        }
    }

    /// Makes the schema that [`Schema::ToBeMade`] tells of.
    pub(crate) fn make_schema(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let version = migrate_alone(self.url.clone()).map_err(|failure| not_open(&failure, &self.url))?;
        output.say(format!("{} has schema {version}", self.url));
        Ok(())
    }

    /// Opens it, with the schema that it has.
    pub(crate) fn open(self, project: &Project, host: &Host) -> Result<SharedDatabase, Failure> {
        let Self { url, has_log } = self;
        let store = PostgresStore::connect_as(ServingRole::Any, url.clone(), CONNECTIONS, Arc::clone(&host.clock));
        let store = Arc::new(store.map_err(|failure| match failure {
            StoreFailure::Missing => no_schema(&url),
            failure => not_open(&failure, &url),
        })?);
        // A log that is still here goes there with the people, by `dango-server migrate`, and only where no other was begun.
        let has_log = has_log && (!is_there(project)? || has_records(&store, &url)?);
        Ok(SharedDatabase { url, store, has_log })
    }
}

impl SharedDatabase {
    /// The rows of projects' files.
    pub(crate) fn rows(&self) -> Arc<dyn Rows> {
        Arc::new(ProjectRows::of(Arc::clone(&self.store)))
    }

    /// The home of a project in its rows. No row is asked for yet.
    pub(crate) fn home(&self, project: &Project, route: &KeyRoute, host: &Host) -> Result<SealedHome, Failure> {
        let entropy = Arc::clone(&host.entropy);
        let id = identify(project, entropy.as_ref()).map_err(|error| Failure::caused_by(&error).with_code(error.code()))?;
        let (route, beside) = (route.clone(), Project::at(project.root()));
        let keys = {
            let entropy = Arc::clone(&entropy);
            move || route.keys_of(beside.clone(), Arc::clone(&entropy)).load()
        };
        Ok(SealedHome::new(self.rows(), project, id, Box::new(keys), entropy))
    }
}

/// Whether the project has a log of its own here.
fn is_there(project: &Project) -> Result<bool, Failure> {
    let premises = Premises::of(project, IdentityKeyEnvironment::default());
    storage::is_there(premises.database()).map_err(|error| Failure::caused_by(&error))
}

/// Whether anything was ever recorded in a database.
fn has_records(store: &PostgresStore, url: &DatabaseUrl) -> Result<bool, Failure> {
    let asked = store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.head().await.map_err(StoreError::new)?.is_some()) }));
    wait(asked).map_err(|error| Failure::refused(format!("{url}: {}", crate::failure::chain(&error))))
}

/// Where a project's directory says that its values are.
pub(crate) fn whereabouts(project: &Project) -> Result<Whereabouts, Failure> {
    Whereabouts::read(project.root()).map_err(|error| Failure::caused_by(&error).with_code(error.code()))
}

/// Whether a project's values are in rows of a database.
pub(crate) fn is_moved(project: &Project) -> Result<bool, Failure> {
    Ok(!matches!(whereabouts(project)?, Whereabouts::Directory | Whereabouts::Leaving))
}

/// The settings of the project's servers as they are written. Where there is no file behind the name, they say nothing.
pub(crate) fn server_settings(path: &Path) -> Result<Option<Contents>, Failure> {
    match storage::read(path) {
        Err(ReadError::DanglingLink { .. } | ReadError::LinkLoop { .. } | ReadError::NotAFile { .. }) => Ok(None),
        read => read.map_err(|error| Failure::caused_by(&error)),
    }
}

/// The PostgreSQL database that the project's servers use by their settings.
fn of_settings(project: &Project, host: &Host) -> Result<Option<DatabaseUrl>, Failure> {
    if let Some(value) = host.environment.get(OsStr::new(VARIABLE)) {
        let text = value
            .to_str()
            .ok_or_else(|| Failure::refused(format!("{VARIABLE}: the value is not UTF-8")))?;
        return of_text(text.trim(), VARIABLE);
    }
    let path = project.dango_dir().join("server.toml");
    let Some(contents) = server_settings(&path)? else { return Ok(None) };
    let document = SecretsDocument::parse(contents.bytes())
        .map_err(|error| Failure::refused(format!("{}:{}:{}: {}", path.display(), error.line, error.column, error.problem)))?;
    let Ok(key) = KEY.parse::<CredentialPath>() else { return Ok(None) };
    let Some(Value::String(text)) = document.value(&key) else {
        return Ok(None);
    };
    let url = of_text(&text.verbatim(), &format!("{}: {KEY}", path.display()))?;
    match url {
        Some(url) if url.has_password() && contents.mode() & OTHERS != 0 => Err(exposed(&path)),
        url => Ok(url),
    }
}

/// An address of PostgreSQL; another database is not meant here.
fn of_text(text: &str, place: &str) -> Result<Option<DatabaseUrl>, Failure> {
    if !text.starts_with("postgres") {
        return Ok(None);
    }
    let url = DatabaseUrl::parse(text).map_err(|error| Failure {
        status: crate::failure::Status::Refused,
        ..malformed(place, error.wanted())
    })?;
    Ok(Some(url))
}

/// What is recorded goes to the database of the settings, and what is moved to the one that is named: that has to be one.
fn another(named: &DatabaseUrl, settings: &DatabaseUrl) -> Failure {
    Failure::refused(format!(
        "--database-url names {named}, and the project's servers use {settings} by their settings"
    ))
    .hint(format!(
        "leave the option away, or name the same in {VARIABLE} or in .dango/server.toml"
    ))
    .with_code("database_another")
}

fn malformed(place: &str, wanted: &str) -> Failure {
    Failure::usage(format!("{place}: it has to be {wanted}"))
}

fn exposed(path: &Path) -> Failure {
    Failure::refused(format!("{}: {KEY} holds a password, and others may read the file", path.display()))
        .hint(format!("`chmod 600 {}` closes it", path.display()))
        .hint(format!(
            "a password in {VARIABLE}, in PGPASSWORD, or in the file that PGPASSFILE names is seen by nobody else"
        ))
}

/// An address with the password and the authorities that the environment has for it.
fn complete(url: DatabaseUrl, host: &Host) -> Result<DatabaseUrl, Failure> {
    let surroundings = Surroundings {
        password: match url.has_password() {
            true => None,
            false => secret_variable(host, "PGPASSWORD")?,
        },
        password_file: host.environment.get(OsStr::new("PGPASSFILE")).map(PathBuf::from),
        home: host.home(),
        directory: host.directory.clone(),
    };
    surroundings.complete(url).map_err(|error| {
        let failure = Failure::caused_by(&error).with_code(error.code());
        error.hint().into_iter().fold(failure, Failure::hint)
    })
}

/// A schema that this role cannot make.
fn no_schema(url: &DatabaseUrl) -> Failure {
    Failure::refused(format!(
        "{url}: the schema of this version of Dango is not in the database, and not for this role to make"
    ))
    .hint("`dango-server migrate` makes it or brings it up to date, as its owner: see --database-owner-url")
    .with_code("database_schema_missing")
}

/// A database that cannot be used, with what can be done about it here.
fn not_open(failure: &StoreFailure, url: &DatabaseUrl) -> Failure {
    let told = Failure::refused(format!("{url}: {}", crate::failure::chain(failure)));
    match failure {
        StoreFailure::Missing => Failure::refused(format!("{url}: there is no such database")).hint("`createdb` makes one"),
        StoreFailure::Forbidden(_) => told.hint(format!(
            "the role needs its password ({VARIABLE}, PGPASSWORD or PGPASSFILE), and the rights that `dango-server migrate` gives it"
        )),
        StoreFailure::Foreign => told.hint("give Dango a database of its own"),
        StoreFailure::Encoding { .. } => {
            told.hint("`createdb --encoding=UTF8 --template=template0 NAME` makes one that takes every character")
        }
        StoreFailure::Newer { .. } => told.hint("use that version of Dango, or a later one"),
        _ => told.hint("nothing was changed; see that the database is there, then do it again"),
    }
    .with_code("database_unusable")
}
