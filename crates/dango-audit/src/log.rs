//! The use cases of the log over any store: record, list, verify, erase, prune, prove. Each runs inside the caller's transaction.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use dango_core::{Entropy, EntropyError, Timestamp};

use crate::chain::{ForgedHead, Head, PersonalRefs, append};
use crate::checkpoint::{Checkpoint, LogName};
use crate::digest::{ChainKey, Digest};
use crate::draft::Draft;
use crate::encoding::{Row, canonical_bytes};
use crate::hashing::Beside;
use crate::merkle::{Frontier, Tree, leaf_hash};
use crate::personal::{Erasure, Personal, PersonalFacts, PersonalIndex};
use crate::query::{Cursor, Filter, PAGE_MAX, PageLimit};
use crate::record::AuditEvent;
use crate::retention::{ForgedSegment, Pruning, SealedSegment, Segment};
use crate::store::{AuditStore, AuditStoreError};
use crate::verification::{Report, Verifier};
use crate::words::Seq;

/// Something could not be done with the log. The caller's transaction must not commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The store could not do a step.
    #[error(transparent)]
    Store(#[from] AuditStoreError),
    /// There is no randomness for a salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The head was changed, so nothing can be added to the chain.
    #[error(transparent)]
    Head(#[from] ForgedHead),
    /// There are records and no head, so nobody knows where the chain ends.
    #[error("the head of the audit chain is missing")]
    HeadMissing,
    /// A segment was changed, so nothing can be said about what follows it.
    #[error(transparent)]
    Segment(#[from] ForgedSegment),
    /// The log shows tampering: nothing is deleted from it.
    #[error("the audit log does not verify from record {} on, so nothing is deleted from it", .0.seq)]
    NotIntact(crate::verification::FirstBad),
}

impl LogError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Entropy(_) => "no_entropy",
            Self::Head(error) => error.code(),
            Self::HeadMissing => "audit_head_missing",
            Self::Segment(error) => error.code(),
            Self::NotIntact(_) => "audit_not_intact",
        }
    }
}

/// Adds a record and says where it stands.
///
/// # Errors
///
/// [`LogError`] if it could not be added; then what it would have recorded must not happen.
pub async fn record(store: &mut dyn AuditStore, key: &ChainKey, entropy: &dyn Entropy, draft: &Draft) -> Result<Seq, LogError> {
    // First, because it locks: two transactions must not make the same entry of personal data, either.
    let head = open_head(store, key).await?;
    let refs = PersonalRefs {
        actor: intern(store, entropy, draft.actor_facts()).await?,
        target: intern(store, entropy, draft.target_facts()).await?,
    };
    let (record, head) = append(key, &head, draft, refs);
    store.insert(&record, &head.seal(key)).await?;
    Ok(record.seq())
}

pub(crate) async fn open_head(store: &mut dyn AuditStore, key: &ChainKey) -> Result<Head, LogError> {
    if let Some(sealed) = store.head().await? {
        return Ok(sealed.open(key).cloned()?);
    }
    // A chain begins only where nothing is: whoever deletes the head does not get a new one.
    let mut is_empty = store.segment().await?.is_none();
    let visit = &mut |_: &Row<'_>| {
        is_empty = false;
        ControlFlow::Break(())
    };
    store.scan(None, visit).await?;
    if is_empty {
        Ok(Head::genesis())
    } else {
        Err(LogError::HeadMissing)
    }
}

/// The entry that says this, an old or a new one.
async fn intern(store: &mut dyn AuditStore, entropy: &dyn Entropy, facts: Option<PersonalFacts>) -> Result<Option<Digest>, LogError> {
    let Some(facts) = facts else {
        return Ok(None);
    };
    if let Some(id) = store.find_personal(&facts).await? {
        return Ok(Some(id));
    }
    let entry = Personal::make(facts, entropy)?;
    store.insert_personal(&entry).await?;
    Ok(Some(entry.id()))
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, in the order of the filter.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<Cursor>,
}

impl Page {
    /// The page as a JSON object of one line: `events`, `next_cursor`.
    pub fn to_json(&self) -> String {
        let events: Vec<String> = self.events.iter().map(AuditEvent::to_json).collect();
        let cursor = self.next_cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
        format!("{{\"events\":[{}],\"next_cursor\":{cursor}}}", events.join(","))
    }
}

