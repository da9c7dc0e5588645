//! What was read about those who show tokens, kept for as long as nothing is committed. No token is in here, and no verdict.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dango_identity::{AttemptKey, Email, LockoutPolicy, VerifiedApiKey, VerifiedSession};
use dango_store::{Budgets, Standing, StoreVersion};

use crate::actions::Inner;

/// How many tables there are, so that threads seldom meet at one.
const SHARDS: usize = 16;
/// How many sessions are kept: a few hundred bytes each.
const SESSIONS: usize = 16_384;
/// How many API keys are kept.
const API_KEYS: usize = 4_096;

/// Everybody who was there lately.
pub(crate) struct Bearers {
    /// By sessions.
    pub(crate) sessions: Remembered<Known<VerifiedSession>>,
    /// By API keys.
    pub(crate) api_keys: Remembered<Known<VerifiedApiKey>>,
    /// Of whom it is just being written down that they were here.
    touching: Mutex<HashSet<Digest>>,
}

impl Default for Bearers {
    fn default() -> Self {
        Self {
            sessions: Remembered::new(SESSIONS),
            api_keys: Remembered::new(API_KEYS),
            touching: Mutex::default(),
        }
    }
}

impl Bearers {
    /// Takes the turn to write down a use. Whoever comes at the same time with the same token need not wait for it, too.
    pub(crate) fn take_turn(&self, digest: Digest) -> Option<Turn<'_>> {
        let mut touching = self.touching.lock().unwrap_or_else(PoisonError::into_inner);
        touching.insert(digest).then(|| Turn { bearers: self, digest })
    }
}

/// The turn to write down a use, until it is dropped.
pub(crate) struct Turn<'b> {
    bearers: &'b Bearers,
    digest: Digest,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut touching = self.bearers.touching.lock().unwrap_or_else(PoisonError::into_inner);
        touching.remove(&self.digest);
    }
}

/// A row that is what was issued, and whose it is. Whether it counts is decided anew each time.
pub(crate) struct Known<R> {
    pub(crate) row: R,
    pub(crate) standing: Arc<Standing>,
}

/// The digest of a token, under a key that only this process has: nobody can choose digests that fill one table, and nothing is
/// learnt from how long it takes to compare them.
type Digest = [u8; 32];

/// A table: what was read, and at which version.
type Shard<T> = RwLock<HashMap<Digest, (StoreVersion, Arc<T>)>>;

/// What was read, by the digest of the token, with the version that the store had before.
pub(crate) struct Remembered<T> {
    shards: [Shard<T>; SHARDS],
    most_in_one: usize,
}

impl<T> Remembered<T> {
    fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            most_in_one: most / SHARDS,
        }
    }

    /// What was read at exactly this version.
    pub(crate) fn find(&self, digest: &Digest, version: StoreVersion) -> Option<Arc<T>> {
        let shard = self.shard(digest).read().unwrap_or_else(PoisonError::into_inner);
        let (read_at, known) = shard.get(digest)?;
        (*read_at == version).then(|| Arc::clone(known))
    }

    /// Keeps what was read after the store had this version. Where there is no room, what has been overtaken goes first.
    pub(crate) fn keep(&self, digest: Digest, version: StoreVersion, known: Arc<T>) {
        let mut shard = self.shard(&digest).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.most_in_one && !shard.contains_key(&digest) {
            shard.retain(|_, (read_at, _)| *read_at == version);
            // To look for room at each newcomer would be dear: where half a table is in use, it begins anew.
            if shard.len() > self.most_in_one / 2 {
                shard.clear();
            }
        }
        shard.insert(digest, (version, known));
    }

    fn shard(&self, digest: &Digest) -> &Shard<T> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }
}

impl Budgets for Inner {
    fn of_strangers(&self, email: &Email) -> AttemptKey {
        self.budget_of_strangers(email)
    }

    fn policy(&self) -> &LockoutPolicy {
        self.rules.lockout()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u64) -> Digest {
        let mut digest = [0; 32];
        digest[0] = number.to_le_bytes()[0];
        digest[1..9].copy_from_slice(&number.to_le_bytes());
        digest
    }

    #[test]
    fn what_was_read_counts_at_its_version_only() {
        let kept = Remembered::new(16);
        let [one, two] = [1, 2].map(StoreVersion::from_number);
        kept.keep(digest(1), one, Arc::new("read at one"));
        assert_eq!(kept.find(&digest(1), one).as_deref(), Some(&"read at one"));
        assert_eq!((kept.find(&digest(1), two), kept.find(&digest(2), one)), (None, None));
        kept.keep(digest(1), two, Arc::new("read at two"));
        assert_eq!(
            (kept.find(&digest(1), one), kept.find(&digest(1), two).as_deref()),
            (None, Some(&"read at two"))
        );
    }

    #[test]
    fn however_many_come_there_is_room_for_no_more_than_was_said() {
        let kept = Remembered::new(160);
        let size = |kept: &Remembered<u64>| kept.shards.iter().map(|shard| shard.read().expect("whole").len()).sum::<usize>();
        for version in 0..10 {
            for number in 0..1_000 {
                kept.keep(digest(number), StoreVersion::from_number(version), Arc::new(number));
                assert!(size(&kept) <= 160);
                assert_eq!(
                    kept.find(&digest(number), StoreVersion::from_number(version)).as_deref(),
                    Some(&number)
                );
            }
        }
        // What has been overtaken makes room before what still counts goes.
        let fresh = StoreVersion::from_number(99);
        for number in 0..64 {
            kept.keep(digest(number), fresh, Arc::new(number));
        }
        assert!((0..64).all(|number| kept.find(&digest(number), fresh).is_some()));
    }

    #[test]
    fn a_turn_is_one_at_a_time_for_each_token() {
        let bearers = Bearers::default();
        let turn = bearers.take_turn(digest(1));
        assert!(turn.is_some() && bearers.take_turn(digest(1)).is_none() && bearers.take_turn(digest(2)).is_some());
        drop(turn);
        assert!(bearers.take_turn(digest(1)).is_some());
    }
}
