//! A connection given back at its provider, and everything that was stored of it taken away.

use std::time::Duration;

use dango_core::CredentialPath;
use dango_oauth::{ClientRegistration, Http, ProviderError, Providers, Revocation, Revoked, revoke};

use crate::error::{LiveError, RemoveError, StoredError};
use crate::files::ConnectionFiles;
use crate::live::Live;
use crate::place::Places;
use crate::providers::provider_of;

/// A connection that is gone.
#[derive(Debug)]
pub struct Removed {
    /// How many values went.
    pub values: usize,
    /// Whether the provider took the grant back.
    pub given_back: GivenBack,
    /// Whether the fields of its source stay, because which of them came from a provider is not known for its type.
    pub fields_stay: bool,
}

/// Whether a provider took a grant back.
#[derive(Debug)]
pub enum GivenBack {
    /// It did, or knew it no more.
    Yes,
    /// Another connection has its access from the same account and would lose it, too; nobody was asked.
    Shared {
        /// The name of the other.
        with: String,
    },
    /// It did not: the access is to be taken back on the provider's own page.
    No(NotGivenBack),
}

/// Why a provider did not take a grant back. The connection is removed here all the same.
#[derive(Debug, thiserror::Error)]
pub enum NotGivenBack {
    /// What is stored of it cannot be read.
    #[error(transparent)]
    Unread(LiveError),
    /// The provider wants to know for which app.
    #[error("its app is not stored here")]
    NoClient,
    /// There is no way to.
    #[error("it has no way to, or no token is stored")]
    Unsupported,
    /// The provider did not do it.
    #[error(transparent)]
    Failed(ProviderError),
}

impl ConnectionFiles<'_> {
    /// Gives the grant of a connection back, as well as that can be done, and removes everything that was stored of it; waits for its
    /// lease as long as `patience` says.
    ///
    /// # Errors
    ///
    /// [`RemoveError`]; then all of it is still stored.
    pub async fn remove(&self, name: &str, providers: &Providers, http: &dyn Http, patience: Duration) -> Result<Removed, RemoveError> {
        let _lease = self.lease(name, patience)?;
        let connection = self.find(name)?.ok_or(RemoveError::NotFound)?;
        let fields: Option<Vec<CredentialPath>> =
            provider_of(providers, &connection).map(|(provider, source)| Places::new(&connection.name, provider, source).all());
        let given_back = match self.live(name, providers) {
            Ok(live) => self.give_back(&live, http).await?,
            // What cannot be opened can still be taken away.
            Err(error) => GivenBack::No(NotGivenBack::Unread(error)),
        };
        let values = self.vault().remove_connection(name, fields.as_deref().unwrap_or_default())?;
        Ok(Removed {
            values,
            given_back,
            fields_stay: fields.is_none(),
        })
    }

    /// Revokes the grant, unless another connection lives on it.
    async fn give_back(&self, live: &Live<'_>, http: &dyn Http) -> Result<GivenBack, StoredError> {
        let (connection, provider) = (&live.connection, live.provider);
        // Providers end everything that an account has granted to an app, not the one token.
        let others = self.list()?.into_iter();
        let sharing = others
            .filter(|other| other.name != connection.name && other.provider == connection.provider)
            .find(|other| other.identifier.is_some() && other.identifier == connection.identifier);
        if let Some(other) = sharing {
            return Ok(GivenBack::Shared { with: other.name });
        }
        let is_anonymous = matches!(
            provider.revocation,
            Revocation::TokenAlone | Revocation::Bearer | Revocation::Delete
        );
        let client = match &live.client {
            Some(client) => client.clone(),
            None if is_anonymous => ClientRegistration::public(String::new()),
            None => return Ok(GivenBack::No(NotGivenBack::NoClient)),
        };
        Ok(match revoke(http, provider, &live.endpoints, &client, &live.tokens).await {
            Revoked::Yes => GivenBack::Yes,
            Revoked::Unsupported => GivenBack::No(NotGivenBack::Unsupported),
            Revoked::Failed(error) => GivenBack::No(NotGivenBack::Failed(error)),
        })
    }
}
