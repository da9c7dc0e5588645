//! The thread that keeps the log's checkpoint while the server runs: once a minute if there is anything new, and at the end.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use dango_actions::{Actions, CheckpointError, CheckpointStanding, KeepCheckpointError, Premises};
use dango_core::{Clock, Entropy};

use crate::failure::chain;
use crate::movable::Whereabouts;
use crate::readiness::Readiness;

/// How often it looks whether one is due.
const INTERVAL: Duration = Duration::from_secs(60);

/// The thread; dropped, it keeps a last checkpoint and ends.
pub(crate) struct Keeper {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread needs.
pub(crate) struct Kept {
    pub(crate) actions: Actions,
    pub(crate) premises: Arc<Premises>,
    /// For a file: whether the rows are still there, and where the checkpoint is kept once they are not.
    pub(crate) place: Option<Arc<Whereabouts>>,
    pub(crate) premises_after_move: Premises,
    pub(crate) readiness: Readiness,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Keeper {
    pub(crate) fn start(kept: Kept) -> std::io::Result<Self> {
        let (end, ends) = channel();
        let thread = std::thread::Builder::new().name("dango-checkpoint".to_owned()).spawn(move || {
            while ends.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                kept.renew();
            }
            kept.renew();
        })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Kept {
    fn renew(&self) {
        let renewed = pollster::block_on(self.try_renew());
        let is_other = matches!(renewed, Err(KeepCheckpointError::Checkpoint(CheckpointError::Contradiction)));
        self.readiness.note_log(is_other);
        if let Err(error) = renewed {
            tracing::error!("the audit log has no new checkpoint: {}", chain(&error));
        }
    }

    async fn try_renew(&self) -> Result<(), KeepCheckpointError> {
        let premises = match &self.place {
            Some(place) if !place.is_in_file() => &self.premises_after_move,
            _ => &*self.premises,
        };
        let last = premises.kept_checkpoint().map_err(KeepCheckpointError::Read)?;
        let standing = CheckpointStanding::of(&self.actions, last, self.clock.now()).await?;
        standing.renew(&self.actions, premises, &*self.entropy).await
    }
}
