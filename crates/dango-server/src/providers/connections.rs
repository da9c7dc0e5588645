//! Connections behind the port of the use cases. Whatever touches the files runs on a thread that may wait, to its end, whoever hangs up.

use std::sync::Arc;

use dango_actions::{
    BegunFlow, CheckedConnection, ConnectableSource, ConnectionTrouble, Connections, Disconnected, FilesError, FilesProblem,
    GrantedAccount, GrantedConnection, ListedConnection, ProviderFailure, ProviderProblem, WantedConnection,
};
use dango_audit::Word;
use dango_connections::{
    CheckFailure, ConnectionFiles, Found, GivenBack, LiveError, NewConnection, NewFields, PATIENCE, Places, connectable, missing_scopes_of,
};
use dango_identity::{PlainToken, kind};
use dango_oauth::{
    CheckError, ClientRegistration, Context, Endpoints, FLOW_LIFETIME, FlowRequest, Grant, Provider, Providers, Purpose, SameAccount,
    SourceScopes, begin_flow,
};
use dango_store::BoxFuture;
use dango_vault::{Connection, Protection};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::desk::Desk;
use super::flow::{answered, into_begun, state_of};
use super::problem::{
    flow_without_endpoints, flow_without_files, of_check, of_exchange, of_providers_file, of_remove, of_save, of_stored, write_down,
};
use super::trouble::{Edition, broken_cause};
use crate::failure::chain;

/// The connections of one project.
pub(crate) struct ProviderConnections {
    desk: Arc<Desk>,
}

impl ProviderConnections {
    pub(crate) const fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// Runs something that waits for files and providers on a thread of its own. It goes on where nobody waits for it any more.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce(&Arc<Desk>) -> T + Send + 'static) -> Option<T> {
        let desk = Arc::clone(&self.desk);
        tokio::task::spawn_blocking(move || work(&desk)).await.ok()
    }
}

impl Connections for ProviderConnections {
    fn sources(&self) -> Vec<ConnectableSource> {
        let providers = self.desk.known_providers();
        let sources = connectable(&providers).into_iter();
        sources
            .map(|source| ConnectableSource {
                source_type: source.source_type.clone(),
                title: source.title.to_owned(),
                provider: source.provider.to_owned(),
            })
            .collect()
    }

    fn trouble(&self, listed: &ListedConnection) -> Option<ConnectionTrouble> {
        let edition = Edition::new(listed.connected_at, listed.refreshed_at);
        if let Some(cause) = self.desk.troubles.of(&listed.name, edition) {
            return Some(ConnectionTrouble::Broken(cause));
        }
        let missing = missing_scopes_of(&self.desk.known_providers(), &listed.source_type, &listed.scopes);
        (!missing.is_empty()).then_some(ConnectionTrouble::Limited { missing })
    }

    fn begin<'a>(&'a self, wanted: &'a WantedConnection, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>> {
        let (wanted, redirect_uri) = (wanted.clone(), redirect_uri.to_owned());
        Box::pin(async move {
            let name = wanted.name.clone();
            let begun = self.aside(move |desk| begin(desk, &wanted, &redirect_uri)).await;
            let begun = begun.unwrap_or_else(|| Err(broken_off()));
            begun.inspect_err(|failure| write_down(name.as_str(), failure))
        })
    }

    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>> {
        state_of(query)
    }

    fn redeem<'a>(
        &'a self,
        wanted: &'a WantedConnection,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn GrantedConnection>, ProviderFailure>> {
        let (wanted, kept, query) = (wanted.clone(), Zeroizing::new(kept.to_vec()), Zeroizing::new(query.to_owned()));
        let handle = Handle::current();
        Box::pin(async move {
            let name = wanted.name.clone();
            let granted = self.aside(move |desk| redeem(desk, wanted, &kept, &query, handle)).await;
            let granted = granted.unwrap_or_else(|| Err(broken_off()));
            let granted = granted.inspect_err(|failure| write_down(name.as_str(), failure))?;
            Ok(Box::new(granted) as Box<dyn GrantedConnection>)
        })
    }

    fn check<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<CheckedConnection, FilesError>> {
        let (name, handle) = (name.to_owned(), Handle::current());
        Box::pin(async move {
            let checked = self.aside(move |desk| check(desk, &name, &handle)).await;
            checked.unwrap_or_else(|| Err(interrupted()))
        })
    }

    fn disconnect<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Disconnected, FilesError>> {
        let (name, handle) = (name.to_owned(), Handle::current());
        Box::pin(async move {
            let gone = self.aside(move |desk| disconnect(desk, &name, &handle)).await;
            gone.unwrap_or_else(|| Err(interrupted()))
        })
    }
}

