//! The chain: how a draft becomes the next record, and the head that says where the chain ends. Storing both is done elsewhere.

use crate::digest::{ChainKey, DIGEST_LENGTH, Digest};
use crate::draft::{Draft, Stage};
use crate::encoding::{Row, push_field, push_leaf};
use crate::json;
use crate::merkle::{Frontier, leaf_hash};
use crate::words::Seq;

/// A record as it is stored: its columns, the nested members as the JSON text that was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    seq: Seq,
    at: i64,
    event: String,
    actor: String,
    target: Option<String>,
    outcome: Option<String>,
    origin: String,
    request_id: Option<String>,
    details: String,
    prev_hash: Digest,
    hash: Digest,
}

impl StoredRecord {
    /// The record's columns.
    pub fn row(&self) -> Row<'_> {
        Row {
            seq: self.seq.as_column(),
            at: self.at,
            event: &self.event,
            actor: &self.actor,
            target: self.target.as_deref(),
            outcome: self.outcome.as_deref(),
            origin: &self.origin,
            request_id: self.request_id.as_deref(),
            details: &self.details,
            prev_hash: self.prev_hash.as_bytes(),
            hash: self.hash.as_bytes(),
        }
    }

    /// Its place in the chain; the outcome of an intent refers to it.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Its hash.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

/// The entries of personal data that a record refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonalRefs {
    /// Label, address and user agent of the actor.
    pub actor: Option<Digest>,
    /// Label of the target.
    pub target: Option<Digest>,
}

/// Where a chain ends: its last record, how many records are kept, and the Merkle tree over all that ever were.
///
/// It stands elsewhere than the records, so that a tail that was cut off is missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    seq: Seq,
    hash: Digest,
    count: u64,
    frontier: Frontier,
}

impl Head {
    /// The head of a chain without records.
    pub fn genesis() -> Self {
        Self {
            seq: Seq::NONE,
            hash: Digest::ZERO,
            count: 0,
            frontier: Frontier::new(),
        }
    }

    /// The place of the last record.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The hash of the last record.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// How many records are kept: all but the pruned ones.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The Merkle tree over all records that ever were.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The head of the same chain when so many of its records are kept.
    pub(crate) fn keeping(&self, count: u64) -> Self {
        Self { count, ..self.clone() }
    }

    /// Authenticates the head for its row.
    pub fn seal(self, key: &ChainKey) -> SealedHead {
        let tag = key.head_tag(&self.encode());
        SealedHead { head: self, tag }
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(1024);
        encoded.extend_from_slice(&self.seq.get().to_be_bytes());
        encoded.extend_from_slice(&self.count.to_be_bytes());
        encoded.extend_from_slice(self.hash.as_bytes());
        push_field(&mut encoded, Some(&self.frontier.to_bytes()));
        encoded
    }
}

/// A head with its tag, as its row holds it.
///
/// # Security
///
/// Without the key nobody makes a head for a shorter chain. An old row that was copied in time still opens: only a
/// checkpoint kept elsewhere finds that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedHead {
    head: Head,
    tag: Digest,
}

/// A head's columns as they stand in a database, whoever wrote them.
#[derive(Clone, Copy, Debug)]
pub struct HeadRow<'a> {
    /// The place of the last record.
    pub seq: i64,
    /// The hash of the last record.
    pub hash: &'a [u8],
    /// How many records are kept.
    pub count: i64,
    /// The frontier's bytes.
    pub frontier: &'a [u8],
    /// The tag.
    pub tag: &'a [u8],
}

/// The head is not one that was written with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the head of the audit chain was changed, or belongs to another key")]
pub struct ForgedHead;

impl ForgedHead {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "audit_head_forged"
    }
}

impl SealedHead {
    /// Takes a head from its columns, unchecked. What nobody here can have written becomes a head that does not open.
    pub fn from_row(row: HeadRow<'_>) -> Self {
        Self::parse(row).unwrap_or_else(|| Self {
            head: Head::genesis(),
            tag: Digest::ZERO,
        })
    }

    fn parse(row: HeadRow<'_>) -> Option<Self> {
        let seq = Seq::from_column(row.seq)?;
        let head = Head {
            seq,
            hash: Digest::from_slice(row.hash)?,
            count: u64::try_from(row.count).ok()?,
            frontier: Frontier::from_bytes(seq.get(), row.frontier)?,
        };
        let tag = Digest::from_slice(row.tag)?;
        Some(Self { head, tag })
    }

