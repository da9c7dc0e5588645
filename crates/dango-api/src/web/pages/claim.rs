//! `/setup/{token}`: the first administrator chooses an address and a password, by the link that the server printed to its terminal.

use askama::Template;
use axum::http::StatusCode;
use dango_identity::{Email, PlainToken};

use super::invite::{DeadLinkPage, no_referrer};
use super::{Answer, Wrong, chosen};
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::web::components::{Field, Kind};
use crate::web::flash::Flash;
use crate::web::frame::{Frame, marked, page, see_other, status_of};
use crate::web::visit::Visit;

/// The form.
#[derive(Template)]
#[template(path = "pages/claim.html")]
pub(crate) struct ClaimPage<'a> {
    frame: Frame<'a>,
    email: String,
    wrong: Wrong,
}

impl ClaimPage<'_> {
    fn email_field(&self) -> Field<'_> {
        Field::new("email", "email", "Email", Kind::Email)
            .autocomplete("username")
            .value(self.email.as_str())
            .error(self.wrong.of("email"))
            .first(self.wrong.is_first("email", "email"))
    }

    fn password_field(&self) -> Field<'_> {
        Field::new("password", "password", "Password", Kind::Password)
            .chosen()
            .hint("At least 8 characters.")
            .error(self.wrong.of("password"))
            .first(self.wrong.is_first("password", "email"))
    }

    fn again_field(&self) -> Field<'_> {
        Field::new("confirm_password", "confirm_password", "Confirm Password", Kind::Password)
            .chosen()
            .error(self.wrong.of("confirm_password"))
            .first(self.wrong.is_first("confirm_password", "email"))
    }
}

/// `GET /setup/{token}`. Looking at it changes nothing, however often a mail scanner does, and says nothing about the link.
pub(crate) async fn show(_: Visit) -> Answer {
    form(StatusCode::OK, String::new(), Wrong::default())
}

/// `POST /setup/{token}`.
pub(crate) async fn send(visit: Visit) -> Answer {
    let email = visit.form.value("email").unwrap_or_default().trim().to_owned();
    if let Some(wrong) = Wrong::missing(&["email", "password", "confirm_password"], &visit) {
        return form(StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    if email.parse::<Email>().is_err() {
        let wrong = Wrong::with_field("email", "This is not an e-mail address that can be used.");
        return form(StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    if let Err(wrong) = chosen(&visit, "password", "confirm_password") {
        return form(StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    match visit.limited(register(&visit, &email)).await {
        Ok(()) => {
            let mut response = no_referrer(see_other("/login"));
            Flash::AdministratorMade.set(&mut response, visit.site());
            Ok(response)
        }
        Err(problem) if problem.code().name == "claim_invalid" => {
            let shown = DeadLinkPage {
                frame: Frame::bare(),
                title: "This link is not valid",
                text: "It was used, replaced or has expired. Whoever runs the server gets a new one with",
                command: "dango-server setup-link",
            };
            Ok(no_referrer(page(status_of(&problem), &shown)?))
        }
        Err(problem) => {
            let wrong = match problem.code().name {
                "user_exists" => Wrong::with_field("email", "Somebody has this address already."),
                _ => Wrong::refused(&problem, "password", &visit),
            };
            Ok(marked(form(status_of(&problem), email, wrong)?, &problem))
        }
    }
}

async fn register(visit: &Visit, email: &str) -> Result<(), Problem> {
    let invalid = || Problem::new(code!(claim_invalid), "this setup link is invalid or has expired");
    let email = email.parse().map_err(|_| Problem::new(code!(invalid_body), "no e-mail address"))?;
    let token = PlainToken::parse(visit.parameter("token")).map_err(|_| invalid())?;
    let password = super::typed(visit, "password")?;
    let claimed = visit
        .actions()
        .claim_administrator(&visit.anonymous(), &token, email, password)
        .await;
    claimed.map(|_| ()).map_err(|error| error.into_problem(visit.now()))
}

/// What is no address may be a password in the wrong field, so it does not come back.
fn form(status: StatusCode, email: String, wrong: Wrong) -> Answer {
    let is_address = email.parse::<Email>().is_ok();
    let shown = ClaimPage {
        frame: Frame::bare(),
        email: if is_address { email } else { String::new() },
        wrong,
    };
    Ok(no_referrer(page(status, &shown)?))
}