/// Whose the flow is is bound by the use cases, which keep it: here it is bound to the source.
fn context(wanted: &WantedConnection) -> Context {
    Context::new(wanted.source_type.as_str(), &["connection", wanted.name.as_str()])
}

/// What a source is connected with.
struct Asked<'p> {
    provider: &'p Provider,
    source: &'p SourceScopes,
    endpoints: Endpoints,
    client: ClientRegistration,
}

impl<'p> Asked<'p> {
    fn find(wanted: &WantedConnection, providers: &'p Providers, files: &ConnectionFiles<'_>) -> Result<Self, ProviderFailure> {
        let (provider, source) = providers
            .for_source_type(&wanted.source_type)
            .ok_or_else(|| ProviderFailure::new(ProviderProblem::Unsupported, "unsupported"))?;
        let places = Places::new(wanted.name.as_str(), provider, source);
        let unread = |error| flow_without_files(&of_stored(error));
        let stored = files.stored(wanted.name.as_str(), &places, source).map_err(unread)?;
        let registered = files.registered_client(provider).map_err(unread)?;
        let client = registered.or_else(|| stored.client());
        let account = stored.account(provider, &places);
        Ok(Self {
            endpoints: files.endpoints(provider, account.as_deref()).map_err(flow_without_endpoints)?,
            client: client.ok_or_else(|| ProviderFailure::new(ProviderProblem::MissingCredentials, "missing_credentials"))?,
            provider,
            source,
        })
    }
}

fn begin(desk: &Desk, wanted: &WantedConnection, redirect_uri: &str) -> Result<BegunFlow, ProviderFailure> {
    let redirect_uri = redirect_uri.parse();
    let redirect_uri = redirect_uri.map_err(|_| ProviderFailure::new(ProviderProblem::Unsupported, "oauth_redirect_uri"))?;
    desk.with_files(|files| {
        let providers = providers(desk, files)?;
        let asked = Asked::find(wanted, &providers, files)?;
        let request = FlowRequest {
            provider: asked.provider,
            endpoints: &asked.endpoints,
            client: &asked.client,
            redirect_uri: &redirect_uri,
            scopes: asked.provider.scopes_for(asked.source),
            context: context(wanted),
            purpose: Purpose::Connection,
            lifetime: FLOW_LIFETIME,
        };
        let begun = begin_flow(request, desk.entropy(), desk.clock().now());
        into_begun(begun.map_err(|error| ProviderFailure::new(ProviderProblem::ExchangeFailed, "no-randomness").caused_by(error))?)
    })
}

fn redeem(desk: &Arc<Desk>, wanted: WantedConnection, kept: &[u8], query: &str, handle: Handle) -> Result<Granted, ProviderFailure> {
    // Before anything is read or sent: it has to be the answer to this flow.
    let redeemable = answered(kept, query, &context(&wanted), desk.clock())?;
    desk.with_files(|files| {
        let providers = providers(desk, files)?;
        let Asked {
            provider,
            source,
            endpoints,
            client,
        } = Asked::find(&wanted, &providers, files)?;
        let before = files.find(wanted.name.as_str());
        let before = before.map_err(|error| flow_without_files(&of_stored(error)))?;
        let redeemed = redeemable.redeem(desk.http(), provider, &endpoints, &client, desk.clock().now());
        let grant = handle.block_on(redeemed).map_err(of_exchange)?;
        let new = NewConnection {
            name: &wanted.name,
            provider,
            source,
            client: &client,
            before: before.as_ref(),
        };
        let complete = new.check_tokens(files, &grant);
        complete.map_err(|error| ProviderFailure::new(ProviderProblem::ExchangeFailed, error.code()).caused_by(error))?;
        let same = new.compare(&grant);
        Ok(Granted {
            desk: Arc::clone(desk),
            providers: Arc::clone(&providers),
            wanted: wanted.clone(),
            client,
            before,
            grant,
            same,
            handle: handle.clone(),
        })
    })
}

