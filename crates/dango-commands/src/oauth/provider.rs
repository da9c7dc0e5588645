//! How the command line is reached by a browser: the callback address, and how long it is waited for.

use std::time::Duration;

use dango_oauth::CallbackUrl;

use crate::failure::Failure;
use crate::output::Output;

const CALLBACK_URL: &str = "DANGO_OAUTH_CALLBACK_URL";
const TIMEOUT: &str = "DANGO_OAUTH_TIMEOUT";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
const LONGEST_TIMEOUT: u64 = 86_400;

/// Where the browser brings the answer.
pub(super) fn callback_url(output: &Output<'_>) -> Result<CallbackUrl, Failure> {
    let text = output.host.variable(CALLBACK_URL).filter(|text| !text.is_empty());
    CallbackUrl::parse(text.unwrap_or(CallbackUrl::DEFAULT))
        .map_err(|error| Failure::refused(format!("{CALLBACK_URL}: {error}")).with_code(error.code()))
}

/// For how long an answer is waited for.
pub(super) fn timeout(output: &Output<'_>) -> Result<Duration, Failure> {
    let Some(text) = output.host.variable(TIMEOUT).filter(|text| !text.is_empty()) else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let seconds = text.trim().parse().ok().filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::refused(format!("{TIMEOUT} is no number of seconds from 1 to {LONGEST_TIMEOUT}")))
}
