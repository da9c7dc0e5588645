//! Logging in with an account at a provider: begun, finished by its answer, and then through the same gates as with a password. What
//! was begun to link an account there comes back to the same address, and goes on in `link`.

use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Word};
use dango_core::SourceName;
use dango_identity::{
    DeviceToken, EmailClaim, ExternalLogin, ExternalLoginRefusal, Full, InsertLink, Link, LinkFacts, PlainToken, User,
    decide_external_login, kind,
};
use dango_store::Admission;

use super::flow::{FlowRefusal, Kept, LoginFlow};
use super::link::{self, LinkError};
use super::port::{ExternalAccount, LoginProvider, LoginProviders, ProviderProblem};
use crate::actions::Actions;
use crate::caller::Caller;
use crate::fault::own_refusals;
use crate::holder::Holder;
use crate::own::LogInStep;
use crate::unit::{Answer, Record, Unit};

own_refusals! {
    /// Nobody was logged in.
    ExternalLoginError {
        /// The account there opens none here. People are told one sentence for every reason; the log has the reason.
        Refused = "login_refused", "this account cannot be used to sign in here";
        /// Nobody is let in at all.
        Closed = "auth_disabled", "signing in is switched off";
        /// It did not work at the provider, or its answer is not taken.
        Provider(ProviderProblem) = "oauth_failed", "{0}";
    }
}

impl ExternalLoginError {
    /// The stable code, as the address of the login page has it.
    pub fn page_code(&self) -> &'static str {
        match self {
            Self::Provider(problem) => problem.code(),
            other => other.code(),
        }
    }
}

/// What a login with a provider begins with.
pub struct BeginExternalLogin<'a> {
    /// The provider's name, as it stands in the path.
    pub provider: &'a str,
    /// Where the provider sends the browser back to.
    pub redirect_uri: &'a str,
    /// What the browser shows again when it comes back.
    pub browser: &'a PlainToken<kind::OauthBrowser>,
    /// The page that somebody wanted to see.
    pub next: Option<String>,
}

/// What the browser brings back from a provider.
pub struct FinishExternalLogin<'a> {
    /// The provider's name, as it stands in the path.
    pub provider: &'a str,
    /// What the browser was given at the beginning.
    pub browser: Option<&'a PlainToken<kind::OauthBrowser>>,
    /// The query, without the `?`.
    pub query: &'a str,
    /// What the browser shows so that strangers cannot lock it out.
    pub device: Option<DeviceToken>,
    /// The session that it has until now; it ends with the login.
    pub earlier: Option<PlainToken<kind::Session>>,
    /// Whoever is logged in there.
    pub holder: Option<Holder<Full>>,
}

/// What came of an answer of a provider of logins.
pub enum FinishedExternal {
    /// Somebody wanted to log in.
    LogIn(Result<ExternalLogIn, ExternalLoginError>),
    /// Whoever is logged in wanted to link an account there to their own. With it is the provider's name.
    Link(Result<SourceName, LinkError>),
}

/// What came of a login with a provider.
pub struct ExternalLogIn {
    /// What comes next.
    pub step: LogInStep,
    /// The page that somebody wanted to see.
    pub next: Option<String>,
}

/// Flows of logins are for this and no connection.
pub(super) fn connector(provider: &LoginProvider) -> String {
    format!("login:{}", provider.name)
}

