//! The running server, asked over real sockets, with the command line at the same project.

mod access;
mod canary;
mod closed;
mod collector;
mod crashes;
mod disks;
mod hangups;
mod logins;
mod moved;
mod oauth;
mod oauth_contention;
mod postgres;
mod schemathesis;
mod shared;
mod start;
mod together;
mod traces;

use dango_tests::{Scratch, Server};

pub(crate) const EMAIL: &str = "ada@team.example";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A project whose administrator has chosen [`PASSWORD`] by the setup link, and its running server.
pub(crate) fn with_administrator() -> (Scratch, Server) {
    let project = Scratch::initialised();
    let server = Server::start(&project);
    claim(&server);
    (project, server)
}

/// Becomes the first administrator.
#[track_caller]
pub(crate) fn claim(server: &Server) {
    server.claim(EMAIL, PASSWORD);
}
