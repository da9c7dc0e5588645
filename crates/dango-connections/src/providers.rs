//! The providers that a project knows: those that come with Dango and its own table. How they are reached from here.

use dango_core::SourceType;
use dango_oauth::{AccountHost, Endpoints, Provider, Providers, Replacement, SourceScopes};
use dango_secrets::home::SharedFile;
use dango_sources::catalogue;
use dango_vault::Connection;

use crate::error::{EndpointsError, ProvidersFileError};
use crate::files::ConnectionFiles;
use crate::notice::Notice;

impl ConnectionFiles<'_> {
    /// The providers that come with Dango, and the project's own.
    ///
    /// # Errors
    ///
    /// [`ProvidersFileError`] where the project's table cannot be used; it names the line.
    pub fn providers(&self) -> Result<Providers, ProvidersFileError> {
        let path = self.project().path(SharedFile::Providers);
        let Some(contents) = self.project().read(SharedFile::Providers)? else {
            return Ok(Providers::builtin());
        };
        let text = match std::str::from_utf8(contents.bytes()) {
            Ok(text) => text,
            Err(error) => {
                return Err(ProvidersFileError::NotUtf8 {
                    path,
                    offset: error.valid_up_to(),
                });
            }
        };
        let known = Providers::builtin().with_project_file(text);
        known.map_err(|error| ProvidersFileError::Invalid { path, error })
    }

    /// The endpoints of a provider for an account, as this process's environment has them; a replaced one is noticed.
    ///
    /// # Errors
    ///
    /// [`EndpointsError`].
    pub fn endpoints(&self, provider: &Provider, account: Option<&str>) -> Result<Endpoints, EndpointsError> {
        let variable = |name: &str| Some(self.variable(name)?.expose().to_owned());
        let replacement = Replacement::from_environment(provider, variable)?;
        let of_host = |error| EndpointsError::Host {
            error,
            field: provider.host.as_ref().and_then(|host| host.field.clone()),
        };
        let host: Option<AccountHost> = provider.parse_account_host(account).map_err(of_host)?;
        let endpoints = provider.endpoints(host.as_ref(), &replacement).map_err(of_host)?;
        let replaced = replacement.replaced();
        if !replaced.is_empty() {
            let name = provider.name.to_ascii_uppercase();
            let variables = replaced.iter().map(|endpoint| format!("DANGO_OAUTH_{name}_{endpoint}_URL"));
            self.notice(Notice::Replaced {
                title: provider.title.clone(),
                variables: variables.collect(),
            });
        }
        Ok(endpoints)
    }
}

/// The provider of a stored connection: the one that serves its type.
pub fn provider_of<'p>(providers: &'p Providers, connection: &Connection) -> Option<(&'p Provider, &'p SourceScopes)> {
    providers.for_source_type(&connection.source_type.parse::<SourceType>().ok()?)
}

/// The scopes that the source of a connection wants and was not granted. Where no scope is noted, as in records of earlier versions,
/// nothing is known to be missing.
pub fn missing_scopes(providers: &Providers, connection: &Connection) -> Vec<String> {
    missing_scopes_of(providers, &connection.source_type, &connection.scopes)
}

/// The same of a type and the scopes that were granted to it.
pub fn missing_scopes_of(providers: &Providers, source_type: &str, granted: &[String]) -> Vec<String> {
    let served = source_type
        .parse()
        .ok()
        .and_then(|source_type| providers.for_source_type(&source_type));
    match served {
        Some((provider, source)) if !granted.is_empty() => provider.missing_scopes(source, granted),
        _ => Vec::new(),
    }
}

/// A type of source that a provider serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connectable<'a> {
    /// The type.
    pub source_type: &'a SourceType,
    /// How people know it.
    pub title: &'a str,
    /// How people know the provider.
    pub provider: &'a str,
}

/// Every type of source that a provider serves, in the order of their titles.
pub fn connectable(providers: &Providers) -> Vec<Connectable<'_>> {
    let served = providers
        .iter()
        .flat_map(|provider| provider.sources.iter().map(move |source| (provider, &source.source_type)));
    let mut titled: Vec<Connectable<'_>> = served
        .map(|(provider, source_type)| Connectable {
            source_type,
            title: catalogue().find(source_type).map_or(source_type.as_str(), |spec| spec.title),
            provider: &provider.title,
        })
        .collect();
    titled.sort_by_key(|source| source.title.to_lowercase());
    titled
}
