//! Connections of sources to their providers: begun and finished in a browser, checked, removed. What is said to a provider and what
//! is stored is behind a port.

mod error;
mod port;

use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Word};
use dango_core::{SourceName, SourceType};
use dango_identity::{Full, OauthStarter, Permission};

use super::flow::FlowRefusal;
use super::port::{ProviderFailure, ProviderProblem};
use crate::actions::Actions;
use crate::caller::Caller;
use crate::desk::{ListedConnection, ProjectFiles};
use crate::drafts;
use crate::holder::Holder;
use crate::permit::Need;
use crate::recording::{ChangeDraft, Ending};
use crate::workers::offload;

pub use error::{ConnectError, ConnectionError};
pub use port::{
    BrokenCause, CheckedConnection, ConnectableSource, ConnectionTrouble, Connections, Disconnected, GrantedAccount, GrantedConnection,
    WantedConnection,
};

/// What connections take.
const NEED: Need = Need::Permission(Permission::ConfigManage);

/// What is kept with a flow for which another account than before is wanted.
const ANOTHER: &str = "another";

/// Where sources are connected to their providers by people who are not at the machine. Clones are the same desk.
#[derive(Clone)]
pub struct ConnectionDesk {
    actions: Actions,
    files: Arc<dyn ProjectFiles>,
    connections: Arc<dyn Connections>,
}

/// Whose account is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedAccount {
    /// The one that was connected before, if one was.
    Same,
    /// Whichever is chosen at the provider.
    Any,
}

/// A connection that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The type of the source.
    pub source_type: SourceType,
    /// The name of the source.
    pub name: SourceName,
}

impl ConnectionDesk {
    /// A desk over a project's files and the port.
    pub const fn new(actions: Actions, files: Arc<dyn ProjectFiles>, connections: Arc<dyn Connections>) -> Self {
        Self {
            actions,
            files,
            connections,
        }
    }

    /// What can be connected. Nobody is asked.
    pub fn sources(&self) -> Vec<ConnectableSource> {
        self.connections.sources()
    }

    /// What stands in the way of a stored connection, as far as it is known. Nobody is asked.
    pub fn trouble(&self, listed: &ListedConnection) -> Option<ConnectionTrouble> {
        self.connections.trouble(listed)
    }

