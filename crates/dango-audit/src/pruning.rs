//! Letting go of old records in portions: what may go is found out by reading alone, and goes in transactions that are short.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use dango_core::Timestamp;

use crate::chain::personal_of;
use crate::digest::{ChainKey, Digest};
use crate::encoding::Row;
use crate::log::{self, LogError};
use crate::retention::{Cut, ForgedSegment, SealedSegment, Segment, SegmentBuilder};
use crate::store::AuditStore;
use crate::words::Seq;

/// How many records go at a time.
const PORTION: u64 = 20_000;

/// What may go from a log, as it was read: portions that follow one another, the oldest first. Whoever stops between two of them has a log that is
/// whole, and may begin again.
#[derive(Debug)]
pub struct Pruning {
    /// The segment before the first.
    before: Option<Segment>,
    portions: Vec<Portion>,
    /// The last record that was there.
    seen: Seq,
}

#[derive(Debug)]
struct Portion {
    segment: Segment,
    /// Personal data that only these records, or earlier ones, refer to.
    orphans: Vec<Digest>,
}

impl Pruning {
    /// Verifies the log and finds what is older than a time, up to the first intent that is still open. It changes nothing, and reads the
    /// log three times.
    ///
    /// # Errors
    ///
    /// [`LogError::NotIntact`] if the log does not verify, else what the store says.
    pub async fn find(store: &mut dyn AuditStore, key: &ChainKey, before: Timestamp) -> Result<Self, LogError> {
        Self::find_portions(store, key, before, PORTION).await
    }

    /// Whether the oldest record is older than a time, so that it is worth looking for more. Nothing is verified.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn is_due(store: &mut dyn AuditStore, before: Timestamp) -> Result<bool, LogError> {
        let mut is_due = false;
        let first = &mut |row: &Row<'_>| {
            is_due = row.at < before.unix_micros();
            ControlFlow::Break(())
        };
        store.scan(None, first).await?;
        Ok(is_due)
    }

    async fn find_portions(store: &mut dyn AuditStore, key: &ChainKey, before: Timestamp, size: u64) -> Result<Self, LogError> {
        let seen = log::open_head(store, key).await?.seq();
        if let Some(bad) = log::verify(store, key, &[]).await?.first_bad {
            return Err(LogError::NotIntact(bad));
        }
        let mut cut = Cut::before(before);
        store.scan(None, &mut |row| cut.push(row)).await?;
        let before = opened(store.segment().await?.as_ref(), key)?;
        let mut portions = Portions::after(before.as_ref(), size);
        if let Some(last) = cut.last() {
            store.scan(None, &mut |row| portions.push(row, last)).await?;
        }
        Ok(Self {
            before,
            portions: portions.finish(),
            seen,
        })
    }

    /// How many portions there are.
    pub fn portions(&self) -> usize {
        self.portions.len()
    }

    /// Lets a portion go, where all before it are gone; says which records these were. Nothing is done and nothing is said where there is no such
    /// portion, or where somebody else has pruned or begun another chain meanwhile.
    ///
    /// Nothing is recorded: the caller adds an event `audit_pruned` with the segment's places, in the same transaction.
    ///
    /// # Errors
    ///
    /// [`LogError`] if it could not be done.
    pub async fn let_go(&self, portion: usize, store: &mut dyn AuditStore, key: &ChainKey) -> Result<Option<Segment>, LogError> {
        let before = match portion.checked_sub(1) {
            None => self.before.as_ref(),
            Some(earlier) => self.portions.get(earlier).map(|portion| &portion.segment),
        };
        let Some(Portion { segment, orphans }) = self.portions.get(portion) else {
            return Ok(None);
        };
        let head = log::open_head(store, key).await?;
        if head.seq() < self.seen || opened(store.segment().await?.as_ref(), key)?.as_ref() != before {
            return Ok(None);
        }
        // Whom records name that were added since is not forgotten.
        let mut named = HashSet::new();
        let visit = &mut |row: &Row<'_>| {
            named.extend(parties(row));
            ControlFlow::Continue(())
        };
        store.scan(Some(self.seen), visit).await?;
        let orphans: Vec<Digest> = orphans.iter().filter(|id| !named.contains(id)).copied().collect();
        let head = head.keeping(head.count().saturating_sub(segment.count()));
        store.prune(&segment.clone().seal(key), &head.seal(key)).await?;
        store.delete_personal(&orphans).await?;
        Ok(Some(segment.clone()))
    }
}

fn opened(segment: Option<&SealedSegment>, key: &ChainKey) -> Result<Option<Segment>, ForgedSegment> {
    segment.map(|segment| segment.open(key).cloned()).transpose()
}

/// The personal data that a record refers to.
fn parties(row: &Row<'_>) -> impl Iterator<Item = Digest> {
    [Some(row.actor), row.target].into_iter().flatten().filter_map(personal_of)
}

/// Cuts records into portions while they are read.
struct Portions {
    size: u64,
    taken: u64,
    builder: SegmentBuilder,
    done: Vec<Portion>,
    /// In which portion personal data is referred to last, where nothing behind them does.
    last: HashMap<Digest, usize>,
    are_whole: bool,
}

impl Portions {
    fn after(before: Option<&Segment>, size: u64) -> Self {
        Self {
            size,
            taken: 0,
            builder: SegmentBuilder::after(before),
            done: Vec::new(),
            last: HashMap::new(),
            are_whole: true,
        }
    }

