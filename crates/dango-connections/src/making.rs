//! A grant stored as a connection: its account compared with what was connected before, and everything in one save.

use std::time::Duration;

use dango_core::{CredentialPath, SecretValue, SourceName};
use dango_oauth::{ClientRegistration, Grant, Provider, SameAccount, SourceScopes};
use dango_vault::{Connection, Protection, SetReport};

use crate::error::SaveError;
use crate::files::ConnectionFiles;
use crate::place::Places;
use crate::stored::Stored;

/// A connection that is to be made.
pub struct NewConnection<'a> {
    /// The name of the source.
    pub name: &'a SourceName,
    /// The provider.
    pub provider: &'a Provider,
    /// What the type of the source takes of it.
    pub source: &'a SourceScopes,
    /// The app that it is made with.
    pub client: &'a ClientRegistration,
    /// What was connected under the name when it was begun.
    pub before: Option<&'a Connection>,
}

/// What is stored beside the grant.
pub struct NewFields {
    /// Fields that somebody gave.
    pub beside: Vec<(CredentialPath, SecretValue)>,
    /// How the fields are encrypted.
    pub protection: Protection,
}

impl NewConnection<'_> {
    /// Whether a grant is for the account that was connected before. For another one somebody is to be asked first.
    pub fn compare(&self, grant: &Grant) -> SameAccount {
        grant.same_account(self.before.and_then(|before| before.identifier.as_deref()))
    }

    /// Whether a grant holds what the source cannot do without: a refresh token that was given, or that is stored and stays.
    ///
    /// # Errors
    ///
    /// [`SaveError::NoRefreshToken`]; [`SaveError::Stored`] where what is stored cannot be read.
    pub fn check_tokens(&self, files: &ConnectionFiles<'_>, grant: &Grant) -> Result<(), SaveError> {
        if self.source.access_token.is_some() || grant.refresh_token.is_some() {
            return Ok(());
        }
        let stored = files.stored(self.name.as_str(), &self.places(), self.source)?;
        let kept = self.kept_refresh_token(&stored).filter(|_| self.compare(grant) == SameAccount::Yes);
        kept.map(|_| ()).ok_or(SaveError::NoRefreshToken)
    }

    /// Stores a grant: the fields of its source and the record, in one save; waits for its lease as long as `patience` says, since a
    /// renewal that is under way would put the tokens of before over the new ones.
    ///
    /// A refresh token that the provider did not give again stays, if account and app are the same; that of another account does not
    /// stay beside the new access token. What the source takes a default for gets it, where it has nothing.
    ///
    /// # Errors
    ///
    /// [`SaveError`]; nothing was changed then.
    pub fn save(
        &self,
        files: &ConnectionFiles<'_>,
        grant: Grant,
        fields: NewFields,
        patience: Duration,
    ) -> Result<(Connection, SetReport), SaveError> {
        let places = self.places();
        let _lease = files.lease(self.name.as_str(), patience)?;
        // While somebody was in the browser it may have been renewed, or connected by somebody else.
        let before = files.find(self.name.as_str())?;
        let same = grant.same_account(before.as_ref().and_then(|before| before.identifier.as_deref()));
        if same == SameAccount::No && self.compare(&grant) != SameAccount::No {
            return Err(SaveError::OtherAccount);
        }
        let stored = files.stored(self.name.as_str(), &places, self.source)?;
        let grant = match same {
            SameAccount::Yes => grant.or_keep_refresh_token(self.kept_refresh_token(&stored)),
            _ => grant,
        };
        if self.source.access_token.is_none() && grant.refresh_token.is_none() {
            return Err(SaveError::NoRefreshToken);
        }
        let record = self.record(&grant, files);
        let granted = grant.fields(self.source, self.client).into_iter();
        let mut values: Vec<(CredentialPath, SecretValue)> = granted.map(|(field, value)| (places.path(&field), value)).collect();
        values.extend(fields.beside);
        for field in places.beside() {
            let path = places.path(field.name);
            let has_one = values.iter().any(|(at, _)| *at == path) || stored.text(&path).is_some();
            if let (Some(default), false) = (field.default, has_one) {
                values.push((path, SecretValue::new(default.to_owned()).expect("the catalogue has no NUL")));
            }
        }
        let is_anothers = grant.refresh_token.is_none() && same != SameAccount::Yes && self.refresh_token(&stored).is_some();
        if let (Some(field), true) = (&self.source.refresh_token, is_anothers) {
            let empty = SecretValue::new(String::new()).expect("no text has no NUL");
            values.push((places.path(field), empty));
        }
        let report = files.vault().save_connection(&record, &values, fields.protection)?;
        Ok((record, report))
    }

    fn record(&self, grant: &Grant, files: &ConnectionFiles<'_>) -> Connection {
        let identity = grant.identity.as_ref();
        let identifier = identity.and_then(|identity| identity.identifier.clone());
        let account = identity.and_then(|identity| identity.account.clone());
        Connection {
            name: self.name.to_string(),
            source_type: self.source.source_type.to_string(),
            provider: self.provider.name.clone(),
            account_info: match (account, &identifier) {
                (Some(account), Some(identifier)) if account != *identifier => Some(format!("{account} ({identifier})")),
                (Some(account), _) => Some(account),
                (None, identifier) => identifier.clone(),
            },
            identifier,
            connected_at: Some(files.clock().now()),
            expires_at: grant.expires_at,
            refreshed_at: None,
            scopes: grant.scopes.granted.clone(),
            unreadable: Vec::new(),
        }
    }

    /// The refresh token that is stored, which is of use to the same app alone.
    fn kept_refresh_token(&self, stored: &Stored) -> Option<SecretValue> {
        let is_same_app = stored.client().is_none_or(|client| client.id == self.client.id);
        self.refresh_token(stored).filter(|_| is_same_app)
    }

    fn refresh_token(&self, stored: &Stored) -> Option<SecretValue> {
        stored.text(&self.places().path(self.source.refresh_token.as_ref()?))
    }

    fn places(&self) -> Places<'_> {
        Places::new(self.name.as_str(), self.provider, self.source)
    }
}
