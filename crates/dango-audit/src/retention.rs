//! Letting go of old records: which may go, and the segment that stands for them so that the rest still verifies. Deleting is the store's.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use dango_core::Timestamp;

use crate::chain::intent_of;
use crate::digest::{ChainKey, Digest};
use crate::encoding::{Row, canonical_bytes, push_field};
use crate::merkle::{Frontier, leaf_hash};
pub use crate::pruning::Pruning;
use crate::words::Seq;

/// Records that were pruned: which, of what time, and all that is needed to verify what came after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    first_seq: Seq,
    last_seq: Seq,
    first_at: i64,
    last_at: i64,
    hash: Digest,
    frontier: Frontier,
}

impl Segment {
    /// The place of the first record that this pruning took.
    pub fn first_seq(&self) -> Seq {
        self.first_seq
    }

    /// The place of the last record that this pruning took; everything up to it is gone.
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }

    /// Both as one, where the other one follows it.
    #[must_use]
    pub fn through(self, later: Self) -> Self {
        Self {
            first_seq: self.first_seq,
            first_at: self.first_at,
            ..later
        }
    }

    /// How many records this pruning took.
    pub fn count(&self) -> u64 {
        self.last_seq.get().saturating_sub(self.first_seq.get()) + 1
    }

    /// The times of the first and the last record.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        (
            Timestamp::from_unix_micros(self.first_at),
            Timestamp::from_unix_micros(self.last_at),
        )
    }

    /// The hash of the last record.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// The Merkle tree over everything up to the last record; its root is that of a checkpoint of the same size.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Authenticates the segment for its row.
    pub fn seal(self, key: &ChainKey) -> SealedSegment {
        let tag = key.segment_tag(&self.encode());
        SealedSegment { segment: self, tag }
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(1024);
        for number in [self.first_seq.as_column(), self.last_seq.as_column(), self.first_at, self.last_at] {
            encoded.extend_from_slice(&number.to_be_bytes());
        }
        encoded.extend_from_slice(self.hash.as_bytes());
        push_field(&mut encoded, Some(&self.frontier.to_bytes()));
        encoded
    }
}

/// A segment with its tag, as its row holds it. Without the key nobody makes one, so nobody else can prune unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSegment {
    segment: Segment,
    tag: Digest,
}

/// A segment's columns as they stand in a database, whoever wrote them.
#[derive(Clone, Copy, Debug)]
pub struct SegmentRow<'a> {
    /// The place of the first record.
    pub first_seq: i64,
    /// The place of the last record.
    pub last_seq: i64,
    /// When the first record was written, in microseconds since the epoch.
    pub first_at: i64,
    /// When the last record was written, in microseconds since the epoch.
    pub last_at: i64,
    /// The hash of the last record.
    pub hash: &'a [u8],
    /// The frontier's bytes.
    pub frontier: &'a [u8],
    /// The tag.
    pub tag: &'a [u8],
}

/// The segment is not one that was written with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a segment of the audit chain was changed, or belongs to another key")]
pub struct ForgedSegment;

impl ForgedSegment {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "audit_segment_forged"
    }
}

impl SealedSegment {
    /// Takes a segment from its columns, unchecked. What nobody here can have written becomes a segment that does not open.
    pub fn from_row(row: SegmentRow<'_>) -> Self {
        Self::parse(row).unwrap_or_else(|| Self {
            segment: Segment {
                first_seq: Seq::NONE,
                last_seq: Seq::NONE,
                first_at: 0,
                last_at: 0,
                hash: Digest::ZERO,
                frontier: Frontier::new(),
            },
            tag: Digest::ZERO,
        })
    }

    fn parse(row: SegmentRow<'_>) -> Option<Self> {
        let last_seq = Seq::from_column(row.last_seq)?;
        let segment = Segment {
            first_seq: Seq::from_column(row.first_seq)?,
            last_seq,
            first_at: row.first_at,
            last_at: row.last_at,
            hash: Digest::from_slice(row.hash)?,
            frontier: Frontier::from_bytes(last_seq.get(), row.frontier)?,
        };
        let tag = Digest::from_slice(row.tag)?;
        Some(Self { segment, tag })
    }