    fn push(&mut self, row: &Row<'_>, last: Seq) -> ControlFlow<()> {
        if row.seq > last.as_column() {
            for id in parties(row) {
                self.last.remove(&id);
            }
            return ControlFlow::Continue(());
        }
        self.builder.push(row);
        self.taken += 1;
        self.last.extend(parties(row).map(|id| (id, self.done.len())));
        if self.taken < self.size && row.seq < last.as_column() {
            return ControlFlow::Continue(());
        }
        self.taken = 0;
        let Some(segment) = std::mem::replace(&mut self.builder, SegmentBuilder::after(None)).finish() else {
            self.are_whole = false;
            return ControlFlow::Break(());
        };
        self.builder = SegmentBuilder::after(Some(&segment));
        self.done.push(Portion {
            segment,
            orphans: Vec::new(),
        });
        ControlFlow::Continue(())
    }

    /// The portions; none where records came that do not follow one another.
    fn finish(mut self) -> Vec<Portion> {
        if !self.are_whole {
            return Vec::new();
        }
        for (id, portion) in self.last {
            if let Some(portion) = self.done.get_mut(portion) {
                portion.orphans.push(id);
            }
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use dango_core::OsEntropy;

    use super::*;
    use crate::draft::{Draft, Outcome, Stage};
    use crate::event::Event;
    use crate::party::Actor;
    use crate::store::MemoryStore;
    use crate::words::Label;

    fn now<T>(work: impl Future<Output = T>) -> T {
        match pin!(work).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("there is nothing to wait for in memory"),
        }
    }

    fn key() -> ChainKey {
        ChainKey::from_derived(&[7; 32])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    /// A record by one of two people.
    fn add(store: &mut MemoryStore, person: &str, seconds: i64) {
        let id: String = person.bytes().map(|byte| format!("{byte:02x}")).collect();
        let actor = Actor::user(id.parse().expect("an id"), Label::new(&format!("{person}@example.com")));
        let draft = Draft::new(at(seconds), Event::LoginSuccess, actor, Stage::Ended(Outcome::Success));
        now(log::record(store, &key(), &OsEntropy, &draft)).expect("recorded");
    }

    fn log_of(people: &[&str]) -> MemoryStore {
        let mut store = MemoryStore::new();
        for (person, seconds) in people.iter().zip(0..) {
            add(&mut store, person, seconds);
        }
        store
    }

    fn entries(store: &mut MemoryStore) -> usize {
        let mut entries = 0;
        now(store.all_personal(&mut |_| entries += 1)).expect("memory");
        entries
    }

    fn verified(store: &mut MemoryStore) -> (u64, u64) {
        let report = now(log::verify(store, &key(), &[])).expect("memory");
        assert!(report.is_ok(), "{report:?}");
        (report.events, report.pruned)
    }

    #[test]
    fn the_log_is_whole_between_two_portions_and_who_stopped_goes_on() {
        let mut store = log_of(&["alice", "bob", "alice", "bob", "bob", "bob", "bob"]);
        let found = now(Pruning::find_portions(&mut store, &key(), at(5), 2)).expect("found");
        assert_eq!(found.portions(), 3);
        assert_eq!(
            now(found.let_go(1, &mut store, &key())).expect("memory"),
            None,
            "not before the first"
        );
        let first = now(found.let_go(0, &mut store, &key())).expect("memory").expect("gone");
        assert_eq!((first.first_seq().get(), first.last_seq().get()), (1, 2));
        assert_eq!((verified(&mut store), entries(&mut store)), ((5, 2), 2), "alice is still named");
        assert_eq!(now(found.let_go(0, &mut store, &key())).expect("memory"), None, "not twice");
        // Somebody begins anew, records come in between, and the first one's next portion is the same.
        let again = now(Pruning::find_portions(&mut store, &key(), at(5), 2)).expect("found");
        assert_eq!(again.portions(), 2);
        add(&mut store, "bob", 7);
        assert!(now(again.let_go(0, &mut store, &key())).expect("memory").is_some());
        assert_eq!(now(found.let_go(1, &mut store, &key())).expect("memory"), None, "somebody else did");
        assert_eq!((verified(&mut store), entries(&mut store)), ((4, 4), 1), "alice is forgotten");
        let last = now(again.let_go(1, &mut store, &key())).expect("memory").expect("gone");
        assert_eq!((last.first_seq().get(), last.last_seq().get()), (5, 5));
        assert_eq!(verified(&mut store), (3, 5));
        assert_eq!(now(again.let_go(2, &mut store, &key())).expect("memory"), None);
    }

    #[test]
    fn whom_a_record_names_that_came_meanwhile_is_not_forgotten() {
        let mut store = log_of(&["alice", "bob"]);
        let found = now(Pruning::find(&mut store, &key(), at(1))).expect("found");
        add(&mut store, "alice", 2);
        assert!(now(found.let_go(0, &mut store, &key())).expect("memory").is_some());
        assert_eq!((verified(&mut store), entries(&mut store)), ((2, 1), 2));
    }

    #[test]
    fn nothing_goes_from_a_chain_that_began_meanwhile() {
        let mut store = log_of(&["alice", "bob"]);
        let found = now(Pruning::find(&mut store, &key(), at(1))).expect("found");
        let draft = Draft::new(at(3), Event::AuditChainStarted, Actor::system(), Stage::Ended(Outcome::Success));
        now(log::begin_anew(&mut store, &key(), &OsEntropy, draft)).expect("begun");
        assert_eq!(now(found.let_go(0, &mut store, &key())).expect("memory"), None);
        assert_eq!(verified(&mut store), (1, 0));
    }
}
