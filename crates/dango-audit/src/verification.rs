//! Whether records that were read are those that were written: each in its place, each with its hash, none missing at the end. One pass, constant memory.

use std::collections::{BTreeSet, HashMap};

use crate::chain::{SealedHead, intent_of, personal_of};
use crate::checkpoint::Checkpoint;
use crate::digest::{ChainKey, Digest};
use crate::encoding::{Row, canonical_bytes};
use crate::event::Event;
use crate::hashing::{Hashed, Leaves};
use crate::merkle::{Frontier, leaf_hash};
use crate::personal::{Entry, PersonalIndex};
use crate::retention::SealedSegment;
use crate::words::Seq;

/// What is wrong with the first bad record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is not there, but later ones are.
    #[error("the record is missing")]
    Missing,
    /// It stands where an earlier one should come only once.
    #[error("the record is out of place")]
    OutOfPlace,
    /// Its previous hash is not that of the record before.
    #[error("the record does not follow the one before it")]
    NotLinked,
    /// Its hash is not what the key makes of its content.
    #[error("the record was changed, or written without the key")]
    Altered,
    /// The head says that it was written, but the records end before.
    #[error("the end of the log was cut off")]
    CutOff,
    /// The head says that the log ends before it.
    #[error("the record is behind the end of the log")]
    BehindHead,
    /// There are records and no head, so nobody knows whether they are all.
    #[error("the head of the log is missing")]
    HeadMissing,
    /// The head was not written with the key.
    #[error("the head of the log was changed")]
    HeadForged,
    /// The head is of another chain, or of other records.
    #[error("the head of the log does not fit the records")]
    HeadMismatch,
    /// The segment that stands for pruned records was not written with the key.
    #[error("what stands for the pruned records was changed")]
    SegmentForged,
    /// A checkpoint that was kept elsewhere says that there were other records up to here.
    #[error("the records are not those of the checkpoint")]
    CheckpointMismatch,
    /// A checkpoint that was kept elsewhere says that there were more records.
    #[error("the log ends before the checkpoint")]
    CutOffBeforeCheckpoint,
    /// Its entry of personal data was changed.
    #[error("the personal data of the record was changed")]
    PersonalAltered,
    /// Its entry of personal data is gone, and no record says that it was erased.
    #[error("the personal data of the record is gone, and no record says that it was erased")]
    PersonalMissing,
}

impl Fault {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::OutOfPlace => "out_of_place",
            Self::NotLinked => "not_linked",
            Self::Altered => "altered",
            Self::CutOff => "cut_off",
            Self::BehindHead => "behind_head",
            Self::HeadMissing => "head_missing",
            Self::HeadForged => "head_forged",
            Self::HeadMismatch => "head_mismatch",
            Self::SegmentForged => "segment_forged",
            Self::CheckpointMismatch => "checkpoint_mismatch",
            Self::CutOffBeforeCheckpoint => "cut_off_before_checkpoint",
            Self::PersonalAltered => "personal_altered",
            Self::PersonalMissing => "personal_missing",
        }
    }
}

/// The first record that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstBad {
    /// Its place; for a cut-off tail the place of the first record that is gone.
    pub seq: Seq,
    /// What is wrong.
    pub fault: Fault,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many records were read.
    pub events: u64,
    /// The first bad record; nothing if all is well.
    pub first_bad: Option<FirstBad>,
    /// Intents of which no record says how they ended: a crash, or something still going on. They are no fault of the chain.
    pub open_intents: Vec<Seq>,
    /// How many entries of personal data that records refer to were erased.
    pub erased: u64,
    /// How many records were pruned before those that were read.
    pub pruned: u64,
    /// The place and hash of the last record that was found good.
    pub last_good: (Seq, Digest),
    /// How many checkpoints are older than what was pruned, so the records they speak of are gone.
    pub checkpoints_passed_over: u64,
}

impl Report {
    /// Whether every record is as it was written and none is missing.
    pub fn is_ok(&self) -> bool {
        self.first_bad.is_none()
    }
}

