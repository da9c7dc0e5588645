//! The handlers: each reads its request, calls one use case and writes its answer. None of them holds a rule.

pub(crate) mod account;
pub(crate) mod api_keys;
pub(crate) mod arrival;
pub(crate) mod audit;
pub(crate) mod login;
pub(crate) mod logins;
pub(crate) mod operations;
pub(crate) mod people;
pub(crate) mod second_factor;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod values;

use axum::response::Response;

use crate::problem::Problem;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;
