//! What all pages have around them, and how a page goes out: its headers, its policy, who is signed in.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use dango_actions::UserView;
use dango_identity::{Permission, Role};

use super::assets::{ASSETS, Assets};
use super::components::{CodeField, Field, Kind, Notice};
use crate::problem::{CHALLENGE, Problem, code};

/// Nothing from elsewhere, nothing inline; script may make no HTML out of texts but through the one policy that ours has.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dango",
);

/// What stands around the content of a page.
pub(crate) struct Frame<'a> {
    /// Who is signed in; the pages of the login have nobody.
    pub(crate) person: Option<Person>,
    /// What was done before.
    pub(crate) notice: Option<Notice<'a>>,
    /// Which page it is.
    pub(crate) path: &'static str,
}

impl Frame<'_> {
    /// A page for whoever comes.
    pub(crate) const fn bare() -> Self {
        Frame {
            person: None,
            notice: None,
            path: "",
        }
    }

    /// The pages of the login are one form in the middle.
    pub(super) const fn is_narrow(&self) -> bool {
        self.person.is_none() && self.path.is_empty()
    }

    pub(super) fn assets(&self) -> &'static Assets {
        &ASSETS
    }
}

impl<'a> Frame<'a> {
    /// A page for somebody.
    pub(crate) fn of(person: Person, path: &'static str, notice: Option<Notice<'a>>) -> Self {
        Self {
            person: Some(person),
            notice,
            path,
        }
    }
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) has_second_factor: bool,
    /// Whether nothing else has to be done first.
    pub(super) is_free: bool,
}

/// A way to a page.
pub(super) struct Link {
    pub(super) path: &'static str,
    pub(super) label: &'static str,
    needs: Option<Permission>,
}

const LINKS: [Link; 4] = [
    Link {
        path: "/settings/account",
        label: "Account Settings",
        needs: None,
    },
    Link {
        path: "/settings/secrets",
        label: "Secrets & Credentials",
        needs: Some(Permission::ConfigManage),
    },
    Link {
        path: "/settings/users",
        label: "User Management",
        needs: Some(Permission::UsersView),
    },
    Link {
        path: "/settings/audit",
        label: "Audit Log",
        needs: Some(Permission::AuditView),
    },
];

impl Person {
    /// Somebody who may do what their role may.
    pub(crate) fn new(view: &UserView) -> Self {
        Self {
            email: view.user.email.to_string(),
            role: view.user.role,
            has_second_factor: view.totp_enabled,
            is_free: true,
        }
    }

    /// Somebody who has to do something else first.
    pub(crate) fn obliged(view: &UserView) -> Self {
        Self {
            is_free: false,
            ..Self::new(view)
        }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &'static Link> {
        let permissions = self.role.permissions();
        LINKS
            .iter()
            .filter(move |link| link.needs.is_none_or(|need| permissions.contains(need)))
    }

    pub(super) fn password_field(&self) -> Field<'static> {
        Field::new("reauthenticate-password", "password", "Password", Kind::Password).autocomplete("current-password")
    }

    pub(super) fn code_field(&self) -> CodeField<'static> {
        CodeField::new("reauthenticate-code", "Authentication code")
    }
}

/// A page as it goes out.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        Problem::new(code!(internal), "the server made a mistake; its log says more")
    })?;
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// A status that a problem has.
pub(crate) fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The way to another page (RFC 9110 §15.4.4).
pub(crate) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Says to a program, too, what a page says to a person: how to prove who one is, and when to try again (RFC 9110 §11.6.1, §10.2.3).
pub(crate) fn marked(mut response: Response, problem: &Problem) -> Response {
    let status = problem.code().status;
    let headers = response.headers_mut();
    if status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    if let Some(wait) = problem.wait().or(matches!(status, 423 | 429 | 503).then_some(1)) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    response
}
