//! Databases: connected to as a driver would, signed in, asked for nothing but a sign of life. No statement of a user's is ever sent.
//!
//! SQL databases are asked by drivers. MongoDB's own would bring more than it is asked for, so the beginning of its protocol is
//! spoken here; see `docs/adr/0007-signing-in-to-mongodb.md`.

mod bson;
mod digests;
mod link;
mod mongodb;
mod mysql;
mod postgres;
mod scram;
mod target;
mod tls;

use dango_sources::TypeSpec;

use crate::Surroundings;
use crate::outcome::{Obstacle, Outcome, Refusal, Trouble};
use crate::subject::Subject;
use target::Target;

/// The protocols that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MySql,
    MongoDb,
}

/// Why a sign-in came to no end, with what that means for the credentials.
pub(crate) type Ended = Outcome;

impl Kind {
    /// The protocol of a type.
    pub(crate) fn of(spec: &TypeSpec) -> Option<Self> {
        match spec.name {
            "postgres" => Some(Self::Postgres),
            "mysql" => Some(Self::MySql),
            "mongodb" => Some(Self::MongoDb),
            _ => None,
        }
    }

    /// The protocol of a URL, by SQLAlchemy's names of drivers: both types are one to dlt.
    fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme.split('+').next()? {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }
}

/// Connects, signs in, and asks for a sign of life.
pub(crate) async fn check(kind: Kind, subject: &Subject, surroundings: &Surroundings<'_>) -> Outcome {
    let found = match kind {
        Kind::MongoDb => match subject.text("connection_url") {
            Some(text) => mongodb::check(text, surroundings).await,
            None => Err(Obstacle::Incomplete.into()),
        },
        _ => match Target::of(subject) {
            Ok(target) => match Kind::of_scheme(&target.scheme) {
                Some(Kind::Postgres) => postgres::check(&target, surroundings).await,
                Some(Kind::MySql) => mysql::check(&target, surroundings).await,
                _ => Err(Obstacle::NoCheckForWay.into()),
            },
            Err(obstacle) => Err(obstacle.into()),
        },
    };
    match found {
        Ok(()) => Outcome::Accepted,
        Err(ended) => ended,
    }
}

const NO_CONNECTION: Outcome = Outcome::Unreachable(Trouble::NoConnection);
const UNEXPECTED: Outcome = Outcome::Unreachable(Trouble::Unexpected);
const WRONG: Outcome = Outcome::Refused(Refusal::WrongCredential);
const UNSUPPORTED: Outcome = Outcome::Unchecked(Obstacle::UnsupportedSignIn);
