//! The files of a project behind the port of the use cases, [`ProjectFiles`](dango_actions::ProjectFiles). No rule about who may, no record, no HTTP.
//!
//! [`VaultFiles`] is all of it: it lists `.env` and `.dlt/secrets.toml` from memory for as long as neither has changed, and changes
//! `.env` in one save through `dango-vault`, with the key that [`KeySource`] leads to. A change that needs no key asks for none.
#![warn(missing_docs)]

mod access;
mod connections;
mod files;
mod listing;
mod memory;
pub mod problem;
mod values;

pub use access::{KeyAccess, KeySource};
pub use files::VaultFiles;
