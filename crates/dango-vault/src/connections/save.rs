//! Connections written: the fields of the source and the record in one save, each encrypted as the file is, and removed again whole.

use dango_core::{CredentialPath, SecretValue, Timestamp};
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_secrets::{References, Value};

use super::{Connection, member};
use crate::edition::Edition;
use crate::error::VaultError;
use crate::secrets::{Protection, SetReport, set_secrets, unset_secrets};
use crate::vault::Vault;

/// What a renewal changes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// When it was.
    pub at: Timestamp,
    /// When the grant ends now, where that is known.
    pub expires_at: Option<Timestamp>,
}

/// What came of storing renewed tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RenewedConnection {
    /// They are stored.
    Saved,
    /// The connection was removed meanwhile, and is not brought back.
    Gone,
    /// It was renewed or made anew meanwhile: what is stored is newer, and stays.
    Superseded,
}

impl Vault<'_> {
    /// Stores a connection: the fields of its source and its record, in one save. Fields that are not named stay as they are.
    ///
    /// The fields are encrypted as `protection` says, the record never: it holds no secret, and is read without a key. Where a
    /// connection of that name was stored before, its old tokens go without a trace in the history: they are nothing to come back to.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn save_connection(
        &self,
        connection: &Connection,
        fields: &[(CredentialPath, SecretValue)],
        protection: Protection,
    ) -> Result<SetReport, VaultError> {
        let fields = literal(fields);
        let record = Connection::path_of(&connection.name);
        let Record { present, absent } = Record::of(connection)?;
        self.edit_secrets(|document, edition| {
            let was_stored = document.contains_table(&record);
            let (document, report) = set_secrets(document, &fields, protection, edition)?;
            let (document, _) = unset_secrets(&document, &absent, edition)?;
            let (document, _) = set_secrets(&document, &present, Protection::Plain, edition)?;
            if was_stored {
                forget(edition);
            }
            Ok((document, report))
        })
    }

    /// Stores what a renewal gave, unless the connection was removed, renewed or made anew since it was read as `asked`. Whoever has lost the
    /// lease while the provider answered puts no older grant in the place of a newer one.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn renew_connection(
        &self,
        asked: &Connection,
        fields: &[(CredentialPath, SecretValue)],
        renewal: Renewal,
    ) -> Result<RenewedConnection, VaultError> {
        let fields = literal(fields);
        let record = Connection::path_of(&asked.name);
        let mut present = vec![(record.child(member::LAST_REFRESHED), time(renewal.at)?)];
        let mut absent = Vec::new();
        match renewal.expires_at {
            Some(at) => present.push((record.child(member::EXPIRES_AT), time(at)?)),
            None => absent.push(record.child(member::EXPIRES_AT)),
        }
        self.edit_secrets(|document, edition| {
            let Some(stored) = Connection::find(document, &asked.name, self.clock()) else {
                return Ok((document.clone(), RenewedConnection::Gone));
            };
            if (stored.connected_at, stored.refreshed_at) != (asked.connected_at, asked.refreshed_at) {
                return Ok((document.clone(), RenewedConnection::Superseded));
            }
            let (document, _) = set_secrets(document, &fields, Protection::Habit, edition)?;
            let (document, _) = unset_secrets(&document, &absent, edition)?;
            let (document, _) = set_secrets(&document, &present, Protection::Plain, edition)?;
            forget(edition);
            Ok((document, RenewedConnection::Saved))
        })
    }

    /// Removes a connection: its record, those of the fields that are there, and the tables of the source that are empty then. Says
    /// how many values went; nothing of them stays in the history.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; the file is then as it was.
    pub fn remove_connection(&self, name: &str, fields: &[CredentialPath]) -> Result<usize, VaultError> {
        let mut paths = fields.to_vec();
        paths.push(Connection::path_of(name));
        self.edit_secrets(|document, edition| {
            let (mut document, removed) = unset_secrets(document, &paths, edition)?;
            // The inner table first: it may have been all that was in the outer one.
            let mut tables: Vec<CredentialPath> = fields.iter().flat_map(tables_around).collect();
            tables.sort_by_key(|table| std::cmp::Reverse(table.parts().len()));
            tables.dedup();
            for table in tables {
                if is_empty_table(&document, &table) {
                    (document, _) = unset_secrets(&document, std::slice::from_ref(&table), edition)?;
                }
            }
            forget(edition);
            Ok((document, removed))
        })
    }
}

/// Takes back what the edit was to keep for the history.
fn forget(edition: &mut Edition<'_>) {
    drop(edition.take_kept());
}

fn literal(fields: &[(CredentialPath, SecretValue)]) -> Vec<(CredentialPath, NewValue)> {
    let values = fields.iter().map(|(path, text)| {
        let value = NewValue::String {
            text: text.clone(),
            references: References::Literal,
        };
        (path.clone(), value)
    });
    values.collect()
}

/// The members of a record.
struct Record {
    /// Those that it has.
    present: Vec<(CredentialPath, NewValue)>,
    /// The places of those that it has not.
    absent: Vec<CredentialPath>,
}

impl Record {
    fn of(connection: &Connection) -> Result<Self, VaultError> {
        let table = Connection::path_of(&connection.name);
        let texts = [
            (member::SOURCE_TYPE, Some(connection.source_type.clone())),
            (member::PROVIDER, Some(connection.provider.clone())),
            (member::IDENTIFIER, connection.identifier.clone()),
            (member::ACCOUNT_INFO, connection.account_info.clone()),
            (member::CREATED_AT, connection.connected_at.map(|at| at.to_string())),
            (member::EXPIRES_AT, connection.expires_at.map(|at| at.to_string())),
            (member::LAST_REFRESHED, connection.refreshed_at.map(|at| at.to_string())),
        ];
        let mut record = Self {
            present: Vec::new(),
            // What earlier versions kept beside is of the connection that was before; an app's secret is stored once, in `.env`.
            absent: vec![table.child(member::METADATA)],
        };
        for (name, value) in texts {
            match value {
                Some(value) => record.present.push((table.child(name), text(&value)?)),
                None => record.absent.push(table.child(name)),
            }
        }
        let scopes: Result<Vec<NewValue>, VaultError> = connection.scopes.iter().map(|scope| text(scope)).collect();
        record.present.push((table.child(member::SCOPES), NewValue::Array(scopes?)));
        Ok(record)
    }
}

fn text(text: &str) -> Result<NewValue, VaultError> {
    Ok(NewValue::String {
        text: SecretValue::new(text.to_owned()).map_err(|_| VaultError::Nul)?,
        references: References::Literal,
    })
}

/// A time as `files.md` has it: RFC 3339 in UTC.
fn time(at: Timestamp) -> Result<NewValue, VaultError> {
    text(&at.to_string())
}

/// The tables that a path is in, but for the first part.
fn tables_around(path: &CredentialPath) -> Vec<CredentialPath> {
    let mut tables = Vec::new();
    let mut table = path.parent();
    while let Some(path) = table.filter(|path| path.parts().len() > 1) {
        table = path.parent();
        tables.push(path);
    }
    tables
}

fn is_empty_table(document: &SecretsDocument, path: &CredentialPath) -> bool {
    matches!(document.value(path), Some(Value::Table(entries)) if entries.is_empty())
}
