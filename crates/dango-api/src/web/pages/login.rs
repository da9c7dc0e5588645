//! `/login`: the password, and the second factor where there is one. The form goes to the address that it is at, so `?next=`
//! stays in it; what is no page of ours is never part of anything.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use dango_actions::{Holder, LogInStep, Login, LoginProvider, LoginProviders};
use dango_identity::{Partial, RecoveryCode, SecondFactorCode, TotpCode};

use super::connections::encoded;
use super::{Answer, Wrong, typed};
use crate::credential::{self, Credential};
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::web::components::{CodeField, Field, Kind, Notice, Tone};
use crate::web::flash::Flash;
use crate::web::frame::{Frame, marked, page, see_other, status_of};
use crate::web::next::Next;
use crate::web::visit::{Visit, place_of};

/// The first step.
#[derive(Template)]
#[template(path = "pages/login.html")]
pub(crate) struct LoginPage<'a> {
    frame: Frame<'a>,
    email: String,
    wrong: Wrong,
    /// The providers that people may log in with: where each way begins, and its name.
    providers: Vec<(String, String)>,
}

impl LoginPage<'_> {
    fn email_field(&self) -> Field<'_> {
        Field::new("email", "email", "Email", Kind::Email)
            .autocomplete("username")
            .value(self.email.as_str())
            .error(self.wrong.of("email"))
            .refused(self.wrong.is_refused())
            .first(
                self.wrong
                    .is_first("email", if self.email.is_empty() { "email" } else { "password" }),
            )
    }

    fn password_field(&self) -> Field<'_> {
        Field::new("password", "password", "Password", Kind::Password)
            .autocomplete("current-password")
            .error(self.wrong.of("password"))
            .refused(self.wrong.is_refused())
            .first(
                self.wrong
                    .is_first("password", if self.email.is_empty() { "email" } else { "password" }),
            )
    }
}

/// The second step.
#[derive(Template)]
#[template(path = "pages/second_factor.html")]
pub(crate) struct SecondFactorPage<'a> {
    frame: Frame<'a>,
    wrong: Wrong,
    /// Whether a recovery code was tried, and that form is shown.
    by_recovery_code: bool,
    next: Option<Next>,
}

impl SecondFactorPage<'_> {
    /// Where the forms go. It is said, because the address of the page may end with the name of one of them.
    fn action(&self) -> String {
        Next::after(self.next.as_ref(), "/login/verify")
    }

    fn code_field(&self) -> CodeField<'_> {
        CodeField::new("code", "Authentication code")
            .error(self.wrong.of("code"))
            .first(!self.by_recovery_code)
    }

    fn recovery_field(&self) -> Field<'_> {
        Field::new("recovery_code", "recovery_code", "Recovery code", Kind::Mono)
            .at_most(128)
            .hint("One of the codes that you saved, such as 7K3M-Q9XT-2BHV-ZR4D. Each works once.")
            .error(self.wrong.of("recovery_code"))
    }
}

/// `GET /login`.
pub(crate) async fn show(visit: Visit) -> Answer {
    let flash = Flash::of(&visit.headers);
    let error = visit.asked("error").and_then(sentence_of);
    let frame = Frame {
        notice: error
            .map(|sentence| Notice::new(Tone::Bad, sentence))
            .or_else(|| flash.map(Flash::notice)),
        ..Frame::bare()
    };
    let shown = LoginPage {
        frame,
        email: String::new(),
        wrong: Wrong::default(),
        providers: providers(&visit),
    };
    let mut response = page(StatusCode::OK, &shown)?;
    if flash.is_some() {
        Flash::clear(&mut response, visit.site());
    }
    Ok(response)
}

/// `POST /login`.
pub(crate) async fn send(visit: Visit) -> Answer {
    let email = visit.form.value("email").unwrap_or_default().trim().to_owned();
    if let Some(wrong) = Wrong::missing(&["email", "password"], &visit) {
        return again(&visit, StatusCode::UNPROCESSABLE_ENTITY, email, wrong);
    }
    match visit.limited(log_in(&visit, &email)).await {
        Ok(LogInStep::SecondFactor(issued)) => {
            let mut response = see_other(&Next::after(visit.next.as_ref(), "/login/verify"));
            reply::set_session(&mut response, &issued, visit.now(), visit.site());
            Ok(response)
        }
        Ok(LogInStep::Done(login)) => Ok(logged_in(&visit, &login, visit.next.as_ref())),
        Err(problem) => {
            let wrong = match problem.code().name {
                "invalid_credentials" => Wrong::with_form("The email or the password is not right."),
                "auth_disabled" => Wrong::with_form("Signing in is switched off."),
                _ => Wrong::refused(&problem, "password", &visit),
            };
            let response = again(&visit, status_of(&problem), email, wrong)?;
            Ok(marked(response, &problem))
        }
    }
}

