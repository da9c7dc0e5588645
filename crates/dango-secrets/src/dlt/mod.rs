//! The secrets and configuration that dlt itself sees: names, types and the order of its look-ups.

mod cast;
mod json;
mod name;
mod number;
mod text;

pub use cast::{Cast, CastKind, auto_cast};
pub use name::{EnvironmentName, NameError, path_of, run_secret_name, variable_name};
pub use text::{EnvironmentTextError, environment_text};
