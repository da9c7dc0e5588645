//! The log in memory: the model that databases are compared with, and what tests of others use.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use async_trait::async_trait;

use super::{AuditStore, AuditStoreError, VisitPersonal, VisitRow};
use crate::chain::{SealedHead, StoredRecord};
use crate::digest::Digest;
use crate::personal::{Erasure, Personal, PersonalFacts};
use crate::query::{Filter, Order};
use crate::retention::SealedSegment;
use crate::words::Seq;

/// A log in memory. A copy of it is a transaction that can be thrown away.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    records: BTreeMap<Seq, StoredRecord>,
    head: Option<SealedHead>,
    personal: HashMap<Digest, Personal>,
    segments: Vec<SealedSegment>,
    retired: Vec<StoredRecord>,
}

impl MemoryStore {
    /// Makes a log without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records of chains that were retired, the oldest first.
    pub fn retired(&self) -> &[StoredRecord] {
        &self.retired
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn head(&mut self) -> Result<Option<SealedHead>, AuditStoreError> {
        Ok(self.head.clone())
    }

    async fn insert(&mut self, record: &StoredRecord, head: &SealedHead) -> Result<(), AuditStoreError> {
        if self.records.contains_key(&record.seq()) {
            return Err(AuditStoreError::Damaged("there is a record in that place".into()));
        }
        self.records.insert(record.seq(), record.clone());
        self.head = Some(head.clone());
        Ok(())
    }

    async fn find_personal(&mut self, facts: &PersonalFacts) -> Result<Option<Digest>, AuditStoreError> {
        let found = self.personal.values().find(|entry| entry.facts() == facts);
        Ok(found.map(Personal::id))
    }

    async fn insert_personal(&mut self, personal: &Personal) -> Result<(), AuditStoreError> {
        self.personal.insert(personal.id(), personal.clone());
        Ok(())
    }

    async fn page(&mut self, filter: &Filter, limit: u32, visit: VisitRow<'_>) -> Result<(), AuditStoreError> {
        let label_of = |id: &Digest| self.personal.get(id)?.facts().label().map(str::to_owned);
        let taken = |record: &&StoredRecord| filter.takes(&record.row(), label_of);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let page: Vec<&StoredRecord> = match filter.order {
            Order::NewestFirst => self.records.values().rev().filter(taken).take(limit).collect(),
            Order::OldestFirst => self.records.values().filter(taken).take(limit).collect(),
        };
        let _ = page.into_iter().try_for_each(|record| visit(&record.row()));
        Ok(())
    }

    async fn scan(&mut self, after: Option<Seq>, visit: VisitRow<'_>) -> Result<(), AuditStoreError> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let _ = self
            .records
            .range((first, Bound::Unbounded))
            .try_for_each(|(_, record)| visit(&record.row()));
        Ok(())
    }

    async fn personal(&mut self, ids: &[Digest], visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        ids.iter()
            .filter_map(|id| self.personal.get(id))
            .for_each(|entry| visit(entry.row()));
        Ok(())
    }

    async fn all_personal(&mut self, visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        self.personal.values().for_each(|entry| visit(entry.row()));
        Ok(())
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<u64, AuditStoreError> {
        let before = self.personal.len();
        self.personal.retain(|_, entry| match erasure {
            Erasure::Subject(subject) => entry.facts().subject() != subject,
            Erasure::Label(label) => entry.facts().label() != Some(label.as_str()),
        });
        Ok((before - self.personal.len()) as u64)
    }

    async fn delete_personal(&mut self, ids: &[Digest]) -> Result<(), AuditStoreError> {
        for id in ids {
            self.personal.remove(id);
        }
        Ok(())
    }

    async fn segment(&mut self) -> Result<Option<SealedSegment>, AuditStoreError> {
        Ok(self.segments.last().cloned())
    }

    async fn prune(&mut self, segment: &SealedSegment, head: &SealedHead) -> Result<(), AuditStoreError> {
        let last = segment.last_seq();
        self.records.retain(|seq, _| *seq > last);
        self.segments.push(segment.clone());
        self.head = Some(head.clone());
        Ok(())
    }

    async fn retire(&mut self) -> Result<u64, AuditStoreError> {
        let retired = std::mem::take(&mut self.records);
        (self.head, self.segments) = (None, Vec::new());
        let count = retired.len() as u64;
        self.retired.extend(retired.into_values());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use dango_core::{OsEntropy, Timestamp};

    use super::*;
    use crate::digest::ChainKey;
    use crate::draft::{Draft, Outcome, Stage};
    use crate::event::Event;
    use crate::log;
    use crate::party::Actor;

    #[test]
    fn a_chain_whose_head_was_deleted_does_not_begin_anew_by_itself() {
        let key = ChainKey::from_derived(&[7; 32]);
        let at = Timestamp::from_unix_micros(0);
        let draft = Draft::new(at, Event::ServerStarted, Actor::system(), Stage::Ended(Outcome::Success));
        let mut store = MemoryStore::new();
        let record = |store: &mut MemoryStore| {
            let mut future = pin!(log::record(store, &key, &OsEntropy, &draft));
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => result.map_err(|error| error.code()),
                Poll::Pending => Err("nothing to wait for in memory"),
            }
        };
        assert_eq!(record(&mut store), Ok(Seq::FIRST));
        store.head = None;
        assert_eq!(record(&mut store), Err("audit_head_missing"));
        assert_eq!(store.records.len(), 1);
    }
}
