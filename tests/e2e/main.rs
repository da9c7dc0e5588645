//! End-to-end tests of the binaries against real counterparts: one test binary, one module per concern.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests read the environment, write scratch files and stop loudly"
)]

mod architecture;
mod console;
mod harness;

mod answers;
mod values;

mod audit;
mod auth;
mod browser;
mod canary;
mod check;
mod contract;
mod dlt;
mod dlt_credentials;
mod doctor;
mod durability;
mod embedding;
mod encryption;
mod held;
mod memory;
mod nodes;
mod oauth;
mod odd_files;
mod preservation;
mod readers;
mod remote;
mod rotate;
mod scan;
mod server;
mod terminal;
mod vault_move;
