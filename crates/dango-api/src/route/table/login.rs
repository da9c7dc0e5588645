//! Getting in and out: operations that need no session, or that make or end one.

use dango_audit::Event;

use super::{USUAL, handler};
use crate::api::{arrival, login};
use crate::route::{Handler, Limit, Route, Verb};

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/api/auth/login",
        operation: "log_in",
        summary: "Logs in with an e-mail address and a password.",
        limit: Limit::Proof,
        takes: Some("LogIn"),
        gives: &[(200, Some("LogInAnswer"))],
        problems: &["invalid_credentials", "account_locked", "rate_limited", "auth_disabled", "busy"],
        events: &[
            Event::LoginSuccess,
            Event::LoginFailure,
            Event::SecondFactorRequested,
            Event::AccountLocked,
        ],
        handler: handler!(login::log_in),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/verify",
        operation: "verify_second_factor",
        summary: "Ends a login with a code of the second factor, or a recovery code.",
        limit: Limit::Proof,
        takes: Some("SecondFactor"),
        gives: &[(200, Some("SecondFactorAnswer"))],
        problems: &[
            "invalid_code",
            "session_expired",
            "account_locked",
            "rate_limited",
            "second_factor_unverifiable",
        ],
        events: &[
            Event::TwoFaVerified,
            Event::RecoveryCodeUsed,
            Event::LoginSuccess,
            Event::AccountLocked,
        ],
        handler: handler!(Partial, login::verify_second_factor),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/logout",
        operation: "log_out",
        summary: "Ends the session.",
        gives: &[(200, Some("Success"))],
        events: &[Event::Logout],
        handler: handler!(AnySession, login::log_out),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/accept-invite",
        operation: "accept_invite",
        summary: "Accepts an invitation by choosing a password.",
        limit: Limit::Proof,
        takes: Some("AcceptInvite"),
        gives: &[(200, Some("Success"))],
        problems: &["invite_invalid", "weak_password", "rate_limited", "busy"],
        events: &[Event::InviteAccepted],
        handler: handler!(arrival::accept_invite),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/claim",
        operation: "claim_administrator",
        summary: "Makes the first administrator by the link that the server printed to its terminal.",
        limit: Limit::Proof,
        takes: Some("ClaimAdministrator"),
        gives: &[(201, Some("Success"))],
        problems: &["claim_invalid", "user_exists", "weak_password", "rate_limited", "busy"],
        events: &[Event::AdminClaimed],
        handler: handler!(arrival::claim_administrator),
        ..USUAL
    },
];
