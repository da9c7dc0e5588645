//! The words every Dango crate shares; no file, no network, no async lives here.
//!
//! - [`CredentialPath`]: the dotted path of a key in `.dlt/secrets.toml`;
//! - [`SourceName`], [`SourceType`], [`VariableName`]: names that were checked once, at the edge;
//! - [`SecretValue`]: text that nothing prints by accident;
//! - [`Clock`] and [`Entropy`]: time and randomness, which every other crate takes as parameters.
//!
//! ```
//! use dango_core::CredentialPath;
//!
//! let path: CredentialPath = r#"sources."my.db".password"#.parse()?;
//! assert_eq!(path.parts(), ["sources", "my.db", "password"]);
//! assert_eq!(path.to_string(), r#"sources."my.db".password"#);
//! # Ok::<(), dango_core::ParsePathError>(())
//! ```
#![warn(missing_docs)]

mod entropy;
mod name;
mod path;
mod secret;
mod time;

pub use entropy::{Entropy, EntropyError, OsEntropy};
pub use name::{HostName, ParseNameError, RemoteName, SourceName, SourceType, VariableName};
pub use path::{CredentialPath, ParsePathError, PathProblem};
pub use secret::{InvalidSecret, SecretProblem, SecretValue};
pub use time::{Clock, ParseTimestampError, SystemClock, Timestamp};
