//! The app that a user registered at a provider: its id and secret, from the environment, `.env`, or the copies beside a source.

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_oauth::{ClientRegistration, Provider};
use dango_secrets::dotenv::Precedence;
use dango_vault::{Connection, is_encrypted_binding};

use super::tokens::Stored;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;

/// The app of a provider, from the process's environment or `.env`; `None` where there is no id.
pub(super) fn registered(provider: &Provider, opened: &Opened, output: &mut Output<'_>) -> Result<Option<ClientRegistration>, Failure> {
    let [id, secret] = &provider.client_variables;
    let document = opened.env()?;
    let is_ours = |key: &str| key == id || key == secret;
    // Nothing else that is encrypted keeps the app from being read, and no key is asked for in vain.
    let opens = document
        .bindings()
        .any(|binding| is_ours(binding.key()) && is_encrypted_binding(binding));
    let document = match opens {
        true => opened.open_env(&document, output)?,
        false => document,
    };
    let process = process_variable(output.host);
    let loaded = document
        .values(&process, Precedence::Environment)
        .map_err(|error| Failure::caused_by(&error))?;
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
pub(super) fn of_connection(
    connection: &Connection,
    provider: &Provider,
    stored: &Stored,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<Option<ClientRegistration>, Failure> {
    if let Some(client) = stored.client() {
        return Ok(Some(client));
    }
    if let Some(client) = registered(provider, opened, output)? {
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

/// That the app is not known, and what may be done about it.
pub(super) fn missing(provider: &Provider) -> Failure {
    let [id, secret] = &provider.client_variables;
    Failure::refused(format!("no app of {} is registered here: .env has no {id}", provider.title))
        .with_code("missing_credentials")
        .hint(format!(
            "register one{} and store it with `dango oauth setup {}`",
            provider.console.as_ref().map(|url| format!(" at {url}")).unwrap_or_default(),
            provider.name
        ))
        .hint(format!("or put {id} and {secret} into the environment"))
}

/// The variables that hold an app; those of a project's own provider were checked when its table was read.
pub(super) fn variables(provider: &Provider) -> Result<[VariableName; 2], Failure> {
    let [id, secret] = &provider.client_variables;
    let name = |text: &str| text.parse::<VariableName>().map_err(|error| Failure::caused_by(&error));
    Ok([name(id)?, name(secret)?])
}

/// The places of the copies that dlt needs beside a source.
pub(super) fn copies(section: impl Fn(&str) -> CredentialPath) -> [CredentialPath; 2] {
    [section("client_id"), section("client_secret")]
}
