//! Reading the users of an earlier Dango from its `auth.db`, of which nothing is changed. What is taken of them is not decided here.

mod image;

use std::path::Path;

use dango_core::SecretValue;
use dango_store::{EarlierApiKey, EarlierDatabase, EarlierError, EarlierUser};
use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf, SqliteRow};
use sqlx::{ConnectOptions, Connection, Decode, Row, Sqlite, query};

/// No project has as many users, or as many keys.
const MOST_ROWS: usize = 100_000;
const MOST_ROWS_TEXT: &str = "100000 users or keys";

/// Reads the users and API keys of an earlier Dango, of any of its schemas.
///
/// The file is read as it is at one moment, with what stands in its write-ahead log, also while the earlier Dango is running. It is
/// not locked, not written, and nothing is made beside it. It blocks for the few milliseconds that this takes.
///
/// # Errors
///
/// [`EarlierError`].
pub fn read_earlier(path: &Path) -> Result<EarlierDatabase, EarlierError> {
    let image = image::read(path)?;
    let owned = SqliteOwnedBuf::try_from(image.as_slice()).map_err(EarlierError::unreadable)?;
    pollster::block_on(async {
        let mut connection = connect().await.map_err(EarlierError::unreadable)?;
        let read = match connection.deserialize(None, owned, true).await {
            Ok(()) => database(&mut connection).await,
            Err(error) => Err(damaged(error)),
        };
        let _ = connection.close().await;
        read
    })
}

/// A connection to nothing, which the image takes the place of. What a schema says is not run with our rights.
async fn connect() -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .in_memory(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("temp_store", "MEMORY");
    options.disable_statement_logging().connect().await
}

async fn database(connection: &mut SqliteConnection) -> Result<EarlierDatabase, EarlierError> {
    let schema_version = schema_version(connection).await?;
    let check = query("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(damaged)?;
    if text::<&str>(&check, "quick_check")? != Some("ok") {
        return Err(EarlierError::damaged("its pages do not fit together"));
    }
    // All columns, because which there are depends on the schema.
    Ok(EarlierDatabase {
        schema_version,
        users: rows(connection, "SELECT * FROM users ORDER BY rowid", user).await?,
        api_keys: rows(connection, "SELECT * FROM api_keys ORDER BY rowid", api_key).await?,
    })
}

/// The number of the newest migration, of a database that is one of an earlier Dango: its own list of migrations, and real tables of
/// users and keys with what they have had from the first version on.
async fn schema_version(connection: &mut SqliteConnection) -> Result<u32, EarlierError> {
    let sql = "SELECT (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('_migrations', 'users', 'api_keys') \
               AND sql LIKE 'CREATE TABLE%') = 3 AND (SELECT count(*) FROM pragma_table_info('users') \
               WHERE name IN ('id', 'email', 'password_hash', 'role', 'is_active', 'created_at')) = 6 \
               AND (SELECT count(*) FROM pragma_table_info('api_keys') \
               WHERE name IN ('user_id', 'name', 'key_hash', 'is_active', 'created_at')) = 5";
    let row = query(sql).fetch_one(&mut *connection).await.map_err(foreign_or_damaged)?;
    if row.try_get::<i64, _>(0).map_err(damaged)? != 1 {
        return Err(EarlierError::Foreign);
    }
    let row = query("SELECT CAST(coalesce(max(version), 0) AS INTEGER) FROM _migrations");
    let row = row.fetch_one(&mut *connection).await.map_err(damaged)?;
    let version = row.try_get::<i64, _>(0).map_err(damaged)?;
    match u32::try_from(version) {
        Ok(found) if found > EarlierDatabase::NEWEST => Err(EarlierError::Newer {
            found,
            known: EarlierDatabase::NEWEST,
        }),
        Ok(found) if found > 0 => Ok(found),
        _ => Err(EarlierError::Foreign),
    }
}

async fn rows<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    read: fn(&SqliteRow) -> Result<T, EarlierError>,
) -> Result<Vec<T>, EarlierError> {
    let mut found = Vec::new();
    let mut rows = query(sql).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(damaged)? {
        if found.len() == MOST_ROWS {
            return Err(EarlierError::TooLarge { limit: MOST_ROWS_TEXT });
        }
        found.push(read(&row)?);
    }
    Ok(found)
}

fn user(row: &SqliteRow) -> Result<EarlierUser, EarlierError> {
    Ok(EarlierUser {
        id: required(row, "id")?,
        email: required(row, "email")?,
        role: required(row, "role")?,
        is_active: flag(row, "is_active")?,
        password_hash: secret(row, "password_hash")?,
        must_change_password: flag(row, "must_change_password")?,
        password_changed_at: text(row, "password_changed_at")?,
        totp_secret: secret(row, "totp_secret")?,
        totp_enabled: flag(row, "totp_enabled")?,
        recovery_codes: secret(row, "recovery_codes")?,
        oauth_provider: text(row, "oauth_provider")?,
        is_invited: text::<&str>(row, "invite_token_hash")?.is_some(),
        invite_expires_at: text(row, "invite_expires_at")?,
        created_at: required(row, "created_at")?,
        last_login: text(row, "last_login")?,
    })
}

fn api_key(row: &SqliteRow) -> Result<EarlierApiKey, EarlierError> {
    Ok(EarlierApiKey {
        user_id: required(row, "user_id")?,
        name: required(row, "name")?,
        prefix: required(row, "key_prefix")?,
        key_hash: secret(row, "key_hash")?.ok_or_else(|| EarlierError::damaged("a key has no hash"))?,
        is_active: flag(row, "is_active")?,
        created_at: required(row, "created_at")?,
        last_used_at: text(row, "last_used_at")?,
        expires_at: text(row, "expires_at")?,
    })
}

/// A column as text, whatever SQLite has in it; nothing where it is empty or the schema does not have it yet.
fn text<'r, T: Decode<'r, Sqlite>>(row: &'r SqliteRow, column: &str) -> Result<Option<T>, EarlierError> {
    match row.try_get_unchecked::<Option<T>, _>(column) {
        Ok(text) => Ok(text),
        Err(sqlx::Error::ColumnNotFound(_)) => Ok(None),
        Err(error) => Err(damaged(error)),
    }
}

/// A text that no schema is without, or that is empty in those that were.
fn required(row: &SqliteRow, column: &str) -> Result<String, EarlierError> {
    Ok(text(row, column)?.unwrap_or_default())
}

fn secret(row: &SqliteRow, column: &str) -> Result<Option<SecretValue>, EarlierError> {
    let value = text::<String>(row, column)?.filter(|text| !text.is_empty());
    value.map(SecretValue::new).transpose().map_err(EarlierError::damaged)
}

fn flag(row: &SqliteRow, column: &str) -> Result<bool, EarlierError> {
    Ok(text::<i64>(row, column)?.is_some_and(|flag| flag != 0))
}

/// What SQLite says of bytes that were all read already is never about the disk.
fn damaged(error: sqlx::Error) -> EarlierError {
    EarlierError::damaged(error)
}

/// The first statement is where SQLite finds out that something is no database.
fn foreign_or_damaged(error: sqlx::Error) -> EarlierError {
    const NOTADB: &str = "26";
    match error.as_database_error().and_then(|error| error.code()) {
        Some(code) if code == NOTADB => EarlierError::Foreign,
        _ => EarlierError::damaged(error),
    }
}
