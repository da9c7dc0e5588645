//! Getting in and out: operations that need no session, or that make or end one.

use dango_audit::Event;

use super::{USUAL, codes, handler};
use crate::api::{arrival, login};
use crate::route::{Group, Handler, Limit, Route, SessionCookie, Verb};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const HERE: Route = Route {
    group: Group::Login,
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/api/auth/login",
        operation: "log_in",
        summary: "Logs in with an e-mail address and a password.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::LogIn>()),
        gives: &[(200, Shape::of::<wire::LogInAnswer>())],
        problems: &codes![invalid_credentials, account_locked, rate_limited, auth_disabled, busy, no_memory],
        events: &[
            Event::LoginSuccess,
            Event::LoginFailure,
            Event::SecondFactorRequested,
            Event::AccountLocked,
        ],
        session_cookie: SessionCookie::Given,
        handler: handler!(login::log_in),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/verify",
        operation: "verify_second_factor",
        summary: "Ends a login with a code of the second factor, or a recovery code.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::SecondFactor>()),
        gives: &[(200, Shape::of::<wire::Verified>())],
        problems: &codes![
            invalid_code,
            session_expired,
            account_locked,
            rate_limited,
            second_factor_unverifiable
        ],
        events: &[
            Event::TwoFaVerified,
            Event::RecoveryCodeUsed,
            Event::LoginSuccess,
            Event::AccountLocked,
        ],
        session_cookie: SessionCookie::Given,
        handler: handler!(Partial, login::verify_second_factor),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/logout",
        operation: "log_out",
        summary: "Ends the session.",
        gives: &[(200, Shape::of::<wire::Success>())],
        events: &[Event::Logout],
        session_cookie: SessionCookie::Taken,
        handler: handler!(AnySession, login::log_out),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/accept-invite",
        operation: "accept_invite",
        summary: "Accepts an invitation by choosing a password.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::AcceptInvite>()),
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![invite_invalid, weak_password, rate_limited, busy, no_memory],
        events: &[Event::InviteAccepted],
        handler: handler!(arrival::accept_invite),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/claim",
        operation: "claim_administrator",
        summary: "Makes the first administrator by the link that the server printed to its terminal.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::ClaimAdministrator>()),
        gives: &[(201, Shape::of::<wire::Success>())],
        problems: &codes![claim_invalid, user_exists, weak_password, rate_limited, busy, no_memory],
        events: &[Event::AdminClaimed],
        handler: handler!(arrival::claim_administrator),
        ..HERE
    },
];
