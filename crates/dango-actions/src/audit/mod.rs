//! Using the audit log itself: reading, verifying, exporting it, and letting go of what is old. How records come about is in `unit`.

mod apart;
mod checkpoint;
mod export;
mod retention;

use dango_audit::Report;
use dango_audit::log::{self, Page};
use dango_audit::query::{Filter, PageLimit};

pub use checkpoint::{CheckpointError, CheckpointPolicy, KeptCheckpoint, SignedCheckpoint, VerifyAuditError, split_notes};
pub use export::{ExportAuditError, Exported};
pub use retention::{AuditError, PruneAuditError};

use crate::actions::Actions;
use crate::fault::Fault;
use crate::permit::{AuditView, Permit};

impl Actions {
    /// Reads one page of the log. It goes on where the log cannot be written or is damaged.
    ///
    /// Permission: `audit.view`. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn list_audit(&self, permit: &Permit<AuditView>, filter: Filter, limit: PageLimit) -> Result<Page, Fault> {
        self.read(permit.caller(), move |unit| {
            Box::pin(async move { Ok(log::list(&mut *unit.tx, &filter, limit).await?) })
        })
        .await
    }

    /// Verifies the whole log, and that it still holds everything up to the checkpoints in `notes`: signed texts as
    /// [`Actions::checkpoint_if_due`] made them, one behind another; none is fine. It changes nothing.
    ///
    /// Permission: `audit.view`. Audit: none, so that it can be run every minute and on a log that is damaged.
    ///
    /// # Errors
    ///
    /// [`VerifyAuditError`]: what is wrong with the log is no error but in the report.
    pub async fn verify_audit(&self, permit: &Permit<AuditView>, notes: &str) -> Result<Report, VerifyAuditError> {
        let checkpoints = checkpoint::open_notes(self.checkpoint_verifier(), notes)?;
        let report = self.read(permit.caller(), move |unit| {
            Box::pin(async move { Ok(log::verify(&mut *unit.tx, &unit.inner.chain, &checkpoints).await?) })
        });
        Ok(report.await?)
    }
}
