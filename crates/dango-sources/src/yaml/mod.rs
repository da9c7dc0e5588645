//! YAML as `sources.yml` uses it: values, a reader that knows places, and a writer of safe scalars.
//!
//! The reader is the one file that knows `saphyr-parser`. Nothing here knows what a source is.

mod node;
mod read;
mod value;
mod write;

pub(crate) use node::{Member, Node, NodeKind};
pub(crate) use read::read;
pub use read::{YamlError, YamlProblem};
pub use value::Value;
pub(crate) use write::{render, render_text};