fn check(desk: &Desk, name: &str, handle: &Handle) -> Result<CheckedConnection, FilesError> {
    desk.with_files(|files| {
        let providers = desk.providers(files).map_err(of_providers_file)?;
        let checked = handle.block_on(files.check(name, &providers, desk.http(), PATIENCE));
        let Found { valid, error, .. } = match checked {
            Ok(found) => found,
            // A provider that is not known says nothing about the connection.
            Err(CheckFailure::Live(error @ LiveError::Unserved)) => {
                return Ok(CheckedConnection {
                    is_valid: true,
                    error: Some((Word::new(error.code()), "no provider is known for its type")),
                });
            }
            Err(error) => return Err(of_check(error)),
        };
        match error {
            None => desk.troubles.forget(name),
            Some(CheckError::Revoked) => {
                if let Ok(live) = files.live(name, &providers) {
                    let cause = broken_cause(live.likely_cause(desk.clock().now()));
                    desk.troubles.note(name, Edition::of(&live.connection), cause);
                }
            }
            Some(_) => {}
        }
        Ok(CheckedConnection {
            is_valid: valid,
            error: error.map(|error| (Word::new(error.code()), sentence(error))),
        })
    })
}

fn disconnect(desk: &Desk, name: &str, handle: &Handle) -> Result<Disconnected, FilesError> {
    desk.with_files(|files| {
        let providers = desk.providers(files).map_err(of_providers_file)?;
        let removed = handle.block_on(files.remove(name, &providers, desk.http(), PATIENCE));
        let removed = removed.map_err(of_remove)?;
        desk.troubles.forget(name);
        match &removed.given_back {
            GivenBack::Yes => {}
            GivenBack::Shared { with } => tracing::info!(
                connection = name,
                "the access was not revoked at the provider: {with} has it from the same account"
            ),
            GivenBack::No(why) => tracing::warn!(connection = name, "the access was not revoked at the provider: {}", chain(why)),
        }
        Ok(Disconnected {
            revoked_at_provider: matches!(removed.given_back, GivenBack::Yes),
        })
    })
}

/// A grant with all that it takes to store it.
struct Granted {
    desk: Arc<Desk>,
    providers: Arc<Providers>,
    wanted: WantedConnection,
    client: ClientRegistration,
    before: Option<Connection>,
    grant: Grant,
    same: SameAccount,
    /// Where threads that may wait come from: it is stored from a thread of the store, which may have no runtime, or one of its own.
    handle: Handle,
}

impl GrantedConnection for Granted {
    fn account(&self) -> GrantedAccount {
        match self.same {
            SameAccount::No => GrantedAccount::IsAnother,
            SameAccount::Yes | SameAccount::Unknown => GrantedAccount::MayStay,
        }
    }

    fn save(self: Box<Self>) -> BoxFuture<'static, Result<(), FilesError>> {
        Box::pin(async move {
            let handle = self.handle.clone();
            let stored = handle.spawn_blocking(move || (*self).store()).await;
            stored.unwrap_or_else(|_| Err(interrupted()))
        })
    }
}

impl Granted {
    fn store(self) -> Result<(), FilesError> {
        let unserved = || FilesError::new(FilesProblem::Unusable, "unsupported");
        let (provider, source) = self.providers.for_source_type(&self.wanted.source_type).ok_or_else(unserved)?;
        let new = NewConnection {
            name: &self.wanted.name,
            provider,
            source,
            client: &self.client,
            before: self.before.as_ref(),
        };
        let fields = NewFields {
            beside: Vec::new(),
            protection: Protection::Habit,
        };
        let saved = self.desk.with_files(|files| new.save(files, self.grant, fields, PATIENCE));
        let (connection, report) = saved.map_err(of_save)?;
        self.desk.troubles.forget(&connection.name);
        for left in &report.left {
            tracing::warn!("{} stays plain: {}", left.path, left.reason);
        }
        Ok(())
    }
}

fn providers(desk: &Desk, files: &ConnectionFiles<'_>) -> Result<Arc<Providers>, ProviderFailure> {
    desk.providers(files).map_err(|error| flow_without_files(&of_providers_file(error)))
}

fn broken_off() -> ProviderFailure {
    ProviderFailure::new(ProviderProblem::ExchangeFailed, "interrupted")
}

fn interrupted() -> FilesError {
    FilesError::new(FilesProblem::Unusable, "interrupted")
}

const fn sentence(error: CheckError) -> &'static str {
    match error {
        CheckError::Revoked => "the provider takes it no more",
        CheckError::Expired => "it has expired",
        CheckError::NetworkError => "the provider cannot be reached",
        CheckError::ServerError => "the provider has trouble of its own",
        CheckError::MissingCredentials => "its tokens or its app are not stored",
    }
}
