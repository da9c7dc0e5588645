//! Which accounts at providers open one's own: listed, linked by whoever is logged in and has just proven it, and taken away again.
//! Logging in with one is in `login`.

use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Word};
use dango_core::{SourceName, Timestamp};
use dango_identity::{Full, InsertLink, OAUTH_FLOW_TTL, OauthStarter, RemoveLink, Session, permit_link};
use zeroize::Zeroizing;

use super::flow::FlowRefusal;
use super::login::find;
use super::port::{ExternalAccount, LoginProvider, LoginProviders, ProviderProblem};
use crate::actions::Actions;
use crate::fault::{Fault, own_refusals};
use crate::holder::Holder;
use crate::unit::{Answer, Record, Unit};

own_refusals! {
    /// Nothing was linked.
    LinkError {
        /// The last proof of who somebody is was too long ago.
        ReauthenticationRequired = "reauthentication_required", "this needs a fresh login";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// The account there opens another one here.
        IdentityTaken = "identity_taken", "this account at the provider opens another account here";
        /// Another account of the provider is linked.
        IssuerTaken = "provider_linked", "another account of this provider is linked already";
        /// It did not work at the provider, or its answer is not taken.
        Provider(ProviderProblem) = "oauth_failed", "{0}";
    }

    /// The link is still there.
    UnlinkError {
        /// No account of that provider is linked.
        NotFound = "not_found", "no account of this provider is linked";
        /// Nothing else would open the account.
        LastLogin = "last_login", "nothing else opens this account: it has no password, and no other login is linked";
        /// The last proof of who somebody is was too long ago.
        ReauthenticationRequired = "reauthentication_required", "this needs a fresh login";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
    }
}

impl LinkError {
    /// The stable code, as the address of the page has it.
    pub fn page_code(&self) -> &'static str {
        match self {
            Self::Provider(problem) => problem.code(),
            other => other.code(),
        }
    }
}

/// A provider that opens one's account, or could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginWay {
    /// The name that requests have for it: the provider's, or the issuer where no such provider is configured any more.
    pub name: String,
    /// How people know it.
    pub title: String,
    /// Since when an account there is linked; nothing where none is.
    pub linked_at: Option<Timestamp>,
    /// Whether somebody can log in with it: it is configured.
    pub is_configured: bool,
}

/// Everything that opens one's account, apart from second factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginWays {
    /// Whether there is a password.
    pub has_password: bool,
    /// Every provider that is configured, in their order, and behind them those that are linked all the same.
    pub providers: Vec<LoginWay>,
}

/// Flows that link are for this, and log nobody in.
pub(super) fn connector(provider: &LoginProvider) -> String {
    format!("link:{}", provider.name)
}

/// The session that begins is the one that finishes.
pub(super) fn starter(holder: &Holder<Full>) -> OauthStarter {
    let record = holder.session().record();
    OauthStarter::Session {
        user: record.user,
        session: record.id,
    }
}