/// Reads one page.
///
/// # Errors
///
/// [`LogError`] if the store could not be read.
pub async fn list(store: &mut dyn AuditStore, filter: &Filter, limit: PageLimit) -> Result<Page, LogError> {
    let mut events = Vec::new();
    // One more than asked for says whether there is a next page.
    let visit = &mut |row: &Row<'_>| {
        events.push(AuditEvent::from_row(row));
        ControlFlow::Continue(())
    };
    store.page(filter, limit.get() + 1, visit).await?;
    let wanted = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let next_cursor = if events.len() > wanted {
        events.truncate(wanted);
        events.last().and_then(|last| Seq::from_column(last.seq)).map(Cursor::behind)
    } else {
        None
    };
    resolve(store, &mut events).await?;
    Ok(Page { events, next_cursor })
}

async fn resolve(store: &mut dyn AuditStore, events: &mut [AuditEvent]) -> Result<(), LogError> {
    let ids: HashSet<Digest> = events.iter().flat_map(AuditEvent::personal).collect();
    let ids: Vec<Digest> = ids.into_iter().collect();
    let mut found = HashMap::new();
    let visit = &mut |row: crate::personal::PersonalRow<'_>| {
        if let Some(entry) = Personal::from_row(row) {
            found.insert(entry.id(), entry.facts().clone());
        }
    };
    store.personal(&ids, visit).await?;
    events.iter_mut().for_each(|event| event.resolve(&found));
    Ok(())
}

/// Reads everything that a filter takes, page by page, and gives it on one by one; for exports.
///
/// # Errors
///
/// [`LogError`] if the store could not be read.
pub async fn walk(
    store: &mut dyn AuditStore,
    filter: &Filter,
    visit: &mut (dyn FnMut(&AuditEvent) -> ControlFlow<()> + Send),
) -> Result<(), LogError> {
    let limit = PageLimit::new(PAGE_MAX).unwrap_or_default();
    let mut filter = filter.clone();
    loop {
        let page = list(store, &filter, limit).await?;
        let next = page.next_cursor;
        if page.events.iter().try_for_each(&mut *visit).is_break() || next.is_none() {
            return Ok(());
        }
        filter.cursor = next;
    }
}

/// Verifies the whole log: every record, the end, the personal data, and the checkpoints that were kept elsewhere.
///
/// # Errors
///
/// [`LogError`] if the store could not be read; what is wrong with the log is in the report.
pub async fn verify(store: &mut dyn AuditStore, key: &ChainKey, checkpoints: &[Checkpoint]) -> Result<Report, LogError> {
    let mut index = PersonalIndex::new();
    store.all_personal(&mut |row| index.add(row)).await?;
    let verifier = match store.segment().await? {
        Some(segment) => Verifier::after(key, &segment),
        None => Verifier::new(key),
    };
    let mut verifier = Beside::new(verifier.with_personal(&index).with_checkpoints(checkpoints));
    let visit = &mut |row: &Row<'_>| {
        verifier.push(row);
        ControlFlow::Continue(())
    };
    store.scan(None, visit).await?;
    let head = store.head().await?;
    Ok(verifier.finish(head.as_ref()))
}

/// Makes the checkpoint of the log as it is now, to be signed and kept elsewhere.
///
/// # Errors
///
/// [`LogError`] if the head could not be read or was changed.
pub async fn checkpoint(store: &mut dyn AuditStore, key: &ChainKey, name: LogName) -> Result<Checkpoint, LogError> {
    Ok(Checkpoint::of(name, &open_head(store, key).await?))
}

/// Erases a person and records that it was done; the draft is an event `personal_data_erased` without `details.count`.
///
/// The chain stays whole: records keep the salted hash of what is gone. The number of entries that were erased is returned.
///
/// # Errors
///
/// [`LogError`] if it could not be done or recorded.
pub async fn erase(
    store: &mut dyn AuditStore,
    key: &ChainKey,
    entropy: &dyn Entropy,
    erasure: &Erasure,
    draft: Draft,
) -> Result<u64, LogError> {
    // The head first: it locks the log.
    open_head(store, key).await?;
    let erased = store.erase(erasure).await?;
    record(store, key, entropy, &draft.with_count(erased)).await?;
    Ok(erased)
}

