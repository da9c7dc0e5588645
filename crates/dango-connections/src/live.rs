//! A stored connection with all that it takes to ask its provider: renewed, its new tokens stored before anything uses them.

use dango_core::{SecretValue, Timestamp};
use dango_oauth::{
    Cause, ClientRegistration, Due, Endpoints, Http, Jitter, NotSaved, Provider, Providers, RefreshModel, RenewalError, Reread, Saved,
    SourceScopes, StoredTokens, Unsaved, Verdict, due, judge, likely_cause, renew,
};
use dango_vault::{Connection, ConnectionLease, Renewal, RenewedConnection, VaultError};

use crate::error::{LiveError, RenewError};
use crate::files::ConnectionFiles;
use crate::place::Places;
use crate::providers::provider_of;

/// How often new tokens are tried to be stored, since the old ones may be worth nothing.
const SAVES: usize = 3;

/// A connection with all that it takes to ask its provider. Whoever asks for new tokens holds its lease, and has read it since.
pub struct Live<'p> {
    /// The record.
    pub connection: Connection,
    /// The provider that serves its type.
    pub provider: &'p Provider,
    /// What the type takes of it.
    pub source: &'p SourceScopes,
    /// Where the provider is asked.
    pub endpoints: Endpoints,
    /// The app that it was made with, where that is known.
    pub client: Option<ClientRegistration>,
    /// The tokens.
    pub tokens: StoredTokens,
}

impl ConnectionFiles<'_> {
    /// Reads a connection anew, with all that it takes to ask its provider.
    ///
    /// # Errors
    ///
    /// [`LiveError`].
    pub fn live<'p>(&self, name: &str, providers: &'p Providers) -> Result<Live<'p>, LiveError> {
        let connection = self.find(name)?.ok_or(LiveError::NotFound)?;
        let (provider, source) = provider_of(providers, &connection).ok_or(LiveError::Unserved)?;
        let places = Places::new(&connection.name, provider, source);
        let stored = self.stored(&connection.name, &places, source)?;
        let account = stored.account(provider, &places);
        Ok(Live {
            provider,
            source,
            endpoints: self.endpoints(provider, account.as_deref())?,
            client: self.client_of(&connection, provider, &stored)?,
            tokens: stored.tokens(&connection, &places, (provider, source)),
            connection,
        })
    }
}

