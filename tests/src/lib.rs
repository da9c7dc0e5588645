//! The harness of the end-to-end tests: the built binary, its counterparts, scratch projects and canaries. The tests themselves live in `e2e/`.
//!
//! Whatever is missing here fails the test that asks for it, with the command that helps; nothing is skipped.
//!
//! ```no_run
//! use dango_tests::Scratch;
//!
//! let project = Scratch::new();
//! project.write(".dlt/secrets.toml", "[sources.stripe]\napi_key = \"k\"\n");
//! let output = project.run(&["secrets", "get", "sources.stripe.api_key", "--reveal"]);
//! assert_eq!((output.status, output.stdout.as_str()), (0, "k\n"));
//! ```
#![warn(missing_docs)]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness is a test: it reads the environment, writes scratch files and stops loudly"
)]

mod binary;
pub mod browser;
mod bus_tap;
mod canary;
mod certified;
mod client;
pub mod console;
mod counterparts;
mod keyring;
mod mariadb;
mod pooler;
mod postgres;
mod process;
pub mod provider;
pub mod refusals;
mod scratch;
mod server;
mod sshd;
mod windows;

pub use binary::{dango, dango_server, example, lend_dango};
pub use bus_tap::BusTap;
pub use canary::Canary;
pub use certified::Certified;
pub use client::{Answer, Client};
pub use counterparts::{chromium, node, node_modules, python, workspace_root};
pub use keyring::KeyringSession;
pub use mariadb::MariaDb;
pub use pooler::Pooler;
pub use postgres::Postgres;
pub use process::{Output, run_to_end};
pub use scratch::{Invocation, Scratch};
pub use server::Server;
pub use sshd::Sshd;
pub use windows::Windows;
