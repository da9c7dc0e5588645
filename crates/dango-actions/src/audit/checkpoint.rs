//! Checkpoints: when one is due, what is signed, and how those that were kept are read. Where they are kept is the caller's.

use std::time::Duration;

use dango_audit::checkpoint::{Checkpoint, CheckpointVerifier, OpenCheckpointError};
use dango_audit::log::{self, LogError};
use dango_core::Timestamp;

use crate::actions::Actions;
use crate::caller::Caller;
use crate::fault::Fault;

/// When a checkpoint is due: after so many records, or after so long if there was any record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// After so many records.
    pub records: u64,
    /// After so long.
    pub age: Duration,
}

/// After 1,000 records or 60 seconds.
impl Default for CheckpointPolicy {
    fn default() -> Self {
        Self {
            records: 1000,
            age: Duration::from_secs(60),
        }
    }
}

impl CheckpointPolicy {
    fn is_due(&self, last: Option<(u64, Timestamp)>, size: u64, now: Timestamp) -> bool {
        let Some((kept, written_at)) = last else {
            return size > 0;
        };
        let micros = now.unix_micros().saturating_sub(written_at.unix_micros());
        // A clock that was set back makes the last one no younger than it is: then it is due.
        let is_old = u64::try_from(micros).map_or(true, |micros| Duration::from_micros(micros) >= self.age);
        size > kept && (size - kept >= self.records || is_old)
    }
}

/// The checkpoint that was kept last, as it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// The signed text.
    pub note: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// A checkpoint to be kept where whoever can change the database cannot change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The signed text (C2SP `signed-note`), ending with a line end.
    pub note: String,
    /// How many records the log had, the pruned ones included.
    pub size: u64,
}

/// No checkpoint was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The log has fewer records than it had, or others: signing that would make a lie of one of the two.
    #[error("the audit log is not the one of the checkpoint that was kept: run `dango audit verify`")]
    Contradiction,
    /// Something failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl CheckpointError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Contradiction => "audit_contradiction",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The log was not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyAuditError {
    /// A checkpoint that was kept is none of this log.
    #[error("checkpoint {number} does not open")]
    Checkpoint {
        /// Which, from 1.
        number: usize,
        /// Why.
        #[source]
        cause: OpenCheckpointError,
    },
    /// Something failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl VerifyAuditError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint { cause, .. } => cause.code(),
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl Actions {
    /// Signs a checkpoint of the log if one is due, for the caller to keep in the place of the last one, or behind it.
    ///
    /// Permission: none; it says how many records there are and nothing about them. Audit: none: it would make the next one due.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Contradiction`] where the log has shrunk or is another one since the last checkpoint.
    pub async fn checkpoint_if_due(
        &self,
        last: Option<&KeptCheckpoint>,
        policy: CheckpointPolicy,
    ) -> Result<Option<SignedCheckpoint>, CheckpointError> {
        // What does not open, of another key or damaged, proves nothing: a new one is due.
        let kept = last.and_then(|last| {
            let opened = self.checkpoint_verifier().open(&last.note).ok()?;
            Some((opened, last.written_at))
        });
        let (checkpoint, now) = self.present_checkpoint().await?;
        let size = checkpoint.size();
        if let Some((kept, _)) = &kept
            && (size < kept.size() || (size == kept.size() && checkpoint.root() != kept.root()))
        {
            return Err(CheckpointError::Contradiction);
        }
        let last = kept.map(|(kept, written_at)| (kept.size(), written_at));
        if !policy.is_due(last, size, now) {
            return Ok(None);
        }
        let note = self.inner().checkpoint_key.sign(&checkpoint);
        Ok(Some(SignedCheckpoint { note, size }))
    }

    async fn present_checkpoint(&self) -> Result<(Checkpoint, Timestamp), Fault> {
        self.read(&Caller::system(), |unit| {
            Box::pin(async move {
                let name = unit.inner.log_name.clone();
                let made: Result<Checkpoint, LogError> = log::checkpoint(&mut *unit.tx, &unit.inner.chain, name).await;
                Ok((made?, unit.now))
            })
        })
        .await
    }
}

/// Opens every note of a file.
pub(super) fn open_notes(verifier: &CheckpointVerifier, notes: &str) -> Result<Vec<Checkpoint>, VerifyAuditError> {
    let open = |(index, note): (usize, &str)| {
        verifier
            .open(note)
            .map_err(|cause| VerifyAuditError::Checkpoint { number: index + 1, cause })
    };
    split_notes(notes).into_iter().enumerate().map(open).collect()
}

/// Splits a file into the signed notes in it. A note ends with its last signature line (C2SP `signed-note`, "Format").
pub fn split_notes(text: &str) -> Vec<&str> {
    let (mut notes, mut start, mut at, mut in_signatures) = (Vec::new(), 0, 0, false);
    for line in text.split_inclusive('\n') {
        let is_signature = line.starts_with("\u{2014} ");
        if in_signatures && !is_signature {
            notes.push(&text[start..at]);
            start = at;
        }
        in_signatures = is_signature;
        at += line.len();
    }
    if !text[start..].trim().is_empty() {
        notes.push(&text[start..]);
    }
    // Blank lines that an editor put between or behind the notes are no part of them.
    notes.into_iter().map(|note| note.trim_start_matches('\n')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_after_a_thousand_records_or_a_minute() {
        let policy = CheckpointPolicy::default();
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000);
        let due = |last: Option<(u64, i64)>, size, now| policy.is_due(last.map(|(size, written)| (size, at(written))), size, at(now));
        assert!(!due(None, 0, 0) && due(None, 1, 0));
        assert!(!due(Some((5, 0)), 5, 10_000), "nothing new");
        assert!(!due(Some((5, 0)), 6, 59) && due(Some((5, 0)), 6, 60));
        assert!(!due(Some((5, 0)), 1004, 1) && due(Some((5, 0)), 1005, 1));
        assert!(due(Some((5, 100)), 6, 0), "the clock was set back");
    }

    #[test]
    fn notes_behind_one_another_are_told_apart() {
        let one = "a\n1\nx\n\n\u{2014} a sig\n\u{2014} b sig\n";
        let two = "a\n2\ny\n\n\u{2014} a sig\n";
        assert_eq!(split_notes(&format!("{one}{two}")), [one, two]);
        assert_eq!(split_notes(&format!("{one}\n{two}\n")), [one, two]);
        assert!(split_notes("").is_empty() && split_notes("\n").is_empty());
        assert_eq!(split_notes("garbage"), ["garbage"]);
    }
}
