//! A request on its way to a page: the same steps as an operation's request takes, in the same order. Where an operation answers that
//! somebody has to log in or to do something else first, a browser is led there.

use std::future::Future;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use dango_actions::{Actions, AuthenticateError, Caller, Need, SignedIn};
use dango_audit::Id;
use dango_core::Timestamp;
use dango_identity::{Client, Obligation};
use zeroize::Zeroizing;

use super::error::wants_html;
use super::frame::see_other;
use super::next::Next;
use super::table::{Handler, PAGES, Page};
use crate::app::App;
use crate::credential::Credential;
use crate::form::Form;
use crate::problem::{Problem, code};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::route::{Arrived, Due, Served, Verb, Work, arrive, collect, limited, parameters, refuse_stranger};
use crate::site::Site;

/// The most bytes of a form.
const FORM_BYTES: usize = 16 * 1024;

/// A request as pages see it.
pub(crate) struct Visit {
    pub(crate) app: App,
    pub(crate) client: Client,
    pub(crate) request: Id,
    pub(crate) query: Query,
    /// The query as it was sent: the answer of a provider is read exactly, and holds a code that is for nobody else.
    pub(crate) raw_query: Zeroizing<String>,
    /// The name by which the request called the server.
    pub(crate) host: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Form,
    /// Where the login is to lead: what the query says, if it is a page of ours.
    pub(crate) next: Option<Next>,
    parameters: Vec<(String, String)>,
}

impl Visit {
    pub(crate) fn actions(&self) -> &Actions {
        self.app.actions()
    }

    pub(crate) fn site(&self) -> &Site {
        self.app.site()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock().now()
    }

    /// Somebody who has proven nothing, from where the request came.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::anonymous(self.client.clone()).with_request(self.request.clone())
    }

    /// A part of the path; empty where there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }

    /// A parameter of the query; what stands twice counts as not said.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        self.query.value(name).ok().flatten().filter(|value| !value.is_empty())
    }

    /// Tries a proof, as operations do.
    pub(crate) async fn limited<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        limited(self.app.clone(), self.client.address, work).await
    }
}

/// Answers a request by a page of the table.
pub(crate) async fn serve(index: usize, app: App, request: Request) -> Response {
    let answer = answer(&PAGES[index], app, request).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(Served::Page(index));
    response
}

async fn answer(page: &'static Page, app: App, request: Request) -> Result<Response, Problem> {
    let Arrived {
        client,
        request,
        host,
        mut parts,
        sent,
    } = arrive(&app, page.cross_site(), request).await?;
    let signed_in = match page.handler {
        Handler::Asset(_) | Handler::Open(_) => None,
        _ => authenticate(&app, &parts, &client, &request).await?,
    };
    // What is loaded again and again costs nothing, and tries of a proof have a limit of their own.
    let is_charged = match page.handler {
        Handler::Asset(_) => false,
        Handler::Open(_) => page.verb == Verb::Get,
        _ => signed_in.is_none(),
    };
    if is_charged && let Some(refused) = refuse_stranger(&app, client.address) {
        return Ok(refused);
    }
    let admitted = match admit(page.handler, signed_in) {
        Ok(admitted) => admitted,
        Err(Elsewhere::Login) => return to_login(page, &parts),
        Err(Elsewhere::Obligation(obligation)) => return Ok(see_other(place_of(obligation))),
        Err(Elsewhere::Start) => return Ok(see_other("/")),
    };
    if let (Some(permission), Some(caller)) = (page.permission, &admitted.caller) {
        let checked = app.actions().check(caller, Need::Permission(permission)).await;
        checked.map_err(|denied| denied.into_problem(app.clock().now()))?;
    }
    let form = match page.verb {
        Verb::Get => Form::default(),
        _ => {
            Form::check_media_type(&parts.headers)?;
            Form::parse(&collect(FORM_BYTES, &parts, sent).await?)
        }
    };
    let query: Query = parts.extensions.remove().unwrap_or_default();
    let next = query.value("next").ok().flatten().and_then(Next::parse);
    let raw_query = Zeroizing::new(parts.uri.query().unwrap_or_default().to_owned());
    let visit = Visit {
        parameters: parameters(&mut parts).await?,
        headers: parts.headers,
        app,
        client,
        request,
        query,
        raw_query,
        host,
        form,
        next,
    };
    (admitted.work)(visit).await
}

