//! A project's secrets on disk: `.dlt/secrets.toml` and `.env`, read, edited without reformatting,
//! resolved and written atomically. No async, no database, no cryptography.
//!
//! # A tour
//!
//! **A project** is a directory with `.dango/` or `.dlt/`. [`project::Project`] finds one, makes one and knows its files.
//! **A document** is the text of a file with a tree of where everything is: [`document::SecretsDocument`] for
//! `secrets.toml`, [`dotenv::EnvDocument`] for `.env`. Documents are values: an edit makes a new one and touches no disk.
//! **An update** ([`storage::update`], or the methods of `Project`) takes the lock, reads, lets you edit, and replaces the
//! file in one step; if somebody else was faster, your edit is asked again.
//!
//! ```
//! use dango_core::{CredentialPath, OsEntropy, SecretValue};
//! use dango_secrets::document::{NewValue, SecretsDocument};
//! use dango_secrets::project::Project;
//! use dango_secrets::storage::Edit;
//! use dango_secrets::{References, Value};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! // A project, made or completed: directories 0700, files 0600, `.gitignore` extended.
//! let entropy = OsEntropy;
//! Project::init(directory.path(), &entropy)?;
//! let project = Project::at(directory.path());
//!
//! // One value in; every other byte of the file stays as it is.
//! let path: CredentialPath = "sources.stripe_analytics.stripe_secret_key".parse()?;
//! let value = NewValue::String {
//!     text: SecretValue::new("sk_test_tour".to_owned())?,
//!     references: References::Literal,
//! };
//! project.update_secrets(&entropy, |bytes| -> Result<_, Box<dyn std::error::Error>> {
//!     let document = SecretsDocument::parse(bytes.unwrap_or_default())?;
//!     let (edited, outcome) = document.set(&path, &value)?;
//!     Ok(Edit::Replace(Zeroizing::new(edited.text().as_bytes().to_vec()), outcome))
//! }).map_err(|error| error.to_string())?;
//!
//! // And out again.
//! let contents = project.secrets()?.expect("was written above");
//! let document = SecretsDocument::parse(contents.bytes())?;
//! match document.value(&path) {
//!     Some(Value::String(text)) => assert_eq!(text.verbatim().as_str(), "sk_test_tour"),
//!     _ => unreachable!("a string was set"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **References**, `${NAME}` in a string, stay what they are until you ask: [`Text::resolve`] looks variables up through a
//! [`Lookup`] of yours, or through [`environment::Variables`], which asks a process environment and `.env`.
//!
//! ```
//! use dango_secrets::document::SecretsDocument;
//! use dango_secrets::dotenv::EnvDocument;
//! use dango_secrets::environment::Variables;
//! use dango_secrets::Value;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = SecretsDocument::parse(b"[db]\nurl = \"postgres://app:${PASSWORD}@db\"\n")?;
//! let env = EnvDocument::parse(b"PASSWORD='p#ss'\n")?;
//! let lookup = Variables { env: &env, process: &|_| None };
//! let path = "db.url".parse()?;
//! let Some(Value::String(text)) = document.value(&path) else { panic!("a string stands there") };
//! assert_eq!(text.resolve(&path, &lookup)?.as_str(), "postgres://app:p#ss@db");
//! # Ok(())
//! # }
//! ```
//!
//! **A program's environment** is what [`environment::assemble`] puts together: `.env`, and every credential under the name
//! that dlt reads, or all the reasons why not. **What dlt sees** is in [`dlt`]: names, types and the order of its look-ups.
//! **Other tools** are served by [`exchange`] (formats, in and out) and [`redact`] (known values masked in a stream).
//!
//! `examples/secrets.rs`, at the root of the repository, is a program that embeds it.
//!
//! # What is promised
//!
//! - Outside the edited value not one byte changes; a file that does not parse is never written.
//! - A crash at any instant leaves the old file or the new one, whole; concurrent writers lose nothing.
//! - No error and no `Debug` holds a value. Buffers that held one are wiped when they are dropped, as far as a
//!   program can: what the kernel or a terminal has copied is out of reach.
//! - Nothing is ever executed because of what a value says.
#![warn(missing_docs)]

pub mod dlt;
pub mod document;
pub mod dotenv;
mod edit;
pub mod environment;
pub mod exchange;
pub mod home;
pub mod project;
pub mod redact;
mod reference;
pub mod storage;
mod value;

pub use edit::{References, SetOutcome};
pub use reference::{Lookup, Otherwise, Piece, Reference, ReferenceError, Text};
pub use value::{Value, ValueType};
