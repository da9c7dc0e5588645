//! What a person reads where the identity key, the database or the audit log cannot be used, and what may be done about it.

use dango_actions::{CheckpointError, Denied, Fault, IdentityKeyError, KeepCheckpointError, Premises, PremisesError};
use dango_audit::log::LogError;
use dango_store::StoreFailure;
use dango_store_postgres::DatabaseUrl;

use crate::failure::{Failure, chain};

/// What to do where the key is not the one that is needed.
pub(super) const BRING_KEY: &str =
    "put the key back from a backup, or give it in DANGO_IDENTITY_KEY or in the file that DANGO_IDENTITY_KEY_FILE names";

/// What is left to do where nobody has the key any more.
const RECOVER: &str = "if it is lost for good, `dango auth recover` begins with a new one: every password and every second factor has to be set anew, and a new audit chain begins";

/// A failure of an action that has nothing to do with its rules.
pub(crate) fn fault(fault: &Fault) -> Failure {
    if let Some(failure) = fault.store_failure() {
        return match fault {
            Fault::Audit(_) if !fault.is_uncertain() => with_store_hints(
                Failure::refused(format!("the audit log cannot be written, so nothing was done: {}", chain(failure))),
                failure,
            ),
            _ => store_failure(failure),
        };
    }
    let failure = Failure::caused_by(fault);
    match fault {
        Fault::Audit(LogError::Head(_)) => failure
            .hint("`dango audit verify` says which record is the first bad one")
            .hint(BRING_KEY)
            .hint(RECOVER),
        Fault::Audit(_) => failure.hint("`dango audit verify` says what is wrong with the log"),
        Fault::Busy(_) | Fault::Memory => failure.hint("nothing was changed; do it again in a moment"),
        _ => failure,
    }
}

/// A database that cannot be used.
pub(crate) fn store_failure(failure: &StoreFailure) -> Failure {
    with_store_hints(Failure::caused_by(failure), failure)
}

fn with_store_hints(told: Failure, failure: &StoreFailure) -> Failure {
    match failure {
        StoreFailure::Uncertain => told.hint("look whether it was done before you do it again"),
        StoreFailure::Locked => told.hint("nothing was changed; do it again once the other program is done"),
        StoreFailure::Full => told.hint("nothing was changed; make room, then do it again"),
        StoreFailure::ReadOnly => told.hint("nothing was changed; make .dango/dango.db and its directory writable for you"),
        StoreFailure::Closed => told.hint(
            "make .dango/dango.db and its directory readable and writable for you: `chmod 600 .dango/dango.db` and `chmod 700 .dango`",
        ),
        StoreFailure::Damaged(_) => told
            .hint("it is left as it is: put .dango/dango.db back from a backup")
            .hint("what can still be read of the audit log is written out by `dango audit export`"),
        StoreFailure::Foreign => {
            told.hint("it is left as it is: put .dango/dango.db back from a backup, or move the file away if it is none of yours")
        }
        StoreFailure::Unsafe { .. } => told.hint("put a file of your own at .dango/dango.db"),
        StoreFailure::Newer { .. } => told.hint("use that version of Dango, or a later one"),
        StoreFailure::Moved { .. } => told.hint(
            "nothing was changed; `dango --server URL` asks a server, and DANGO_SERVER_DATABASE_URL tells servers on this machine where it is now",
        ),
        _ => told,
    }
}

/// Somebody may not do something, or nobody could find out.
pub(crate) fn denied(error: &Denied) -> Failure {
    Failure::caused_by(error)
}

/// There is no identity key.
pub(super) fn identity_key(error: &IdentityKeyError) -> Failure {
    let failure = Failure::caused_by(error);
    match error {
        IdentityKeyError::Twice => failure.hint("unset one of them"),
        IdentityKeyError::Exposed { path, .. } => failure
            .hint(format!("`chmod 600 {}` closes it", path.display()))
            .hint("if somebody else may have read it, they can make sessions and forge the audit log: begin with a new key (`dango auth recover`)"),
        IdentityKeyError::Variable(_) | IdentityKeyError::Malformed { .. } => {
            failure.hint("a key is 32 bytes as 64 hexadecimal digits or as base64, such as `openssl rand -hex 32` prints; nothing was overwritten")
        }
        IdentityKeyError::Missing { .. } => failure.hint("correct DANGO_IDENTITY_KEY_FILE, or put the file there"),
        _ => failure,
    }
}

/// The key of a database that is there is gone.
pub(super) fn identity_key_is_lost(premises: &Premises) -> Failure {
    Failure::refused(format!(
        "the identity key of {} is gone: {} is not there",
        premises.database().display(),
        premises.identity_key().path().display()
    ))
    .hint(BRING_KEY)
    .hint(RECOVER)
}

/// There is no identity key for a log that several machines write.
pub(super) fn identity_key_is_elsewhere(premises: &Premises, database: &DatabaseUrl) -> Failure {
    Failure::refused(format!(
        "nothing can be recorded in {database} without its identity key: {} is not there",
        premises.identity_key().path().display()
    ))
    .hint("all who use one database have the same key: copy it from the first server, or give it in DANGO_IDENTITY_KEY or DANGO_IDENTITY_KEY_FILE")
}

/// It is not known whether there is a database, or one that was there is gone.
pub(super) fn premises(error: &PremisesError) -> Failure {
    let failure = Failure::caused_by(error);
    match error {
        PremisesError::DatabaseGone { checkpoint, .. } => failure.hint("put it back from a backup").hint(format!(
            "to begin anew, without its users and its audit log, move {} away",
            checkpoint.display()
        )),
        _ => failure,
    }
}

/// The log is not the one of its checkpoint, or cannot be read.
pub(super) fn checkpoint(error: &CheckpointError, premises: &Premises) -> Failure {
    match error {
        CheckpointError::Fault(error) => fault(error),
        error => Failure::refused(error.to_string())
            .hint("put .dango/dango.db back as it was, or from a newer backup")
            .hint(format!(
                "to go on with the log as it is, move {} away: what was cut off is then found by no check",
                premises.checkpoint().display()
            )),
    }
}

/// A checkpoint could not be kept; what it was to cover is done.
pub(super) fn unkept_checkpoint(error: &KeepCheckpointError, premises: &Premises) -> Failure {
    match error {
        KeepCheckpointError::Checkpoint(error) => checkpoint(error, premises),
        error => Failure::caused_by(error),
    }
}
