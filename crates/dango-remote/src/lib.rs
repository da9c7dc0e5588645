//! The `.env` of a deployed project, over the system's `ssh`: read, edited here by our own rules, and replaced there in one step.
//!
//! # A tour
//!
//! **A remote** is a [`Destination`] and a [`RemoteDirectory`] under a name; [`settings::Remotes`] keeps them in
//! `.dango/remote.toml`. **An [`Access`]** opens sessions: it starts `ssh` with the user's configuration, agent, jump hosts and
//! known hosts, and sends a script for the POSIX shell that every server has. **A [`Session`]** has read `.env` and can replace it
//! once. [`set_variable`], [`unset_variable`] and [`push`] are what commands do with it; [`plan`] tells before what a push would change.
//!
//! # What is promised
//!
//! - Values travel on standard input alone, here and there; no argument and no variable of the environment has one.
//! - A read that was cut off, or that failed, is an error and never an empty file: contents come with their length and digest.
//! - The new file is whole on the disk before it takes the old one's name, and only if the old one still is what was read. A
//!   link that is cut at any instant leaves the old file or the new one.
//! - The lock there is held for the exchange alone, never while the network is waited for. Where the server has flock(1) it is the
//!   lock that dango processes take.
//! - No key of a host is taken in place of another one, of whatever type.
//!
//! ```no_run
//! use dango_core::{OsEntropy, SecretValue};
//! use dango_remote::settings::Remote;
//! use dango_remote::{Access, KnownHosts, Ssh, UnknownHost, set_variable};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let remote = Remote {
//!     name: "prod".parse()?,
//!     destination: "deploy@example.org".parse()?,
//!     directory: "/srv/project".parse()?,
//!     identity: None,
//! };
//! let ssh = Ssh::new(KnownHosts::OfSsh)?;
//! let access = Access::new(&ssh, &remote, UnknownHost::Refuse, &OsEntropy);
//! let value = SecretValue::new("sk_live".to_owned())?;
//! let outcome = set_variable(&access, &"STRIPE_API_KEY".parse()?, &value, &|_| false)?;
//! # let _ = outcome;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod access;
mod address;
mod change;
mod digest;
mod failure;
mod frames;
mod process;
mod protocol;
mod push;
mod session;
pub mod settings;
mod ssh;

pub use access::{Access, NewKey, UnknownHost};
pub use address::{Destination, ParseDestinationError, ParseDirectoryError, RemoteDirectory};
pub use change::{ChangeError, Encrypted, parse_contents, set_variable, unset_variable};
pub use digest::Digest;
pub use failure::{LinkError, ServerError, SessionError};
pub use push::{Change, Item, Plan, PushError, plan, push};
pub use session::{Replaced, Session};
pub use ssh::{KnownHosts, OptionPathError, Ssh, check_option_path};
