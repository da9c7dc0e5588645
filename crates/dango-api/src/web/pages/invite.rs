//! `/invite/{token}`: somebody who was invited chooses a password.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use dango_identity::PlainToken;

use super::{Answer, Wrong, chosen};
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::web::components::{Field, Kind};
use crate::web::flash::Flash;
use crate::web::frame::{Frame, marked, page, see_other, status_of};
use crate::web::visit::Visit;

/// The form.
#[derive(Template)]
#[template(path = "pages/invite.html")]
pub(crate) struct InvitePage<'a> {
    frame: Frame<'a>,
    email: String,
    wrong: Wrong,
}

impl InvitePage<'_> {
    fn password_field(&self) -> Field<'_> {
        Field::new("password", "password", "Password", Kind::Password)
            .chosen()
            .hint("At least 8 characters.")
            .error(self.wrong.of("password"))
            .first(self.wrong.is_first("password", "password"))
    }

    fn again_field(&self) -> Field<'_> {
        Field::new("confirm_password", "confirm_password", "Confirm Password", Kind::Password)
            .chosen()
            .error(self.wrong.of("confirm_password"))
            .first(self.wrong.is_first("confirm_password", "password"))
    }
}

/// A link that leads nowhere any more.
#[derive(Template)]
#[template(path = "pages/dead_link.html")]
pub(crate) struct DeadLinkPage<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    /// What to run for another one.
    pub(super) command: &'static str,
}

/// `GET /invite/{token}`. Looking at it changes nothing, however often a mail scanner does.
pub(crate) async fn show(visit: Visit) -> Answer {
    match invited(&visit).await? {
        Some(email) => form(StatusCode::OK, email, Wrong::default()),
        None => dead(),
    }
}

/// `POST /invite/{token}`.
pub(crate) async fn send(visit: Visit) -> Answer {
    let Some(email) = invited(&visit).await? else {
        // It is charged as any other failure, so that nobody tries links without end.
        let refused = visit.limited(accept(&visit)).await;
        return match refused {
            Err(problem) if problem.code().name != "invite_invalid" && problem.code().status >= 429 => Err(problem),
            _ => dead(),
        };
    };
    if let Some(wrong) = Wrong::missing(&["password", "confirm_password"], &visit) {
        return form(StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    if let Err(wrong) = chosen(&visit, "password", "confirm_password") {
        return form(StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    match visit.limited(accept(&visit)).await {
        Ok(()) => {
            let mut response = no_referrer(see_other("/login"));
            Flash::InviteAccepted.set(&mut response, visit.site());
            Ok(response)
        }
        Err(problem) if problem.code().name == "invite_invalid" => dead(),
        Err(problem) => {
            let wrong = Wrong::refused(&problem, "password", &visit);
            Ok(marked(form(status_of(&problem), email, wrong)?, &problem))
        }
    }
}

async fn accept(visit: &Visit) -> Result<(), Problem> {
    let invalid = || Problem::new(code!(invite_invalid), "this invitation is invalid or has expired");
    let token = PlainToken::parse(visit.parameter("token")).map_err(|_| invalid())?;
    let password = super::typed(visit, "password")?;
    let accepted = visit.actions().accept_invite(&visit.anonymous(), &token, password).await;
    accepted.map(|_| ()).map_err(|error| error.into_problem(visit.now()))
}

/// Whom the link invites, if it does.
async fn invited(visit: &Visit) -> Result<Option<String>, Problem> {
    let Ok(token) = PlainToken::parse(visit.parameter("token")) else {
        return Ok(None);
    };
    let found = visit.actions().find_invited(&token).await;
    let found = found.map_err(|fault| fault.into_problem(visit.now()))?;
    Ok(found.map(|user| user.email.to_string()))
}

fn form(status: StatusCode, email: String, wrong: Wrong) -> Answer {
    let shown = InvitePage {
        frame: Frame::bare(),
        email,
        wrong,
    };
    Ok(no_referrer(page(status, &shown)?))
}

fn dead() -> Answer {
    let shown = DeadLinkPage {
        frame: Frame::bare(),
        title: "This invitation is not valid",
        text: "It was used, replaced or has expired. If you have set your password already, sign in; else ask an administrator for another invitation.",
        command: "",
    };
    Ok(no_referrer(page(StatusCode::GONE, &shown)?))
}

/// The address holds a token, which is to be in no other request.
pub(super) fn no_referrer(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
