//! Pages as data: where each is, who may see it. The router, the log and the tests all go over the one table.

use dango_actions::{Holder, SignedIn};
use dango_identity::{Full, Partial, Permission, Restricted};

use super::assets;
use super::pages::{account, audit, claim, home, invite, login, logout, password, provider, secrets, users};
use super::visit::Visit;
use crate::route::{CrossSite, Due, Verb, Work};

/// One page, or one form of it.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The method: [`Verb::Get`] shows, [`Verb::Post`] takes a form.
    pub verb: Verb,
    /// The path, its parameters in braces.
    pub path: &'static str,
    /// The name, in metrics and the log.
    pub name: &'static str,
    /// What the user's role has to allow.
    pub permission: Option<Permission>,
    /// Who gets to the handler, and the handler.
    pub(super) handler: Handler,
}

/// Who sees a page. Everybody else is led elsewhere: to the login, to what has to be done first, or to the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// Whoever comes.
    Anybody,
    /// Whoever is not signed in.
    Guest,
    /// Whoever wants to leave, signed in or not.
    Leaving,
    /// Whoever comes back from a provider, signed in or not.
    Returning,
    /// Whoever has still to show a second factor.
    Partial,
    /// Whoever has to change their password first.
    PasswordChange,
    /// Whoever is signed in, or has to set up a second factor first.
    Enrolment,
    /// Whoever is signed in.
    SignedIn,
}

/// A handler, by what it is given.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    Asset(fn(Visit) -> Work),
    Open(fn(Visit) -> Work),
    Guest(fn(Visit) -> Work),
    Leaving(fn(Option<SignedIn>, Visit) -> Work),
    Returning(fn(Option<SignedIn>, Visit) -> Work),
    Partial(fn(Holder<Partial>, Visit) -> Work),
    PasswordChange(fn(Holder<Restricted>, Visit) -> Work),
    Enrolment(fn(Due, Visit) -> Work),
    Full(fn(Holder<Full>, Visit) -> Work),
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.visitor(), f)
    }
}

impl Handler {
    const fn visitor(self) -> Visitor {
        match self {
            Self::Asset(_) | Self::Open(_) => Visitor::Anybody,
            Self::Guest(_) => Visitor::Guest,
            Self::Leaving(_) => Visitor::Leaving,
            Self::Returning(_) => Visitor::Returning,
            Self::Partial(_) => Visitor::Partial,
            Self::PasswordChange(_) => Visitor::PasswordChange,
            Self::Enrolment(_) => Visitor::Enrolment,
            Self::Full(_) => Visitor::SignedIn,
        }
    }
}

impl Page {
    /// Who sees it.
    pub const fn visitor(&self) -> Visitor {
        self.handler.visitor()
    }

    /// What is asked because of pages of other sites.
    pub(super) const fn cross_site(&self) -> CrossSite {
        match (self.verb, self.handler) {
            (Verb::Get, _) => CrossSite::Safe,
            (_, Handler::Open(_)) => CrossSite::Open,
            (_, _) => CrossSite::Cookie,
        }
    }
}

/// Writes a row.
macro_rules! page {
    ($verb:ident $path:literal, $name:literal, $kind:ident($($given:ident),*) => $function:path $(, needs $permission:ident)?) => {
        Page {
            verb: Verb::$verb,
            path: $path,
            name: $name,
            permission: needed!($($permission)?),
            handler: Handler::$kind(|$($given),*| Box::pin($function($($given),*))),
        }
    };
}

macro_rules! needed {
    () => {
        None
    };
    ($permission:ident) => {
        Some(Permission::$permission)
    };
}

/// Every page.
pub static PAGES: &[Page] = &[
    page!(Get "/", "page_start", Full(holder, visit) => home::show),
    page!(Get "/login", "page_login", Guest(visit) => login::show),
    page!(Post "/login", "form_login", Open(visit) => login::send),
    page!(Get "/login/verify", "page_second_factor", Partial(holder, visit) => login::show_second_factor),
    page!(Post "/login/verify", "form_second_factor", Partial(holder, visit) => login::send_second_factor),
    page!(Post "/logout", "form_logout", Leaving(signed_in, visit) => logout::send),
    page!(Get "/invite/{token}", "page_invite", Open(visit) => invite::show),
    page!(Post "/invite/{token}", "form_invite", Open(visit) => invite::send),
    page!(Get "/setup/{token}", "page_claim", Open(visit) => claim::show),
    page!(Post "/setup/{token}", "form_claim", Open(visit) => claim::send),
    page!(Get "/setup", "page_password", PasswordChange(holder, visit) => password::show),
    page!(Post "/setup", "form_password", PasswordChange(holder, visit) => password::send),
    page!(Get "/settings/account", "page_account", Enrolment(due, visit) => account::show),
    page!(Get "/settings/secrets", "page_secrets", Full(holder, visit) => secrets::show, needs ConfigManage),
    page!(Get "/oauth/connect/{source_type}", "page_connect", Full(holder, visit) => provider::connect, needs ConfigManage),
    page!(Get "/oauth/callback/{source_type}", "page_connected", Returning(signed_in, visit) => provider::connected),
    page!(Get "/api/auth/oauth/{provider}/login", "page_external_login", Open(visit) => provider::begin_login),
    page!(Get "/api/auth/oauth/{provider}/callback", "page_external_logged_in", Returning(signed_in, visit) => provider::finish_login),
    page!(Get "/settings/users", "page_users", Full(holder, visit) => users::show, needs UsersView),
    page!(Get "/settings/audit", "page_audit", Full(holder, visit) => audit::show, needs AuditView),
    page!(Post "/settings/audit/export", "form_audit_export", Full(holder, visit) => audit::export, needs AuditView),
    #[cfg(debug_assertions)]
    page!(Get "/components", "page_components", Open(visit) => super::pages::components::show),
    page!(Get "/assets/{file}", "asset", Asset(visit) => assets::serve),
];
