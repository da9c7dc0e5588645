//! Credentials in the formats of other tools, in and out: text to values and values to text, no disk.
//!
//! Two families. *Environment-like* formats ([`Format::is_environment`]) know variables only:
//! exports take [`Variable`]s, imports map names to paths ([`path_of`](crate::dlt::path_of)). *Trees* (JSON,
//! YAML, TOML) keep tables, arrays and types: exports take the entries of the root, imports give
//! one value per path. TOML and `.env` are read by the modules that own them; what they read
//! comes in through [`Import::from_values`] and [`Import::from_variables`].
//!
//! An export either writes everything or names everything that cannot be written.
//!
//! ```
//! use dango_secrets::exchange::{Variable, parse_shell, write_shell};
//!
//! let import = parse_shell(b"export SOURCES__STRIPE__API_KEY='sk_live_4242'")?;
//! let (path, _) = &import.credentials[0];
//! assert_eq!(path.to_string(), "sources.stripe.api_key");
//!
//! let variable = Variable {
//!     name: "SOURCES__STRIPE__API_KEY".to_owned(),
//!     path: path.clone(),
//!     value: dango_core::SecretValue::new("it's".to_owned())?,
//! };
//! assert_eq!(write_shell(&[variable])?.as_str(), "export SOURCES__STRIPE__API_KEY='it'\\''s'\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ansi_c;
mod docker;
mod dotenv;
mod export;
mod format;
mod github;
mod import;
mod json;
mod json_reader;
mod kubernetes;
mod node;
mod shell;
mod toml;
mod tree;
mod yaml;
mod yaml_reader;

pub use docker::{parse_docker, write_docker};
pub use dotenv::{Spell, write_dotenv};
pub use export::{ExportError, GithubExportError, Problem, Reason, Variable};
pub use format::{Format, ParseFormatError};
pub use github::{github_masks, parse_github, write_github};
pub use import::{Import, ImportError, ImportProblem, Place};
pub use json::write_json;
pub use json_reader::parse_json;
pub use kubernetes::{InvalidManifestName, ManifestName, parse_k8s, write_k8s};
pub use shell::{parse_shell, write_shell};
pub use toml::write_toml;
pub use tree::Tree;
pub use yaml::write_yaml;
pub use yaml_reader::parse_yaml;