impl Live<'_> {
    /// Whether somebody else has renewed it since an earlier reading: whoever held the lease before has done the work.
    pub fn was_renewed_since(&self, before: &Self) -> bool {
        self.connection.refreshed_at != before.connection.refreshed_at || !are_same(&self.tokens, &before.tokens)
    }

    /// Whether the provider renews nothing, or what it takes for it is not stored or has ended.
    pub fn needs_browser(&self, now: Timestamp) -> bool {
        let has_token = match self.provider.refresh {
            RefreshModel::Static | RefreshModel::Rotating => self.tokens.refresh_token.is_some(),
            RefreshModel::Exchange => self.tokens.access_token.is_some(),
            RefreshModel::None => false,
        };
        !has_token || self.tokens.expires_at.is_some_and(|end| now >= end)
    }

    /// When it is to be renewed.
    pub fn due(&self, now: Timestamp, jitter: Jitter) -> Due {
        due(self.provider, &self.tokens, now, jitter)
    }

    /// Why the provider takes it no more, if it does not.
    pub fn likely_cause(&self, now: Timestamp) -> Cause {
        let (connected_at, worked_at) = (self.connection.connected_at, self.connection.refreshed_at);
        likely_cause(self.provider, &self.tokens, connected_at, worked_at, now)
    }

    /// Renews the connection and stores what it is given, under its lease; where that may have been lost the provider is not asked.
    ///
    /// A refusal is believed only after what is stored was read again. `attempt` counts failures in a row, from 0, and says with
    /// `jitter` how long to wait after trouble that passes.
    ///
    /// # Errors
    ///
    /// [`RenewError`]. Trouble of the provider and of the network costs no stored token.
    pub async fn renew(
        &self,
        files: &ConnectionFiles<'_>,
        lease: &ConnectionLease,
        http: &dyn Http,
        (attempt, jitter): (u32, Jitter),
    ) -> Result<(), RenewError> {
        let client = self.client.as_ref().ok_or(RenewError::NoClient)?;
        if !lease.is_held() {
            return Err(RenewError::LeaseLost);
        }
        let now = files.clock().now();
        match renew(http, self.provider, &self.endpoints, client, &self.tokens, now).await {
            Ok(unsaved) => self.save(unsaved, files).await.map(drop).map_err(RenewError::NotSaved),
            Err(error) => self.explain(error, files, attempt, jitter),
        }
    }

    /// Stores new tokens; trying again is better than losing a grant of which the old token is worth nothing.
    pub(crate) async fn save(&self, unsaved: Unsaved, files: &ConnectionFiles<'_>) -> Result<Saved, VaultError> {
        let places = self.places();
        let mut unsaved = unsaved;
        let mut tries = 0;
        loop {
            tries += 1;
            let saved = unsaved.save(async |tokens| {
                let fields = tokens
                    .fields(self.source)
                    .into_iter()
                    .filter(|(field, value)| !self.is_stored(field, value));
                let fields: Vec<_> = fields.map(|(field, value)| (places.path(&field), value)).collect();
                let renewal = Renewal {
                    at: files.clock().now(),
                    expires_at: tokens.expires_at,
                };
                match files.vault().renew_connection(&self.connection, &fields, renewal)? {
                    // One that was removed meanwhile was revoked, too: its tokens are nobody's. One that was renewed by somebody else, or by
                    // an earlier try whose answer was lost, has newer ones.
                    RenewedConnection::Saved | RenewedConnection::Gone | RenewedConnection::Superseded => Ok::<(), VaultError>(()),
                }
            });
            match saved.await {
                Ok(saved) => return Ok(saved),
                Err(NotSaved { cause, .. }) if tries == SAVES => return Err(cause),
                Err(NotSaved { unsaved: again, .. }) => unsaved = again,
            }
        }
    }

    /// What a failure means.
    fn explain(&self, error: RenewalError, files: &ConnectionFiles<'_>, attempt: u32, jitter: Jitter) -> Result<(), RenewError> {
        let mut verdict = judge(&error, Reread::NotYet, attempt, jitter);
        if verdict == Verdict::Reread {
            let reread = match are_same(&self.reread(files).map_err(RenewError::Reread)?, &self.tokens) {
                true => Reread::Unchanged,
                false => Reread::Changed,
            };
            verdict = judge(&error, reread, attempt, jitter);
        }
        match verdict {
            Verdict::UseStored => Ok(()),
            Verdict::Dead => Err(RenewError::Dead {
                cause: self.likely_cause(files.clock().now()),
            }),
            Verdict::Later(after) => Err(RenewError::Later { error, after }),
            // A verdict of `Reread` has been obeyed, and comes only once.
            Verdict::Misconfigured | Verdict::Reread => Err(RenewError::Misconfigured(error)),
        }
    }

    /// The tokens that are stored now.
    fn reread(&self, files: &ConnectionFiles<'_>) -> Result<StoredTokens, LiveError> {
        let connection = files.find(&self.connection.name)?.ok_or(LiveError::NotFound)?;
        let places = self.places();
        let stored = files.stored(&connection.name, &places, self.source)?;
        Ok(stored.tokens(&connection, &places, (self.provider, self.source)))
    }

    fn places(&self) -> Places<'_> {
        Places::new(&self.connection.name, self.provider, self.source)
    }

    /// Whether a field has this value already. It stays as it is written then, which may be a reference.
    fn is_stored(&self, field: &str, value: &SecretValue) -> bool {
        let has = |name: &Option<String>, stored: &Option<SecretValue>| {
            name.as_deref() == Some(field) && stored.as_ref().is_some_and(|stored| stored.expose() == value.expose())
        };
        has(&self.source.access_token, &self.tokens.access_token) || has(&self.source.refresh_token, &self.tokens.refresh_token)
    }
}

/// Whether two readings hold the same tokens.
pub fn are_same(one: &StoredTokens, other: &StoredTokens) -> bool {
    let same = |one: &Option<SecretValue>, other: &Option<SecretValue>| match (one, other) {
        (Some(one), Some(other)) => one.expose() == other.expose(),
        (one, other) => one.is_none() && other.is_none(),
    };
    same(&one.access_token, &other.access_token) && same(&one.refresh_token, &other.refresh_token)
}
