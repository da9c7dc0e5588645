//! What is done as the owner of the schema, or before anybody serves: looking at it, and bringing it up to date.

use dango_store::StoreFailure;

use crate::connection::Connection;
use crate::threads::Threads;
use crate::url::DatabaseUrl;
use crate::{migration, role};

/// What was found without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The version of its schema; 0 where there is none yet.
    pub schema_version: u32,
    /// The version that this program needs.
    pub latest: u32,
}

/// Looks at a database as the role that is to serve. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`], as [`PostgresStore::connect`](crate::PostgresStore::connect) has it, but for a schema that is not there or older.
pub fn inspect(url: DatabaseUrl) -> Result<Inspected, StoreFailure> {
    Threads::start()?.wait(async move {
        let connection = Connection::open(&url).await?;
        let schema_version = migration::version(&connection).await?;
        if schema_version > 0 {
            migration::check(&connection, schema_version).await?;
            role::check(&connection).await?;
        }
        Ok(Inspected {
            schema_version,
            latest: migration::LATEST,
        })
    })
}

/// Brings the schema up to date as its owner, gives the role that serves what it needs, and answers the version. All of it happens or
/// nothing, and however many do it at once, one does and the others find it done. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`]: the database cannot be reached, holds something else or something newer, or the roles are not two.
pub fn migrate(owner: DatabaseUrl, serving: &str) -> Result<u32, StoreFailure> {
    let serving = serving.to_owned();
    Threads::start()?.wait(async move {
        let connection = Connection::open(&owner).await?;
        let grants = role::grants_to(&connection, &serving).await?;
        migration::migrate(&connection, &grants).await
    })
}
