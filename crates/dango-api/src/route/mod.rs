//! Routes as data: what each operation is called, who may use it, what it takes and gives. The router, the OpenAPI document and the
//! authorization matrix all come from the one table.

mod allowance;
mod dispatch;
mod problems;
mod router;
mod table;

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use dango_actions::{Caller, Holder, KeyHolder, SignedIn, UserView};
use dango_audit::Event;
use dango_identity::{Full, Partial, Permission};

use crate::ask::Ask;
use crate::problem::{Code, Problem};
use crate::schema::{Schema, Shape};
use crate::web::PAGES;

pub(crate) use allowance::refuse_stranger;
pub(crate) use dispatch::{Arrived, arrive, collect, limited, parameters};
pub use router::router;
pub use table::ROUTES;

/// The answer of a handler, to come.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// The methods that operations have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes something, or does it.
    Post,
    /// Puts something in the place of another.
    Put,
    /// Takes something away.
    Delete,
}

impl Verb {
    /// The method as it stands in a request.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// What it is about.
    pub group: Group,
    /// The method.
    pub verb: Verb,
    /// The path, its parameters in braces.
    pub path: &'static str,
    /// The operation's name: unique, stable, also in metrics and the log.
    pub operation: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What the user's role has to allow.
    pub permission: Option<Permission>,
    /// How often it may be tried.
    pub limit: Limit,
    /// The body that it takes.
    pub takes: Option<Shape>,
    /// What it gives where it was done: statuses, each with the body.
    pub gives: &'static [(u16, Shape)],
    /// The problems that are its own; [`Route::all_problems`] has those of the way to it, too.
    pub problems: &'static [&'static Code],
    /// The parameters of its query.
    pub query: &'static [Parameter],
    /// What becomes of the session's cookie where it was done.
    pub session_cookie: SessionCookie,
    /// What the audit log says of it.
    pub events: &'static [Event],
    /// Who gets to the handler, and the handler.
    pub(crate) handler: Handler,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Getting in and out.
    Login,
    /// One's own account.
    Account,
    /// Administering people.
    People,
    /// The project's secrets.
    Secrets,
    /// The audit log.
    Audit,
    /// The server itself.
    Operations,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 6] = [
        Self::Login,
        Self::Account,
        Self::People,
        Self::Secrets,
        Self::Audit,
        Self::Operations,
    ];

    /// The group's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Account => "account",
            Self::People => "people",
            Self::Secrets => "secrets",
            Self::Audit => "audit",
            Self::Operations => "operations",
        }
    }

    /// A title, a colon, and what it is about.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Login => "Getting in and out: operations that need no session, or that make or end one.",
            Self::Account => "One's own account: password, sessions, API keys, second factor.",
            Self::People => "Administering people: for administrators, under a proof that is minutes old.",
            Self::Secrets => {
                "The project's secrets: listed, set and deleted. One operation gives values, to API keys that were made for it."
            }
            Self::Audit => "The audit log: what happened, and whether the log is intact.",
            Self::Operations => "The server itself: whether it is there, can work, and what it can do.",
        }
    }
}

/// A parameter of a query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub summary: &'static str,
    /// What values it takes.
    pub(crate) schema: fn() -> Schema,
}

impl Parameter {
    pub(crate) const fn new(name: &'static str, summary: &'static str, schema: fn() -> Schema) -> Self {
        Self { name, summary, schema }
    }
}

/// What becomes of the session's cookie where an operation was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// It stays as it is.
    Untouched,
    /// The browser gets a new one.
    Given,
    /// The browser is told to forget it.
    Taken,
}

/// How often something may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As often as the server can, and whoever asks: an API key, or an address without a credential that counts, has a share of requests.
    Load,
    /// Failures to prove who one is are counted by address.
    Proof,
}

/// How far a session has to have come, and whether a key will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has to be known.
    Open,
    /// A session that waits for its second factor.
    Partial,
    /// Any session.
    AnySession,
    /// Logged in, or under an obligation; a key, too.
    Known,
    /// A session that may change its password: full, or under the obligation to do so.
    PasswordChange,
    /// A session that may set up a second factor: full, or under the obligation to do so.
    Enrolment,
    /// A full session.
    Session,
    /// A full session, or a key.
    SessionOrKey,
    /// A key, and no session.
    Key,
}

impl Stage {
    /// The stage's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Partial => "partial",
            Self::AnySession => "any_session",
            Self::Known => "known",
            Self::PasswordChange => "password_change",
            Self::Enrolment => "enrolment",
            Self::Session => "session",
            Self::SessionOrKey => "session_or_key",
            Self::Key => "key",
        }
    }
}

