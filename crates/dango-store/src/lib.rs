//! One unit of work over the stores of the domains, and what every backend of it must do. No SQL, no file, no rule lives here.
//!
//! - [`Transaction`]: every store of the domains at one moment, in one piece;
//! - [`Store`]: where transactions come from; [`StoreExt::write`] begins one, does the work and commits: all of it or nothing;
//! - [`StoreVersion`], [`Store::version`]: whether anything was committed since, so that what was read may be kept;
//! - [`AtTheDoor`], [`Standing`]: what every request asks about whoever shows a token, read in one piece;
//! - [`SettingsStore`], [`DirectoryStore`]: what belongs to no domain: whether anybody is let in, facts about all users at once;
//! - [`ImportStore`]: what was taken over from elsewhere, so that it is not taken twice; [`EarlierDatabase`]: what an earlier Dango kept;
//! - [`log_in`]: a login in its two transactions, for programs that embed people and no more;
//! - [`copy`]: the tables of every backend that has some, for whoever moves rows from one to another;
//! - [`StoreFailure`]: why a backend could not;
//! - [`MemoryStore`]: a store in memory, the model that backends are compared with;
//! - `contract` (feature): the suite that a backend is put under.
//!
//! ```
//! use dango_identity::StoreError;
//! use dango_store::{MemoryStore, StoreExt};
//!
//! # pollster::block_on(async {
//! let store = MemoryStore::new();
//! let users = store.read(|tx| Box::pin(async { tx.users().await })).await?;
//! assert!(users.is_empty());
//! # Ok::<(), StoreError>(())
//! # }).unwrap();
//! ```
#![warn(missing_docs)]

mod bearer;
#[cfg(feature = "contract")]
pub mod contract;
pub mod copy;
mod earlier;
mod failure;
mod imports;
mod login;
mod memory;
mod settings;
mod store;
mod transaction;

pub use bearer::{AtTheDoor, Budgets, Standing, api_key_at_the_door, session_at_the_door};
pub use earlier::{EarlierApiKey, EarlierDatabase, EarlierError, EarlierUser};
pub use failure::StoreFailure;
pub use imports::{ImportMark, ImportStore};
pub use login::{LogInError, log_in};
pub use memory::MemoryStore;
pub use settings::{Admission, DirectoryStore, SettingsStore};
pub use store::{BoxFuture, Job, Store, StoreExt, StoreVersion, Verdict};
pub use transaction::Transaction;
