//! The secrets and configuration that dlt itself sees: names, types and the order of its look-ups. No file is opened here.
//!
//! - [`variable_name`], [`run_secret_name`], [`path_of`]: a path as an environment variable, as a run secret, and back;
//! - [`environment_text`]: a value of `secrets.toml` as text for the environment, so that dlt reads the same from it;
//! - [`auto_cast`]: what `dlt.secrets["…"]` makes of a text;
//! - [`DltFiles`]: which settings files dlt reads, profiles included;
//! - [`explain()`]: every place that dlt looks at for a path, which one wins, and what is surprising about it.
//!
//! Everything follows dlt 1.31 and is compared with recorded answers of the real one. Files are parsed elsewhere and come in as
//! [`Value`](crate::Value) trees; the environment comes in as closures.
//!
//! ```
//! use dango_core::SecretValue;
//! use dango_secrets::dlt::{Access, Provider, SettingsFile, Start, Surroundings, explain};
//! use dango_secrets::{Text, Value};
//!
//! // secrets.toml: [sources.stripe] api_key = "sk_live_…"; and somebody has exported API_KEY.
//! let key = Value::String(Text::literal("sk_live_…"));
//! let stripe = Value::Table(vec![("api_key".to_owned(), key)]);
//! let sources = Value::Table(vec![("stripe".to_owned(), stripe)]);
//! let root = Value::Table(vec![("sources".to_owned(), sources)]);
//! let files = [SettingsFile { location: ".dlt/secrets.toml".to_owned(), content: Ok(&root) }];
//! let around = Surroundings {
//!     environment: &|name| (name == "API_KEY").then(|| SecretValue::new("other".to_owned()).ok()).flatten(),
//!     dotenv: &|_| None,
//!     run_secrets: &|_| false,
//!     secrets: &files,
//!     config: &[],
//!     start: Start::Plain,
//! };
//! let answer = explain(&"sources.stripe.api_key".parse()?, Access::SecretArgument, None, &around);
//! let winner = answer.winning_place().expect("two places have a value");
//! assert_eq!((winner.provider, winner.name.as_str()), (Provider::EnvironmentVariables, "API_KEY"));
//! assert_eq!(answer.notes[0].code(), "bare_variable_shadows_file");
//! # Ok::<(), dango_core::ParsePathError>(())
//! ```

mod cast;
mod explain;
mod files;
mod json;
mod name;
mod note;
mod number;
mod places;
mod surroundings;
mod text;

pub use cast::{Cast, CastKind, auto_cast};
pub use explain::{Explanation, explain};
pub use files::{DltFiles, Machine, Profile, ProfileOrigin};
pub use name::{EnvironmentName, NameError, path_of, run_secret_name, variable_name};
pub use note::Note;
pub use places::{Place, Provider, State};
pub use surroundings::{Access, SettingsFile, Start, Surroundings, UnreadableFile};
pub use text::{EnvironmentTextError, environment_text};
