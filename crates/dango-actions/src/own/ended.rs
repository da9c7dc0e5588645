//! Letting go of what has ended by itself: sessions of people who never come back, tries that no longer matter. What counts is decided by the domain.

use std::time::Duration;

use dango_core::Timestamp;

use crate::actions::Actions;
use crate::fault::Fault;
use crate::permit::{Machine, Permit};
use crate::unit::Unit;

/// How many rows of a kind go at a time: others write in between.
const PORTION: u32 = 2_000;

/// How long a session is kept behind its end: whoever shows its token then is in the log by name.
const SHOWN_LATE: Duration = Duration::from_secs(24 * 60 * 60);

/// What went in one portion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct LetGo {
    /// Sessions that had ended.
    pub sessions: u64,
    /// Budgets of tries in which nothing mattered any more.
    pub attempts: u64,
    /// Whether there may be more of either.
    pub has_more: bool,
}

impl Actions {
    /// Lets go of a portion of what has ended by itself. It is looked for by reading; where there is nothing, nothing is written.
    ///
    /// Permission: the machine. Audit: none, since nothing of it counted any more.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be used.
    pub async fn let_go_of_ended(&self, permit: &Permit<Machine>) -> Result<LetGo, Fault> {
        let (sessions, attempts) = self
            .read(permit.caller(), |unit| {
                Box::pin(async move {
                    let (expired_before, idle_since) = ended(&unit);
                    let sessions = unit.tx.ended_sessions(expired_before, idle_since, PORTION).await?;
                    let attempts = unit.tx.spent_attempts(unit.inner.rules.lockout(), unit.now, PORTION).await?;
                    Ok((sessions, attempts))
                })
            })
            .await?;
        if sessions.is_empty() && attempts.is_empty() {
            return Ok(LetGo::default());
        }
        let is_full = |found: usize| u32::try_from(found).is_ok_and(|found| found >= PORTION);
        let has_more = is_full(sessions.len()) || is_full(attempts.len());
        self.write(permit.caller(), move |unit| {
            Box::pin(async move {
                let (expired_before, idle_since) = ended(&unit);
                Ok(Ok::<_, Fault>(LetGo {
                    sessions: unit.tx.purge_sessions(&sessions, expired_before, idle_since).await?,
                    attempts: unit.tx.purge_attempts(&attempts, unit.inner.rules.lockout(), unit.now).await?,
                    has_more,
                }))
            })
        })
        .await
    }
}

/// Before when a session that goes has expired, or since when it was idle.
fn ended(unit: &Unit<'_>) -> (Timestamp, Timestamp) {
    unit.inner.sessions.limits().ended_for(SHOWN_LATE, unit.now)
}
