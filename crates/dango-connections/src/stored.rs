//! What is stored of a connection, opened: its tokens and, where its source has a copy, its app. Nothing is asked or written here.

use dango_core::{CredentialPath, SecretValue};
use dango_oauth::{ClientRegistration, Provider, RefreshModel, SourceScopes, StoredTokens};
use dango_secrets::Value;
use dango_vault::Connection;

use crate::client::client_copies;
use crate::error::StoredError;
use crate::files::ConnectionFiles;
use crate::place::Places;

/// The texts beside one connection, by their places.
pub struct Stored {
    texts: Vec<(CredentialPath, SecretValue)>,
    copies: [CredentialPath; 2],
    has_copies: bool,
}

impl ConnectionFiles<'_> {
    /// Opens what is stored beside a connection. A value that does not open is an error; one that is no text counts as not stored.
    ///
    /// # Errors
    ///
    /// [`StoredError`].
    pub fn stored(&self, name: &str, places: &Places<'_>, source: &SourceScopes) -> Result<Stored, StoredError> {
        let document = self.document()?;
        let document = self.open_section(&document, &places.section())?;
        let record = Connection::path_of(name).child("metadata");
        let mut paths = places.all();
        paths.extend(["app_id", "app_secret"].map(|member| record.child(member)));
        let mut texts = Vec::new();
        for path in paths {
            let Some(value) = document.value(&path) else { continue };
            let text = match self.resolve(&path, &value)? {
                Value::String(text) => text.verbatim().to_string(),
                Value::Integer { text, .. } => text.to_string(),
                _ => continue,
            };
            let text = SecretValue::new(text)?;
            if !text.expose().is_empty() {
                texts.push((path, text));
            }
        }
        Ok(Stored {
            texts,
            copies: client_copies(|field| places.path(field)),
            has_copies: source.client,
        })
    }
}

impl Stored {
    /// The text at a place.
    pub fn text(&self, path: &CredentialPath) -> Option<SecretValue> {
        let found = self.texts.iter().find(|(at, _)| at == path);
        found.map(|(_, text)| text.clone())
    }

    /// The app that is stored beside the source.
    pub fn client(&self) -> Option<ClientRegistration> {
        let [id, secret] = &self.copies;
        let id = self.text(id).filter(|_| self.has_copies)?;
        Some(ClientRegistration {
            id: id.expose().to_owned(),
            secret: self.text(secret),
        })
    }

    /// The part of the provider's host that is the account's, where the source keeps it.
    pub fn account(&self, provider: &Provider, places: &Places<'_>) -> Option<String> {
        let field = provider.host.as_ref()?.field.as_ref()?;
        Some(self.text(&places.path(field))?.expose().to_owned())
    }

    /// The tokens, with the times of the record.
    pub(crate) fn tokens(
        &self,
        connection: &Connection,
        places: &Places<'_>,
        (provider, source): (&Provider, &SourceScopes),
    ) -> StoredTokens {
        let text = |field: &Option<String>| self.text(&places.path(field.as_ref()?));
        // An access token that is exchanged is the grant itself, and ends with it.
        let is_the_grant = provider.refresh == RefreshModel::Exchange;
        StoredTokens {
            access_token: text(&source.access_token),
            refresh_token: text(&source.refresh_token),
            access_expires_at: connection.expires_at.filter(|_| is_the_grant),
            expires_at: connection.expires_at,
            renewed_at: connection.refreshed_at.or(connection.connected_at),
        }
    }
}
