//! What happened, recorded so that tampering shows. No database, no file, no network, no clock lives here.
//!
//! - [`Event`], [`Draft`], [`Details`]: what is recorded, as types without a place for a secret;
//! - [`append`]: how a draft becomes the next record of the chain, as a pure function;
//! - [`Verifier`]: whether records that were read are those that were written, and which is the first that is not;
//! - [`checkpoint`], [`merkle`]: what is kept or published elsewhere, so that not even the one who has the database can cut the log;
//! - [`AuditStore`], [`log`]: what a database must do, and the use cases over it; [`MemoryStore`] is the model of one;
//! - [`export`], [`query`], [`retention`]: getting records out, finding them, and letting go of them.
//!
//! The formats are in `docs/formats/audit.md`.
#![warn(missing_docs)]

mod chain;
pub mod checkpoint;
mod details;
mod digest;
mod draft;
mod encoding;
mod event;
pub mod export;
mod hashing;
mod json;
pub mod log;
pub mod merkle;
mod party;
mod personal;
mod pruning;
pub mod query;
mod record;
pub mod retention;
mod store;
mod verification;
mod words;

pub use chain::{ForgedHead, Head, HeadRow, PersonalRefs, SealedHead, StoredRecord, append};
pub use details::{Detail, DetailValue, Details, LIST_MAX};
pub use digest::{ChainKey, DIGEST_LENGTH, Digest, ParseDigestError};
pub use draft::{Draft, Outcome, Stage};
pub use encoding::{ENCODING_VERSION, Row, canonical_bytes};
pub use event::{Category, Event, Owasp, UnknownEvent};
pub use party::{Actor, ActorKind, Origin, Target, TargetId, TargetKind};
pub use personal::{Erasure, Personal, PersonalFacts, PersonalIndex, PersonalRow, SALT_LENGTH, Subject};
pub use record::{AuditEvent, Party};
pub use store::{AuditStore, AuditStoreError, MemoryStore, VisitPersonal, VisitRow};
pub use verification::{Fault, FirstBad, Report, Verifier};
pub use words::{Id, LABEL_MAX, Label, NAME_MAX, ParseIdError, Seq, USER_AGENT_MAX, UserAgent, Word};
