//! The audit log as a file: written on a thread of its own and sent as it comes, so that a log of any size takes no more memory than a
//! few pages of it. Whoever hangs up ends the writing, and the record of the export says so.

use std::future::poll_fn;
use std::io::{self, Write};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use dango_actions::{AuditView, Permit};
use dango_audit::export::ExportFormat;
use dango_audit::query::Filter;
use futures_channel::mpsc::{Sender, channel};
use futures_util::StreamExt;

use super::pages::Answer;
use super::visit::Visit;
use crate::problem::{Problem, code};

/// So much is written before it is sent.
const PIECE: usize = 64 * 1024;
/// So many pieces may wait for whoever reads slowly.
const WAITING: usize = 2;

/// Begins to send the log.
pub(super) fn audit(visit: &Visit, permit: Permit<AuditView>, filter: Filter, format: ExportFormat) -> Answer {
    let busy = || Problem::new(code!(busy), "other exports are being written; try again in a moment");
    let guard = visit.app.begin_export().ok_or_else(busy)?;
    let (sender, pieces) = channel(WAITING);
    // The file ends when the record of the export is written, not before.
    let end = sender.clone();
    let sink = Pieces {
        sender,
        piece: Vec::with_capacity(PIECE),
    };
    let begun = visit.actions().export_audit_apart(permit, filter, format, sink, move |written| {
        match written {
            Ok(exported) => {
                if let Some(fault) = exported.unrecorded {
                    tracing::error!(code = fault.code(), "an export could not be recorded");
                }
            }
            Err(error) => tracing::warn!(code = error.code(), "an export of the audit log has ended early"),
        }
        drop((guard, end));
    });
    begun.map_err(|error| {
        tracing::error!(%error, "there is no thread for an export");
        busy()
    })?;
    let mut response = Response::new(Body::from_stream(pieces.map(Ok::<_, io::Error>)));
    let (media_type, extension) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        _ => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let now = visit.now().to_string();
    let day = now.get(..10).unwrap_or("log");
    let file = format!("attachment; filename=\"dango-audit-{day}.{extension}\"");
    let file = HeaderValue::try_from(file).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, file);
    Ok(response)
}

/// What is written goes out in pieces; the writer waits where nobody reads.
struct Pieces {
    sender: Sender<Bytes>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(written);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        pollster::block_on(poll_fn(|context| self.sender.poll_ready(context))).map_err(gone)?;
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.start_send(Bytes::from(piece)).map_err(gone)
    }
}
