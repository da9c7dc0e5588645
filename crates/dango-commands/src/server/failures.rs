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

/// The same of what was to change something: where it may have been done, a person has to look, by this command, before doing it again.
pub(super) fn change(error: CallError, url: &ServerUrl, look: &str) -> Failure {
    let failure = call(error, url);
    match error.is_in_doubt() {
        true => failure.hint(format!(
            "it is not known whether this was done: look with `{look}` before you do it again"
        )),
        false => failure,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_whose_answer_is_lost_is_said_to_be_in_doubt_and_no_other() {
        let url: ServerUrl = "https://dango.example.com".parse().expect("an address");
        let is_in_doubt = |failure: Failure| {
            failure
                .hints
                .iter()
                .any(|hint| hint.contains("not known") && hint.contains("`dango env list`"))
        };
        use CallError::{Broken, Certificate, Gateway, Incomplete, Malformed, Redirected, Timeout, TooLarge, Unreachable};
        for error in [Timeout, Gateway(502), Broken, Incomplete, Malformed, TooLarge] {
            assert!(is_in_doubt(change(error, &url, "dango env list")), "{error}");
            assert!(!is_in_doubt(call(error, &url)), "{error}");
        }
        for error in [Unreachable, Certificate, Redirected] {
            assert!(!is_in_doubt(change(error, &url, "dango env list")), "{error}");
        }
    }
}
