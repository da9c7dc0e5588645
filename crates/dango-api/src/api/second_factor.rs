//! One's own second factor: set up, confirmed, taken away, and its recovery codes.

use axum::http::StatusCode;
use dango_actions::Holder;
use dango_identity::{Full, RecoveryCode, RecoveryCodes, SecondFactorCode, TotpCode};

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::qr;
use crate::refusal::Refusal;
use crate::reply;
use crate::route::Due;
use crate::wire::{self, Secret};

/// `POST /api/auth/2fa/setup`.
pub(crate) async fn begin(due: Due, ask: Ask) -> Answer {
    let wire::PasswordOnly { password } = ask.parse()?;
    let password = password.into_password()?;
    let begun = match due {
        Due::Full(holder) => ask.actions().begin_enrolment(holder, password).await,
        Due::Restricted(holder) => ask.actions().begin_enrolment(holder, password).await,
    };
    let enrolment = begun.map_err(|error| error.into_problem(ask.now()))?;
    let uri = enrolment.uri.expose();
    let secret = enrolment.secret.expose_base32();
    let qr_svg = qr::svg(uri).ok_or_else(|| Problem::new(code!(internal), "the QR code cannot be drawn"))?;
    reply::json(
        StatusCode::OK,
        &wire::Enrolment {
            secret: secret.expose(),
            provisioning_uri: uri,
            qr_svg: &qr_svg,
        },
    )
}

/// `POST /api/auth/2fa/verify-setup`.
pub(crate) async fn finish(due: Due, ask: Ask) -> Answer {
    let wire::Code { code } = ask.parse()?;
    let code = TotpCode::parse(code.as_str()).map_err(|_| not_a_code())?;
    let enabled = match due {
        Due::Full(holder) => ask.actions().finish_enrolment(holder, code).await,
        Due::Restricted(holder) => ask.actions().finish_due_enrolment(holder, code).await,
    };
    let enabled = enabled.map_err(|error| error.into_problem(ask.now()))?;
    let mut response = reply::json(StatusCode::OK, &shown(&enabled.codes))?;
    reply::set_session(&mut response, &enabled.issued, ask.now(), ask.site());
    Ok(response)
}

/// `POST /api/auth/2fa/disable`.
pub(crate) async fn disable(holder: Holder<Full>, ask: Ask) -> Answer {
    let wire::PasswordAndOptionalCode { password, code } = ask.parse()?;
    let code = optional_code(code.as_ref())?;
    let password = password.into_password()?;
    let disabled = ask.actions().disable_second_factor(holder, password, code).await;
    disabled.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// `POST /api/auth/2fa/regenerate-recovery`.
pub(crate) async fn regenerate(holder: Holder<Full>, ask: Ask) -> Answer {
    let wire::PasswordAndCode { password, code } = ask.parse()?;
    let code = TotpCode::parse(code.as_str()).map_err(|_| not_a_code())?;
    let password = password.into_password()?;
    let codes = ask.actions().regenerate_recovery_codes(holder, password, code).await;
    let codes = codes.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &shown(&codes))
}

/// A code of the app, or a recovery code, if one was sent.
pub(super) fn optional_code(code: Option<&Secret>) -> Result<Option<SecondFactorCode>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let totp = TotpCode::parse(code.as_str()).map(SecondFactorCode::Totp);
    let found = totp.or_else(|_| RecoveryCode::parse(code.as_str()).map(SecondFactorCode::Recovery));
    found.map(Some).map_err(|_| not_a_code())
}

fn not_a_code() -> Problem {
    Problem::new(code!(invalid_code), "a code has six digits")
}

fn shown(codes: &RecoveryCodes) -> wire::RecoveryCodes {
    let codes = codes.codes().iter();
    wire::RecoveryCodes {
        recovery_codes: codes.map(|code| code.expose_text().expose().to_owned()).collect(),
    }
}
