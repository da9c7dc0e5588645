//! Where a project's master key is held, and sealing and opening values with it; no file is touched and nothing is async here.
//!
//! - [`MasterKey`] and [`KeySet`]: 32 random bytes, and the active one together with those that rotation has retired;
//! - [`KeySet::seal`] and [`KeySet::open`]: a value becomes an [`Envelope`] that opens only for the same [`Purpose`] and [`Binding`]; [`Opener`]
//!   opens many;
//! - [`FileSealer`]: a keyed digest over all encrypted values of a file, so that one removed or rolled back is named;
//! - [`RowSealer`]: a whole file that is kept as a row of a database, bound to its place and revision;
//! - [`WrappedKeys`]: keys under a passphrase, as a backup or at rest;
//! - [`KeyHolder`]: where keys are kept: [`OsKeyring`], [`FileHolder`], [`PassphraseHolder`], [`EnvironmentHolder`].
//!
//! The formats are in `docs/formats/envelope.md`, which binds; an independent program reads them in the tests.
//!
//! ```
//! use dango_core::{OsEntropy, SecretValue};
//! use dango_keyring::{Binding, Envelope, KeySet, MasterKey, Purpose, SealCount};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeySet::new(MasterKey::make(&OsEntropy)?, None);
//! let mut count = SealCount::start(keys.active_id());
//!
//! // The plain text is the TOML value as it stands in the file, quotes included.
//! let place = Binding::path(&"sources.stripe.api_key".parse()?);
//! let plain = SecretValue::new("\"sk_live\"".to_owned())?;
//! let envelope = keys.seal(Purpose::SecretsToml, &place, &plain, &mut count, &OsEntropy)?;
//! let text = envelope.to_string();
//! assert!(text.starts_with("dango:v1:"));
//!
//! let read = Envelope::parse(&text)?.ok_or("plain text")?;
//! assert_eq!(keys.open(Purpose::SecretsToml, &place, &read)?.expose(), "\"sk_live\"");
//!
//! // Moved to another place, it does not open.
//! let elsewhere = Binding::path(&"sources.shopify.api_key".parse()?);
//! assert!(keys.open(Purpose::SecretsToml, &elsewhere, &read).is_err());
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod binding;
mod cipher;
mod derivation;
mod encoding;
mod envelope;
mod file_seal;
mod fingerprint;
mod holder;
mod key;
mod key_set;
mod memory;
mod row;
mod sealing;
mod wrapped;

pub use binding::{Binding, Purpose};
pub use envelope::{Envelope, MalformedEnvelope};
pub use file_seal::{CounterExhausted, FileSeal, FileSealer, ParseSeenError, SealChanges, SealState, SealedValues, SeenState};
pub use fingerprint::Fingerprint;
pub use holder::{
    EnvironmentHolder, FileHolder, HolderError, HolderKind, KEYRING_SERVICE, KeyFile, KeyFileError, KeyHolder, OsKeyring, PassphraseHolder,
    ServerEntry, SessionBus,
};
pub use key::{KeyId, MasterKey, ParseKeyError, ParseKeyIdError};
pub use key_set::{KeySet, ParseKeysError, TooManyKeys};
pub use row::{RowPlace, RowSealer};
pub use sealing::{OpenError, Opener, ParseCountError, SealCount, SealError};
pub use wrapped::{ParseWrappedError, UnwrapError, WrapError, WrappedKeys};
