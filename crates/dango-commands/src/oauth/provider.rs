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

/// The callback address as it is registered at providers: where any port will do, none is named (RFC 8252 §7.3).
pub(super) fn redirect_uri(address: &CallbackUrl) -> String {
    address.as_str().replacen(":0/", "/", 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_any_port_is_registered_without_one() {
        let registered = |text| redirect_uri(&CallbackUrl::parse(text).expect("is one"));
        assert_eq!(registered(CallbackUrl::DEFAULT), "http://127.0.0.1:8080/callback");
        assert_eq!(registered("http://127.0.0.1:0/callback"), "http://127.0.0.1/callback");
        assert_eq!(registered("http://[::1]:0/"), "http://[::1]/");
    }
}