/// A page needs a session; an API key is for programs, and counts here as nobody.
async fn authenticate(app: &App, parts: &Parts, client: &Client, request: &Id) -> Result<Option<SignedIn>, Problem> {
    let Credential::Session(token) = Credential::of(&parts.headers, app.site()) else {
        return Ok(None);
    };
    let caller = Caller::anonymous(client.clone()).with_request(request.clone());
    match app.actions().authenticate(token, caller).await {
        Ok(found) => Ok(Some(found)),
        Err(AuthenticateError::Unauthenticated) => Ok(None),
        Err(error) => Err(error.into_problem(app.clock().now())),
    }
}

/// A handler with whoever it needs.
struct Admitted {
    caller: Option<Caller>,
    work: Box<dyn FnOnce(Visit) -> Work + Send>,
}

/// Where somebody is led who does not get to a page.
enum Elsewhere {
    Login,
    Obligation(Obligation),
    Start,
}

fn admit(handler: Handler, signed_in: Option<SignedIn>) -> Result<Admitted, Elsewhere> {
    let caller = signed_in.as_ref().map(|signed_in| signed_in.caller().clone());
    let work: Box<dyn FnOnce(Visit) -> Work + Send> = match (handler, signed_in) {
        (Handler::Asset(handler) | Handler::Open(handler), _) => Box::new(handler),
        (Handler::Guest(_), Some(SignedIn::Full(_))) => return Err(Elsewhere::Start),
        (Handler::Guest(_), Some(SignedIn::Restricted(_, obligation))) => return Err(Elsewhere::Obligation(obligation)),
        (Handler::Guest(handler), _) => Box::new(handler),
        (Handler::Leaving(handler) | Handler::Returning(handler), signed_in) => Box::new(move |visit| handler(signed_in, visit)),
        (Handler::Partial(handler), Some(SignedIn::Partial(holder))) => Box::new(move |visit| handler(holder, visit)),
        (Handler::Partial(_), Some(SignedIn::Full(_))) => return Err(Elsewhere::Start),
        (_, None | Some(SignedIn::Partial(_))) => return Err(Elsewhere::Login),
        (Handler::PasswordChange(handler), Some(SignedIn::Restricted(holder, Obligation::PasswordChange))) => {
            Box::new(move |visit| handler(holder, visit))
        }
        (Handler::PasswordChange(_), Some(SignedIn::Full(_))) => return Err(Elsewhere::Start),
        (Handler::Enrolment(handler), Some(SignedIn::Restricted(holder, Obligation::Enrolment))) => {
            Box::new(move |visit| handler(Due::Restricted(holder), visit))
        }
        (Handler::Enrolment(handler), Some(SignedIn::Full(holder))) => Box::new(move |visit| handler(Due::Full(holder), visit)),
        (Handler::Full(handler), Some(SignedIn::Full(holder))) => Box::new(move |visit| handler(holder, visit)),
        (_, Some(SignedIn::Restricted(_, obligation))) => return Err(Elsewhere::Obligation(obligation)),
    };
    Ok(Admitted { caller, work })
}

/// A browser is led to the login, and from there to where it wanted to go; a program is told that there is nothing without a login.
fn to_login(page: &Page, parts: &Parts) -> Result<Response, Problem> {
    if page.verb == Verb::Get && !wants_html(&parts.headers) {
        return Err(Problem::new(code!(authentication_required), "log in"));
    }
    let next = match page.verb {
        Verb::Get => Next::of(&parts.uri),
        _ => None,
    };
    Ok(see_other(&Next::after(next.as_ref(), "/login")))
}

/// The page on which somebody does what has to be done first.
pub(crate) const fn place_of(obligation: Obligation) -> &'static str {
    match obligation {
        Obligation::PasswordChange => "/setup",
        _ => "/settings/account",
    }
}
