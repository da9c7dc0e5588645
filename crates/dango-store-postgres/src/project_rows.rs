//! The files of projects as rows, and claims on names: each call one statement, decided by the database and by its time. What is in a row is sealed.

use std::sync::Arc;
use std::time::Duration;

use dango_secrets::home::{Claim, Placed, Put, Row as FileRow, Rows, RowsError};
use dango_store::StoreFailure;
use tokio::time::timeout;

use crate::column::{Columns, signed};
use crate::connection::{Connection, Row, RowBytes, Statement, query};
use crate::failure::NoAnswer;
use crate::migration::{LATEST, let_on, refused_by};
use crate::store::PostgresStore;

/// A transaction of each statement's own: what is answered is on the disk, where the database would say so earlier, too; it waits for nobody
/// for long; and a server that only follows another refuses to begin.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '8s'; SET LOCAL statement_timeout = '10s'; \
                     SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

const ROW: &str = "SELECT revision, key_id, sealed, changed_at FROM dango.project_files WHERE project = $1 AND name = $2";

const REVISION: &str = "SELECT revision FROM dango.project_files WHERE project = $1 AND name = $2";

/// The claim is locked until the row is there for others: nobody can have it in between, and take the row for unchanged.
const PUT: &str = concat!(
    "WITH held AS ( \
                     SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now FROM dango.project_claims \
                     WHERE project = $1 AND name = $2 AND holder = $3 \
                     AND until > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AND ",
    refused_by!("$8"),
    " IS NULL FOR SHARE \
                   ), changed AS ( \
                     UPDATE dango.project_files SET revision = revision + 1, key_id = $6, sealed = $7, changed_at = held.now FROM held \
                     WHERE project = $1 AND name = $4 AND revision = $5 RETURNING 1 \
                   ), made AS ( \
                     INSERT INTO dango.project_files (project, name, revision, key_id, sealed, changed_at) \
                     SELECT $1, $4, 1, $6, $7, held.now FROM held WHERE $5 = 0 ON CONFLICT DO NOTHING RETURNING 1 \
                   ) SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM made)"
);

/// Whether the schema is one that this version uses.
const LOOK: &str = concat!("SELECT ", refused_by!("$1"));

const CLAIM: &str = "INSERT INTO dango.project_claims AS claims (project, name, holder, until) \
                     VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $4) \
                     ON CONFLICT (project, name) DO UPDATE SET holder = excluded.holder, \
                     until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $4 \
                     WHERE claims.holder = excluded.holder OR claims.until <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint \
                     RETURNING true";

const RELEASE: &str = "DELETE FROM dango.project_claims WHERE project = $1 AND name = $2 AND holder = $3";

/// More projects than share a database, and not more than fit into an answer.
const PROJECTS: &str = "SELECT coalesce(string_agg(project, ' ' ORDER BY project), '') \
                        FROM (SELECT DISTINCT project FROM dango.project_files LIMIT 100) AS projects";

/// How long one statement may take, with the connection that it needs: whoever waits holds a thread.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rows of projects' files in the database of a store. Its calls hold up the thread of whoever asks.
pub struct ProjectRows {
    store: Arc<PostgresStore>,
}

/// Whether a statement may be sent anew over another connection, where one that was idle turns out to be broken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// Done twice it is what it is done once.
    Again,
    /// The second answer would not be true of the first.
    Once,
}

impl ProjectRows {
    /// The rows in a store's database.
    pub fn of(store: Arc<PostgresStore>) -> Self {
        Self { store }
    }

