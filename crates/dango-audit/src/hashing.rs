//! Hashing records beside the thread that reads them: handed over in chunks, taken back in order. What is wrong with one is the verifier's to say.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::chain::SealedHead;
use crate::digest::{ChainKey, Digest};
use crate::encoding::{Row, push_leaf};
use crate::merkle::leaf_hash;
use crate::verification::{Report, Verifier};

/// How many records are handed over at once: enough that waking somebody up costs nothing beside hashing them.
const ROWS: usize = 256;
/// A chunk that long is handed over whatever it holds, and one that has become longer is not kept for the next records.
const BYTES: usize = 256 * 1024;
/// How many chunks are under way with each thread.
const DEPTH: usize = 4;
/// Reading takes longer than what two threads hash in that time.
const HASHERS: usize = 2;

/// What is computed from a record alone.
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    /// Whether its hash is that of its content behind the hash that it says is the one before.
    pub(crate) is_genuine: bool,
    /// Its leaf of the Merkle tree, where there is to be one.
    pub(crate) leaf: Option<Digest>,
}

/// Whether the leaves of the Merkle tree are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    Needed,
    Unused,
}

impl Hashed {
    /// Hashes a record. The buffer is used for one after another.
    pub(crate) fn of(key: &ChainKey, row: &Row<'_>, leaves: Leaves, buffer: &mut Vec<u8>) -> Self {
        buffer.clear();
        push_leaf(buffer, row);
        Self {
            is_genuine: row
                .prev_hash
                .try_into()
                .is_ok_and(|prev| key.is_record_hash(prev, buffer, row.hash)),
            leaf: (leaves == Leaves::Needed).then(|| leaf_hash(buffer)),
        }
    }
}

/// A verifier whose hashes are computed by other threads, where there are processors for them.
///
/// Memory does not grow with the log: whoever hands over records waits for those that were handed over before.
pub(crate) struct Beside<'v> {
    verifier: Verifier<'v>,
    /// None before there are enough records for it to be worth while.
    hashers: Option<Vec<Hasher>>,
    filling: Chunk,
    /// Which thread has which chunk: the oldest first.
    under_way: VecDeque<usize>,
    next: usize,
    spare: Vec<Chunk>,
}

impl<'v> Beside<'v> {
    pub(crate) fn new(verifier: Verifier<'v>) -> Self {
        Self {
            verifier,
            hashers: None,
            filling: Chunk::default(),
            under_way: VecDeque::new(),
            next: 0,
            spare: Vec::new(),
        }
    }

    /// Looks at the next record, now or later.
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        self.filling.push(row);
        if self.filling.is_full() {
            self.hand_over();
        }
    }

    /// Compares the end of the records with the head and reports.
    pub(crate) fn finish(mut self, head: Option<&SealedHead>) -> Report {
        while !self.under_way.is_empty() {
            self.take_back();
        }
        let Self { mut verifier, filling, .. } = self;
        filling.rows().for_each(|row| verifier.push(&row));
        verifier.finish(head)
    }

    fn hand_over(&mut self) {
        let key = self.verifier.key();
        let hashers = self.hashers.get_or_insert_with(|| start(key)).len();
        if hashers == 0 {
            self.filling.rows().for_each(|row| self.verifier.push(&row));
            self.filling.clear();
            return;
        }
        if self.under_way.len() == hashers * DEPTH {
            self.take_back();
        }
        let mut chunk = std::mem::replace(&mut self.filling, self.spare.pop().unwrap_or_default());
        chunk.leaves = self.verifier.leaves();
        let hasher = self.hashers.as_ref().and_then(|hashers| hashers.get(self.next));
        let sent = hasher.is_some_and(|hasher| hasher.chunks.send(chunk).is_ok());
        assert!(sent, "a thread hashes until nobody hands over any more");
        self.under_way.push_back(self.next);
        self.next = (self.next + 1) % hashers;
    }

    /// Waits for the chunk that was handed over longest ago.
    fn take_back(&mut self) {
        let hasher = self.under_way.pop_front().and_then(|number| self.hashers.as_ref()?.get(number));
        let chunk = hasher.and_then(|hasher| hasher.hashed.recv().ok());
        let mut chunk = chunk.expect("a thread gives back what was handed to it");
        for (row, hashed) in chunk.rows().zip(&chunk.hashed) {
            self.verifier.push_hashed(&row, *hashed);
        }
        chunk.clear();
        self.spare.push(chunk);
    }
}