/// Begins a new chain after the key was lost: the old one is put away, unverifiable, and the new one begins with the draft, an
/// event `audit_chain_started`, whose `details.count` says how many records were put away.
///
/// # Errors
///
/// [`LogError`] if it could not be done or recorded.
pub async fn begin_anew(store: &mut dyn AuditStore, key: &ChainKey, entropy: &dyn Entropy, draft: Draft) -> Result<u64, LogError> {
    let retired = store.retire().await?;
    record(store, key, entropy, &draft.with_count(retired)).await?;
    Ok(retired)
}

/// Prunes the records older than a time, up to the first intent that is still open, all inside one transaction; where there may be
/// many, a [`Pruning`] lets go of them in short ones. Nothing is recorded: the caller adds an event `audit_pruned` with the segment's
/// places, in the same transaction.
///
/// # Errors
///
/// [`LogError::NotIntact`] if the log does not verify, else what the store says.
pub async fn prune(store: &mut dyn AuditStore, key: &ChainKey, before: Timestamp) -> Result<Option<Segment>, LogError> {
    let pruning = Pruning::find(store, key, before).await?;
    let mut gone: Option<Segment> = None;
    for portion in 0..pruning.portions() {
        let Some(segment) = pruning.let_go(portion, store, key).await? else {
            break;
        };
        gone = Some(match gone {
            Some(first) => first.through(segment),
            None => segment,
        });
    }
    Ok(gone)
}

fn opened<'s>(segment: Option<&'s SealedSegment>, key: &ChainKey) -> Result<Option<&'s Segment>, ForgedSegment> {
    segment.map(|segment| segment.open(key)).transpose()
}

/// That a record is in the log of a checkpoint, for somebody who has only the checkpoint; checked with
/// [`verify_inclusion`](crate::merkle::verify_inclusion).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The record's canonical bytes. They name nobody: personal data is in them only as a salted hash.
    pub leaf: Vec<u8>,
    /// The leaf's place in the tree, from 0.
    pub index: u64,
    /// The size of the tree.
    pub size: u64,
    /// The hashes, the nearest sibling first.
    pub path: Vec<Digest>,
}

/// Proves that a record is in the log as it was when it had so many records.
///
/// # Errors
///
/// [`LogError`] if the store could not be read. Nothing is returned for a record that is not there or was pruned.
pub async fn prove_inclusion(store: &mut dyn AuditStore, key: &ChainKey, seq: Seq, size: u64) -> Result<Option<InclusionProof>, LogError> {
    let Some(index) = seq.get().checked_sub(1) else {
        return Ok(None);
    };
    let mut leaf = None;
    let tree = tree(store, key, size, |row| {
        if row.seq == seq.as_column() {
            leaf = Some(canonical_bytes(row));
        }
    })
    .await?;
    let path = tree.inclusion(index, size);
    Ok(leaf.zip(path).map(|(leaf, path)| InclusionProof { leaf, index, size, path }))
}

/// Proves that the log of one checkpoint grew to that of a later one; nothing if what is needed was pruned.
///
/// # Errors
///
/// [`LogError`] if the store could not be read.
pub async fn prove_consistency(
    store: &mut dyn AuditStore,
    key: &ChainKey,
    first: u64,
    second: u64,
) -> Result<Option<Vec<Digest>>, LogError> {
    let tree = tree(store, key, second, |_| ()).await?;
    Ok(tree.consistency(first, second))
}

async fn tree(store: &mut dyn AuditStore, key: &ChainKey, size: u64, mut look: impl FnMut(&Row<'_>) + Send) -> Result<Tree, LogError> {
    let segment = store.segment().await?;
    let start = opened(segment.as_ref(), key)?.map_or_else(Frontier::new, |segment| segment.frontier().clone());
    let mut tree = Tree::new(start);
    let visit = &mut |row: &Row<'_>| {
        if tree.size() >= size {
            return ControlFlow::Break(());
        }
        tree.push(leaf_hash(&canonical_bytes(row)));
        look(row);
        ControlFlow::Continue(())
    };
    store.scan(None, visit).await?;
    Ok(tree)
}