    /// Gives the columns to whoever writes them.
    pub fn with_row<R>(&self, write: impl FnOnce(HeadRow<'_>) -> R) -> R {
        write(HeadRow {
            seq: self.head.seq.as_column(),
            hash: self.head.hash.as_bytes(),
            count: i64::try_from(self.head.count).unwrap_or(i64::MAX),
            frontier: &self.head.frontier.to_bytes(),
            tag: self.tag.as_bytes(),
        })
    }

    /// Checks the tag and gives the head.
    ///
    /// # Errors
    ///
    /// [`ForgedHead`] if it was not made with this key.
    pub fn open(&self, key: &ChainKey) -> Result<&Head, ForgedHead> {
        key.is_head_tag(&self.head.encode(), &self.tag)
            .then_some(&self.head)
            .ok_or(ForgedHead)
    }
}

/// Makes the next record of a chain, and the head behind it. It stores nothing, so any store can do it in its transaction.
///
/// ```
/// use dango_audit::{Actor, ChainKey, Draft, Event, Head, Outcome, PersonalRefs, Stage, append};
/// use dango_core::Timestamp;
///
/// let key = ChainKey::from_derived(&[7; 32]);
/// let draft = Draft::new(Timestamp::from_unix_micros(0), Event::ServerStarted, Actor::system(), Stage::Ended(Outcome::Success));
/// let (record, head) = append(&key, &Head::genesis(), &draft, PersonalRefs::default());
/// assert_eq!((record.seq().get(), head.hash()), (1, record.hash()));
/// ```
pub fn append(key: &ChainKey, head: &Head, draft: &Draft, refs: PersonalRefs) -> (StoredRecord, Head) {
    let mut record = StoredRecord {
        seq: head.seq.next(),
        at: draft.at.unix_micros(),
        event: draft.event.as_str().to_owned(),
        actor: party(draft.actor.kind().as_str(), draft.actor.id(), refs.actor),
        target: draft
            .target
            .as_ref()
            .map(|target| party(target.kind().as_str(), target.id(), refs.target)),
        outcome: draft.stage.outcome().map(|outcome| outcome.as_str().to_owned()),
        origin: origin(draft),
        request_id: draft.request_id.as_ref().map(|id| id.as_str().to_owned()),
        details: details(draft),
        prev_hash: head.hash,
        hash: Digest::ZERO,
    };
    let mut leaf = Vec::with_capacity(512);
    push_leaf(&mut leaf, &record.row());
    record.hash = key.record_hash(head.hash.as_bytes(), &leaf);

    let mut frontier = head.frontier.clone();
    frontier.push(leaf_hash(&leaf));
    let head = Head {
        seq: record.seq,
        hash: record.hash,
        count: head.count + 1,
        frontier,
    };
    (record, head)
}

/// The stored text of an actor or a target. `personal` comes last, where a verification finds it without reading the rest.
fn party(kind: &str, id: Option<&str>, personal: Option<Digest>) -> String {
    let mut out = String::from("{");
    json::push_member(&mut out, "kind", Some(kind));
    json::push_member(&mut out, "id", id);
    json::push_member(&mut out, "personal", personal.map(|id| id.to_string()).as_deref());
    out.push('}');
    out
}

fn origin(draft: &Draft) -> String {
    let mut out = String::from("{");
    json::push_member(&mut out, "session", draft.origin.session.as_ref().map(|id| id.as_str()));
    out.push('}');
    out
}

/// The stored text of the details. What pairs intents with outcomes comes first, where a verification finds it without reading the rest.
fn details(draft: &Draft) -> String {
    let mut out = String::from("{");
    match draft.stage {
        Stage::Intent => json::push_member(&mut out, "phase", Some("intent")),
        Stage::IntentEnded(seq, _) => {
            json::push_name(&mut out, "intent");
            out.push_str(&seq.to_string());
        }
        Stage::Ended(_) => {}
    }
    draft.details.push_members(&mut out);
    out.push('}');
    out
}

/// The entry of personal data that the stored text of an actor or target refers to: its last member, of a known length.
pub(crate) fn personal_of(party: &str) -> Option<Digest> {
    let rest = party.strip_suffix("\"}")?;
    let (rest, digest) = rest.split_at_checked(rest.len().checked_sub(2 * DIGEST_LENGTH)?)?;
    if rest.ends_with(",\"personal\":\"") {
        digest.parse().ok()
    } else {
        None
    }
}

/// The intent that the stored text of details is the outcome of.
pub(crate) fn intent_of(details: &str) -> Option<Seq> {
    let number = details.strip_prefix("{\"intent\":")?;
    let end = number.find([',', '}'])?;
    number[..end].parse().ok().map(Seq::new)
}
