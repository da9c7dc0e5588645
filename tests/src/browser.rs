//! Scripts of `tests/browser` run by Node against a running server, with all that they need to start Chromium. What they do is theirs.

use crate::binary::dango;
use crate::counterparts::{chromium, node, node_modules, python, workspace_root};
use crate::process::Output;
use crate::scratch::Scratch;
use crate::server::Server;

/// The administrator whom scripts know.
pub const ADMIN: [(&str, &str); 2] = [
    ("DANGO_TEST_EMAIL", "ada@team.example"),
    ("DANGO_TEST_PASSWORD", "correct horse battery staple"),
];

/// Runs a script to its end: its path below `tests/browser` without the ending, and more variables of its environment.
///
/// # Panics
///
/// When something that it needs is not installed, or it has not ended after two minutes.
pub fn run_script(script: &str, project: &Scratch, server: &Server, variables: &[(&str, &str)]) -> Output {
    let path = workspace_root().join("tests/browser").join(format!("{script}.mjs"));
    let mut run = project
        .command(node(), &[path])
        // What the browser leaves behind goes with the project, even if it is killed.
        .env("TMPDIR", project.everything())
        .env("DANGO_TEST_NODE_MODULES", node_modules())
        .env("DANGO_TEST_CHROMIUM", chromium())
        .env("DANGO_TEST_PYTHON", python())
        .env("DANGO_TEST_BINARY", dango())
        .env("DANGO_TEST_URL", server.url());
    for (name, value) in ADMIN.iter().chain(variables) {
        run = run.env(name, value);
    }
    run.run()
}

/// Starts a server that has everything that pages can show, its administrator included.
///
/// # Panics
///
/// When it does not start.
#[track_caller]
#[must_use]
pub fn exhibition(project: &mut Scratch) -> Server {
    project.give("DANGO_LOGIN_GOOGLE_SECRET", "only for pictures");
    project.give("DANGO_LOGIN_GITHUB_SECRET", "only for pictures");
    let server = Server::start_with(project, &["--login-google-client", "1234", "--login-github-client", "1234"]);
    claim(&server);
    server
}

/// Makes the administrator of [`ADMIN`] by the setup link.
///
/// # Panics
///
/// When the server does not take it.
#[track_caller]
pub fn claim(server: &Server) {
    let [(_, email), (_, password)] = ADMIN;
    server.claim(email, password);
}
