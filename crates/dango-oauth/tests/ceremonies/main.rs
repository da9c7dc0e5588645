//! The ceremonies of `dango-oauth` against providers on this machine: honest, in the documented shapes, and hostile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

mod facebook;
mod flow;
mod github;
mod google;
mod oidc;
mod others;
mod receiver;
mod renewal;
mod support;
mod wire;
