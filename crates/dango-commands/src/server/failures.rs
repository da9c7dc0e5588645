//! What a server refused, or that it said nothing, for a person: the problem's own sentence, and what may be done.

use dango_client::{CallError, Problem, ServerUrl};

use crate::failure::Failure;

/// Nobody answered, or nobody who could be understood.
pub(super) fn call(error: CallError, url: &ServerUrl) -> Failure {
    let failure = Failure::refused(format!("{url}: {error}")).with_code(error.code());
    match error {
        CallError::Unreachable | CallError::Timeout | CallError::Gateway(_) => {
            failure.hint("look whether the server runs, and whether the address is right")
        }
        CallError::Certificate => failure.hint("if the server's authority is your own, give its certificate with `--server-ca FILE`"),
        CallError::Redirected => failure.hint("give the address that the server itself has (its --public-url)"),
        CallError::Malformed | CallError::Broken | CallError::Incomplete => {
            failure.hint("look whether there is a dango-server of this version at that address")
        }
        CallError::NoCertificates => failure.hint("install the system's certificates (ca-certificates)"),
        _ => failure,
    }
}

/// The server refused.
pub(super) fn problem(problem: &Problem, url: &ServerUrl) -> Failure {
    let failure = Failure::refused(format!("{url}: {}", problem.detail));
    match (problem.code.as_str(), &problem.permission) {
        ("authentication_required", _) => failure
            .with_code("authentication_required")
            .hint(format!("the API key has expired or was ended, or its owner is switched off; `dango login {url}` makes another")),
        ("permission_denied", Some(permission)) => failure.with_code("permission_denied").hint(format!(
            "it takes the permission {permission}: the key has to name it (`dango login {url} --scope …`), and its owner's role has to allow it"
        )),
        ("scope_exceeds_owner", _) => failure.hint("an administrator reads and changes values; other roles cannot"),
        ("rate_limited" | "busy" | "overloaded" | "account_locked", _) => match problem.retry_after {
            Some(seconds) => failure.hint(format!("try again in {seconds} seconds")),
            None => failure.hint("try again later"),
        },
        _ => failure,
    }
}
