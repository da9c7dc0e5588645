//! API keys: their text, their rows, and the rules between them. How a request carries one is the door's business.

mod allow_list;
mod api_keys;
mod check;
mod error;
mod policy;
mod record;
mod store;
mod text;

pub use allow_list::{AllowList, ParseAllowListError};
pub use api_keys::{ApiKeyList, ApiKeys, ImportedApiKey, IssuedApiKey, NewApiKey};
pub use check::{ApiKeyTouch, AuthenticatedKey, VerifiedApiKey};
pub use error::{CheckApiKeyError, ImportApiKeyError, MakeApiKeyError};
pub use policy::{ApiKeyPolicy, ExpiryRule};
pub use record::{Administration, ApiKeyName, ApiKeyRecord, ApiKeyState, ApiKeyUse, KeyScopes, ParseApiKeyNameError};
pub use store::{ApiKeyStore, ApiKeyWrite, Retirement};
pub use text::{ApiKeyPrefix, ParseApiKeyError, PlainApiKey};

#[cfg(test)]
mod tests;
