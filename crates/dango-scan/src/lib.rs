//! Where a project's secrets must not be: its own values, plain and encoded, and well-known token formats, looked for in files, in what is
//! staged for a commit, in all of git's history and in logs. No clock, no network; nothing is ever changed but the baseline and the hook.
//!
//! # A tour
//!
//! A [`Scanner`] knows what to look for: values of the project ([`KnownValue`]) and the [formats](Formats) of tokens. A [`Survey`] carries it
//! over files ([`tree`]) or over a repository ([`git`]) and gathers [`Finding`]s, which say where and what, never the value.
//! A [`Baseline`] holds what somebody has accepted; [`sarif`] writes findings for other programs; [`hook`] has git ask before each commit.
//!
//! ```
//! use dango_core::SecretValue;
//! use dango_scan::{Formats, KnownValue, Scanner};
//!
//! let key = SecretValue::new("correct-horse-42".to_owned())?;
//! let (scanner, _) = Scanner::new([KnownValue::new("sources.stripe.api_key", key)], Formats::Sought);
//! let hits = scanner.scan(b"harmless\nAuthorization: Basic OmNvcnJlY3QtaG9yc2UtNDI=\n");
//! assert_eq!(hits.len(), 1);
//! assert_eq!((hits[0].line, hits[0].column), (2, 24));
//! # Ok::<(), dango_core::InvalidSecret>(())
//! ```
//!
//! # What is promised
//!
//! - No finding, error or `Debug` holds a value. A name of a file that holds one is shown with `***` in its place.
//! - Symbolic links are not followed, nothing but regular files is read, and no program is run but `git`, without a shell and without any
//!   that the repository's own configuration names.
//! - What could not be read is counted: a search that was not complete never looks like one that found nothing.
#![warn(missing_docs)]

mod archive;
mod baseline;
mod content;
mod examples;
mod finding;
pub mod git;
pub mod hook;
mod known;
mod lines;
mod nature;
mod replaced;
pub mod sarif;
mod scanner;
mod survey;
mod tokens;
pub mod tree;
mod workers;

pub use baseline::{Baseline, BaselineError, DEFAULT_NAME as DEFAULT_BASELINE};
pub use finding::{Finding, Fingerprint, Spelling, Subject};
pub use known::KnownValue;
pub use replaced::ReplaceError;
pub use scanner::{Formats, Hit, LeftOut, Scanner, Sought};
pub use survey::Survey;
pub use tokens::{RuleFacts, rules};