    /// Begins to connect a source, by its name or its type; answers where the browser goes.
    ///
    /// `origin` is where people reach the server; each type has an address of its own there for the way back.
    ///
    /// Permission: `config.manage`. Audit: `oauth_started`, or `oauth_refused` with the reason.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn begin(&self, holder: &Holder<Full>, wanted: &str, account: WantedAccount, origin: &str) -> Result<String, ConnectError> {
        let caller = holder.caller();
        self.actions.check(caller, NEED).await?;
        let Some(wanted) = self.wanted(wanted).await? else {
            return Err(ConnectError::Provider(ProviderProblem::Unsupported));
        };
        let redirect_uri = format!("{origin}/oauth/callback/{}", wanted.source_type);
        let begun = match self.connections.begin(&wanted, &redirect_uri).await {
            Ok(begun) => begun,
            Err(failure) => return self.refuse(caller, &wanted, &failure).await,
        };
        let (starter, connector) = (starter(holder), connector(&wanted.source_type));
        let note = Note {
            name: wanted.name.clone(),
            account,
        };
        let note = note.to_text();
        let kept = self.actions.write(caller, move |mut unit| {
            Box::pin(async move {
                Ok(Ok::<_, ConnectError>(
                    unit.keep_flow(begun, (starter, &connector), Some(note)).await?,
                ))
            })
        });
        let url = kept.await?.map_err(|refusal| ConnectError::Provider(refusal.problem()))?;
        let started = drafts::connection(Event::OauthStarted, wanted.name.as_str(), Some(&wanted.source_type));
        self.actions.record(caller, started.record(&[]), Outcome::Success).await?;
        Ok(url)
    }

    /// Finishes to connect a source by the answer of its provider.
    ///
    /// Whoever brings the answer must be who began, in the same session, and at the address of the same type: that is decided before
    /// the code is redeemed (draft-ietf-oauth-security-topics-update). The flow is used up, whatever comes of it.
    ///
    /// Permission: `config.manage`. Audit: `oauth_source_connected`, the intent before it is stored and the outcome after; or
    /// `oauth_refused` with the reason.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn finish(&self, holder: Option<&Holder<Full>>, source_type: &str, query: &str) -> Result<Connected, ConnectError> {
        let caller = match holder {
            Some(holder) => holder.caller().clone(),
            // The answer of somebody who is not signed in uses its flow up, and does nothing more.
            None => Caller::system(),
        };
        self.actions.check(&caller, NEED).await?;
        let Ok(source_type) = source_type.parse::<SourceType>() else {
            return Err(ConnectError::Provider(ProviderProblem::Unsupported));
        };
        let note = match self.take(&caller, holder, &source_type, query).await? {
            Ok(kept) => kept,
            Err(refusal) => {
                // Somebody who is not signed in fills no log.
                if holder.is_some() {
                    let about = drafts::connection(Event::OauthRefused, source_type.as_str(), Some(&source_type));
                    let record = about.record(&[(Detail::Code, Word::new(refusal.word()).into())]);
                    self.actions.record(&caller, record, Outcome::Failure).await?;
                }
                let problem = match holder {
                    Some(_) => refusal.problem(),
                    None => ProviderProblem::SessionExpired,
                };
                return Err(ConnectError::Provider(problem));
            }
        };
        let (Note { name, account }, kept) = note;
        let wanted = WantedConnection { source_type, name };
        let granted = match self.connections.redeem(&wanted, &kept, query).await {
            Ok(granted) => granted,
            Err(failure) => return self.refuse(&caller, &wanted, &failure).await,
        };
        if granted.account() == GrantedAccount::IsAnother && account == WantedAccount::Same {
            self.record_refusal(&caller, &wanted, Word::new("account_mismatch")).await?;
            return Err(ConnectError::AccountMismatch);
        }
        // Whoever hangs up from here on loses nothing: it is stored and recorded on a thread of its own.
        let (actions, inner) = (self.actions.clone(), self.actions.inner());
        let stored = offload(&*inner.workers, move || {
            pollster::block_on(store(&actions, &caller, wanted, granted))
        });
        stored.await?
    }

    /// Asks the provider whether a connection works, by the name of the source, or its type where there is only one.
    ///
    /// Permission: `config.manage`. Audit: `oauth_checked`, the intent before and the outcome after: tokens may be renewed by it.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`].
    pub async fn check(&self, caller: &Caller, name: &str) -> Result<(ListedConnection, CheckedConnection), ConnectionError> {
        self.actions.check(caller, NEED).await?;
        let listed = self.find(name).await?;
        let pending = self
            .actions
            .begin_changes(caller, vec![about(Event::OauthChecked, &listed)])
            .await?;
        let checked = self.connections.check(&listed.name).await;
        let ending = match &checked {
            Ok(CheckedConnection { error: None, .. }) => Ending::done(),
            Ok(CheckedConnection {
                error: Some((word, _)), ..
            }) => Ending::failed(*word),
            Err(error) => Ending::failed(error.word()),
        };
        let recorded = self.actions.finish_changes(pending, ending).await;
        let checked = checked?;
        recorded.map_err(ConnectionError::OutcomeUnrecorded)?;
        // A check may have renewed it.
        let listed = self.find(&listed.name).await.unwrap_or(listed);
        Ok((listed, checked))
    }

    /// Removes a connection, by the name of the source, or its type where there is only one: gives the grant back at the provider,
    /// as well as it can be done, and deletes what was stored.
    ///
    /// Permission: `config.manage`. Audit: `oauth_source_disconnected`, the intent before and the outcome after, with whether the
    /// provider took the grant back.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`].
    pub async fn disconnect(&self, caller: &Caller, name: &str) -> Result<(ListedConnection, Disconnected), ConnectionError> {
        self.actions.check(caller, NEED).await?;
        let listed = self.find(name).await?;
        let draft = about(Event::OauthSourceDisconnected, &listed);
        let pending = self.actions.begin_changes(caller, vec![draft]).await?;
        let gone = self.connections.disconnect(&listed.name).await;
        let ending = match &gone {
            Ok(gone) => Ending::done().with(Detail::Revoked, gone.revoked_at_provider),
            Err(error) => Ending::failed(error.word()),
        };
        let recorded = self.actions.finish_changes(pending, ending).await;
        let gone = gone?;
        recorded.map_err(ConnectionError::OutcomeUnrecorded)?;
        Ok((listed, gone))
    }

    /// Takes the flow of an answer; what it was for, and what the port kept.
    async fn take(
        &self,
        caller: &Caller,
        holder: Option<&Holder<Full>>,
        source_type: &SourceType,
        query: &str,
    ) -> Result<Result<(Note, zeroize::Zeroizing<Vec<u8>>), FlowRefusal>, ConnectError> {
        let Some(state) = self.connections.state_of(query) else {
            return Ok(Err(FlowRefusal::Unknown));
        };
        let (starter, connector) = (holder.map(starter), connector(source_type));
        let taken = self.actions.write(caller, move |mut unit| {
            Box::pin(async move { Ok(Ok::<_, ConnectError>(unit.take_flow(&state, (starter.as_ref(), &connector)).await?)) })
        });
        Ok(taken.await?.and_then(|kept| {
            let note = kept.note.as_deref().and_then(Note::parse);
            note.map(|note| (note, kept.port)).ok_or(FlowRefusal::Elsewhere)
        }))
    }

    /// Which connection a part of a path means: one that is there, or a new one that is named by its type.
    async fn wanted(&self, text: &str) -> Result<Option<WantedConnection>, ConnectError> {
        let (name, source_type) = match self.find(text).await {
            Ok(listed) => (listed.name, listed.source_type),
            Err(ConnectionError::NotFound) => (text.to_owned(), text.to_owned()),
            Err(ConnectionError::Files(error)) => return Err(ConnectError::Save(error)),
            Err(_) => return Ok(None),
        };
        let (Ok(name), Ok(source_type)) = (name.parse(), source_type.parse()) else {
            return Ok(None);
        };
        let can_be = self.connections.sources().iter().any(|source| source.source_type == source_type);
        Ok(can_be.then_some(WantedConnection { source_type, name }))
    }

    /// The connection of that name; else the one of that type, if there is only one.
    async fn find(&self, text: &str) -> Result<ListedConnection, ConnectionError> {
        let listing = self.files.list().await?;
        let by_name = listing.connections.iter().find(|one| one.name == text);
        let mut of_type = listing.connections.iter().filter(|one| one.source_type == text);
        let found = by_name.or_else(|| match (of_type.next(), of_type.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
        found.cloned().ok_or(ConnectionError::NotFound)
    }

    async fn refuse<T>(&self, caller: &Caller, wanted: &WantedConnection, failure: &ProviderFailure) -> Result<T, ConnectError> {
        self.record_refusal(caller, wanted, failure.word()).await?;
        Err(ConnectError::Provider(failure.problem()))
    }

    async fn record_refusal(&self, caller: &Caller, wanted: &WantedConnection, word: Word) -> Result<(), ConnectError> {
        let about = drafts::connection(Event::OauthRefused, wanted.name.as_str(), Some(&wanted.source_type));
        let record = about.record(&[(Detail::Code, word.into())]);
        Ok(self.actions.record(caller, record, Outcome::Failure).await?)
    }
}

/// Stores what was granted, between its two records.
async fn store(
    actions: &Actions,
    caller: &Caller,
    wanted: WantedConnection,
    granted: Box<dyn GrantedConnection>,
) -> Result<Connected, ConnectError> {
    let draft = drafts::connection(Event::OauthSourceConnected, wanted.name.as_str(), Some(&wanted.source_type));
    let pending = actions.begin_changes(caller, vec![draft]).await?;
    let saved = granted.save().await;
    let ending = match &saved {
        Ok(()) => Ending::done(),
        Err(error) => Ending::failed(error.word()),
    };
    let recorded = actions.finish_changes(pending, ending).await;
    saved.map_err(ConnectError::Save)?;
    recorded.map_err(ConnectError::OutcomeUnrecorded)?;
    Ok(Connected {
        source_type: wanted.source_type,
        name: wanted.name,
    })
}

/// The user and the session: another session of the same user is another browser.
fn starter(holder: &Holder<Full>) -> OauthStarter {
    let record = holder.session().record();
    OauthStarter::Session {
        user: record.user,
        session: record.id,
    }
}

/// Flows of connections are for this and no login.
fn connector(source_type: &SourceType) -> String {
    format!("connection:{source_type}")
}

fn about(event: Event, listed: &ListedConnection) -> ChangeDraft {
    drafts::connection(event, &listed.name, listed.source_type.parse().ok().as_ref())
}

/// What is kept with a flow: which source, and whether another account may come of it.
struct Note {
    name: SourceName,
    account: WantedAccount,
}

impl Note {
    /// The name; behind a blank, which no name has, that any account will do.
    fn to_text(&self) -> String {
        match self.account {
            WantedAccount::Same => self.name.to_string(),
            WantedAccount::Any => format!("{} {ANOTHER}", self.name),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, account) = match text.split_once(' ') {
            None => (text, WantedAccount::Same),
            Some((name, ANOTHER)) => (name, WantedAccount::Any),
            Some(_) => return None,
        };
        Some(Self {
            name: name.parse().ok()?,
            account,
        })
    }
}
