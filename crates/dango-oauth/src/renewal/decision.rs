//! When a connection is due, and what a failure means. Pure: nothing is asked, stored or waited for here.

use std::fmt;
use std::time::Duration;

use dango_core::{Entropy, EntropyError, Timestamp};

use super::{RenewalError, StoredTokens};
use crate::answer::ProviderError;
use crate::provider::{Provider, RefreshModel};

/// How long before its end an access token is renewed: enough for a run that is about to begin.
const MARGIN: Duration = Duration::from_secs(300);
/// How much earlier still at most, so that connections made together are not renewed together.
const SPREAD: Duration = Duration::from_secs(120);
/// The same for a token that lives for weeks and cannot be renewed once it has ended.
const EXCHANGE_MARGIN: Duration = Duration::from_secs(10 * 86_400);
const EXCHANGE_SPREAD: Duration = Duration::from_secs(86_400);

const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(86_400);

const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// A random part of a wait, in 0..=65535 parts of 65536.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(u16);

impl Jitter {
    /// None at all, for what is the same each time.
    pub const ZERO: Self = Self(0);

    /// Draws one.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes)?;
        Ok(Self(u16::from_be_bytes(bytes)))
    }

    fn of(self, whole: Duration) -> Duration {
        whole * u32::from(self.0) / 65_536
    }
}

/// When a connection is to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now.
    Now,
    /// Not before this time.
    At(Timestamp),
    /// Never: it does not end, or the source renews it by itself.
    Never,
    /// It cannot be renewed any more: somebody has to connect again.
    Reconnect,
}

/// Says when a connection is to be renewed.
pub fn due(provider: &Provider, stored: &StoredTokens, now: Timestamp, jitter: Jitter) -> Due {
    if stored.expires_at.is_some_and(|end| now >= end) {
        return Due::Reconnect;
    }
    let (margin, spread, renewable) = match provider.refresh {
        RefreshModel::Static | RefreshModel::Rotating => (MARGIN, SPREAD, stored.refresh_token.is_some()),
        RefreshModel::Exchange => (EXCHANGE_MARGIN, EXCHANGE_SPREAD, stored.access_token.is_some()),
        RefreshModel::None => return Due::Never,
    };
    // Where no access token is stored, whoever reads the refresh token makes its own.
    let end = stored.access_token.as_ref().and_then(|_| stored.access_end(provider));
    match end {
        None => Due::Never,
        Some(end) if !renewable => match now >= end {
            true => Due::Reconnect,
            false => Due::Never,
        },
        Some(end) => {
            let early = i64::try_from((margin + jitter.of(spread)).as_micros()).unwrap_or(i64::MAX);
            let at = Timestamp::from_unix_micros(end.unix_micros().saturating_sub(early));
            if now >= at { Due::Now } else { Due::At(at) }
        }
    }
}

/// Whether the stored connection was read again after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// Not yet.
    NotYet,
    /// It holds other tokens now: somebody else renewed it.
    Changed,
    /// It holds what was refused.
    Unchanged,
}

/// What follows from a failed renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Read what is stored again before anything is believed, then ask once more what follows.
    Reread,
    /// Use what is stored now.
    UseStored,
    /// The grant is dead: say so, with the likely cause, and ask for a new connection. The tokens stay until then.
    Dead,
    /// Nothing follows: the grant is kept; try again after this time.
    Later(Duration),
    /// The app's registration is wrong, or the provider wants something else: the grant is kept, and only a person helps.
    Misconfigured,
}

/// Says what follows from a failed renewal. `attempt` counts failures in a row, from 0.
///
/// A grant is only ever given up on the provider's plain word that the token is worth nothing, and only after what is
/// stored was read again: a renewal elsewhere looks just the same. Trouble of the provider, a network that is down and
/// answers that make no sense say nothing about a grant.
pub fn judge(error: &RenewalError, reread: Reread, attempt: u32, jitter: Jitter) -> Verdict {
    let provider = match error {
        RenewalError::Expired | RenewalError::NotRenewable => return Verdict::Dead,
        RenewalError::Provider(error) => error,
    };
    match provider {
        error if error.is_invalid_grant() => match reread {
            Reread::NotYet => Verdict::Reread,
            Reread::Changed => Verdict::UseStored,
            Reread::Unchanged => Verdict::Dead,
        },
        ProviderError::Refused(_) => Verdict::Misconfigured,
        ProviderError::Trouble { retry_after, .. } => Verdict::Later(wait(attempt, *retry_after, jitter)),
        ProviderError::Call(_) | ProviderError::Malformed => Verdict::Later(wait(attempt, None, jitter)),
    }
}

/// Twice as long each time up to an hour, of which the second half is random; never shorter than the provider asks for.
fn wait(attempt: u32, retry_after: Option<u64>, jitter: Jitter) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << attempt.min(10)).min(LONGEST_WAIT);
    let wait = whole / 2 + jitter.of(whole / 2);
    let asked = Duration::from_secs(retry_after.unwrap_or(0)).min(LONGEST_ASKED_WAIT);
    wait.max(asked)
}

/// Why a grant is probably dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Its time was over.
    Ended,
    /// The provider ends the tokens of an app in its testing phase after this many days.
    TestingPhase {
        /// The days.
        days: u32,
    },
    /// It was revoked, or its user changed the password or left.
    Revoked,
}

/// The likely cause in a sentence, for people.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("The connection has reached its end."),
            Self::TestingPhase { days } => write!(
                f,
                "The provider ends the tokens of an app in its testing phase after {days} days; publish the app, then connect again."
            ),
            Self::Revoked => f.write_str("The access was revoked at the provider, or the account's password was changed."),
        }
    }
}

/// Guesses why a grant is dead from how long it lived. `worked_at` is when it was last seen to work.
pub fn likely_cause(
    provider: &Provider,
    stored: &StoredTokens,
    connected_at: Option<Timestamp>,
    worked_at: Option<Timestamp>,
    now: Timestamp,
) -> Cause {
    if stored.expires_at.is_some_and(|end| now >= end) {
        return Cause::Ended;
    }
    let (Some(days), Some(connected_at)) = (provider.testing_days, connected_at) else {
        return Cause::Revoked;
    };
    let phase = i64::from(days) * DAY_MICROS;
    let after = |at: Timestamp| at.unix_micros().saturating_sub(connected_at.unix_micros());
    // Past the phase's end, and never seen to work behind it; where nothing was seen, for as long again.
    let fits = match worked_at {
        Some(worked_at) => after(now) >= phase && after(worked_at) <= phase,
        None => (phase..phase * 2).contains(&after(now)),
    };
    if fits { Cause::TestingPhase { days } } else { Cause::Revoked }
}
