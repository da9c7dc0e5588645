//! What actions refuse, as problems. The codes are the actions' own; what each means over HTTP stands in the table of problems.

use std::error::Error;

use dango_actions::{
    AcceptInviteError, AddUserError, ApiKeyError, AuthenticateError, BeginSetupError, ChangeAccountError, ChangeCredentialError,
    ChangePasswordError, ChangeVariableError, ClaimAdministratorError, ConnectionError, DeleteUserError, Denied, DisableFactorError, Fault,
    FilesError, FilesProblem, FinishSetupError, InviteError, LinkError, ListSecretsError, LogInError, ProviderProblem, ReadValuesError,
    ReauthenticateError, RegenerateCodesError, ResetPasswordError, RevokeApiKeyError, RevokeSessionError, UnlinkError, VerifyAuditError,
    VerifyCodeError,
};
use dango_core::Timestamp;
use dango_identity::{Lock, WeakPassword};
use serde_json::{Value, json};

use crate::problem::{Problem, code};

/// Something that an action refused or could not do.
pub(crate) trait Refusal {
    /// What the client is told.
    fn into_problem(self, now: Timestamp) -> Problem;
}

impl Refusal for Fault {
    fn into_problem(self, _: Timestamp) -> Problem {
        let problem = fault(&self);
        match self.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl Refusal for Denied {
    fn into_problem(self, _: Timestamp) -> Problem {
        denied(&self)
    }
}

/// The client learns what cannot be used; the log learns why.
fn fault(fault: &Fault) -> Problem {
    let detail = match fault.code() {
        // Whoever did it again in the belief that nothing had been done would do it twice.
        _ if fault.is_uncertain() => {
            "the database was lost at the last moment, and whether it was done is not known; look before you do it again"
        }
        "busy" => "too many passwords are being checked; try again in a moment",
        "audit_unavailable" => "the audit log cannot be written, so nothing was done",
        "no_randomness" | "no_memory" | "interrupted" => "the server could not do its part, so nothing was done",
        _ => "the database cannot be used, so nothing was done",
    };
    if fault.code() != "busy" {
        tracing::error!(code = fault.code(), cause = chain(fault), "an action failed");
    }
    Problem::named(fault.code(), detail)
}

fn denied(denied: &Denied) -> Problem {
    if let Some(fault) = denied.unrecorded() {
        tracing::error!(code = fault.code(), cause = chain(fault), "a denial could not be recorded");
    }
    let problem = Problem::named(denied.code(), denied.to_string());
    match denied.permission() {
        Some(permission) => problem.with("permission", permission.name()),
        None => problem,
    }
}

/// An error with its causes. None of ours repeats a secret.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// How long the account is locked.
fn locked(lock: Lock, now: Timestamp) -> Problem {
    let wait = lock.retry_after(now);
    let detail = match lock {
        Lock::Until(_) => "too many failures; the account is locked for a while",
        Lock::Stopped => "too many failures; an administrator has to unlock the account",
    };
    Problem::new(code!(account_locked), detail)
        .with("retry_after_seconds", wait.as_secs())
        .retry_after(wait)
}

/// Why a password may not be chosen, reason by reason.
pub(crate) fn weak(weak: &WeakPassword) -> Problem {
    let issues = weak.issues.iter();
    let issues: Vec<Value> = issues
        .map(|issue| json!({"code": issue.code(), "message": issue.to_string()}))
        .collect();
    Problem::new(code!(weak_password), weak.to_string()).with("issues", issues)
}

/// What did not work at a provider; one that is not configured is not there.
fn at_provider(problem: ProviderProblem) -> Problem {
    match problem {
        ProviderProblem::Unsupported | ProviderProblem::MissingCredentials => {
            Problem::new(code!(not_found), "there is no such login provider")
        }
        other => Problem::new(code!(provider_failed), other.to_string()),
    }
}

macro_rules! refusals {
    ($($name:ident $({ $($special:ident ($bound:ident, $now:ident) => $problem:expr),* $(,)? })?;)*) => {$(
        impl Refusal for $name {
            fn into_problem(self, now: Timestamp) -> Problem {
                match self {
                    $($(Self::$special($bound) => { let $now = now; $problem })*)?
                    Self::Fault(fault) => fault.into_problem(now),
                    other => Problem::named(other.code(), other.to_string()),
                }
            }
        }
    )*};
}

refusals! {
    AuthenticateError;
    LogInError { Locked(lock, now) => locked(lock, now) };
    VerifyCodeError { Locked(lock, now) => locked(lock, now) };
    ChangePasswordError { Locked(lock, now) => locked(lock, now), Weak(issues, _now) => weak(&issues) };
    ReauthenticateError { Locked(lock, now) => locked(lock, now) };
    BeginSetupError { Locked(lock, now) => locked(lock, now) };
    FinishSetupError { Locked(lock, now) => locked(lock, now) };
    DisableFactorError { Locked(lock, now) => locked(lock, now) };
    RegenerateCodesError { Locked(lock, now) => locked(lock, now) };
    AcceptInviteError { Weak(issues, _now) => weak(&issues) };
    ClaimAdministratorError { Weak(issues, _now) => weak(&issues) };
    ApiKeyError;
    RevokeApiKeyError;
    RevokeSessionError;
    UnlinkError;
    LinkError { Provider(problem, _now) => at_provider(problem) };
    AddUserError { Denied(denial, _now) => denied(&denial) };
    ChangeAccountError { Denied(denial, _now) => denied(&denial) };
    DeleteUserError { Denied(denial, _now) => denied(&denial) };
    InviteError { Denied(denial, _now) => denied(&denial) };
    ResetPasswordError { Denied(denial, _now) => denied(&denial) };
}

impl Refusal for VerifyAuditError {
    fn into_problem(self, now: Timestamp) -> Problem {
        match self {
            Self::Fault(fault) => fault.into_problem(now),
            error => {
                tracing::error!(cause = chain(&error), "the audit log cannot be verified");
                Problem::new(code!(audit_unavailable), "a checkpoint of the audit log cannot be read")
            }
        }
    }
}

impl Refusal for ListSecretsError {
    fn into_problem(self, now: Timestamp) -> Problem {
        match self {
            Self::Denied(denied) => denied.into_problem(now),
            Self::Files(error) => files(&error),
            error => Problem::named(error.code(), error.to_string()),
        }
    }
}

impl Refusal for ChangeVariableError {
    fn into_problem(self, _: Timestamp) -> Problem {
        let problem = match &self {
            Self::Denied(denial) => denied(denial),
            Self::Files(error) => files(error),
            Self::Unrecorded(error) => {
                tracing::error!(code = error.code(), cause = chain(error), "a change cannot be recorded");
                Problem::named(self.code(), self.to_string())
            }
            error => Problem::named(error.code(), error.to_string()),
        };
        match self.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl Refusal for ReadValuesError {
    fn into_problem(self, now: Timestamp) -> Problem {
        match self {
            Self::Denied(denied) => denied.into_problem(now),
            Self::Files(error) => files(&error),
            Self::Fault(fault) => fault.into_problem(now),
            error => Problem::named(error.code(), error.to_string()),
        }
    }
}

impl Refusal for ChangeCredentialError {
    fn into_problem(self, now: Timestamp) -> Problem {
        let problem = match &self {
            Self::Denied(denial) => denied(denial),
            Self::Files(error) => files(error),
            Self::Unrecorded(error) => {
                tracing::error!(code = error.code(), cause = chain(error), "a change cannot be recorded");
                Problem::named(self.code(), self.to_string())
            }
            Self::OutcomeUnrecorded(_) => Problem::named(self.code(), self.to_string()),
            _ => {
                let Self::Fault(fault) = self else {
                    return Problem::named(self.code(), self.to_string());
                };
                return fault.into_problem(now);
            }
        };
        match self.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl Refusal for ConnectionError {
    fn into_problem(self, _: Timestamp) -> Problem {
        match &self {
            Self::Denied(denial) => denied(denial),
            Self::Files(error) => files(error),
            Self::Unrecorded(fault) => {
                tracing::error!(code = fault.code(), cause = chain(fault), "a change cannot be recorded");
                Problem::named(self.code(), self.to_string())
            }
            error => Problem::named(error.code(), error.to_string()),
        }
    }
}

/// What is wrong with the project's files; where a person has to look is said, what failed below is for the log.
fn files(error: &FilesError) -> Problem {
    let problem = Problem::named(error.code(), error.to_string());
    match error.problem() {
        FilesProblem::Value { .. } | FilesProblem::NotFound | FilesProblem::NoCredential | FilesProblem::Withheld => problem,
        FilesProblem::Unparsable { file, line, column, .. } => problem.with("file", *file).with("line", *line).with("column", *column),
        _ => {
            tracing::error!(code = error.code(), cause = chain(error), "the project's files cannot be used");
            problem
        }
    }
}

#[cfg(test)]
mod tests {
    use dango_audit::AuditStoreError;
    use dango_store::StoreFailure;

    use super::*;

    #[test]
    fn only_where_nothing_was_done_for_sure_is_it_said_so() {
        let store = |failure: StoreFailure| Fault::from(failure);
        let audit = |failure: StoreFailure| Fault::from(AuditStoreError::from(failure));
        for (fault, code, is_known) in [
            (store(StoreFailure::Locked), "database_unavailable", true),
            (audit(StoreFailure::Locked), "audit_unavailable", true),
            (store(StoreFailure::Uncertain), "database_unavailable", false),
            (audit(StoreFailure::Uncertain), "audit_unavailable", false),
        ] {
            let problem = AddUserError::Fault(fault).into_problem(Timestamp::from_unix_micros(0));
            let said = problem.detail();
            assert_eq!((problem.code().name, problem.code().status), (code, 503));
            assert_eq!(said.contains("nothing was done"), is_known, "{said}");
            assert_eq!(said.contains("not known") && said.contains("look before"), !is_known, "{said}");
        }
    }
}
