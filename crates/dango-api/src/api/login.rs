//! Logging in, in one step or two, and out.

use axum::http::StatusCode;
use dango_actions::{Holder, LogInStep, Login, SignedIn};
use dango_identity::{Obligation, Partial, RecoveryCode, SecondFactorCode, TotpCode};
use serde::Serialize;

use super::Answer;
use crate::ask::Ask;
use crate::credential::{self, Credential};
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire::{self, LogInAnswer, LoggedIn, SecondFactorDue, Verified};

/// `POST /api/auth/login`.
pub(crate) async fn log_in(ask: Ask) -> Answer {
    let wire::LogIn { email, password } = ask.parse()?;
    let password = password.into_password()?;
    let device = credential::device(&ask.headers, ask.site());
    let earlier = Credential::of(&ask.headers, ask.site()).into_session();
    let step = ask.actions().log_in(&ask.anonymous(), &email, password, device, earlier).await;
    match step.map_err(|error| error.into_problem(ask.now()))? {
        LogInStep::SecondFactor(issued) => {
            let mut response = reply::json(
                StatusCode::OK,
                &LogInAnswer::SecondFactorDue(SecondFactorDue { requires_2fa: true }),
            )?;
            reply::set_session(&mut response, &issued, ask.now(), ask.site());
            Ok(response)
        }
        LogInStep::Done(login) => {
            let must_enrol = login.obligation == Some(Obligation::Enrolment);
            let answer = LoggedIn {
                user: wire::User::from(&login.user),
                must_change_password: login.user.user.must_change_password,
                requires_2fa_setup: must_enrol,
            };
            logged_in(&ask, &login, &LogInAnswer::Done(Box::new(answer)))
        }
    }
}

/// `POST /api/auth/2fa/verify`.
pub(crate) async fn verify_second_factor(holder: Holder<Partial>, ask: Ask) -> Answer {
    let code = match ask.parse()? {
        wire::SecondFactor {
            code: Some(code),
            recovery_code: None,
        } => TotpCode::parse(code.as_str()).map(SecondFactorCode::Totp).ok(),
        wire::SecondFactor {
            code: None,
            recovery_code: Some(code),
        } => RecoveryCode::parse(code.as_str()).map(SecondFactorCode::Recovery).ok(),
        _ => return Err(Problem::new(code!(invalid_body), "send either `code` or `recovery_code`")),
    };
    let Some(code) = code else {
        return Err(Problem::new(
            code!(invalid_code),
            "a code has six digits; a recovery code is XXXX-XXXX-XXXX-XXXX",
        ));
    };
    let login = ask.actions().verify_second_factor(holder, code).await;
    let login = login.map_err(|error| error.into_problem(ask.now()))?;
    let answer = Verified {
        user: wire::User::from(&login.user),
        must_change_password: login.user.user.must_change_password,
        recovery_codes_remaining: login.recovery_codes_left.unwrap_or(0),
    };
    logged_in(&ask, &login, &answer)
}

/// `POST /api/auth/logout`.
pub(crate) async fn log_out(signed_in: SignedIn, ask: Ask) -> Answer {
    ask.actions()
        .log_out(signed_in)
        .await
        .map_err(|fault| fault.into_problem(ask.now()))?;
    let mut response = reply::success()?;
    reply::clear_session(&mut response, ask.site());
    Ok(response)
}

fn logged_in(ask: &Ask, login: &Login, answer: &impl Serialize) -> Answer {
    let mut response = reply::json(StatusCode::OK, answer)?;
    reply::set_session(&mut response, &login.issued, ask.now(), ask.site());
    reply::set_device(&mut response, &login.device, ask.site());
    Ok(response)
}
