//! `/setup`: whoever came with a temporary password chooses one of their own, before anything else.

use askama::Template;
use axum::http::StatusCode;
use dango_actions::Holder;
use dango_identity::Restricted;

use super::{Answer, Wrong, chosen, typed};
use crate::refusal::Refusal;
use crate::reply;
use crate::web::components::{Field, Kind};
use crate::web::flash::Flash;
use crate::web::frame::{Frame, marked, page, see_other, status_of};
use crate::web::visit::Visit;

/// The form.
#[derive(Template)]
#[template(path = "pages/password.html")]
pub(crate) struct PasswordPage<'a> {
    frame: Frame<'a>,
    email: String,
    wrong: Wrong,
}

impl PasswordPage<'_> {
    fn current_field(&self) -> Field<'_> {
        Field::new("current_password", "current_password", "Current Password", Kind::Password)
            .autocomplete("current-password")
            .hint("The temporary one that you were given.")
            .error(self.wrong.of("current_password"))
            .first(self.wrong.is_first("current_password", "current_password"))
    }

    fn new_field(&self) -> Field<'_> {
        Field::new("new_password", "new_password", "New Password", Kind::Password)
            .chosen()
            .hint("At least 8 characters.")
            .error(self.wrong.of("new_password"))
            .first(self.wrong.is_first("new_password", "current_password"))
    }

    fn again_field(&self) -> Field<'_> {
        Field::new("confirm_password", "confirm_password", "Confirm New Password", Kind::Password)
            .chosen()
            .error(self.wrong.of("confirm_password"))
            .first(self.wrong.is_first("confirm_password", "current_password"))
    }
}

/// `GET /setup`.
pub(crate) async fn show(holder: Holder<Restricted>, _: Visit) -> Answer {
    form(StatusCode::OK, &holder.user().email.to_string(), Wrong::default())
}

/// `POST /setup`.
pub(crate) async fn send(holder: Holder<Restricted>, visit: Visit) -> Answer {
    let email = holder.user().email.to_string();
    if let Some(wrong) = Wrong::missing(&["current_password", "new_password", "confirm_password"], &visit) {
        return form(StatusCode::UNPROCESSABLE_ENTITY, &email, wrong);
    }
    let new = match chosen(&visit, "new_password", "confirm_password") {
        Ok(new) => new,
        Err(wrong) => return form(StatusCode::UNPROCESSABLE_ENTITY, &email, wrong),
    };
    let work = async {
        let current = typed(&visit, "current_password")?;
        let changed = visit.actions().change_password(holder, current, new).await;
        changed.map_err(|error| error.into_problem(visit.now()))
    };
    match visit.limited(work).await {
        Ok(()) => {
            let mut response = see_other("/login");
            reply::clear_session(&mut response, visit.site());
            Flash::PasswordChanged.set(&mut response, visit.site());
            Ok(response)
        }
        Err(problem) if problem.code().name == "session_expired" => Ok(see_other("/login")),
        Err(problem) => {
            let wrong = match problem.code().name {
                "invalid_credentials" => Wrong::with_field("current_password", "This is not your current password."),
                _ => Wrong::refused(&problem, "new_password", &visit),
            };
            Ok(marked(form(status_of(&problem), &email, wrong)?, &problem))
        }
    }
}

fn form(status: StatusCode, email: &str, wrong: Wrong) -> Answer {
    let shown = PasswordPage {
        frame: Frame::bare(),
        email: email.to_owned(),
        wrong,
    };
    page(status, &shown)
}
