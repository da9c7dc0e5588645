//! The catalogue of source types, `sources.yml`, and what a configured source is missing. No file, no network: texts
//! come in, texts go out, and whether a credential is there is asked through a closure.
//!
//! - [`catalogue`]: every source type with its fields, and where each is stored ([`TypeSpec`], [`FieldSpec`]);
//! - [`SourcesFile`]: `.dango/sources.yml`, read strictly and edited without touching what is around the edit;
//! - [`SourcesFile::state`], [`credential_state`]: which credentials are missing, empty or in an old place;
//! - [`SyncCommand`]: the command that loads a source, as words and without a shell;
//! - [`RotateEvery`]: how often its credentials are to be replaced;
//! - [`expiry`]: how long a stored connection is still good.
//!
//! A source of the catalogue's *type* has a *name*, and its credentials stand in `.dlt/secrets.toml` below
//! `sources.<name>`. dlt reads that section by itself where the name is that of its module or source
//! ([`TypeSpec::default_name`], [`TypeSpec::is_read_by_dlt`]).
//!
//! ```
//! use dango_sources::{NewSource, Presence, SourcesFile, SyncCommand, catalogue};
//!
//! let stripe = catalogue().find(&"stripe".parse()?).expect("is in the catalogue");
//! let file = SourcesFile::parse("# what we load\nsources: []\n")?;
//! let text = file.add(&NewSource {
//!     name: stripe.default_name().parse()?,
//!     source_type: "stripe".parse()?,
//!     fields: vec![("start_date".to_owned(), stripe.field("start_date").expect("has one").parse_value("2024-01-01")?)],
//!     sync: Some(SyncCommand::from_text("python pipeline.py")),
//! })?;
//! assert_eq!(
//!     text,
//!     "# what we load\nsources:\n  - name: stripe_analytics\n    type: stripe\n    \
//!      start_date: \"2024-01-01\"\n    sync: python pipeline.py\n"
//! );
//!
//! let file = SourcesFile::parse(&text)?;
//! let source = &file.sources()[0];
//! let state = file.state(source, &|_| Presence::Absent).expect("a known type");
//! assert_eq!(state.missing[0].path.to_string(), "sources.stripe_analytics.stripe_secret_key");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod catalogue;
mod configured;
mod expiry;
mod rotate_every;
mod state;
mod sync;
mod yaml;

pub use catalogue::{AuthKind, Catalogue, Category, FieldKind, FieldProblem, FieldSpec, Place, TypeSpec, Variant, catalogue};
pub use configured::{ConfiguredSource, EditError, NewSource, SourcesError, SourcesFile};
pub use expiry::{EXPIRING_DAYS, Expiry, expiry};
pub use rotate_every::{ParseRotateEveryError, RotateEvery};
pub use state::{CredentialState, DefaultField, Elsewhere, FoundField, MissingField, Presence, credential_state};
pub use sync::{SyncCommand, SyncError, SyncProblem};
pub use yaml::{Value, YamlError, YamlProblem};
