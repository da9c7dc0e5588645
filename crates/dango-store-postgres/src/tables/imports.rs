//! The marks of what was taken over from elsewhere.

use std::collections::HashSet;

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::StoreError;
use dango_store::{ImportMark, ImportStore};

use crate::column::Columns;
use crate::connection::query;
use crate::transaction::PostgresTransaction;

#[async_trait]
impl ImportStore for PostgresTransaction<'_> {
    async fn import_marks(&mut self) -> Result<HashSet<ImportMark>, StoreError> {
        let read = self.all(query("SELECT mark FROM imports"), |row| Columns::of(row).bytes()).await;
        Ok(read?.into_iter().map(ImportMark::from_bytes).collect())
    }

    async fn mark_imported(&mut self, mark: ImportMark, now: Timestamp) -> Result<bool, StoreError> {
        let insert = query("INSERT INTO imports (mark, imported_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(mark.as_bytes().to_vec())
            .bind(now.unix_micros());
        Ok(self.changed(insert).await?)
    }
}
