//! A project's files with values encrypted under the project's key. No command line, no cryptography of its own, nothing async.
//!
//! **A document** is opened in memory with [`open_secrets`] and [`open_env`]: what is encrypted is replaced by what it was, or every
//! value that does not open is named and nothing is. [`Keys`] are fetched only if something is encrypted.
//!
//! **A file** is changed through a [`Vault`]: [`Vault::encrypt_secrets`], [`Vault::set_secrets`] and the like. It counts what is sealed,
//! keeps what goes in the history, seals the file anew and notes what was seen, in the order in which a crash does no harm.
//! [`Vault::check_secrets`] gives the [`SealWarning`] about values that were removed, replaced or rolled back.
//!
//! **A connection to a provider** is a [`Connection`] beside the tokens of its source; both are written in one save, by
//! [`Vault::save_connection`] and the like, and [`Vault::lease_connection`] says who may renew it.
//!
//! **A value that takes the place of another** is written by [`Vault::exchange_secrets`] and [`Vault::exchange_env`], only where the other one
//! still is; both are laid aside meanwhile, see [`Vault::lay_aside`].
//!
//! **Where the files are**, if several machines share them, is a [`SealedHome`]: rows of a database, sealed whole; everything above works on it unchanged.
//! [`move_to_rows`] and [`move_to_directory`] move a project either way.
//!
//! **Where the key is** on this machine is known to [`ProjectKeys`]; it is replaced by [`rotate`]. **Two projects** are compared by a [`Comparison`].
//!
//! ```
//! use dango_core::{OsEntropy, SystemClock};
//! use dango_keyring::{KeySet, MasterKey};
//! use dango_secrets::Value;
//! use dango_secrets::document::SecretsDocument;
//! use dango_secrets::project::Project;
//! use dango_vault::{Keys, Selection, Targets, Vault, open_secrets};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let before = "[sources.stripe]\napi_key = 'sk_live_tour' # sk_live_tour\n";
//! # let project = Project::at(directory.path());
//! # project.update_secrets(&OsEntropy, |_| {
//! #     let bytes = zeroize::Zeroizing::new(before.as_bytes().to_vec());
//! #     Ok::<_, std::convert::Infallible>(dango_secrets::storage::Edit::Replace(bytes, ()))
//! # })?;
//! let set = KeySet::new(MasterKey::make(&OsEntropy)?, None);
//! let keys = Keys::at_hand(&set);
//! let vault = Vault::new(&project, &keys, &OsEntropy, &SystemClock, "ana");
//! let report = vault.encrypt_secrets(Targets::All)?;
//! assert_eq!(report.encrypted.len(), 1);
//!
//! // The file gives nothing away, the comment included, and opens in memory.
//! let contents = project.secrets()?.ok_or("is there")?;
//! assert!(!String::from_utf8_lossy(contents.bytes()).contains("sk_live"));
//! let opened = open_secrets(&SecretsDocument::parse(contents.bytes())?, Selection::All, &keys)?;
//! let Some(Value::String(text)) = opened.value(&"sources.stripe.api_key".parse()?) else { return Err("no string".into()) };
//! assert_eq!(text.verbatim().as_str(), "sk_live_tour");
//!
//! // And back, byte for byte.
//! vault.decrypt_secrets(Targets::All)?;
//! assert_eq!(project.secrets()?.ok_or("is there")?.bytes(), before.as_bytes());
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod aside;
mod closed;
mod connections;
mod counts;
mod diff;
mod edition;
mod env;
mod error;
mod file;
mod history;
mod keys;
mod leaks;
mod project_keys;
mod relocation;
mod rotation;
mod sealed_home;
mod sealer;
mod secrets;
mod vault;
mod warning;

pub use aside::{Aside, AsideError, AsideRole, AsideValue, ValuePlace};
pub use closed::{ClosedProblem, ClosedValue, OpeningError};
pub use connections::{Connection, ConnectionLease, Renewal, RenewedConnection, parse_metadata_time};
pub use counts::{count_of, readmit};
pub use diff::{Comparison, Difference, Side};
pub use edition::Edition;
pub use env::{
    EnvChange, EnvChanged, EnvEdit, EnvEncryptError, EnvEncryptReport, EnvLeft, EnvLeftReason, EnvSetError, EnvSetReport, EnvTargets,
    decrypt_env, encrypt_env, env_habit, is_encrypted_binding, open_env, set_env,
};
pub use error::VaultError;
pub use history::{HistoryError, PreviousValue};
pub use keys::Keys;
pub use project_keys::{
    AdoptError, Adopted, Choice, KeyEnvironment, KeyStatus, LostKey, ProjectKeys, identify, project_id, write_project_id,
};
pub use relocation::{MoveError, MoveReport, check_move_to_rows, move_to_directory, move_to_rows, take_back};
pub use rotation::{RotationReport, protected_by, rotate};
pub use sealed_home::{KeyLoader, SealedHome, Standing};
pub use sealer::Sealer;
pub use secrets::{
    EncryptError, EncryptReport, LeftPlain, LeftReason, Protection, Removal, Selection, SetError, SetReport, Targets, decrypt_secrets,
    encrypt_secrets, is_encrypted, is_seal, open_secrets, secrets_habit, set_secrets,
};
pub use vault::{Exchange, RotationLease, Vault, spell};
pub use warning::SealWarning;
