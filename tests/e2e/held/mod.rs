//! Projects that a server holds: `dango login`, and every verb of `dango --server`, from a machine that has no project of its own.

mod logins;
mod lost;
mod offline;
mod people;
mod refusals;
mod transport;
mod verbs;

use dango_tests::{Canary, Output, Scratch, Server};
use serde_json::Value;

use crate::answers::{Answer, set};
use crate::server::{EMAIL, PASSWORD, with_administrator};

/// The credential that holds the canary.
pub(super) const PATH: &str = "sources.stripe.api_key";

/// A project on a running server, and another machine, without a project.
pub(super) struct Team {
    pub(super) project: Scratch,
    pub(super) server: Server,
    pub(super) here: Scratch,
    pub(super) canary: Canary,
}

impl Team {
    /// A project with a credential, and a machine that has logged in for this scope, its key in a file.
    #[track_caller]
    pub(super) fn logged_in(name: &str, scope: &str) -> Self {
        let team = Self::new(name);
        let _ = team.log_in(scope).success();
        team
    }

    /// The same with nobody logged in.
    pub(super) fn new(name: &str) -> Self {
        let (project, server) = with_administrator();
        let canary = Canary::new(name);
        set(&project, PATH, canary.value());
        let mut here = Scratch::new();
        here.give("DANGO_SERVER_URL", server.url());
        Self {
            project,
            server,
            here,
            canary,
        }
    }

    pub(super) fn log_in(&self, scope: &str) -> Output {
        let arguments = ["login", "--email", EMAIL, "--holder", "file", "--scope", scope];
        self.here.dango(&arguments).stdin(format!("{PASSWORD}\n")).run()
    }

    /// Runs `dango` on the machine without a project.
    pub(super) fn dango(&self, arguments: &[&str]) -> Output {
        self.here.run(arguments)
    }

    /// The events of this name in the server's log, the newest first.
    #[track_caller]
    pub(super) fn events(&self, name: &str) -> Vec<Value> {
        let listed = self.project.run(&["audit", "list", "--type", name, "--json"]).success();
        listed.json()["events"].as_array().expect("a list").clone()
    }
}
