//! A cluster that is full, and the servers on it. How it is filled lives in `fill.rs`.

use std::error::Error;
use std::fs;
use std::path::Path;

use dango_core::SecretValue;
use dango_identity::IdentityKey;
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore};
use dango_tests::{Postgres, Scratch};

use super::super::server::house::House;
use super::super::server::rates::LOGGING_IN;
use super::fill;

pub(super) const DATABASE: &str = "dango";
pub(super) const SERVING: &str = "dango";
pub(super) const OWNER: &str = "dango_owner";
pub(super) const PASSWORD_OF_ROLES: &str = "synthetic";

/// An identity key that protects nothing but synthetic people, as its file holds it.
const IDENTITY_KEY: &str = "abababababababababababababababababababababababababababababababab\n";
/// What says that the cluster is full, and how full.
const MARK: &str = "filled";
/// What a machine of the size is given in its configuration; all else is as PostgreSQL comes.
const SETTINGS: [&str; 3] = ["fsync=on", "shared_buffers=1GB", "max_wal_size=4GB"];

/// How full it is: so many users, ten times as many sessions, a hundred times as many audit records.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) users: u64,
}

impl Size {
    pub(super) const fn of(users: u64) -> Self {
        Self { users }
    }

    pub(super) const fn sessions(self) -> u64 {
        self.users * 10
    }

    pub(super) const fn records(self) -> u64 {
        self.users * 100
    }
}

/// A running PostgreSQL with people, sessions and a log.
pub(super) struct Filled {
    pub(super) postgres: Postgres,
    pub(super) size: Size,
}

impl Filled {
    /// Starts the cluster of a folder, and fills it where it is not yet or with another number.
    pub(super) fn open(folder: &Path, size: Size) -> Result<Self, Box<dyn Error>> {
        let (mark, as_full) = (folder.join(MARK), format!("{} users\n", size.users));
        if fs::read_to_string(&mark).ok().as_ref() != Some(&as_full) {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
            // What is filled is not waited for on the disk.
            let postgres = Postgres::kept_in(
                folder,
                &[&SETTINGS[1..], &["fsync=off", "wal_level=minimal", "max_wal_senders=0"]].concat(),
            );
            let filling = Self { postgres, size };
            fill::fill(&filling)?;
            drop(filling);
            fs::write(&mark, as_full)?;
        }
        let postgres = Postgres::kept_in(folder, &SETTINGS);
        Ok(Self { postgres, size })
    }

    /// Another machine's project, whose server is told of the database.
    pub(super) fn project(&self) -> Result<Scratch, Box<dyn Error>> {
        let mut project = Scratch::initialised();
        let url = self.postgres.url(SERVING, PASSWORD_OF_ROLES, DATABASE);
        project.give("DANGO_SERVER_DATABASE_URL", url);
        project.write(".dango/identity.key", IDENTITY_KEY);
        project.give("DANGO_IDENTITY_KEY_FILE", project.path().join(".dango/identity.key"));
        let closed = project.command("chmod", &["600", ".dango/identity.key"]).run();
        match closed.status {
            0 => Ok(project),
            _ => Err(closed.stderr.into()),
        }
    }

    /// A server on it, with its administrator signed in. The first one is claimed, and the people are invited who are to log in.
    pub(super) fn house(&self) -> Result<House, Box<dyn Error>> {
        let administrators = self.postgres.sql(DATABASE, "SELECT count(*) FROM dango.users WHERE role = 'admin'");
        if administrators == "0" {
            let mut house = House::claimed(self.project()?);
            house.invite(LOGGING_IN);
            return Ok(house);
        }
        Ok(House::again(self.project()?))
    }

    pub(super) fn store(&self) -> Result<PostgresStore, Box<dyn Error>> {
        let url = DatabaseUrl::parse(&self.postgres.url(SERVING, PASSWORD_OF_ROLES, DATABASE))?;
        Ok(PostgresStore::connect(
            url,
            CONNECTIONS,
            std::sync::Arc::new(dango_core::SystemClock),
        )?)
    }
}

pub(super) fn identity_key() -> Result<IdentityKey, Box<dyn Error>> {
    Ok(IdentityKey::parse_file(&SecretValue::new(IDENTITY_KEY.to_owned())?)?)
}
