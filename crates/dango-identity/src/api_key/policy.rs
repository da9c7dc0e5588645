//! What API keys may be made, as numbers.

use std::time::Duration;

/// Whether keys have to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryRule {
    /// A key without an end is refused.
    Required,
    /// A key may have no end.
    Optional,
}

/// What keys may be made, and how old a proof may be that makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeyPolicy {
    /// Whether keys have to end.
    pub expiry: ExpiryRule,
    /// How long a key with an end may last.
    pub longest: Duration,
    /// How long a key may go on working beside the one that takes its place.
    pub longest_overlap: Duration,
    /// How old the proof of a session may be that makes a key.
    pub step_up: Duration,
    /// How often, at most, a key's last use is written down.
    pub touch_every: Duration,
}

/// Keys may have no end; those that have one last at most 365 days.
impl Default for ApiKeyPolicy {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self {
            expiry: ExpiryRule::Optional,
            longest: 365 * day,
            longest_overlap: day,
            step_up: Duration::from_secs(10 * 60),
            touch_every: Duration::from_secs(60),
        }
    }
}
