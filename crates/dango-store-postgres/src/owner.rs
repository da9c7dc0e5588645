//! What is done as the owner of the schema, or before anybody serves: looking at it, and bringing it up to date.

use dango_store::StoreFailure;

use crate::connection::Connection;
use crate::role::RoleError;
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
    /// Whether the role could change what the log says, so that it is [`ServingRole::Any`](crate::ServingRole::Any) at most.
    pub may_rewrite: bool,
    /// Whether the role may make the schema or bring it up to date: [`migrate_alone`].
    pub may_migrate: bool,
}

/// Looks at a database as a role. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`], as [`PostgresStore::connect`](crate::PostgresStore::connect) has it, but for a schema that is not there or older,
/// and for a role that may do too much.
pub fn inspect(url: DatabaseUrl) -> Result<Inspected, StoreFailure> {
    Threads::start()?.wait(async move {
        let connection = Connection::open(&url).await?;
        let schema_version = migration::version(&connection).await?;
        migration::check(&connection, schema_version).await?;
        let may_rewrite = match schema_version {
            0 => false,
            _ => role::may_rewrite(&connection).await?,
        };
        Ok(Inspected {
            schema_version,
            latest: migration::LATEST,
            may_rewrite,
            may_migrate: role::may_migrate(&connection).await?,
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

/// Makes the schema, or brings it up to date, as the role that also serves, and answers the version. All of it happens or nothing, and
/// however many do it at once, one does and the others find it done. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`]: the database cannot be reached, holds something else or something newer, or the schema is not for this role to make
/// or change ([`StoreFailure::Forbidden`]): then nothing was done.
pub fn migrate_alone(url: DatabaseUrl) -> Result<u32, StoreFailure> {
    Threads::start()?.wait(async move {
        let connection = Connection::open(&url).await?;
        match role::may_migrate(&connection).await? {
            true => migration::migrate(&connection, "").await,
            false => Err(StoreFailure::forbidden(RoleError::NotOwner)),
        }
    })
}
