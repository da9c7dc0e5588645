//! What is stored of a connection, opened: its tokens and, where its source has a copy, its app. Nothing is asked or written here.

use dango_core::{CredentialPath, SecretValue};
use dango_oauth::{ClientRegistration, Provider, SourceScopes, StoredTokens};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_vault::Connection;

use super::place::Places;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

/// The texts beside one connection, by their places.
pub(super) struct Stored {
    texts: Vec<(CredentialPath, SecretValue)>,
    copies: [CredentialPath; 2],
    has_copies: bool,
}

impl Stored {
    /// Opens what is stored beside a connection. A value that does not open is an error; one that is no text counts as not stored.
    pub(super) fn read(
        name: &str,
        places: &Places<'_>,
        source: &SourceScopes,
        document: &SecretsDocument,
        opened: &Opened,
        output: &mut Output<'_>,
    ) -> Result<Self, Failure> {
        let document = opened.open_secrets(document, Some(&places.section()), output)?;
        let record = Connection::path_of(name).child("metadata");
        let mut paths = places.all();
        paths.extend(["app_id", "app_secret"].map(|member| record.child(member)));
        let mut texts = Vec::new();
        for path in paths {
            let Some(value) = document.value(&path) else { continue };
            let text = match opened.resolve(&path, &value, output)? {
                Value::String(text) => text.verbatim().to_string(),
                Value::Integer { text, .. } => text.to_string(),
                _ => continue,
            };
            let text = SecretValue::new(text).map_err(|error| Failure::caused_by(&error))?;
            if !text.expose().is_empty() {
                texts.push((path, text));
            }
        }
        Ok(Self {
            texts,
            copies: super::client::copies(|field| places.path(field)),
            has_copies: source.client,
        })
    }

    /// The text at a place.
    pub(super) fn text(&self, path: &CredentialPath) -> Option<SecretValue> {
        let found = self.texts.iter().find(|(at, _)| at == path);
        found.map(|(_, text)| text.clone())
    }

    /// The app that is stored beside the source.
    pub(super) fn client(&self) -> Option<ClientRegistration> {
        let [id, secret] = &self.copies;
        let id = self.text(id).filter(|_| self.has_copies)?;
        Some(ClientRegistration {
            id: id.expose().to_owned(),
            secret: self.text(secret),
        })
    }

    /// The part of the provider's host that is the account's, where the source keeps it.
    pub(super) fn account(&self, provider: &Provider, places: &Places<'_>) -> Option<String> {
        let field = provider.host.as_ref()?.field.as_ref()?;
        Some(self.text(&places.path(field))?.expose().to_owned())
    }

    /// The tokens, with the times of the record.
    pub(super) fn tokens(&self, connection: &Connection, places: &Places<'_>, source: &SourceScopes) -> StoredTokens {
        let text = |field: &Option<String>| self.text(&places.path(field.as_ref()?));
        StoredTokens {
            access_token: text(&source.access_token),
            refresh_token: text(&source.refresh_token),
            access_expires_at: None,
            expires_at: connection.expires_at,
            renewed_at: connection.refreshed_at.or(connection.connected_at),
        }
    }
}

/// Whether two readings hold the same tokens.
pub(super) fn are_same(one: &StoredTokens, other: &StoredTokens) -> bool {
    let same = |one: &Option<SecretValue>, other: &Option<SecretValue>| match (one, other) {
        (Some(one), Some(other)) => one.expose() == other.expose(),
        (one, other) => one.is_none() && other.is_none(),
    };
    same(&one.access_token, &other.access_token) && same(&one.refresh_token, &other.refresh_token)
}