async fn log_in(visit: &Visit, email: &str) -> Result<LogInStep, Problem> {
    let password = typed(visit, "password")?;
    let device = credential::device(&visit.headers, visit.site());
    let earlier = Credential::of(&visit.headers, visit.site()).into_session();
    let step = visit.actions().log_in(&visit.anonymous(), email, password, device, earlier).await;
    step.map_err(|error| error.into_problem(visit.now()))
}

/// The form once more. What is no address may be a password in the wrong field, so it does not come back.
fn again(visit: &Visit, status: StatusCode, email: String, wrong: Wrong) -> Answer {
    let is_address = email.parse::<dango_identity::Email>().is_ok();
    let shown = LoginPage {
        frame: Frame::bare(),
        email: if is_address { email } else { String::new() },
        wrong,
        providers: providers(visit),
    };
    page(status, &shown)
}

/// What can be logged in with beside a password; the way back leads to the page that somebody wanted to see.
fn providers(visit: &Visit) -> Vec<(String, String)> {
    let providers = visit.app.logins().map(LoginProviders::providers).unwrap_or_default();
    let way = |provider: &LoginProvider| {
        let path = format!("/api/auth/oauth/{}/login", encoded(provider.name.as_str()));
        (Next::after(visit.next.as_ref(), &path), provider.title.clone())
    };
    providers.iter().map(way).collect()
}

/// What `?error=` says; only codes of ours have a sentence.
fn sentence_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "state_mismatch" => "The answer of the login provider belongs to no login that was begun in this browser. Try again.",
        "provider_denied" => "The login provider did not confirm who you are, or it was declined there.",
        "session_expired" => "The login at the provider has taken too long. Try again.",
        "exchange_failed" => "The login provider could not be asked. Try again in a moment.",
        "missing_credentials" | "unsupported" => "Signing in with this provider is not set up here.",
        "login_refused" => "This account cannot be used to sign in here. An administrator has to create your account first.",
        "auth_disabled" => "Signing in is switched off.",
        _ => return None,
    })
}

/// `GET /login/verify`.
pub(crate) async fn show_second_factor(_: Holder<Partial>, visit: Visit) -> Answer {
    let shown = SecondFactorPage {
        frame: Frame::bare(),
        wrong: Wrong::default(),
        by_recovery_code: false,
        next: visit.next,
    };
    page(StatusCode::OK, &shown)
}

/// `POST /login/verify`.
pub(crate) async fn send_second_factor(holder: Holder<Partial>, visit: Visit) -> Answer {
    let by_recovery_code = visit.form.filled("code").is_none() && visit.form.filled("recovery_code").is_some();
    let work = async {
        let code = read_code(&visit)?;
        let login = visit.actions().verify_second_factor(holder, code).await;
        login.map_err(|error| error.into_problem(visit.now()))
    };
    let problem = match visit.limited(work).await {
        Ok(login) => return Ok(logged_in(&visit, &login, visit.next.as_ref())),
        Err(problem) => problem,
    };
    if problem.code().name == "session_expired" {
        let mut response = see_other(&Next::after(visit.next.as_ref(), "/login"));
        Flash::LoginExpired.set(&mut response, visit.site());
        return Ok(response);
    }
    let wrong = match (problem.code().name, by_recovery_code) {
        ("invalid_code", true) => Wrong::with_field("recovery_code", "This recovery code is not right, or was used before."),
        ("invalid_code", false) => Wrong::with_field(
            "code",
            "This code is not right, or was used before. Enter the one that the app shows now.",
        ),
        _ => Wrong::refused(&problem, "code", &visit),
    };
    let shown = SecondFactorPage {
        frame: Frame::bare(),
        wrong,
        by_recovery_code,
        next: visit.next,
    };
    Ok(marked(page(status_of(&problem), &shown)?, &problem))
}

fn read_code(visit: &Visit) -> Result<SecondFactorCode, Problem> {
    let code = match (visit.form.filled("code"), visit.form.filled("recovery_code")) {
        (Some(code), _) => TotpCode::parse(code).map(SecondFactorCode::Totp).ok(),
        (None, Some(code)) => RecoveryCode::parse(code).map(SecondFactorCode::Recovery).ok(),
        (None, None) => None,
    };
    code.ok_or_else(|| Problem::new(code!(invalid_code), "a code has six digits; a recovery code is XXXX-XXXX-XXXX-XXXX"))
}

/// Where somebody goes who is signed in: to what has to be done first, to where they wanted to go, or to the start.
pub(super) fn logged_in(visit: &Visit, login: &Login, next: Option<&Next>) -> Response {
    let place = match login.obligation {
        Some(obligation) => place_of(obligation),
        None => next.map_or("/", Next::as_str),
    };
    let mut response = see_other(place);
    reply::set_session(&mut response, &login.issued, visit.now(), visit.site());
    reply::set_device(&mut response, &login.device, visit.site());
    response
}