/// Whether pages of other sites could send the request, and what is asked of it because of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossSite {
    /// It changes nothing.
    Safe,
    /// It changes something, and needs no cookie: what a browser says of its origin has to be right.
    Open,
    /// It changes something for the holder of a cookie: a browser has to say where it comes from.
    Cookie,
}

/// A handler, by what it is given; none compiles against a session that has not come far enough.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    Open(fn(Ask) -> Work),
    Partial(fn(Holder<Partial>, Ask) -> Work),
    AnySession(fn(SignedIn, Ask) -> Work),
    Known(fn(UserView, Ask) -> Work),
    PasswordChange(fn(Due, Ask) -> Work),
    Enrolment(fn(Due, Ask) -> Work),
    Session(fn(Holder<Full>, Ask) -> Work),
    SessionOrKey(fn(Caller, Ask) -> Work),
    Key(fn(KeyHolder, Ask) -> Work),
}

/// A session that may do what it is obliged to, or everything.
pub(crate) enum Due {
    Full(Holder<Full>),
    Restricted(Holder<dango_identity::Restricted>),
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.stage(), f)
    }
}

impl Handler {
    const fn stage(self) -> Stage {
        match self {
            Self::Open(_) => Stage::Open,
            Self::Partial(_) => Stage::Partial,
            Self::AnySession(_) => Stage::AnySession,
            Self::Known(_) => Stage::Known,
            Self::PasswordChange(_) => Stage::PasswordChange,
            Self::Enrolment(_) => Stage::Enrolment,
            Self::Session(_) => Stage::Session,
            Self::SessionOrKey(_) => Stage::SessionOrKey,
            Self::Key(_) => Stage::Key,
        }
    }
}

impl Route {
    /// How far a session has to have come.
    pub const fn stage(&self) -> Stage {
        self.handler.stage()
    }

    /// What is asked because of pages of other sites.
    pub const fn cross_site(&self) -> CrossSite {
        match (self.verb, self.stage()) {
            (Verb::Get, _) => CrossSite::Safe,
            (_, Stage::Open) => CrossSite::Open,
            (Verb::Post | Verb::Put | Verb::Delete, _) => CrossSite::Cookie,
        }
    }

    /// The largest body that is read, in bytes.
    pub fn largest_body(&self) -> usize {
        match self.path {
            // A key file of a provider, a certificate chain, a whole document: whatever a program keeps as a value.
            "/api/project/credentials" => 1024 * 1024,
            path if path.starts_with("/api/auth/") => 16 * 1024,
            _ => 64 * 1024,
        }
    }
}

/// What has answered: an operation or a page, by its place in its table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Served {
    Operation(usize),
    Page(usize),
}

impl Served {
    /// Its name; one that is in no table has none.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Operation(index) => ROUTES.get(index).map(|route| route.operation),
            Self::Page(index) => PAGES.get(index).map(|page| page.name),
        }
    }

    /// Its path, the parameters in braces.
    pub(crate) fn path(self) -> Option<&'static str> {
        match self {
            Self::Operation(index) => ROUTES.get(index).map(|route| route.path),
            Self::Page(index) => PAGES.get(index).map(|page| page.path),
        }
    }

    /// Its place among everything that is counted: the operations first, then the pages.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Operation(index) => index,
            Self::Page(index) => ROUTES.len() + index,
        }
    }

    /// The names of everything that is counted, by place.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        let operations = ROUTES.iter().map(|route| route.operation);
        operations.chain(PAGES.iter().map(|page| page.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_stands_once_and_names_only_problems_of_the_table() {
        for (place, route) in ROUTES.iter().enumerate() {
            for earlier in &ROUTES[..place] {
                assert_ne!(route.operation, earlier.operation);
                assert!((route.verb, route.path) != (earlier.verb, earlier.path), "{}", route.path);
            }
            assert!(route.summary.ends_with('.'), "{}", route.operation);
            assert!(!route.gives.is_empty(), "{}", route.operation);
        }
    }

    #[test]
    fn what_reads_changes_nothing_and_what_changes_something_is_recorded() {
        for route in ROUTES.iter() {
            assert_eq!(route.verb != Verb::Get, !route.events.is_empty(), "{}", route.operation);
            assert!(
                route.verb == Verb::Get || route.cross_site() != CrossSite::Safe,
                "{}",
                route.operation
            );
        }
    }

    #[test]
    fn nobody_without_a_credential_gets_further_than_to_one() {
        let open: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.stage() == Stage::Open)
            .map(|route| route.operation)
            .collect();
        assert_eq!(open, ["log_in", "accept_invite", "claim_administrator", "health", "ready"]);
    }
}
