//! The table of operations. Whoever adds one says who may use it, what it takes and gives, and what the audit log says of it.

mod account;
mod audit;
mod login;
mod operations;
mod people;
mod secrets;
mod values;

use std::sync::LazyLock;

use super::{Group, Handler, Limit, Route, SessionCookie, Verb};

/// Every operation.
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let groups = [
        login::ROUTES,
        account::ROUTES,
        people::ROUTES,
        secrets::ROUTES,
        values::ROUTES,
        audit::ROUTES,
        operations::ROUTES,
    ];
    groups.concat()
});

/// Writes a handler as what the table holds.
macro_rules! handler {
    ($kind:ident, $function:path) => {
        Handler::$kind(|holder, ask| Box::pin($function(holder, ask)))
    };
    ($function:path) => {
        Handler::Open(|ask| Box::pin($function(ask)))
    };
}
use handler;

/// Writes the problems that are an operation's own; a name that is not in the table of problems does not compile.
macro_rules! codes {
    ($($name:ident),* $(,)?) => { [$($crate::problem::code!($name)),*] };
}
use codes;

/// What a row says where it says nothing of its own.
const USUAL: Route = Route {
    group: Group::Operations,
    verb: Verb::Get,
    path: "",
    operation: "",
    summary: "",
    permission: None,
    limit: Limit::Load,
    takes: None,
    gives: &[],
    problems: &[],
    query: &[],
    session_cookie: SessionCookie::Untouched,
    events: &[],
    handler: handler!(crate::api::operations::health),
};
