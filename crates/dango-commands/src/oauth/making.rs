//! A connection made: the user sent to the provider, the answer redeemed, the account compared, and everything stored in one save.

use std::time::Duration;

use dango_connections::{ConnectionFiles, NewConnection, NewFields, PATIENCE, Places, SaveError};
use dango_oauth::{
    CallbackAnswer, CallbackUrl, ClientRegistration, Context, Endpoints, FlowError, FlowRequest, Grant, HttpClient, PendingFlow, Provider,
    Purpose, Receiver, SameAccount, SourceScopes, begin_flow,
};
use dango_vault::Connection;

use super::connect::Request;
use super::fields::Beside;
use super::stored::tell;
use super::wait::{self, Answered};
use crate::failure::{Failure, chain};
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;

/// Who begins and who finishes a request of the command line: the same process.
const STARTER: [&str; 1] = ["terminal"];

/// Everything that a connection is made with.
pub(super) struct Making<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) provider: &'a Provider,
    pub(super) source: &'a SourceScopes,
    pub(super) places: &'a Places<'a>,
    pub(super) client: ClientRegistration,
    pub(super) endpoints: Endpoints,
    pub(super) address: CallbackUrl,
    pub(super) limit: Duration,
    pub(super) before: Option<Connection>,
    pub(super) beside: Beside,
    pub(super) yes: bool,
}

impl Making<'_> {
    /// Goes through the browser, and stores what comes of it.
    pub(super) async fn make(&self, files: &ConnectionFiles<'_>, opened: &Opened, output: &mut Output<'_>) -> Result<Connection, Failure> {
        let receiver = Receiver::bind(&self.address).await.map_err(|error| {
            Failure::refused(chain(&error)).with_code(error.code()).hint(
                "end that program, or choose another port: DANGO_OAUTH_CALLBACK_URL=http://127.0.0.1:PORT/callback (0 is any that is free)",
            )
        })?;
        let request = FlowRequest {
            provider: self.provider,
            endpoints: &self.endpoints,
            client: &self.client,
            redirect_uri: receiver.redirect_uri(),
            scopes: self.provider.scopes_for(self.source),
            context: self.context(),
            purpose: Purpose::Connection,
            lifetime: self.limit,
        };
        let begun =
            begin_flow(request, output.host.entropy.as_ref(), output.host.clock.now()).map_err(|error| Failure::caused_by(&error))?;
        let (pending, address) = (begun.pending, begun.authorization_url);
        let answered = wait::for_answer(receiver, &pending, address.as_str(), self.limit, self.request.browsing, output).await?;
        let Answered { answer, browser } = answered;
        let outcome = self.finish(pending, answer, files, opened, output).await;
        match (browser, &outcome) {
            (Some(browser), Ok(_)) => browser.succeed(&format!("{} ({})", self.request.name, self.provider.title)).await,
            (Some(browser), Err(failure)) => browser.fail(&failure.message).await,
            (None, _) => {}
        }
        outcome
    }

    fn context(&self) -> Context {
        Context::new(self.request.source_type.as_str(), &STARTER)
    }

    async fn finish(
        &self,
        pending: PendingFlow,
        answer: CallbackAnswer,
        files: &ConnectionFiles<'_>,
        opened: &Opened,
        output: &mut Output<'_>,
    ) -> Result<Connection, Failure> {
        let now = output.host.clock.now();
        let redeemable = pending.finish(answer, &self.context(), now).map_err(|error| refused(&error))?;
        let http = HttpClient::new();
        let redeemed = redeemable.redeem(&http, self.provider, &self.endpoints, &self.client, now).await;
        let grant = redeemed.map_err(|error| {
            Failure::refused(format!("{} gave no access: {}", self.provider.title, chain(&error)))
                .with_code("exchange_failed")
                .hint("the app's id, secret and redirect URI must be those that are registered there; `dango oauth setup` stores them")
        })?;
        self.compare(&grant, output)?;
        if grant.is_limited() {
            output.warn(format!(
                "{} granted not all that was asked for: without {}",
                self.provider.title,
                grant.scopes.missing.join(", ")
            ));
            output.hint("connect again and leave every box ticked");
        }
        self.save(grant, files, opened, output)
    }

    fn new_connection(&self) -> NewConnection<'_> {
        NewConnection {
            name: &self.request.name,
            provider: self.provider,
            source: self.source,
            client: &self.client,
            before: self.before.as_ref(),
        }
    }

    /// Another account than before is taken only if that is meant.
    fn compare(&self, grant: &Grant, output: &mut Output<'_>) -> Result<(), Failure> {
        let before = self.before.as_ref().and_then(|before| before.identifier.as_deref());
        if let (SameAccount::No, Some(before)) = (self.new_connection().compare(grant), before) {
            let now = grant
                .identity
                .as_ref()
                .and_then(|identity| identity.identifier.as_deref())
                .unwrap_or_default();
            let question = format!("{} is connected as {before}; replace that by {now}?", self.request.name);
            prompt::confirm(&question, self.yes, output).map_err(|failure| {
                failure
                    .with_code("account_mismatch")
                    .hint("a second account is a source of its own: `--name NAME` gives it a name")
            })?;
        }
        Ok(())
    }

    fn no_refresh_token(&self) -> Failure {
        let failure = Failure::refused(format!(
            "{} gave no refresh token, without which the source cannot be loaded; nothing was changed",
            self.provider.title
        ))
        .with_code("exchange_failed");
        match self.provider.name.as_str() {
            "google" => failure.hint("take the app off the list at https://myaccount.google.com/permissions, then connect again"),
            _ => failure.hint("take the app's access back on the provider's own page, then connect again"),
        }
    }

    fn save(&self, grant: Grant, files: &ConnectionFiles<'_>, opened: &Opened, output: &mut Output<'_>) -> Result<Connection, Failure> {
        let fields = NewFields {
            beside: self.beside.credentials(self.places),
            protection: self.request.protection,
        };
        let saved = self.new_connection().save(files, grant, fields, PATIENCE);
        tell(files, opened, output);
        let (record, report) = saved.map_err(|error| match error {
            SaveError::NoRefreshToken => self.no_refresh_token(),
            SaveError::OtherAccount => Failure::refused(format!("{error}; nothing was changed"))
                .with_code(error.code())
                .hint("look at `dango oauth list`, then connect again"),
            SaveError::Stored(error) => opened.stored_failure(&error),
            SaveError::Vault(error) => opened.vault_failure(&error),
            error => Failure::caused_by(&error).with_code(error.code()),
        })?;
        for left in &report.left {
            output.warn(format!("{} stays plain: {}", left.path, left.reason));
        }
        Ok(record)
    }
}

/// That the provider or its user said no, or that the answer is none to this request.
fn refused(error: &FlowError) -> Failure {
    let mut text = error.to_string();
    if let FlowError::Denied(denial) = error
        && let Some(description) = &denial.description
    {
        text = format!("{text}: {description}");
    }
    Failure::refused(format!("{text}; nothing was changed")).with_code(error.code())
}
