//! Whether a source's credentials are taken: the cheapest authenticated call of its type, and what the answer means. No file, no
//! environment, no output; values come in as parameters, and nothing that a server says comes out.
//!
//! - [`Subject`]: a type of the catalogue with the values of its fields;
//! - [`check`]: asks, within 30 seconds, and answers with an [`Outcome`], which is about the values that were [used](Subject::used);
//! - [`Endpoint`]: an address that stands in for a provider's, from the process's environment.
//!
//! Requests are data: a row for each way to sign in ([`calls`]), with the page that documents it. Databases are asked by their own
//! protocols, as far as signing in goes.
//!
//! ```
//! use dango_check::{Subject, is_checkable};
//! use dango_core::SecretValue;
//! use dango_sources::catalogue;
//!
//! let stripe = catalogue().find(&"stripe".parse()?).expect("is in the catalogue");
//! let mut subject = Subject::new(stripe, None);
//! subject.put("stripe_secret_key", SecretValue::new("sk_test_tour".to_owned())?);
//! assert!(is_checkable(&subject));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod api;
mod database;
mod endpoint;
mod outcome;
mod subject;

use std::time::Duration;

use dango_core::{Entropy, Timestamp};
use dango_oauth::Http;
use dango_sources::{AuthKind, TypeSpec};
use futures_util::stream::{self, StreamExt};

pub use api::{CallDocument, calls};
pub use endpoint::{Endpoint, EndpointError};
pub use outcome::{Obstacle, Outcome, Refusal, Trouble};
pub use subject::Subject;

/// How long a check may take as a whole.
const WHOLE_LIMIT: Duration = Duration::from_secs(30);

/// How many are asked at a time.
pub const AT_ONCE: usize = 8;

/// What a check needs besides the credentials.
pub struct Surroundings<'a> {
    /// Calls providers.
    pub http: &'a dyn Http,
    /// An address that stands in for the provider's own.
    pub instead: Option<&'a Endpoint>,
    /// The time, which signed requests hold.
    pub now: Timestamp,
    /// Randomness, which sign-ins to databases need.
    pub entropy: &'a dyn Entropy,
    /// Reads a file of certificates that a database's URL names; `None` where there is none.
    pub read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

/// Whether there is a check for a source of this type that signs in this way; its values are not looked at.
pub fn is_checkable(subject: &Subject) -> bool {
    unasked(subject).is_none()
}

/// Whether there is a check for any way in which a source of this type may sign in.
pub fn has_check(spec: &TypeSpec) -> bool {
    database::Kind::of(spec).is_some() || api::knows(spec)
}

/// Asks whether the credentials are taken, for at most 30 seconds.
///
/// # Security
///
/// Credentials go to the provider's own host over TLS, or to the address that the source's own configuration names. Redirections
/// are not followed. Plain HTTP is for loopback addresses that are written as numbers; link-local addresses are never called. A
/// database is asked as dlt's driver would ask it, with the TLS that its URL says.
pub async fn check(subject: &Subject, surroundings: &Surroundings<'_>) -> Outcome {
    if let Some(obstacle) = unasked(subject) {
        return obstacle.into();
    }
    let asked = async {
        match database::Kind::of(subject.spec()) {
            Some(kind) => database::check(kind, subject, surroundings).await,
            None => api::check(subject, surroundings).await,
        }
    };
    match tokio::time::timeout(WHOLE_LIMIT, asked).await {
        Ok(outcome) => outcome,
        Err(_) => Trouble::Timeout.into(),
    }
}

/// Asks about several, at most [`AT_ONCE`] at a time; the answers are in the order of the questions.
pub async fn check_each(asked: &[(&Subject, Surroundings<'_>)]) -> Vec<Outcome> {
    let checks = asked.iter().map(|(subject, surroundings)| check(subject, surroundings));
    stream::iter(checks).buffered(AT_ONCE).collect().await
}

/// Why a source of this type cannot be checked, whatever its values are.
fn unasked(subject: &Subject) -> Option<Obstacle> {
    if database::Kind::of(subject.spec()).is_some() || api::has_call(subject) {
        return None;
    }
    let without = subject.spec().auth == AuthKind::None || subject.way() == Some("none");
    Some(match (without, api::knows(subject.spec())) {
        (true, _) => Obstacle::NoCredentials,
        (false, true) => Obstacle::NoCheckForWay,
        (false, false) => Obstacle::NoCheck,
    })
}
