//! A project's secrets on disk: `.dlt/secrets.toml` and `.env`, read, edited without reformatting,
//! resolved and written atomically. No async, no database, no cryptography.
#![warn(missing_docs)]

pub mod dlt;
pub mod document;
pub mod dotenv;
mod edit;
pub mod environment;
pub mod exchange;
pub mod project;
pub mod redact;
mod reference;
pub mod storage;
mod value;

pub use edit::{References, SetOutcome};
pub use reference::{Lookup, Otherwise, Piece, Reference, ReferenceError, Text};
pub use value::{Value, ValueType};
