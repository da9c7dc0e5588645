//! The connections of a project to its providers, as the command line and the server both need them: where their values are, who may
//! renew them, what is stored when. No use case, no output, no HTTP server; a provider is called through `dango_oauth::Http`.
//!
//! - [`ConnectionFiles`]: a project's files, as far as connections are in them;
//! - [`Places`]: where a source keeps what a connection gives it; [`Stored`]: what is there, opened;
//! - [`Live`]: a stored connection with all that it takes to ask its provider; [`Live::renew`] stores new tokens before they are used;
//! - [`NewConnection`]: a grant compared with what was connected before, and stored in one save;
//! - [`ConnectionFiles::check`] and [`ConnectionFiles::remove`]: the other questions, each with the lease of the connection.
//!
//! What calls a provider is `async`, and so that nothing is lost between an answer and the disk it blocks its thread for the files in
//! between: run it on a thread of its own.
#![warn(missing_docs)]

mod check;
mod client;
mod error;
mod files;
mod live;
mod making;
mod notice;
mod place;
mod providers;
mod removal;
mod stored;

pub use check::Found;
pub use client::{client_copies, client_variables};
pub use error::{CheckFailure, EndpointsError, LiveError, ProvidersFileError, RemoveError, RenewError, SaveError, StoredError};
pub use files::{ConnectionFiles, Variable};
pub use live::{Live, are_same};
pub use making::{NewConnection, NewFields};
pub use notice::Notice;
pub use place::Places;
pub use providers::{Connectable, connectable, missing_scopes, missing_scopes_of, provider_of};
pub use removal::{GivenBack, NotGivenBack, Removed};
pub use stored::Stored;

use std::time::Duration;

/// How long another process may be busy with a connection that somebody waits for.
pub const PATIENCE: Duration = Duration::from_secs(45);
