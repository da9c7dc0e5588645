//! Sessions: rows that only the identity key makes valid, stages as types, and the rules between them. Cookies are the door's business.

mod auth;
mod check;
mod error;
mod limits;
mod record;
mod sessions;
mod stage;
mod store;
mod typed;

pub use auth::{Aal, AuthContext, AuthFactor, FactorSet};
pub use check::VerifiedSession;
pub use error::{CheckSessionError, IssueSessionError};
pub use limits::{SessionLimits, SessionProfile};
pub use record::{SessionRecord, SessionTouch};
pub use sessions::{Attempt, IssuedSession, NewSession, Revocation, SessionList, Sessions};
pub use stage::{Obligation, ParseStageError, Stage};
pub use store::{SessionStore, SessionWrite, StoredSession};
pub use typed::{AnySession, Full, Partial, Restricted, Session};

#[cfg(test)]
mod tests;
