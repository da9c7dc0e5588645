//! A stored connection with all that it takes to ask its provider, and new tokens of it stored. What is asked is with each verb.

use dango_actions::ChangeDraft;
use dango_audit::{Detail, Event, Target, TargetKind};
use dango_core::{ParseNameError, SecretValue, SourceType, Timestamp};
use dango_oauth::{ClientRegistration, Endpoints, NotSaved, Provider, Providers, SourceScopes, StoredTokens, Unsaved};
use dango_vault::{Connection, Renewal, RenewedConnection, VaultError};

use super::place::Places;
use super::tokens::Stored;
use super::{client, find, provider, source_name};
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// How often new tokens are tried to be stored, since the old ones may be worth nothing.
const SAVES: usize = 3;

/// A connection with all that it takes to ask its provider. Whoever asks for new tokens holds its lease, and has read it since.
pub(super) struct Renewing<'p> {
    pub(super) connection: Connection,
    pub(super) provider: &'p Provider,
    pub(super) source: &'p SourceScopes,
    pub(super) endpoints: Endpoints,
    pub(super) client: Option<ClientRegistration>,
    pub(super) tokens: StoredTokens,
}

impl<'p> Renewing<'p> {
    /// Reads a connection anew.
    pub(super) fn read(
        connection: &Connection,
        providers: &'p Providers,
        opened: &Opened,
        output: &mut Output<'_>,
    ) -> Result<Self, Failure> {
        let document = opened.secrets(output)?;
        let connection = find(&document, &connection.name, output)?;
        let (provider, source) = provider::of_connection(providers, &connection)?;
        let source_type = parse_type(&connection)?;
        let places = Places::new(&connection.name, &source_type, provider, source);
        let stored = Stored::read(&connection.name, &places, source, &document, opened, output)?;
        let account = stored.account(provider, &places);
        Ok(Self {
            provider,
            source,
            endpoints: provider::endpoints(provider, account.as_deref(), output)?,
            client: client::of_connection(&connection, provider, &stored, opened, output)?,
            tokens: stored.tokens(&connection, &places, source),
            connection,
        })
    }

    /// Stores new tokens; trying again is better than losing a grant of which the old token is worth nothing.
    pub(super) async fn save(&self, unsaved: Unsaved, now: Timestamp, opened: &Opened) -> Result<(), Failure> {
        let source_type = parse_type(&self.connection)?;
        let places = Places::new(&self.connection.name, &source_type, self.provider, self.source);
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
                    at: now,
                    expires_at: tokens.expires_at,
                };
                // A connection that was removed meanwhile was revoked, too: its tokens are nobody's.
                match opened.vault().renew_connection(&self.connection.name, &fields, renewal)? {
                    RenewedConnection::Saved | RenewedConnection::Gone => Ok::<(), VaultError>(()),
                }
            });
            match saved.await {
                Ok(_) => return Ok(()),
                Err(NotSaved { cause, .. }) if tries == SAVES => {
                    let failure = opened.vault_failure(&cause);
                    return Err(failure.hint(
                        "the provider has given new tokens that could not be stored; if it takes the old ones no more, connect again",
                    ));
                }
                Err(NotSaved { unsaved: again, .. }) => unsaved = again,
            }
        }
    }

    /// Whether a field has this value already. It stays as it is written then, which may be a reference.
    fn is_stored(&self, field: &str, value: &SecretValue) -> bool {
        let has = |name: &Option<String>, stored: &Option<SecretValue>| {
            name.as_deref() == Some(field) && stored.as_ref().is_some_and(|stored| stored.expose() == value.expose())
        };
        has(&self.source.access_token, &self.tokens.access_token) || has(&self.source.refresh_token, &self.tokens.refresh_token)
    }
}

pub(super) fn parse_type(connection: &Connection) -> Result<SourceType, Failure> {
    connection
        .source_type
        .parse()
        .map_err(|error: ParseNameError| Failure::caused_by(&error))
}

/// A change of a connection, for the audit log.
pub(super) fn draft(event: Event, connection: &Connection) -> ChangeDraft {
    let draft = ChangeDraft::new(event);
    let draft = match source_name(connection) {
        Some(name) => draft.on(Target::new(TargetKind::Connection, &name)).with(Detail::Source, &name),
        None => draft.on(Target::of(TargetKind::Connection)),
    };
    match connection.source_type.parse::<SourceType>() {
        Ok(source_type) => draft.with(Detail::SourceType, &source_type),
        Err(_) => draft,
    }
}