/// A thread that hashes what it is handed. It ends when nobody hands over any more.
struct Hasher {
    chunks: SyncSender<Chunk>,
    hashed: Receiver<Chunk>,
}

/// Starts a thread for each processor that would be idle; none where the system has none to give.
fn start(key: &ChainKey) -> Vec<Hasher> {
    let idle = thread::available_parallelism().map_or(0, |all| all.get() - 1);
    (0..idle.min(HASHERS)).map_while(|_| Hasher::start(key.clone())).collect()
}

impl Hasher {
    fn start(key: ChainKey) -> Option<Self> {
        let (chunks, handed) = sync_channel::<Chunk>(DEPTH);
        let (give, hashed) = sync_channel(DEPTH);
        let hash = move || {
            let mut buffer = Vec::with_capacity(1024);
            for mut chunk in handed {
                chunk.hash(&key, &mut buffer);
                if give.send(chunk).is_err() {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("dango-hasher".to_owned()).spawn(hash);
        started.is_ok().then_some(Self { chunks, hashed })
    }
}

/// Records one behind another, and what was computed from them.
struct Chunk {
    text: String,
    bytes: Vec<u8>,
    rows: Vec<Lengths>,
    leaves: Leaves,
    hashed: Vec<Hashed>,
}

/// How much of a chunk each column of a record has.
struct Lengths {
    seq: i64,
    at: i64,
    /// `event, actor, target, outcome, origin, request_id, details`.
    texts: [Option<usize>; 7],
    prev_hash: usize,
    hash: usize,
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            text: String::new(),
            bytes: Vec::new(),
            rows: Vec::with_capacity(ROWS),
            leaves: Leaves::Unused,
            hashed: Vec::with_capacity(ROWS),
        }
    }
}

impl Chunk {
    fn push(&mut self, row: &Row<'_>) {
        let texts = [
            Some(row.event),
            Some(row.actor),
            row.target,
            row.outcome,
            Some(row.origin),
            row.request_id,
            Some(row.details),
        ];
        texts.iter().flatten().for_each(|text| self.text.push_str(text));
        self.bytes.extend_from_slice(row.prev_hash);
        self.bytes.extend_from_slice(row.hash);
        self.rows.push(Lengths {
            seq: row.seq,
            at: row.at,
            texts: texts.map(|text| text.map(str::len)),
            prev_hash: row.prev_hash.len(),
            hash: row.hash.len(),
        });
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.text.len() >= BYTES || self.bytes.len() >= BYTES
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let (mut text, mut bytes) = (self.text.as_str(), self.bytes.as_slice());
        self.rows.iter().map(move |lengths| {
            let mut blob = |length| {
                let (blob, rest) = bytes.split_at(length);
                bytes = rest;
                blob
            };
            let [event, actor, target, outcome, origin, request_id, details] = lengths.texts.map(|length| {
                let (column, rest) = text.split_at(length?);
                text = rest;
                Some(column)
            });
            Row {
                seq: lengths.seq,
                at: lengths.at,
                event: event.unwrap_or_default(),
                actor: actor.unwrap_or_default(),
                target,
                outcome,
                origin: origin.unwrap_or_default(),
                request_id,
                details: details.unwrap_or_default(),
                prev_hash: blob(lengths.prev_hash),
                hash: blob(lengths.hash),
            }
        })
    }

    fn hash(&mut self, key: &ChainKey, buffer: &mut Vec<u8>) {
        let mut hashed = std::mem::take(&mut self.hashed);
        hashed.extend(self.rows().map(|row| Hashed::of(key, &row, self.leaves, buffer)));
        self.hashed = hashed;
    }