    /// The ids of the projects that there are rows of. It blocks while it asks.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    pub fn projects(&self) -> Result<Vec<String>, RowsError> {
        let told = self.ask(query(PROJECTS), Sending::Again, |columns| Ok(columns.text()?.to_owned()))?;
        Ok(told.unwrap_or_default().split_whitespace().map(str::to_owned).collect())
    }

    /// Runs a statement and reads the one row that there may be.
    fn ask<T>(
        &self,
        statement: Statement,
        sending: Sending,
        read: impl FnOnce(&mut Columns<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, RowsError> {
        let line = Arc::clone(self.store.short());
        let work = async move {
            let mut borrowed = line.borrow().await?;
            let mut rows = run(&borrowed.connection, &statement).await;
            if matches!(rows, Err(StoreFailure::Unavailable(_))) && borrowed.is_old && sending == Sending::Again {
                borrowed = line.renew(borrowed).await?;
                rows = run(&borrowed.connection, &statement).await;
            }
            // One that did not answer as it should is not used again.
            if rows.is_ok() {
                line.give_back(borrowed);
            }
            rows
        };
        let rows = self.store.threads().wait(async {
            let no_answer = |_| {
                StoreFailure::unavailable(NoAnswer {
                    seconds: PATIENCE.as_secs(),
                })
            };
            timeout(PATIENCE, work).await.map_err(no_answer)?
        });
        let row = rows.map_err(failed)?.into_iter().next();
        row.map(|row| read(&mut Columns::of(&Row(&row)))).transpose().map_err(failed)
    }
}

/// Runs a statement, whose answer counts only where the schema is one for this version. Both are sent in one go.
async fn run(connection: &Connection, statement: &Statement) -> Result<Vec<RowBytes>, StoreFailure> {
    let look = query(LOOK).bind(LATEST);
    let mut answers = connection.alone(BEGIN, &[&look, statement]).await?.into_iter();
    let looked = answers.next().unwrap_or_default();
    let looked = looked.first().ok_or(StoreFailure::Foreign)?;
    let_on(&mut Columns::of(&Row(looked)))?;
    Ok(answers.next().unwrap_or_default())
}

impl Rows for ProjectRows {
    fn row(&self, project: &str, name: &str) -> Result<Option<FileRow>, RowsError> {
        self.ask(named(ROW, project, name), Sending::Again, |columns| {
            Ok(FileRow {
                revision: columns.number()?,
                key: columns.text()?.to_owned(),
                sealed: columns.blob()?.to_vec(),
                changed: columns.time()?,
            })
        })
    }

    fn revision(&self, project: &str, name: &str) -> Result<Option<u64>, RowsError> {
        self.ask(named(REVISION, project, name), Sending::Again, |columns| columns.number())
    }

    fn put(&self, put: &Put<'_>) -> Result<Placed, RowsError> {
        let claimed = claimed(PUT, put.project, put.claim).bind(put.name.to_owned());
        let statement = claimed
            .bind(signed(put.expected))
            .bind(put.key.to_owned())
            .bind(put.sealed.to_vec())
            .bind(LATEST);
        let placed = self.ask(statement, Sending::Once, |columns| {
            Ok(match (columns.flag()?, columns.flag()?) {
                (true, true) => Placed::Done,
                (true, false) => Placed::Outrun,
                (false, _) => Placed::ClaimLost,
            })
        });
        Ok(placed?.unwrap_or(Placed::ClaimLost))
    }

    fn claim(&self, project: &str, claim: &Claim, term: Duration) -> Result<bool, RowsError> {
        let term = i64::try_from(term.as_micros()).unwrap_or(i64::MAX);
        let statement = claimed(CLAIM, project, claim).bind(term);
        Ok(self.ask(statement, Sending::Again, |columns| columns.flag())?.unwrap_or(false))
    }

    fn release(&self, project: &str, claim: &Claim) -> Result<(), RowsError> {
        let released = self.ask(claimed(RELEASE, project, claim), Sending::Again, |_| Ok(()));
        released.map(drop)
    }
}

fn named(sql: &'static str, project: &str, name: &str) -> Statement {
    query(sql).bind(project.to_owned()).bind(name.to_owned())
}

fn claimed(sql: &'static str, project: &str, claim: &Claim) -> Statement {
    named(sql, project, &claim.name).bind(claim.holder.to_vec())
}

/// What the database has answered with is known not to be done; what it has not answered is not.
fn failed(failure: StoreFailure) -> RowsError {
    match failure {
        StoreFailure::Locked
        | StoreFailure::Full
        | StoreFailure::ReadOnly
        | StoreFailure::Forbidden(_)
        | StoreFailure::Closed
        | StoreFailure::Foreign
        | StoreFailure::Newer { .. }
        | StoreFailure::Missing
        | StoreFailure::Arriving
        | StoreFailure::Moved { .. } => RowsError::Refused(failure.into()),
        failure => RowsError::Unknown(failure.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_refuses_is_told_from_what_it_does_not_answer() {
        for refused in [
            StoreFailure::Locked,
            StoreFailure::Full,
            StoreFailure::ReadOnly,
            StoreFailure::forbidden(NoAnswer { seconds: 0 }),
            StoreFailure::Missing,
        ] {
            assert!(matches!(failed(refused.clone()), RowsError::Refused(_)), "{refused:?}");
        }
        for unknown in [
            StoreFailure::Uncertain,
            StoreFailure::Interrupted,
            StoreFailure::unavailable(NoAnswer { seconds: 10 }),
        ] {
            assert!(matches!(failed(unknown.clone()), RowsError::Unknown(_)), "{unknown:?}");
        }
    }
}