impl Actions {
    /// Begins a login with a provider; answers where the browser goes. `caller` is anonymous.
    ///
    /// Permission: none. Audit: none; what is kept for ten minutes says nothing about anybody.
    ///
    /// # Errors
    ///
    /// [`ExternalLoginError`].
    pub async fn begin_external_login(
        &self,
        caller: &Caller,
        providers: &dyn LoginProviders,
        begin: BeginExternalLogin<'_>,
    ) -> Result<String, ExternalLoginError> {
        let provider = find(providers, begin.provider).map_err(ExternalLoginError::Provider)?;
        let begun = providers.begin(provider, begin.redirect_uri).await;
        let begun = begun.map_err(|failure| ExternalLoginError::Provider(failure.problem()))?;
        let (connector, starter) = (connector(provider), self.inner().oauth_flows.browser(begin.browser));
        let next = begin.next;
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                if unit.tx.admission().await? == Admission::Closed {
                    return Ok(Err(ExternalLoginError::Closed));
                }
                let kept = unit.keep_flow(begun, (starter, &connector), next).await?;
                Ok(kept.map_err(|refusal| ExternalLoginError::Provider(refusal.problem())))
            })
        })
        .await
    }

    /// Finishes by the answer of a provider what was begun there: a login, or a link. `caller` is anonymous.
    ///
    /// Whoever the provider names goes through the gates of every login: an account that is switched off stays shut, a second factor
    /// is asked for, and what has to be done first has to be done. An account that has never linked this provider is recognised by a
    /// verified address if an administrator allows it for the provider, and is linked then. A link is made for whoever is logged in,
    /// if it is the one who began, in the same session, and had just proven who they are.
    ///
    /// Permission: the flow. Audit: as [`Actions::log_in`], `login_provider_linked` at the first use and for a link, and
    /// `login_failure` with the provider and the reason.
    pub async fn finish_external_login(
        &self,
        caller: &Caller,
        providers: &dyn LoginProviders,
        finish: FinishExternalLogin<'_>,
    ) -> FinishedExternal {
        let taken = match find(providers, finish.provider) {
            Ok(provider) => self.take_login_flow(caller, providers, provider, &finish).await,
            Err(problem) => Err(ExternalLoginError::Provider(problem)),
        };
        let (provider, flow, kept) = match taken {
            Ok(taken) => taken,
            Err(error) => return FinishedExternal::LogIn(Err(error)),
        };
        match (flow, finish.holder) {
            (LoginFlow::Link, Some(holder)) => {
                let kept = kept.map(|kept| kept.port);
                let linked = self.finish_link(holder, providers, provider, (kept, finish.query)).await;
                FinishedExternal::Link(linked.map(|()| provider.name.clone()))
            }
            // The session in which the link was begun is over.
            (LoginFlow::Link, None) => {
                let problem = ProviderProblem::SessionExpired;
                FinishedExternal::LogIn(self.fail_external(caller, provider, problem, FlowRefusal::Elsewhere.word()).await)
            }
            (LoginFlow::Login, _) => {
                let browser = (finish.device, finish.earlier);
                FinishedExternal::LogIn(
                    self.finish_login_flow(caller, (providers, provider), (kept, finish.query), browser)
                        .await,
                )
            }
        }
    }

    /// Takes the flow of an answer; what it was begun for, and what was kept of it.
    async fn take_login_flow<'p>(
        &self,
        caller: &Caller,
        providers: &dyn LoginProviders,
        provider: &'p LoginProvider,
        finish: &FinishExternalLogin<'_>,
    ) -> Result<(&'p LoginProvider, LoginFlow, Result<Kept, FlowRefusal>), ExternalLoginError> {
        let session = finish.holder.as_ref().map(link::starter);
        let Some(state) = providers.state_of(finish.query) else {
            let flow = if session.is_some() { LoginFlow::Link } else { LoginFlow::Login };
            return Ok((provider, flow, Err(FlowRefusal::Unknown)));
        };
        let browser = finish.browser.map(|browser| self.inner().oauth_flows.browser(browser));
        let wanted = provider.clone();
        let taken = self.write(caller, move |mut unit| {
            Box::pin(async move {
                Ok(Ok::<_, ExternalLoginError>(
                    unit.take_login_flow(&state, (browser, session), &wanted).await?,
                ))
            })
        });
        let (flow, kept) = taken.await?;
        Ok((provider, flow, kept))
    }

    async fn finish_login_flow(
        &self,
        caller: &Caller,
        (providers, provider): (&dyn LoginProviders, &LoginProvider),
        (kept, query): (Result<Kept, FlowRefusal>, &str),
        (device, earlier): (Option<DeviceToken>, Option<PlainToken<kind::Session>>),
    ) -> Result<ExternalLogIn, ExternalLoginError> {
        let kept = match kept {
            Ok(kept) => kept,
            Err(refusal) => return self.fail_external(caller, provider, refusal.problem(), refusal.word()).await,
        };
        let account = match providers.finish(provider, &kept.port, query).await {
            Ok(account) => account,
            Err(failure) => {
                return self
                    .fail_external(caller, provider, failure.problem(), failure.word().as_str())
                    .await;
            }
        };
        let provider = provider.clone();
        let step = self.write(caller, move |unit| {
            Box::pin(unit.log_in_external(provider, account, device, earlier))
        });
        Ok(ExternalLogIn {
            step: step.await?,
            next: kept.note,
        })
    }

    /// Records that a login with a provider failed before it was known whose it is.
    async fn fail_external<T>(
        &self,
        caller: &Caller,
        provider: &LoginProvider,
        problem: ProviderProblem,
        word: &'static str,
    ) -> Result<T, ExternalLoginError> {
        let record = about(&provider.name).with(Detail::Code, Word::new(word));
        self.record(caller, record, Outcome::Failure).await?;
        Err(ExternalLoginError::Provider(problem))
    }
}

