//! The workspace's own tools: what `cargo xtask` runs, as a library so that ordinary tests can call the same checks. Nothing of the product lives here.
//!
//! - [`seed`] fills a database for measurements;
//! - [`setup`] installs the real tools that tests compare with;
//! - [`statistics`] says how alike two samples are;
//! - [`suite`] runs every check, in order;
//! - [`tidy`] holds the rules of the house that no compiler knows;
//! - [`bench`](mod@bench) measures whole processes against others.
#![warn(missing_docs)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build tool is its own edge: it reads the environment, writes the repository's files and talks on stdout"
)]

pub mod bench;
pub mod seed;
pub mod setup;
pub mod statistics;
pub mod step;
pub mod suite;
pub mod tidy;
pub mod workspace;