impl Actions {
    /// Lists what opens the holder's account.
    ///
    /// Permission: the session. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn list_logins(&self, holder: &Holder<Full>, providers: &[LoginProvider]) -> Result<LoginWays, Fault> {
        let user = holder.user.id;
        let read = self.read(&holder.caller, move |unit| {
            Box::pin(async move {
                let candidate = unit.tx.find_candidate(user).await?;
                let links = unit.tx.links_of(user).await?;
                Ok((candidate.is_some_and(|candidate| candidate.password.is_some()), links))
            })
        });
        let (has_password, links) = read.await?;
        let linked = |issuer: &str| {
            links
                .iter()
                .find(|link| link.identity.issuer() == issuer)
                .map(|link| link.linked_at)
        };
        let configured = providers.iter().map(|provider| LoginWay {
            name: provider.name.to_string(),
            title: provider.title.clone(),
            linked_at: linked(&provider.issuer),
            is_configured: true,
        });
        let others = links
            .iter()
            .filter(|link| providers.iter().all(|provider| provider.issuer != link.identity.issuer()));
        let others = others.map(|link| LoginWay {
            name: link.identity.issuer().to_owned(),
            title: link.identity.issuer().to_owned(),
            linked_at: Some(link.linked_at),
            is_configured: false,
        });
        Ok(LoginWays {
            has_password,
            providers: configured.chain(others).collect(),
        })
    }

    /// Begins to link an account at a provider to the holder's; answers where the browser goes.
    ///
    /// Permission: the session, and a proof that is minutes old. Audit: `oauth_started` with the provider.
    ///
    /// # Errors
    ///
    /// [`LinkError`].
    pub async fn begin_link(
        &self,
        holder: &Holder<Full>,
        providers: &dyn LoginProviders,
        provider: &str,
        redirect_uri: &str,
    ) -> Result<String, LinkError> {
        let provider = find(providers, provider).map_err(LinkError::Provider)?;
        let started = Record::of(Event::OauthStarted)
            .on_user(&holder.user)
            .with(Detail::Provider, &provider.name);
        if !holder.session.is_fresh(self.sessions().limits().step_up, self.clock().now()) {
            let refuse = self.write(&holder.caller, move |mut unit| {
                Box::pin(async move { unit.refuse(started, LinkError::ReauthenticationRequired).await })
            });
            return refuse.await;
        }
        let begun = providers.begin(provider, redirect_uri).await;
        let begun = begun.map_err(|failure| LinkError::Provider(failure.problem()))?;
        let (connector, starter) = (connector(provider), starter(holder));
        self.write(&holder.caller, move |mut unit| {
            Box::pin(async move {
                let kept = unit.keep_flow(begun, (starter, &connector), None).await?;
                unit.succeed(started).await?;
                Ok(kept.map_err(|refusal| LinkError::Provider(refusal.problem())))
            })
        })
        .await
    }

    /// Links what a provider has answered to the account of whoever began.
    pub(super) async fn finish_link(
        &self,
        holder: Holder<Full>,
        providers: &dyn LoginProviders,
        provider: &LoginProvider,
        (kept, query): (Result<Zeroizing<Vec<u8>>, FlowRefusal>, &str),
    ) -> Result<(), LinkError> {
        let kept = match kept {
            Ok(kept) => kept,
            Err(refusal) => return self.fail_link(&holder, provider, refusal.problem(), refusal.word()).await,
        };
        let account = match providers.finish(provider, &kept, query).await {
            Ok(account) => account,
            Err(failure) => return self.fail_link(&holder, provider, failure.problem(), failure.word().as_str()).await,
        };
        let (caller, name) = (holder.caller.clone(), provider.name.clone());
        self.write(&caller, move |unit| {
            Box::pin(async move {
                let record = Record::of(Event::LoginProviderLinked)
                    .on_user(&holder.user)
                    .with(Detail::Provider, &name);
                unit.link(&holder.session, account, record).await
            })
        })
        .await
    }

    async fn fail_link(
        &self,
        holder: &Holder<Full>,
        provider: &LoginProvider,
        problem: ProviderProblem,
        word: &'static str,
    ) -> Result<(), LinkError> {
        let record = Record::of(Event::LoginProviderLinked)
            .on_user(&holder.user)
            .with(Detail::Provider, &provider.name)
            .with(Detail::Code, Word::new(word));
        self.record(&holder.caller, record, Outcome::Failure).await?;
        Err(LinkError::Provider(problem))
    }

    /// Takes a link away, if something else opens the account: a password, or another link. `wanted` is what lists call it.
    ///
    /// Permission: the session, and a proof that is minutes old. Audit: `login_provider_unlinked`.
    ///
    /// # Errors
    ///
    /// [`UnlinkError`].
    pub async fn unlink(&self, holder: Holder<Full>, providers: &[LoginProvider], wanted: &str) -> Result<(), UnlinkError> {
        let provider = providers.iter().find(|provider| provider.name.as_str() == wanted);
        let issuer = provider.map_or_else(|| wanted.to_owned(), |provider| provider.issuer.clone());
        let name: Option<SourceName> = provider.map(|provider| provider.name.clone());
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let inner = Arc::clone(&unit.inner);
                let record = Record::of(Event::LoginProviderUnlinked).on_user(&holder.user);
                let record = match &name {
                    Some(name) => record.with(Detail::Provider, name),
                    None => record,
                };
                if !unit.is_live(holder.session.record()).await? {
                    return unit.refuse(record, UnlinkError::SessionEnded).await;
                }
                if !holder.session.is_fresh(inner.sessions.limits().step_up, unit.now) {
                    return unit.refuse(record, UnlinkError::ReauthenticationRequired).await;
                }
                let refusal = match unit.tx.remove_link(holder.user.id, &issuer).await? {
                    RemoveLink::Removed => {
                        unit.succeed(record).await?;
                        return Ok(Ok(()));
                    }
                    RemoveLink::NotFound => UnlinkError::NotFound,
                    RemoveLink::LastFactor => UnlinkError::LastLogin,
                };
                unit.refuse(record, refusal).await
            })
        })
        .await
    }
}

impl Unit<'_> {
    async fn link(mut self, session: &Session<Full>, account: ExternalAccount, record: Record) -> Answer<(), LinkError> {
        if !self.is_live(session.record()).await? {
            return self.refuse(record, LinkError::SessionEnded).await;
        }
        // The proof was fresh when the flow began, and a flow has an end of its own.
        let window = self.inner.sessions.limits().step_up.saturating_add(OAUTH_FLOW_TTL);
        let Ok(permit) = permit_link(session, account.identity, window, self.now) else {
            return self.refuse(record, LinkError::ReauthenticationRequired).await;
        };
        let refusal = match self.tx.insert_link(&permit).await? {
            InsertLink::Inserted => {
                self.succeed(record).await?;
                return Ok(Ok(()));
            }
            InsertLink::IdentityTaken => LinkError::IdentityTaken,
            InsertLink::IssuerTaken => LinkError::IssuerTaken,
            InsertLink::NotFound => LinkError::SessionEnded,
        };
        self.refuse(record, refusal).await
    }
}
