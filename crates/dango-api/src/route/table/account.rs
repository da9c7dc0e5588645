//! One's own account: who one is, password, sessions, API keys, second factor.

use dango_audit::Event;

use super::{USUAL, handler};
use crate::api::{account, api_keys, second_factor, sessions};
use crate::route::{Handler, Limit, Route, Verb};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/auth/me",
        operation: "me",
        summary: "Says who is logged in.",
        gives: &[(200, Some("User"))],
        handler: handler!(Known, account::me),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/change-password",
        operation: "change_password",
        summary: "Changes one's own password; every session of the user ends.",
        limit: Limit::Proof,
        takes: Some("ChangePassword"),
        gives: &[(200, Some("Success"))],
        problems: &[
            "invalid_credentials",
            "session_expired",
            "weak_password",
            "password_unchanged",
            "account_locked",
            "rate_limited",
            "busy",
        ],
        events: &[Event::PasswordChange, Event::AccountLocked],
        handler: handler!(PasswordChange, account::change_password),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/reauthenticate",
        operation: "reauthenticate",
        summary: "Opens the window for sensitive operations again, by the password.",
        limit: Limit::Proof,
        takes: Some("PasswordAndOptionalCode"),
        gives: &[(200, Some("Success"))],
        problems: &[
            "invalid_credentials",
            "invalid_code",
            "session_expired",
            "account_locked",
            "rate_limited",
            "busy",
        ],
        events: &[Event::Reauthenticated, Event::RecoveryCodeUsed, Event::AccountLocked],
        handler: handler!(Session, account::reauthenticate),
        ..USUAL
    },
    Route {
        path: "/api/auth/sessions",
        operation: "list_sessions",
        summary: "Lists one's own sessions.",
        gives: &[(200, Some("[Session]"))],
        handler: handler!(Session, sessions::list),
        ..USUAL
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/sessions/{id}",
        operation: "revoke_session",
        summary: "Ends another of one's own sessions.",
        gives: &[(200, Some("Success"))],
        problems: &["not_found", "current_session", "session_expired"],
        events: &[Event::SessionRevoked],
        handler: handler!(Session, sessions::revoke),
        ..USUAL
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/sessions",
        operation: "revoke_other_sessions",
        summary: "Ends all of one's own sessions but this one.",
        gives: &[(200, Some("Revoked"))],
        problems: &["session_expired"],
        events: &[Event::SessionRevoked],
        handler: handler!(Session, sessions::revoke_others),
        ..USUAL
    },
    Route {
        path: "/api/auth/api-keys",
        operation: "list_api_keys",
        summary: "Lists one's own API keys that are not revoked.",
        gives: &[(200, Some("[ApiKey]"))],
        handler: handler!(Session, api_keys::list),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/api-keys",
        operation: "make_api_key",
        summary: "Makes an API key, which is shown once.",
        takes: Some("MakeApiKey"),
        gives: &[(201, Some("IssuedKey"))],
        problems: &[
            "reauthentication_required",
            "invalid_expiry",
            "scope_exceeds_owner",
            "session_expired",
        ],
        events: &[Event::ApiKeyCreated],
        handler: handler!(Session, api_keys::make),
        ..USUAL
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/api-keys/{id}",
        operation: "revoke_api_key",
        summary: "Ends one of one's own API keys.",
        gives: &[(200, Some("Success"))],
        problems: &["not_found", "session_expired"],
        events: &[Event::ApiKeyRevoked],
        handler: handler!(Session, api_keys::revoke),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/setup",
        operation: "begin_second_factor",
        summary: "Begins to set up an authenticator app; nothing is on before a code confirms it.",
        limit: Limit::Proof,
        takes: Some("PasswordOnly"),
        gives: &[(200, Some("Enrolment"))],
        problems: &[
            "invalid_credentials",
            "session_expired",
            "already_enabled",
            "account_locked",
            "rate_limited",
            "busy",
        ],
        events: &[Event::TwoFaSetupStarted, Event::AccountLocked],
        handler: handler!(Enrolment, second_factor::begin),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/verify-setup",
        operation: "finish_second_factor",
        summary: "Switches the second factor on, and shows the recovery codes once.",
        limit: Limit::Proof,
        takes: Some("Code"),
        gives: &[(200, Some("RecoveryCodes"))],
        problems: &[
            "invalid_code",
            "session_expired",
            "no_pending_setup",
            "account_locked",
            "rate_limited",
        ],
        events: &[Event::TwoFaEnabled],
        handler: handler!(Enrolment, second_factor::finish),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/disable",
        operation: "disable_second_factor",
        summary: "Switches the second factor off; other sessions end.",
        limit: Limit::Proof,
        takes: Some("PasswordAndOptionalCode"),
        gives: &[(200, Some("Success"))],
        problems: &[
            "invalid_credentials",
            "invalid_code",
            "session_expired",
            "reauthentication_required",
            "not_enabled",
            "account_locked",
            "rate_limited",
            "busy",
        ],
        events: &[Event::TwoFaDisabled, Event::RecoveryCodeUsed, Event::AccountLocked],
        handler: handler!(Session, second_factor::disable),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/regenerate-recovery",
        operation: "regenerate_recovery_codes",
        summary: "Makes new recovery codes; the old ones are dead.",
        limit: Limit::Proof,
        takes: Some("PasswordAndCode"),
        gives: &[(200, Some("RecoveryCodes"))],
        problems: &[
            "invalid_credentials",
            "invalid_code",
            "session_expired",
            "not_enabled",
            "account_locked",
            "rate_limited",
            "busy",
        ],
        events: &[Event::RecoveryCodesRegenerated, Event::AccountLocked],
        handler: handler!(Session, second_factor::regenerate),
        ..USUAL
    },
];
