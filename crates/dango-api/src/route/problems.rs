//! What can go wrong with an operation: its own problems, and those that lie on the way to every one like it. The dispatcher does it,
//! this says it, and tests hold one against the other.

use dango_identity::Permission;

use super::{CrossSite, Limit, Route, Stage, Verb};
use crate::problem::{CODES, Code, code};

/// What whoever keeps the connection refuses, before there is a request.
const CONNECTION: [&Code; 9] = [
    code!(bad_request_line),
    code!(bad_target),
    code!(bad_host),
    code!(ambiguous_length),
    code!(bad_content_length),
    code!(bad_transfer_encoding),
    code!(bad_header_line),
    code!(head_too_large),
    code!(too_many_connections),
];

/// What the gate refuses, whatever is asked for; and a mistake of the server's own.
const GATE: [&Code; 5] = [
    code!(malformed_request),
    code!(secret_in_url),
    code!(unknown_host),
    code!(overloaded),
    code!(internal),
];

/// What can go wrong wherever the database is asked.
const FAULTS: [&Code; 5] = [
    code!(audit_unavailable),
    code!(database_unavailable),
    code!(database_damaged),
    code!(no_randomness),
    code!(interrupted),
];

/// What is said about bodies; operations that take none say it to whoever sends one.
const BODY: [&Code; 4] = [
    code!(malformed_json),
    code!(body_too_large),
    code!(unsupported_media_type),
    code!(invalid_body),
];

impl Route {
    /// Every problem that the operation can answer with, in the order of [`CODES`].
    pub fn all_problems(&self) -> Vec<&'static Code> {
        CODES.iter().filter(|code| self.answers_with(code)).collect()
    }

    fn answers_with(&self, code: &'static Code) -> bool {
        let asks_the_database = self.verb != Verb::Get || self.stage() != Stage::Open;
        let on_the_way = [
            (true, &CONNECTION[..]),
            (true, &GATE),
            (true, &[code!(invalid_parameter)]),
            (self.path.contains('{'), &[code!(not_found)]),
            (asks_the_database, &FAULTS),
            (self.verb != Verb::Get, &BODY),
            (self.cross_site() != CrossSite::Safe, &[code!(cross_site)]),
            (self.limit == Limit::Proof, &[code!(rate_limited), code!(busy)]),
            (self.stage() != Stage::Open, &[code!(rate_limited)]),
            (true, of_stage(self.stage())),
            (true, of_permission(self.permission)),
            (true, self.problems),
        ];
        on_the_way.iter().any(|(applies, codes)| *applies && codes.contains(&code))
    }

    /// Whether it can ask for a proof that is minutes old.
    pub fn needs_fresh_proof(&self) -> bool {
        let codes = [of_permission(self.permission), self.problems];
        codes.iter().any(|codes| codes.contains(&code!(reauthentication_required)))
    }
}

/// Why somebody does not get as far as to the handler.
const fn of_stage(stage: Stage) -> &'static [&'static Code] {
    match stage {
        Stage::Open => &[],
        Stage::Partial => &[code!(session_expired), code!(auth_disabled), code!(session_required)],
        Stage::AnySession => &[code!(authentication_required), code!(auth_disabled), code!(session_required)],
        Stage::Known => &[code!(authentication_required), code!(auth_disabled)],
        Stage::PasswordChange => &[
            code!(authentication_required),
            code!(auth_disabled),
            code!(session_required),
            code!(mfa_enrolment_required),
        ],
        Stage::Enrolment => &[
            code!(authentication_required),
            code!(auth_disabled),
            code!(session_required),
            code!(password_change_required),
        ],
        Stage::Session => &[
            code!(authentication_required),
            code!(auth_disabled),
            code!(session_required),
            code!(password_change_required),
            code!(mfa_enrolment_required),
        ],
        Stage::Key => &[
            code!(authentication_required),
            code!(auth_disabled),
            code!(key_required),
            code!(password_change_required),
            code!(mfa_enrolment_required),
        ],
        Stage::SessionOrKey => &[
            code!(authentication_required),
            code!(auth_disabled),
            code!(password_change_required),
            code!(mfa_enrolment_required),
        ],
    }
}

/// Why somebody who got there may not. Whoever changes people or sign-in itself has to prove anew who they are.
const fn of_permission(permission: Option<Permission>) -> &'static [&'static Code] {
    match permission {
        None => &[],
        Some(Permission::UsersManage | Permission::AuthManage) => &[code!(permission_denied), code!(reauthentication_required)],
        Some(_) => &[code!(permission_denied)],
    }
}