/// Reads records in order and says which is the first bad one.
pub struct Verifier<'a> {
    key: &'a ChainKey,
    personal: Option<&'a PersonalIndex>,
    /// The checkpoints that are still ahead, the farthest first.
    checkpoints: Vec<(u64, Digest)>,
    checkpoints_passed_over: u64,
    /// Only kept while there are checkpoints ahead.
    tree: Option<Frontier>,
    /// The tree over what was pruned.
    start: Frontier,
    last: Seq,
    last_hash: Digest,
    events: u64,
    first_bad: Option<FirstBad>,
    open_intents: BTreeSet<Seq>,
    /// Entries that are gone: the first and the last record that refers to each.
    missing: HashMap<Digest, (Seq, Seq)>,
    last_erasure: Seq,
    erased_by_records: u64,
    /// Used for every record again.
    leaf: Vec<u8>,
}

impl<'a> Verifier<'a> {
    /// Makes a verifier for a chain from its first record on.
    pub fn new(key: &'a ChainKey) -> Self {
        Self {
            key,
            personal: None,
            checkpoints: Vec::new(),
            checkpoints_passed_over: 0,
            tree: None,
            start: Frontier::new(),
            last: Seq::NONE,
            last_hash: Digest::ZERO,
            events: 0,
            first_bad: None,
            open_intents: BTreeSet::new(),
            missing: HashMap::new(),
            last_erasure: Seq::NONE,
            erased_by_records: 0,
            leaf: Vec::with_capacity(1024),
        }
    }

    /// Makes a verifier that begins behind a segment that was pruned. One that was not written with the key is a fault by itself.
    pub fn after(key: &'a ChainKey, segment: &SealedSegment) -> Self {
        let mut verifier = Self::new(key);
        if let Ok(segment) = segment.open(key) {
            (verifier.last, verifier.last_hash) = (segment.last_seq(), segment.hash());
            verifier.start = segment.frontier().clone();
        } else {
            let (seq, fault) = (Seq::FIRST, Fault::SegmentForged);
            verifier.first_bad = Some(FirstBad { seq, fault });
        }
        verifier
    }

    /// Holds the records against entries of personal data, all of which must be in the index.
    #[must_use]
    pub fn with_personal(mut self, index: &'a PersonalIndex) -> Self {
        self.personal = Some(index);
        self
    }

    /// Holds the records against checkpoints, in any order. It costs a Merkle tree up to the farthest.
    #[must_use]
    pub fn with_checkpoints(mut self, checkpoints: &[Checkpoint]) -> Self {
        if checkpoints.is_empty() {
            return self;
        }
        let tree = self.start.clone();
        self.checkpoints = checkpoints
            .iter()
            .map(|checkpoint| (checkpoint.size(), *checkpoint.root()))
            .collect();
        self.checkpoints.sort_unstable_by_key(|(size, _)| std::cmp::Reverse(*size));
        while self.checkpoints.pop_if(|(size, _)| *size < tree.size()).is_some() {
            self.checkpoints_passed_over += 1;
        }
        let passed = self.pass_checkpoints(&tree);
        self.first_bad = self.first_bad.or(passed.err());
        self.tree = Some(tree);
        self
    }

    /// Looks at the next record. Behind the first bad one they are only counted: what follows it proves nothing.
    pub fn push(&mut self, row: &Row<'_>) {
        if self.first_bad.is_none() {
            let hashed = Hashed::of(self.key, row, self.leaves(), &mut self.leaf);
            self.push_hashed(row, hashed);
        } else {
            self.events += 1;
        }
    }

    /// The same for a record that was hashed already, as [`Verifier::leaves`] asked for.
    pub(crate) fn push_hashed(&mut self, row: &Row<'_>, hashed: Hashed) {
        self.events += 1;
        if self.first_bad.is_none() {
            self.first_bad = self.check(row, hashed).err();
        }
    }

