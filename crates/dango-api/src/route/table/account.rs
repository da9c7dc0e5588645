//! One's own account: who one is, password, sessions, API keys, second factor.

use dango_audit::Event;

use super::{USUAL, codes, handler};
use crate::api::{account, api_keys, logins, second_factor, sessions};
use crate::route::{Group, Handler, Limit, Route, SessionCookie, Verb};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const HERE: Route = Route {
    group: Group::Account,
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/auth/me",
        operation: "me",
        summary: "Says who is logged in.",
        gives: &[(200, Shape::of::<wire::User>())],
        handler: handler!(Known, account::me),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/change-password",
        operation: "change_password",
        summary: "Changes one's own password; every session of the user ends.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::ChangePassword>()),
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![
            invalid_credentials,
            local_password_refused,
            session_expired,
            weak_password,
            password_unchanged,
            account_locked,
            rate_limited,
            busy,
            no_memory
        ],
        events: &[Event::PasswordChange, Event::AccountLocked],
        session_cookie: SessionCookie::Taken,
        handler: handler!(PasswordChange, account::change_password),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/reauthenticate",
        operation: "reauthenticate",
        summary: "Opens the window for sensitive operations again, by the password.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::PasswordAndOptionalCode>()),
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![
            invalid_credentials,
            local_password_refused,
            invalid_code,
            session_expired,
            account_locked,
            rate_limited,
            busy,
            no_memory
        ],
        events: &[Event::Reauthenticated, Event::RecoveryCodeUsed, Event::AccountLocked],
        session_cookie: SessionCookie::Given,
        handler: handler!(Session, account::reauthenticate),
        ..HERE
    },
    Route {
        path: "/api/auth/sessions",
        operation: "list_sessions",
        summary: "Lists one's own sessions.",
        gives: &[(200, Shape::of::<[wire::Session]>())],
        handler: handler!(Session, sessions::list),
        ..HERE
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/sessions/{id}",
        operation: "revoke_session",
        summary: "Ends another of one's own sessions.",
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found, current_session, session_expired],
        events: &[Event::SessionRevoked],
        handler: handler!(Session, sessions::revoke),
        ..HERE
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/sessions",
        operation: "revoke_other_sessions",
        summary: "Ends all of one's own sessions but this one.",
        gives: &[(200, Shape::of::<wire::Revoked>())],
        problems: &codes![session_expired],
        events: &[Event::SessionRevoked],
        handler: handler!(Session, sessions::revoke_others),
        ..HERE
    },
    Route {
        path: "/api/auth/oauth",
        operation: "list_logins",
        summary: "Lists the login providers, and since when an account there opens one's own.",
        gives: &[(200, Shape::of::<[wire::LoginWay<'_>]>())],
        handler: handler!(Session, logins::list),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/oauth/{provider}/link",
        operation: "begin_link",
        summary: "Begins to link an account at a login provider to one's own, and says where the browser has to go.",
        gives: &[(200, Shape::of::<wire::BegunLink<'_>>())],
        problems: &codes![not_found, reauthentication_required, provider_failed],
        events: &[Event::OauthStarted],
        handler: handler!(Session, logins::begin_link),
        ..HERE
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/oauth/{provider}",
        operation: "unlink",
        summary: "Takes away that an account at a login provider opens one's own, if something else does.",
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found, last_login, reauthentication_required, session_expired],
        events: &[Event::LoginProviderUnlinked],
        handler: handler!(Session, logins::unlink),
        ..HERE
    },
    Route {
        path: "/api/auth/api-keys",
        operation: "list_api_keys",
        summary: "Lists one's own API keys that are not revoked.",
        gives: &[(200, Shape::of::<[wire::ApiKey]>())],
        handler: handler!(Session, api_keys::list),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/api-keys",
        operation: "make_api_key",
        summary: "Makes an API key, which is shown once.",
        takes: Some(Shape::of::<wire::MakeApiKey>()),
        gives: &[(201, Shape::of::<wire::IssuedKey<'_>>())],
        problems: &codes![reauthentication_required, invalid_expiry, scope_exceeds_owner, session_expired],
        events: &[Event::ApiKeyCreated],
        handler: handler!(Session, api_keys::make),
        ..HERE
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/api-keys/{id}",
        operation: "revoke_api_key",
        summary: "Ends one of one's own API keys.",
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found, session_expired],
        events: &[Event::ApiKeyRevoked],
        handler: handler!(Session, api_keys::revoke),
        ..HERE
    },
    Route {
        path: "/api/auth/api-key",
        operation: "show_own_key",
        summary: "Says what the API key is that the request is sent with.",
        gives: &[(200, Shape::of::<wire::ApiKey>())],
        handler: handler!(Key, api_keys::show_own),
        ..HERE
    },
    Route {
        verb: Verb::Delete,
        path: "/api/auth/api-key",
        operation: "end_own_key",
        summary: "Ends the API key that the request is sent with.",
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found],
        events: &[Event::ApiKeyRevoked],
        handler: handler!(Key, api_keys::end_own),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/setup",
        operation: "begin_second_factor",
        summary: "Begins to set up an authenticator app; nothing is on before a code confirms it.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::PasswordOnly>()),
        gives: &[(200, Shape::of::<wire::Enrolment<'_>>())],
        problems: &codes![
            invalid_credentials,
            local_password_refused,
            session_expired,
            already_enabled,
            account_locked,
            rate_limited,
            busy,
            no_memory
        ],
        events: &[Event::TwoFaSetupStarted, Event::AccountLocked],
        handler: handler!(Enrolment, second_factor::begin),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/verify-setup",
        operation: "finish_second_factor",
        summary: "Switches the second factor on, and shows the recovery codes once.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::Code>()),
        gives: &[(200, Shape::of::<wire::RecoveryCodes>())],
        problems: &codes![invalid_code, session_expired, no_pending_setup, account_locked, rate_limited],
        events: &[Event::TwoFaEnabled],
        session_cookie: SessionCookie::Given,
        handler: handler!(Enrolment, second_factor::finish),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/disable",
        operation: "disable_second_factor",
        summary: "Switches the second factor off; other sessions end.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::PasswordAndOptionalCode>()),
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![
            invalid_credentials,
            local_password_refused,
            invalid_code,
            session_expired,
            reauthentication_required,
            not_enabled,
            account_locked,
            rate_limited,
            busy,
            no_memory
        ],
        events: &[Event::TwoFaDisabled, Event::RecoveryCodeUsed, Event::AccountLocked],
        handler: handler!(Session, second_factor::disable),
        ..HERE
    },
    Route {
        verb: Verb::Post,
        path: "/api/auth/2fa/regenerate-recovery",
        operation: "regenerate_recovery_codes",
        summary: "Makes new recovery codes; the old ones are dead.",
        limit: Limit::Proof,
        takes: Some(Shape::of::<wire::PasswordAndCode>()),
        gives: &[(200, Shape::of::<wire::RecoveryCodes>())],
        problems: &codes![
            invalid_credentials,
            local_password_refused,
            invalid_code,
            session_expired,
            not_enabled,
            account_locked,
            rate_limited,
            busy,
            no_memory
        ],
        events: &[Event::RecoveryCodesRegenerated, Event::AccountLocked],
        handler: handler!(Session, second_factor::regenerate),
        ..HERE
    },
];
