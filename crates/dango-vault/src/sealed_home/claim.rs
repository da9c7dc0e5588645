//! Taking turns over all machines: a claim on a name that ends by the database's time if its holder is not heard of.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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
    end: Mutex<Instant>,
}

impl Claimed {
    /// Waits until the name is free. Each claim has a holder of its own, so what was sent under one counts under no other.
    pub(super) fn wait(home: &SealedHome, name: &str, patience: Duration) -> Result<Self, WriteError> {
        let mut holder = [0; 16];
        home.entropy
            .fill(&mut holder)
            .map_err(|source| WriteError::Entropy { path: name.into(), source })?;
        Self::wait_as(home, name, holder, patience)
    }

    /// The same for a holder that may have it from an earlier process, which died: that one's claim is taken over.
    pub(super) fn wait_as(home: &SealedHome, name: &str, holder: [u8; 16], patience: Duration) -> Result<Self, WriteError> {
        let claim = Claim {
            name: name.to_owned(),
            holder,
        };
        let unreachable = |error| unreachable(name, error);
        let claimed = Self {
            rows: Arc::clone(&home.rows),
            project: home.project.clone(),
            claim,
            end: Mutex::new(Instant::now()),
        };
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            if claimed.renew().map_err(unreachable)? {
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
        let claimed = Arc::new(self);
        let (stop, stopped) = mpsc::channel::<()>();
        let beat = {
            let claimed = Arc::clone(&claimed);
            std::thread::spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BEAT) {
                    // One that is lost is lost; a database that does not answer may answer the next time, while the term lasts.
                    if let Ok(false) = claimed.renew() {
                        break;
                    }
                }
            })
        };
        KeptAlive {
            claimed,
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
    claimed: Arc<Claimed>,
    stop: Option<mpsc::Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

impl KeptAlive {
    pub(super) fn claim(&self) -> &Claim {
        &self.claimed.claim
    }

    /// Asks the database whether it is still ours, and prolongs it.
    pub(super) fn confirm(&self) -> Result<bool, HomeError> {
        self.claimed.renew().map_err(|error| unreachable(&self.claimed.claim.name, error))
    }
}

impl Held for KeptAlive {
    /// A word that hangs on its way to the database prolongs nothing.
    fn is_certain(&self) -> bool {
        Instant::now() < *self.claimed.end.lock().unwrap_or_else(PoisonError::into_inner)
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

fn unreachable(name: &str, error: RowsError) -> HomeError {
    HomeError::Unreachable {
        place: name.to_owned(),
        source: error.into_cause(),
    }
}
