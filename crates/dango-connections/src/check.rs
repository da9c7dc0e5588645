//! Whether a stored connection works, asked of its provider.

use std::time::Duration;

use dango_oauth::{CheckError, Checked, Checking, Http, Providers, check, check_renewed};

use crate::error::CheckFailure;
use crate::files::ConnectionFiles;

/// What a live check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether the connection counts as good: it does unless the provider plainly says otherwise.
    pub valid: bool,
    /// What stood in the way.
    pub error: Option<CheckError>,
}

impl ConnectionFiles<'_> {
    /// Asks the provider whether a connection works. That may take a renewal, of which the new tokens are stored before they are used;
    /// so it waits for its lease as long as `patience` says.
    ///
    /// # Errors
    ///
    /// [`CheckFailure`].
    pub async fn check(&self, name: &str, providers: &Providers, http: &dyn Http, patience: Duration) -> Result<Found, CheckFailure> {
        let _lease = self.lease(name, patience).map_err(CheckFailure::Lease)?;
        let asked = self.live(name, providers)?;
        let now = self.clock().now();
        let checking = check(http, asked.provider, &asked.endpoints, asked.client.as_ref(), &asked.tokens, now).await;
        let Checked { valid, error, .. } = match checking {
            Checking::Done(checked) => checked,
            Checking::Renewed(renewed) => {
                let saved = asked.save(renewed, self).await.map_err(CheckFailure::NotSaved)?;
                check_renewed(http, asked.provider, &asked.endpoints, saved).await
            }
        };
        Ok(Found { valid, error })
    }
}