    pub(crate) fn key(&self) -> &'a ChainKey {
        self.key
    }

    /// Whether the next records are to be hashed for the tree, too. Once they need not be, none has to be any more.
    pub(crate) fn leaves(&self) -> Leaves {
        match self.tree {
            Some(_) => Leaves::Needed,
            None => Leaves::Unused,
        }
    }

    /// Compares the end of the records with the head and reports.
    pub fn finish(mut self, head: Option<&SealedHead>) -> Report {
        if self.first_bad.is_none() {
            self.first_bad = self.check_end(head).err();
        }
        Report {
            events: self.events,
            first_bad: self.first_bad,
            open_intents: self.open_intents.into_iter().collect(),
            erased: self.missing.len() as u64,
            pruned: self.start.size(),
            last_good: (self.last, self.last_hash),
            checkpoints_passed_over: self.checkpoints_passed_over,
        }
    }

    fn check(&mut self, row: &Row<'_>, hashed: Hashed) -> Result<(), FirstBad> {
        let seq = self.last.next();
        let bad = |fault| Err(FirstBad { seq, fault });
        match row.seq.cmp(&seq.as_column()) {
            std::cmp::Ordering::Greater => return bad(Fault::Missing),
            std::cmp::Ordering::Less => return bad(Fault::OutOfPlace),
            std::cmp::Ordering::Equal => {}
        }
        if row.prev_hash != self.last_hash.as_bytes() {
            return bad(Fault::NotLinked);
        }
        if !hashed.is_genuine {
            return bad(Fault::Altered);
        }
        self.check_personal(seq, row)?;
        self.last = seq;
        self.last_hash = Digest::from_slice(row.hash).expect("it was compared with a digest");
        if let Some(mut tree) = self.tree.take() {
            tree.push(hashed.leaf.unwrap_or_else(|| leaf_hash(&canonical_bytes(row))));
            self.pass_checkpoints(&tree)?;
            self.tree = Some(tree).filter(|_| !self.checkpoints.is_empty());
        }
        self.note_meaning(seq, row);
        Ok(())
    }

    fn check_personal(&mut self, seq: Seq, row: &Row<'_>) -> Result<(), FirstBad> {
        let Some(index) = self.personal else {
            return Ok(());
        };
        for id in [Some(row.actor), row.target].into_iter().flatten().filter_map(personal_of) {
            match index.entry(&id) {
                Entry::Intact => {}
                Entry::Altered => {
                    let fault = Fault::PersonalAltered;
                    return Err(FirstBad { seq, fault });
                }
                Entry::Missing => self.missing.entry(id).or_insert((seq, seq)).1 = seq,
            }
        }
        Ok(())
    }

    /// What the record, now known to be genuine, says about other records.
    fn note_meaning(&mut self, seq: Seq, row: &Row<'_>) {
        if row.outcome.is_none() {
            self.open_intents.insert(seq);
        } else if let Some(intent) = intent_of(row.details) {
            self.open_intents.remove(&intent);
        } else if row.event == Event::PersonalDataErased.as_str() {
            let details = serde_json::from_str::<serde_json::Value>(row.details).ok();
            let count = details.and_then(|details| details.get("count")?.as_u64());
            self.erased_by_records = self.erased_by_records.saturating_add(count.unwrap_or(0));
            self.last_erasure = seq;
        }
    }

    /// Compares the tree with the checkpoints of its size.
    fn pass_checkpoints(&mut self, tree: &Frontier) -> Result<(), FirstBad> {
        while let Some((size, root)) = self.checkpoints.pop_if(|(size, _)| *size == tree.size()) {
            if root != tree.root() {
                let seq = Seq::new(size);
                let fault = Fault::CheckpointMismatch;
                return Err(FirstBad { seq, fault });
            }
        }
        Ok(())
    }

    fn check_end(&self, head: Option<&SealedHead>) -> Result<(), FirstBad> {
        let seq = self.last.next();
        let bad = |fault| Err(FirstBad { seq, fault });
        if let Some(head) = head {
            let Ok(head) = head.open(self.key) else {
                return bad(Fault::HeadForged);
            };
            if head.seq() > self.last {
                return bad(Fault::CutOff);
            }
            if head.seq() < self.last {
                let seq = head.seq().next();
                let fault = Fault::BehindHead;
                return Err(FirstBad { seq, fault });
            }
            if head.hash() != self.last_hash || head.count() != self.events {
                return bad(Fault::HeadMismatch);
            }
        } else if self.last > Seq::NONE {
            return bad(Fault::HeadMissing);
        }
        if !self.checkpoints.is_empty() {
            return bad(Fault::CutOffBeforeCheckpoint);
        }
        self.check_erased()
    }

    /// Entries may be gone only if a later record says that as many were erased.
    fn check_erased(&self) -> Result<(), FirstBad> {
        let unexplained = self
            .missing
            .values()
            .filter(|(_, last)| *last > self.last_erasure)
            .map(|(_, last)| *last);
        let first = match unexplained.min() {
            Some(seq) => Some(seq),
            None if self.missing.len() as u64 > self.erased_by_records => self.missing.values().map(|(first, _)| *first).min(),
            None => None,
        };
        first.map_or(Ok(()), |seq| {
            let fault = Fault::PersonalMissing;
            Err(FirstBad { seq, fault })
        })
    }
}
