//! An export on a thread of its own, for doors that cannot wait until it is written.

use std::io::{self, Write};

use dango_audit::export::ExportFormat;
use dango_audit::query::Filter;

use super::{ExportAuditError, Exported};
use crate::actions::Actions;
use crate::permit::{AuditView, Permit};

impl Actions {
    /// Begins [`Actions::export_audit`] on a thread of its own, and says afterwards what has come of it. A sink that takes nothing any
    /// more ends the export, which is recorded as one that failed.
    ///
    /// Permission: `audit.view`. Audit: as there.
    ///
    /// # Errors
    ///
    /// What the system says where it gives no thread; `done` is dropped then.
    pub fn export_audit_apart<W, D>(
        &self,
        permit: Permit<AuditView>,
        filter: Filter,
        format: ExportFormat,
        sink: W,
        done: D,
    ) -> io::Result<()>
    where
        W: Write + Send + 'static,
        D: FnOnce(Result<Exported, ExportAuditError>) + Send + 'static,
    {
        let actions = self.clone();
        let write = move || done(pollster::block_on(actions.export_audit(&permit, filter, format, None, sink)));
        std::thread::Builder::new().name("dango-export".to_owned()).spawn(write)?;
        Ok(())
    }
}
