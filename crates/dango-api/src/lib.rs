//! The server's HTTP interface: JSON and pages over the use cases of `dango-actions`. No rule of a domain, no SQL, no key and no listener lives here.
//!
//! - [`ROUTES`] says what there is: method, path, permission, stage, what is recorded;
//! - [`router`] makes an [`axum::Router`] of it, over the state that an [`App`] holds;
//! - [`PAGES`] says the same of the pages for people;
//! - [`document`] describes it for programs (OpenAPI 3.1);
//! - a listener serves that, and puts a [`Peer`] into the extensions of each request.
//!
//! A request goes through the gate (host, load, id, headers), then through the same steps for every route: origin, credential,
//! stage, limit, body. Only then a handler sees it, whose type says how far the session has come. Errors are problem documents
//! (RFC 9457), whose [`CODES`] stand in one table.
#![warn(missing_docs)]

mod api;
mod app;
mod ask;
mod body;
mod client;
mod credential;
mod cross_site;
mod form;
mod gate;
mod limiter;
mod metrics;
mod openapi;
mod problem;
mod qr;
mod query;
mod rate;
mod refusal;
mod reply;
mod route;
mod schema;
mod site;
mod trace;
mod web;
mod wire;

pub use app::{App, Limits, Machine, NotReady, Parts};
pub use client::Peer;
pub use metrics::{BOUNDS, Metrics, RouteCounts};
pub use openapi::document;
pub use problem::{CODES, Code};
pub use route::{CrossSite, Group, Limit, Parameter, ROUTES, Route, SessionCookie, Stage, Verb, router};
pub use schema::Shape;
pub use site::Site;
pub use trace::{Exchange, TraceParent, Traces};
pub use web::{PAGES, Page, Visitor};