impl Unit<'_> {
    async fn log_in_external(
        mut self,
        provider: LoginProvider,
        account: ExternalAccount,
        device: Option<DeviceToken>,
        earlier: Option<PlainToken<kind::Session>>,
    ) -> Answer<LogInStep, ExternalLoginError> {
        if self.tx.admission().await? == Admission::Closed {
            return self.refuse(about(&provider.name), ExternalLoginError::Closed).await;
        }
        let (inner, now) = (Arc::clone(&self.inner), self.now);
        let linked = self.tx.find_linked(&account.identity).await?;
        let by_email = match &account.email {
            EmailClaim::Verified(email) if linked.is_none() => self.tx.find_user_by_email(email).await?,
            _ => None,
        };
        let by_email_links = match &by_email {
            Some(user) => !self.tx.links_of(user.id).await?.is_empty(),
            None => false,
        };
        let facts = LinkFacts {
            linked: linked.as_ref(),
            by_email: by_email.as_ref(),
            by_email_links,
        };
        let user = match decide_external_login(&account.email, facts, provider.first_use) {
            ExternalLogin::Of(user) => user.clone(),
            ExternalLogin::FirstUseOf(user) => {
                let link = Link {
                    user: user.id,
                    identity: account.identity,
                    linked_at: now,
                };
                if self.tx.insert_first_link(&link).await? != InsertLink::Inserted {
                    let refusal = ExternalLoginRefusal::DifferentIdentityLinked;
                    return self.refuse_external(&provider, Some(user), refusal.code()).await;
                }
                let record = Record::of(Event::LoginProviderLinked)
                    .on_user(user)
                    .with(Detail::Provider, &provider.name);
                self.succeed(record).await?;
                user.clone()
            }
            ExternalLogin::Refused(refusal) => {
                let user = facts.linked.or(facts.by_email);
                return self.refuse_external(&provider, user, refusal.code()).await;
            }
        };
        let Some(step) = inner.rules.admit_external(self.tx, &user, now).await? else {
            return self
                .refuse_external(&provider, Some(&user), ExternalLoginRefusal::Inactive.code())
                .await;
        };
        let admitted = self.admit(step, device.as_ref(), earlier).await?;
        Ok(admitted.map_err(|_| ExternalLoginError::Refused))
    }

    /// Records why nobody is let in; whoever came is told that it is so, and no more.
    async fn refuse_external<T>(
        &mut self,
        provider: &LoginProvider,
        user: Option<&User>,
        reason: &'static str,
    ) -> Answer<T, ExternalLoginError> {
        let record = about(&provider.name).with(Detail::Reason, Word::new(reason));
        let record = match user {
            Some(user) => record.on_user(user),
            None => record,
        };
        self.refuse(record, ExternalLoginError::Refused).await
    }
}

fn about(provider: &SourceName) -> Record {
    Record::of(Event::LoginFailure).with(Detail::Provider, provider)
}

/// The provider of that name.
pub(super) fn find<'p>(providers: &'p dyn LoginProviders, name: &str) -> Result<&'p LoginProvider, ProviderProblem> {
    let found = providers.providers().iter().find(|provider| provider.name.as_str() == name);
    found.ok_or(ProviderProblem::Unsupported)
}
