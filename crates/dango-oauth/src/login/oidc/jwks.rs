//! A provider's keys (RFC 7517): fetched when one is not known, seldom, and not many.

use dango_core::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::claims::IdTokenError;
use super::discovery::{Discovered, plain_get};
use super::signature::{Header, Key};
use crate::answer::{ProviderError, read_object};
use crate::http::Http;

/// The least time between two fetches, in seconds, whatever tokens name.
pub const JWKS_PAUSE_SECONDS: i64 = 60;

/// How many keys are kept.
pub const MOST_KEYS: usize = 64;

/// How long keys are believed, in microseconds: a key that a provider withdraws is not used for longer.
const FRESH_MICROS: i64 = 3600 * 1_000_000;

/// The keys of one provider.
#[derive(Default)]
pub(super) struct Keys {
    // Held while fetching, so that a thousand tokens at once cause one fetch.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: Vec<Key>,
    fetched_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

impl Keys {
    /// The key that a token's header names.
    pub(super) async fn find(
        &self,
        http: &dyn Http,
        discovered: &Discovered,
        header: &Header,
        now: Timestamp,
    ) -> Result<Key, IdTokenError> {
        let mut kept = self.kept.lock().await;
        let since = |at: Option<Timestamp>| at.map(|at| now.unix_micros().saturating_sub(at.unix_micros()));
        let within = |at: Option<Timestamp>, limit: i64| since(at).is_some_and(|age| (0..limit).contains(&age));
        if within(kept.fetched_at, FRESH_MICROS)
            && let Some(key) = header.choose(&kept.keys)
        {
            return Ok(key.clone());
        }
        if within(kept.asked_at, JWKS_PAUSE_SECONDS * 1_000_000) {
            return Err(IdTokenError::UnknownKey);
        }
        kept.asked_at = Some(now);
        let request = plain_get(discovered.jwks.clone()).map_err(ProviderError::from);
        let fetched = match request {
            Ok(request) => http.call(&discovered.endpoints.reach, request).await.map_err(ProviderError::from),
            Err(error) => Err(error),
        };
        kept.keys = read(fetched.and_then(read_object)).map_err(IdTokenError::Keys)?;
        kept.fetched_at = Some(now);
        header.choose(&kept.keys).cloned().ok_or(IdTokenError::UnknownKey)
    }
}

fn read(document: Result<serde_json::Map<String, Value>, ProviderError>) -> Result<Vec<Key>, ProviderError> {
    let document = document?;
    let list = document.get("keys").and_then(Value::as_array).ok_or(ProviderError::Malformed)?;
    // Keys of kinds that are not known are passed over (RFC 7517 §5).
    Ok(list.iter().filter_map(Key::parse).take(MOST_KEYS).collect())
}
