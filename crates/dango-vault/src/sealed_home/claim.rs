//! Taking turns over all machines: a claim on a name that ends by the database's time if its holder is not heard of.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dango_core::Entropy;
use dango_secrets::home::{Claim, Held, HomeError, Rows, RowsError};
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
    /// Until when nobody else can have it, however late the answer came.
    end: Arc<Mutex<Instant>>,
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
            end: Arc::new(Mutex::new(Instant::now())),
        };
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            if claimed.renew().map_err(|error| unreachable(error.0))? {
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

    /// Takes it, or prolongs it; answers whether it is ours.
    fn renew(&self) -> Result<bool, RowsError> {
        // Its term begins when the database has heard of it, which is not before it was sent.
        let sent = Instant::now();
        let is_ours = self.rows.claim(&self.project, &self.claim, TERM)?;
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = if is_ours { sent + TERM } else { sent };
        Ok(is_ours)
    }

    /// Prolongs it until what comes back is dropped.
    pub(super) fn keep_alive(self) -> KeptAlive {
        let (claim, end) = (self.claim.clone(), Arc::clone(&self.end));
        let (stop, stopped) = mpsc::channel::<()>();
        let beat = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BEAT) {
                // One that is lost is lost; a database that does not answer may answer the next time, while the term lasts.
                if let Ok(false) = self.renew() {
                    break;
                }
            }
        });
        KeptAlive {
            claim,
            end,
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
    claim: Claim,
    end: Arc<Mutex<Instant>>,
    stop: Option<mpsc::Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

impl KeptAlive {
    pub(super) const fn claim(&self) -> &Claim {
        &self.claim
    }
}

impl Held for KeptAlive {
    /// A word that hangs on its way to the database prolongs nothing.
    fn is_certain(&self) -> bool {
        Instant::now() < *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
