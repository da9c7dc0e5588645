//! Writing the log out, which is itself recorded.

use std::io::{self, Write};

use dango_audit::export::{ExportFormat, Exporter};
use dango_audit::query::{Cursor, Filter, Order, PAGE_MAX, PageLimit};
use dango_audit::{Detail, Event, Outcome, Seq, Stage, Target, TargetKind, Word};

use crate::accounts::count;
use crate::actions::Actions;
use crate::fault::Fault;
use crate::permit::{AuditView, Permit};
use crate::unit::Record;

/// An export that was written.
#[derive(Debug)]
pub struct Exported {
    /// How many records were written.
    pub records: u64,
    /// Why the export stands in no record, or its end in none: the database can be read and not be written.
    pub unrecorded: Option<Fault>,
}

/// The export was not written, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportAuditError {
    /// What is written to does not take it.
    #[error("the export could not be written")]
    Write(#[from] io::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ExportAuditError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Write(_) => "write_failed",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl Actions {
    /// Writes every record that a filter takes, or the first ones of them, page by page, keeping none. What is recorded about the export itself is not in it.
    ///
    /// It goes on where the log cannot be written, because a log that is damaged has to be got out; the answer says so.
    ///
    /// Permission: `audit.view`. Audit: `audit_exported` before and after, with format and count.
    ///
    /// # Errors
    ///
    /// [`ExportAuditError`]; what was written until then stays written.
    pub async fn export_audit<W: Write>(
        &self,
        permit: &Permit<AuditView>,
        filter: Filter,
        format: ExportFormat,
        limit: Option<u64>,
        sink: W,
    ) -> Result<Exported, ExportAuditError> {
        let record = Record::of(Event::AuditExported)
            .on(Target::of(TargetKind::Audit))
            .with(Detail::Format, Word::new(format.as_str()));
        let begun: Result<Seq, Fault> = self.append(permit, record.clone(), Stage::Intent).await;
        let own = begun.as_ref().ok().copied();
        let written = self.export_until(permit, filter, own, (format, limit, sink)).await;
        let ended = match begun {
            Err(fault) => Err(fault),
            Ok(intent) => {
                let (outcome, record) = match &written {
                    Ok(records) => (Outcome::Success, record.with(Detail::Count, count(*records))),
                    Err(error) => (Outcome::Failure, record.with(Detail::Code, Word::new(error.code()))),
                };
                self.append(permit, record, Stage::IntentEnded(intent, outcome)).await.map(|_| ())
            }
        };
        written.map(|records| Exported {
            records,
            unrecorded: ended.err(),
        })
    }

    async fn append(&self, permit: &Permit<AuditView>, record: Record, stage: Stage) -> Result<Seq, Fault> {
        self.write(permit.caller(), move |mut unit| {
            Box::pin(async move { Ok(Ok(unit.record(record, stage).await?)) })
        })
        .await
    }

    async fn export_until<W: Write>(
        &self,
        permit: &Permit<AuditView>,
        mut filter: Filter,
        own: Option<Seq>,
        (format, limit, sink): (ExportFormat, Option<u64>, W),
    ) -> Result<u64, ExportAuditError> {
        let newest_first = filter.order == Order::NewestFirst;
        let is_ahead = |own: Seq| filter.cursor.is_none_or(|cursor| cursor.seq() > own);
        if let Some(own) = own.filter(|own| newest_first && is_ahead(*own)) {
            filter.cursor = Some(Cursor::behind(own));
        }
        let size = PageLimit::new(PAGE_MAX).unwrap_or_default();
        let mut left = limit.unwrap_or(u64::MAX);
        let mut exporter = Exporter::begin(format, sink)?;
        loop {
            let page = self.list_audit(permit, filter.clone(), size).await?;
            for event in &page.events {
                if left == 0 || own.is_some_and(|own| event.seq >= own.as_column()) {
                    return Ok(exporter.finish()?);
                }
                exporter.write(event)?;
                left -= 1;
            }
            if page.next_cursor.is_none() {
                return Ok(exporter.finish()?);
            }
            filter.cursor = page.next_cursor;
        }
    }
}
