//! The catalogue of source types, `sources.yml`, and what a configured source is missing.
#![warn(missing_docs)]

mod yaml;

pub use yaml::{Value, YamlError, YamlProblem};