    /// Gives the columns to whoever writes them.
    pub fn with_row<R>(&self, write: impl FnOnce(SegmentRow<'_>) -> R) -> R {
        write(SegmentRow {
            first_seq: self.segment.first_seq.as_column(),
            last_seq: self.segment.last_seq.as_column(),
            first_at: self.segment.first_at,
            last_at: self.segment.last_at,
            hash: self.segment.hash.as_bytes(),
            frontier: &self.segment.frontier.to_bytes(),
            tag: self.tag.as_bytes(),
        })
    }

    /// The place of the last record that it stands for, unchecked.
    pub fn last_seq(&self) -> Seq {
        self.segment.last_seq
    }

    /// Checks the tag and gives the segment.
    ///
    /// # Errors
    ///
    /// [`ForgedSegment`] if it was not made with this key.
    pub fn open(&self, key: &ChainKey) -> Result<&Segment, ForgedSegment> {
        let encoded = self.segment.encode();
        key.is_segment_tag(&encoded, &self.tag)
            .then_some(&self.segment)
            .ok_or(ForgedSegment)
    }
}

/// Reads records in order and finds the last that may go: all up to it are older than a time, and no intent among them is open.
#[derive(Debug)]
pub struct Cut {
    before: Timestamp,
    first: Option<Seq>,
    last: Option<Seq>,
    open: BTreeSet<Seq>,
}

impl Cut {
    /// Looks for records older than a time.
    pub fn before(time: Timestamp) -> Self {
        Self {
            before: time,
            first: None,
            last: None,
            open: BTreeSet::new(),
        }
    }

    /// Looks at the next record; breaks off where it has seen enough.
    pub fn push(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        let Some(seq) = Seq::from_column(row.seq).filter(|_| row.at < self.before.unix_micros()) else {
            return ControlFlow::Break(());
        };
        self.first.get_or_insert(seq);
        self.last = Some(seq);
        if row.outcome.is_none() {
            self.open.insert(seq);
        } else if let Some(intent) = intent_of(row.details) {
            self.open.remove(&intent);
        }
        ControlFlow::Continue(())
    }

    /// The last record that may go; nothing if none may.
    pub fn last(&self) -> Option<Seq> {
        let last = match self.open.first() {
            Some(open) => Seq::new(open.get() - 1),
            None => self.last?,
        };
        self.first.filter(|first| *first <= last).map(|_| last)
    }
}

/// Reads the records that are going to be pruned, in order, and makes the segment that stands for them.
#[derive(Debug)]
pub struct SegmentBuilder {
    frontier: Frontier,
    first: Option<(Seq, i64)>,
    last: Option<(Seq, i64, Digest)>,
}

impl SegmentBuilder {
    /// Begins at the first record, or behind the segment before.
    pub fn after(previous: Option<&Segment>) -> Self {
        Self {
            frontier: previous.map_or_else(Frontier::new, |segment| segment.frontier.clone()),
            first: None,
            last: None,
        }
    }

    /// Takes the next record, which was verified before.
    pub fn push(&mut self, row: &Row<'_>) {
        let (Some(seq), Some(hash)) = (Seq::from_column(row.seq), Digest::from_slice(row.hash)) else {
            return;
        };
        self.frontier.push(leaf_hash(&canonical_bytes(row)));
        self.first.get_or_insert((seq, row.at));
        self.last = Some((seq, row.at, hash));
    }

    /// The segment; nothing if no record came, or others than those that follow one another.
    pub fn finish(self) -> Option<Segment> {
        let ((first_seq, first_at), (last_seq, last_at, hash)) = (self.first?, self.last?);
        (self.frontier.size() == last_seq.get()).then_some(Segment {
            first_seq,
            last_seq,
            first_at,
            last_at,
            hash,
            frontier: self.frontier,
        })
    }
}
