//! The app that a user registered at a provider: its id and secret, from the environment, `.env`, or the copies beside a source.

use dango_core::{CredentialPath, ParseNameError, SecretValue, VariableName};
use dango_oauth::{ClientRegistration, Provider};
use dango_secrets::dotenv::Precedence;
use dango_vault::{Connection, is_encrypted_binding};

use crate::error::StoredError;
use crate::files::ConnectionFiles;
use crate::stored::Stored;

impl ConnectionFiles<'_> {
    /// The app of a provider, from the process's environment or `.env`; `None` where there is no id.
    ///
    /// # Errors
    ///
    /// [`StoredError`] where `.env` cannot be read, or the app in it not be opened.
    pub fn registered_client(&self, provider: &Provider) -> Result<Option<ClientRegistration>, StoredError> {
        let [id, secret] = &provider.client_variables;
        let document = self.env()?;
        let is_ours = |key: &str| key == id || key == secret;
        // Nothing else that is encrypted keeps the app from being read, and no key is asked for in vain.
        let opens = document
            .bindings()
            .any(|binding| is_ours(binding.key()) && is_encrypted_binding(binding));
        let document = match opens {
            true => self.open_env(&document)?,
            false => document,
        };
        let process = |name: &str| self.variable(name);
        let loaded = document.values(&process, Precedence::Environment).map_err(StoredError::EnvValues)?;
        let value = |name: &str| {
            let value = process(name).or_else(|| loaded.value(name).cloned())?;
            let trimmed = value.expose().trim();
            SecretValue::new(trimmed.to_owned()).ok().filter(|value| !value.expose().is_empty())
        };
        Ok(value(id).map(|id| ClientRegistration {
            id: id.expose().to_owned(),
            secret: value(secret),
        }))
    }

    /// The app that a stored connection was made with: the copy beside its source, else the one that is registered.
    pub(crate) fn client_of(
        &self,
        connection: &Connection,
        provider: &Provider,
        stored: &Stored,
    ) -> Result<Option<ClientRegistration>, StoredError> {
        if let Some(client) = stored.client() {
            return Ok(Some(client));
        }
        if let Some(client) = self.registered_client(provider)? {
            return Ok(Some(client));
        }
        // Earlier versions kept an app of Facebook's beside the record.
        let record = Connection::path_of(&connection.name).child("metadata");
        let text = |member: &str| stored.text(&record.child(member));
        Ok(text("app_id").map(|id| ClientRegistration {
            id: id.expose().to_owned(),
            secret: text("app_secret"),
        }))
    }
}

/// The variables that hold an app: its id and its secret.
///
/// # Errors
///
/// [`ParseNameError`] where one is no name of a variable; those of a project's own provider were checked when its table was read.
pub fn client_variables(provider: &Provider) -> Result<[VariableName; 2], ParseNameError> {
    let [id, secret] = &provider.client_variables;
    Ok([id.parse()?, secret.parse()?])
}

/// The places of the copies that dlt needs beside a source: of the id and of the secret.
pub fn client_copies(place: impl Fn(&str) -> CredentialPath) -> [CredentialPath; 2] {
    [place("client_id"), place("client_secret")]
}
