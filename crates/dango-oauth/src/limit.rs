//! How long a ceremony of several calls may take as a whole. The limit of a single call is the port's.

use std::future::Future;
use std::time::Duration;

use crate::answer::ProviderError;
use crate::http::CallError;

const WHOLE_LIMIT: Duration = Duration::from_secs(30);

/// Waits for a ceremony, at most 30 seconds.
pub(crate) async fn whole<T>(ceremony: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
    match tokio::time::timeout(WHOLE_LIMIT, ceremony).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ProviderError::Call(CallError::Timeout)),
    }
}
