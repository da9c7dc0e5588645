//! `/setup/{token}`: the first administrator chooses an address and a password, by the link that the server printed to its terminal.

use std::fmt::Write as _;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dango_actions::Caller;
use dango_identity::{Email, Password, PlainToken};
use zeroize::Zeroizing;

use super::page::{escaped, page};
use crate::app::App;
use crate::form::Form;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::route::{CrossSite, Visit};

const TITLE: &str = "Set up Dango";

/// Shows the form. Looking at it changes nothing, however often a mail scanner does, and says nothing about the link.
pub(crate) async fn show(_: App, _: Request) -> Response {
    form(StatusCode::OK, None, "")
}

/// Makes the administrator.
pub(crate) async fn claim(app: App, request: Request) -> Response {
    let visit = match Visit::begin(&app, request, CrossSite::Open).await {
        Ok(visit) => visit,
        Err(problem) => return problem.into_response(),
    };
    // What is no address may be a password in the wrong field, so it does not come back.
    let typed = visit.form.value("email").filter(|typed| typed.parse::<Email>().is_ok());
    let typed = typed.unwrap_or_default().to_owned();
    let work = register(&app, &visit);
    match visit.limited(&app, work).await {
        Ok(()) => page(
            StatusCode::OK,
            "You are the administrator",
            "<p>The account is made, and this link is used up. Log in with the address and the password that you have just chosen; \
             other people are added with <code>dango auth add-user</code>.</p>",
        ),
        Err(problem) => refused(&problem, &typed),
    }
}

async fn register(app: &App, visit: &Visit) -> Result<(), Problem> {
    let (email, password, token) = read(&visit.form, visit.parameter("token"))?;
    let caller = Caller::anonymous(visit.client.clone()).with_request(visit.request.clone());
    let claimed = app.actions().claim_administrator(&caller, &token, email, password).await;
    claimed.map(|_| ()).map_err(|error| error.into_problem(app.clock().now()))
}

fn read(form: &Form, token: &str) -> Result<(Email, Password, PlainToken<dango_identity::kind::BootstrapClaim>), Problem> {
    let value = |name| {
        let value = form.value(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Problem::new(code!(invalid_body), "fill in every field"))
    };
    let email = value("email")?
        .trim()
        .parse()
        .map_err(|_| Problem::new(code!(invalid_body), "this is not an e-mail address that can be used"))?;
    let (password, again) = (value("password")?, value("confirm_password")?);
    if password != again {
        return Err(Problem::new(code!(invalid_body), "the two passwords are not the same"));
    }
    let mut password = Zeroizing::new(password.to_owned());
    let password = Password::new(std::mem::take(&mut *password)).map_err(|error| Problem::new(code!(weak_password), error.to_string()))?;
    let token = PlainToken::parse(token).map_err(|_| Problem::new(code!(claim_invalid), "this setup link is invalid or has expired"))?;
    Ok((email, password, token))
}

/// The form once more with what is wrong; or, where the link itself is, how to get another.
fn refused(problem: &Problem, typed: &str) -> Response {
    let code = problem.code();
    let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if code.name == "claim_invalid" {
        return page(
            status,
            "This link is not valid",
            "<p>It was used, replaced or has expired. Whoever runs the server gets a new one with <code>dango-server setup-link</code>.</p>",
        );
    }
    form(status, Some(problem.detail()), typed)
}

fn form(status: StatusCode, wrong: Option<&str>, typed: &str) -> Response {
    let mut below = String::from("<p>Choose who is the first administrator. This works once.</p>\n");
    if let Some(wrong) = wrong {
        let written = writeln!(below, "<p role=\"alert\" id=\"wrong\">Not done: {}.</p>", escaped(wrong));
        written.expect("a String takes every text");
    }
    let typed = escaped(typed);
    let fields = format!(
        "<form method=\"post\">\n\
         <p><label for=\"email\">Email</label><br>\n\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required value=\"{typed}\"></p>\n\
         <p><label for=\"password\">Password</label><br>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required></p>\n\
         <p><label for=\"confirm_password\">Confirm Password</label><br>\n\
         <input id=\"confirm_password\" name=\"confirm_password\" type=\"password\" autocomplete=\"new-password\" required></p>\n\
         <p><button type=\"submit\">Set Password</button></p>\n</form>"
    );
    below.push_str(&fields);
    page(status, TITLE, &below)
}