    fn clear(&mut self) {
        if self.text.capacity() > 2 * BYTES || self.bytes.capacity() > 2 * BYTES {
            *self = Self::default();
        }
        self.text.clear();
        self.bytes.clear();
        self.rows.clear();
        self.hashed.clear();
    }
}

#[cfg(test)]
mod tests {
    use dango_core::Timestamp;

    use super::*;
    use crate::chain::{Head, PersonalRefs, StoredRecord, append};
    use crate::checkpoint::Checkpoint;
    use crate::draft::{Draft, Outcome, Stage};
    use crate::event::Event;
    use crate::party::Actor;

    const RECORDS: usize = 6 * ROWS + 17;

    fn key() -> ChainKey {
        ChainKey::from_derived(&[7; 32])
    }

    /// Records, and the head behind each.
    fn chain() -> Vec<(StoredRecord, Head)> {
        let at = Timestamp::from_unix_micros(0);
        let mut head = Head::genesis();
        let next = |number| {
            let stage = if number % 7 == 0 {
                Stage::Intent
            } else {
                Stage::Ended(Outcome::Success)
            };
            let draft = Draft::new(at, Event::ServerStarted, Actor::system(), stage);
            let (record, next) = append(&key(), &head, &draft, PersonalRefs::default());
            head = next;
            (record, head.clone())
        };
        (0..RECORDS).map(next).collect()
    }

    /// What is found in rows without other threads, and with so many.
    fn reports(rows: &[Row<'_>], head: &Head, checkpoints: &[Checkpoint], hashers: usize) -> (Report, Report) {
        let (key, head) = (key(), head.clone().seal(&key()));
        let verifier = || Verifier::new(&key).with_checkpoints(checkpoints);
        let mut alone = verifier();
        rows.iter().for_each(|row| alone.push(row));
        let mut beside = Beside {
            hashers: Some((0..hashers).map_while(|_| Hasher::start(key.clone())).collect()),
            ..Beside::new(verifier())
        };
        rows.iter().for_each(|row| beside.push(row));
        (alone.finish(Some(&head)), beside.finish(Some(&head)))
    }

    #[test]
    fn with_other_threads_the_same_is_found_as_without() {
        let chain = chain();
        let head = &chain[RECORDS - 1].1;
        let untouched: Vec<Row<'_>> = chain.iter().map(|(record, _)| record.row()).collect();
        let at = |size: usize| Checkpoint::of("dango.example/audit".parse().expect("a name"), &chain[size - 1].1);
        let other = Checkpoint::of("dango.example/audit".parse().expect("a name"), &chain[0].1);
        let long = "x".repeat(3 * BYTES);
        for hashers in [0, 1, 3] {
            for bad in [0, ROWS, RECORDS - 1] {
                let changed = |change: &dyn Fn(&mut Vec<Row<'_>>)| {
                    let mut rows = untouched.clone();
                    change(&mut rows);
                    let (alone, beside) = reports(&rows, head, &[at(ROWS), at(RECORDS - 2), other.clone()], hashers);
                    assert_eq!(alone, beside, "{hashers} threads, record {bad}");
                    alone.first_bad.map(|found| found.seq.get())
                };
                let seq = bad as u64 + 1;
                assert_eq!(changed(&|_| ()), None);
                assert_eq!(changed(&|rows| rows[bad].details = "{}x"), Some(seq));
                assert_eq!(changed(&|rows| rows[bad].hash = &[0; 32]), Some(seq));
                assert_eq!(changed(&|rows| rows[bad].prev_hash = &[]), Some(seq));
                assert_eq!(changed(&|rows| rows[bad].request_id = Some("")), Some(seq));
                assert_eq!(changed(&|rows| rows.truncate(bad)), Some(seq));
                assert_eq!(
                    changed(&|rows| rows.swap(bad, if bad == 0 { 1 } else { bad - 1 })),
                    Some(seq.saturating_sub(1).max(1))
                );
            }
            let mut rows = untouched.clone();
            rows[ROWS].details = &long;
            let (alone, beside) = reports(&rows, head, &[], hashers);
            assert_eq!(alone, beside);
        }
    }
}
