//! How many requests a sender has left: by API key, or by address where no credential counts; and the fields that tell of every limit.

use std::net::IpAddr;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use dango_identity::ApiKeyId;

use crate::app::{App, Charged};
use crate::limiter::Standing;
use crate::problem::{Problem, code};
use crate::rate;

/// A limit by its name, and where a sender stands at it.
pub(super) struct Allowance {
    policy: &'static str,
    standing: Standing,
    window: u64,
}

impl Allowance {
    /// Of failed proofs.
    pub(super) fn of_failures(app: &App, address: Option<IpAddr>) -> Self {
        let failures = app.failures();
        Self {
            policy: "failures",
            standing: failures.standing(address, app.clock().now()),
            window: failures.window().as_secs(),
        }
    }

    /// Counts a request with an API key.
    pub(super) fn charge_key(app: &App, key: ApiKeyId) -> (Option<Self>, Result<(), Problem>) {
        let sentence = "too many requests with this API key; try again later";
        Self::charged("key", app.charge_key(key), sentence)
    }

    /// Counts a request without a credential that counts.
    pub(super) fn charge_stranger(app: &App, address: Option<IpAddr>) -> (Option<Self>, Result<(), Problem>) {
        let sentence = "too many requests without a valid login or API key from this address; try again later";
        Self::charged("anonymous", app.charge_stranger(address), sentence)
    }

    fn charged(policy: &'static str, charged: Charged, sentence: &'static str) -> (Option<Self>, Result<(), Problem>) {
        let (standing, outcome) = match charged {
            Ok(standing) => (standing, Ok(())),
            Err(standing) => {
                let problem = Problem::new(code!(rate_limited), sentence).retry_after(standing.reset);
                (Some(standing), Err(problem))
            }
        };
        let allowance = standing.map(|standing| Self {
            policy,
            standing,
            window: rate::WINDOW.as_secs(),
        });
        (allowance, outcome)
    }

    /// Adds the fields that say what is left (draft-ietf-httpapi-ratelimit-headers-10). Each limit has a line of its own.
    pub(super) fn describe(&self, response: &mut Response) {
        const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
        const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
        let Self { policy, standing, window } = self;
        let left = standing.reset.as_secs() + u64::from(standing.reset.subsec_nanos() > 0);
        let about = format!("\"{policy}\";q={};w={window}", standing.quota);
        let limit = format!("\"{policy}\";r={};t={left}", standing.remaining);
        for (name, text) in [(POLICY, about), (LIMIT, limit)] {
            let value = HeaderValue::try_from(text).expect("words and numbers are plain ASCII");
            response.headers_mut().append(name, value);
        }
    }
}

/// Counts a request for what there is not; the answer where too many have come from the address.
pub(crate) fn refuse_stranger(app: &App, address: Option<IpAddr>) -> Option<Response> {
    let (allowance, charged) = Allowance::charge_stranger(app, address);
    let mut response = charged.err()?.into_response();
    if let Some(allowance) = allowance {
        allowance.describe(&mut response);
    }
    Some(response)
}
