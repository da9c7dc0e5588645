//! What an answer means: by the signs of its row, else by its status. Nothing of the answer is kept.

use dango_oauth::Answer;
use serde_json::Value;

use super::call::{Mark, Sign, UNEXPECTED};
use crate::outcome::{Outcome, Refusal, Trouble};

/// What an answer means.
pub(super) fn verdict(answer: &Answer, signs: &[Sign]) -> Outcome {
    let body = std::str::from_utf8(&answer.body).unwrap_or_default();
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let fits = |sign: &&Sign| (sign.status == 0 || sign.status == answer.status) && stands(sign.mark, body, parsed.as_ref());
    match signs.iter().find(fits) {
        Some(sign) => sign.meaning,
        // A page that says "welcome" is no API: a network's login page answers so, whatever it is asked.
        None if answer.is_success() && !parsed.is_some_and(|value| value.is_object()) => UNEXPECTED,
        None => usual(answer.status),
    }
}

/// What a status means everywhere (RFC 9110 §15).
const fn usual(status: u16) -> Outcome {
    match status {
        200..=299 => Outcome::Accepted,
        401 => Outcome::Refused(Refusal::WrongCredential),
        403 => Outcome::Refused(Refusal::MissingPermission),
        429 => Outcome::Unreachable(Trouble::TooManyRequests),
        500..=599 => Outcome::Unreachable(Trouble::ServerError),
        _ => UNEXPECTED,
    }
}

fn stands(mark: Mark, body: &str, parsed: Option<&Value>) -> bool {
    match mark {
        Mark::Anything => true,
        Mark::Text(text) => body.contains(text),
        Mark::Within(place, expected) => {
            let found = parsed.and_then(|value| value.pointer(place)).and_then(Value::as_str);
            found.is_some_and(|found| found.contains(expected))
        }
        Mark::Missing(place) => parsed.is_some_and(|value| value.pointer(place).is_none_or(Value::is_null)),
        Mark::Json(place, expected) => {
            let found = parsed.and_then(|value| value.pointer(place));
            let found = match found {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => return false,
            };
            match expected.strip_suffix('*') {
                Some(beginning) => found.starts_with(beginning),
                None => found == expected,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{EXPIRED, FORBIDDEN, json, on, within};
    use super::*;

    fn of(status: u16, body: &str, signs: &[Sign]) -> Outcome {
        let answer = Answer {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec().into(),
        };
        verdict(&answer, signs)
    }

    #[test]
    fn the_first_sign_that_fits_counts_and_else_the_status() {
        let signs = [
            json(401, "/error/code", "old*", EXPIRED),
            within(403, "/error/message", "lacks a scope", Outcome::Accepted),
            on(404, FORBIDDEN),
        ];
        assert_eq!(of(401, r#"{"error":{"code":"old_key"}}"#, &signs), EXPIRED);
        assert_eq!(of(401, r#"{"error":{"code":"new"}}"#, &signs), Refusal::WrongCredential.into());
        let scope = r#"{"error":{"message":"the key lacks a scope"}}"#;
        assert_eq!(of(403, scope, &signs), Outcome::Accepted);
        assert_eq!(of(404, "not JSON", &signs), FORBIDDEN);
        // Whoever stands in between forbids, too, and knows no key: only the provider's own words say that it knows this one.
        for bare in [
            "",
            "the key lacks a scope",
            r#"{"message":"the key lacks a scope"}"#,
            r#"{"error":"lacks a scope"}"#,
        ] {
            assert_eq!(of(403, bare, &signs), Refusal::MissingPermission.into(), "{bare}");
        }
        for (status, expected) in [
            (200, Trouble::Unexpected.into()),
            (403, Refusal::MissingPermission.into()),
            (404, Trouble::Unexpected.into()),
            (418, Trouble::Unexpected.into()),
            (429, Trouble::TooManyRequests.into()),
            (503, Trouble::ServerError.into()),
        ] {
            assert_eq!(of(status, "\u{0}garbage", &[]), expected, "{status}");
        }
        assert_eq!(of(200, "{}", &[]), Outcome::Accepted);
    }
}
