//! Taking turns over all machines: a claim on a name that ends by the database's time if its holder is not heard of.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dango_core::Entropy;
use dango_secrets::home::{Claim, HomeError, Rows};
use dango_secrets::storage::WriteError;

use super::SealedHome;

/// How long a claim outlives the last word of its holder.
const TERM: Duration = Duration::from_secs(15);
/// How often a holder that goes on is heard of.
const BEAT: Duration = Duration::from_secs(4);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A claim that is held, and given back when it is dropped.
pub(super) struct Claimed {
    rows: Arc<dyn Rows>,
    project: String,
    claim: Claim,
}

impl Claimed {
    /// Waits until the name is free. Each claim has a holder of its own, so what was sent under one counts under no other.
    pub(super) fn wait(home: &SealedHome, name: &str, patience: Duration) -> Result<Self, WriteError> {
        let unreachable = |source| HomeError::Unreachable {
            place: name.to_owned(),
            source,
        };
        let mut claim = Claim {
            name: name.to_owned(),
            holder: [0; 16],
        };
        fill(home.entropy.as_ref(), &mut claim)?;
        let claimed = Self {
            rows: Arc::clone(&home.rows),
            project: home.project.clone(),
            claim,
        };
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let is_held = claimed.rows.claim(&claimed.project, &claimed.claim, TERM);
            if is_held.map_err(|error| unreachable(error.0))? {
                return Ok(claimed);
            }
            if started.elapsed() >= patience {
                return Err(WriteError::Locked {
                    path: name.into(),
                    holder: None,
                    waited: patience,
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    pub(super) const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Prolongs it until what comes back is dropped.
    pub(super) fn keep_alive(self) -> KeptAlive {
        let (stop, stopped) = mpsc::channel::<()>();
        let beat = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BEAT) {
                // One that is lost is lost; a database that does not answer may answer the next time, while the term lasts.
                if let Ok(false) = self.rows.claim(&self.project, &self.claim, TERM) {
                    break;
                }
            }
        });
        KeptAlive {
            stop: Some(stop),
            beat: Some(beat),
        }
    }
}

impl Drop for Claimed {
    /// One that cannot be given back ends by itself.
    fn drop(&mut self) {
        let _ = self.rows.release(&self.project, &self.claim);
    }
}

/// A claim that is prolonged by a thread of its own.
pub(super) struct KeptAlive {
    stop: Option<mpsc::Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

impl Drop for KeptAlive {
    /// Waits until it is given back, so that whoever is next need not.
    fn drop(&mut self) {
        self.stop = None;
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
    }
}

fn fill(entropy: &dyn Entropy, claim: &mut Claim) -> Result<(), WriteError> {
    entropy.fill(&mut claim.holder).map_err(|source| WriteError::Entropy {
        path: claim.name.clone().into(),
        source,
    })
}
