//! The provider's answer as the browser brings it: the query of the redirection, read exactly.

use std::fmt;

use dango_core::SecretValue;
use zeroize::Zeroizing;

use crate::answer::ErrorName;

/// The longest query that is read, in bytes.
pub const LONGEST_QUERY: usize = 8 * 1024;

const LONGEST_DESCRIPTION: usize = 200;

/// The answer to an authorization request (RFC 6749 §4.1.2).
pub struct CallbackAnswer {
    pub(super) state: SecretValue,
    pub(super) issuer: Option<String>,
    pub(super) outcome: CallbackOutcome,
}

/// What the provider decided.
pub(super) enum CallbackOutcome {
    /// A code to redeem.
    Code(SecretValue),
    /// An error.
    Denied(Denial),
}

/// An error that came with the redirection (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The error's name.
    pub error: ErrorName,
    /// What the provider says about it.
    pub description: Option<ForeignText>,
}

/// Text that somebody else wrote: one line, no control characters, at most 200 characters.
///
/// It is text for people, never markup: whoever puts it into HTML escapes it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignText(String);

impl ForeignText {
    /// Takes over what can be shown.
    pub fn parse(text: &str) -> Option<Self> {
        // Beside control characters, those that turn the direction of what follows or cannot be seen.
        let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}');
        let clean: String = text
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| !c.is_control() && !hidden(*c))
            .take(LONGEST_DESCRIPTION)
            .collect();
        let clean = clean.trim();
        (!clean.is_empty()).then(|| Self(clean.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a query is no answer. Nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// More than [`LONGEST_QUERY`] bytes.
    #[error("the answer is too long")]
    TooLong,
    /// A parameter that is there twice (RFC 6749 §3.1).
    #[error("the answer has `{0}` twice")]
    Twice(&'static str),
    /// No `state`.
    #[error("the answer has no `state`")]
    NoState,
    /// Neither a code nor an error.
    #[error("the answer has neither `code` nor `error`")]
    NoOutcome,
    /// A code and an error.
    #[error("the answer has both `code` and `error`")]
    TwoOutcomes,
    /// A character that no code has (RFC 6749, appendix A.11).
    #[error("the answer's `code` has a character that codes do not have")]
    Code,
}

impl CallbackError {
    /// The stable name of the error.
    pub const fn code(self) -> &'static str {
        "oauth_answer_malformed"
    }
}

const PARAMETERS: [&str; 5] = ["code", "state", "error", "error_description", "iss"];

impl CallbackAnswer {
    /// Reads the query of a redirection, without the `?`. Parameters that are not known are passed over (RFC 6749 §4.1.2).
    ///
    /// # Errors
    ///
    /// [`CallbackError`] where it is no answer.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        if query.len() > LONGEST_QUERY {
            return Err(CallbackError::TooLong);
        }
        let mut values: [Option<Zeroizing<String>>; 5] = Default::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(index) = PARAMETERS.iter().position(|known| *known == name) else {
                continue;
            };
            if values[index].is_some() {
                return Err(CallbackError::Twice(PARAMETERS[index]));
            }
            values[index] = Some(Zeroizing::new(value.into_owned()));
        }
        let [code, state, error, description, issuer] = values.map(|value| value.filter(|text| !text.is_empty()));
        let state = state.ok_or(CallbackError::NoState)?;
        let outcome = match (code, error) {
            (Some(code), None) => {
                let visible = code.bytes().all(|byte| (0x20..0x7f).contains(&byte));
                let code = SecretValue::new(code.to_string()).ok().filter(|_| visible);
                CallbackOutcome::Code(code.ok_or(CallbackError::Code)?)
            }
            (None, Some(error)) => CallbackOutcome::Denied(Denial {
                error: ErrorName::parse(&error),
                description: description.and_then(|text| ForeignText::parse(&text)),
            }),
            (None, None) => return Err(CallbackError::NoOutcome),
            (Some(_), Some(_)) => return Err(CallbackError::TwoOutcomes),
        };
        Ok(Self {
            state: SecretValue::new(state.to_string()).map_err(|_| CallbackError::NoState)?,
            issuer: issuer.map(|text| text.to_string()),
            outcome,
        })
    }

    /// Reads what somebody copied out of a browser's address bar: the whole address, or its query alone.
    ///
    /// # Errors
    ///
    /// As [`CallbackAnswer::parse`].
    pub fn parse_pasted(text: &str) -> Result<Self, CallbackError> {
        let text = text.trim().trim_matches(['"', '\'', '<', '>']);
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        Self::parse(query.split('#').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(query: &str) -> CallbackError {
        CallbackAnswer::parse(query).err().expect("refused")
    }

    #[test]
    fn a_code_comes_with_its_state() {
        let answer =
            CallbackAnswer::parse("code=4%2F0Ab&state=xyz&scope=email+openid&iss=https%3A%2F%2Faccounts.google.com").expect("an answer");
        assert_eq!(answer.state.expose(), "xyz");
        assert_eq!(answer.issuer.as_deref(), Some("https://accounts.google.com"));
        assert!(matches!(answer.outcome, CallbackOutcome::Code(code) if code.expose() == "4/0Ab"));
    }

    #[test]
    fn a_parameter_is_there_once_or_not_at_all() {
        for name in PARAMETERS {
            let query = format!("{name}=a&x=1&{name}=a");
            assert_eq!(refused(&query), CallbackError::Twice(name));
        }
        assert_eq!(refused("code=a&%63ode=b&state=s"), CallbackError::Twice("code"));
        assert_eq!(refused("code=a"), CallbackError::NoState);
        assert_eq!(refused("code=a&state="), CallbackError::NoState);
        assert_eq!(refused("state=s"), CallbackError::NoOutcome);
        assert_eq!(refused("state=s&code=a&error=b"), CallbackError::TwoOutcomes);
        assert_eq!(refused("state=s&code=a%0d%0ab"), CallbackError::Code);
        assert_eq!(refused(&"a".repeat(LONGEST_QUERY + 1)), CallbackError::TooLong);
    }

    #[test]
    fn what_a_provider_says_is_text_of_one_short_line() {
        let query = format!(
            "state=s&error=access_denied&error_description=%3Cscript%3E%1b[31m%0d%0aA%E2%80%AEb{}",
            "x".repeat(500)
        );
        let answer = CallbackAnswer::parse(&query).expect("an answer");
        let CallbackOutcome::Denied(denial) = answer.outcome else {
            panic!("a denial")
        };
        assert_eq!(denial.error.as_str(), "access_denied");
        let shown = denial.description.expect("a description").to_string();
        assert!(shown.starts_with("<script>[31m  Abxxx"), "{shown}");
        assert_eq!(shown.chars().count(), LONGEST_DESCRIPTION);
        let answer = CallbackAnswer::parse("state=s&error=ya29.A0canary").expect("an answer");
        assert!(matches!(answer.outcome, CallbackOutcome::Denied(denial) if denial.error.as_str() == "unrecognised_error"));
    }

    #[test]
    fn a_pasted_answer_may_be_the_whole_address_or_its_query() {
        for pasted in [
            "http://127.0.0.1:8080/callback?code=a&state=s",
            "  code=a&state=s \n",
            "?code=a&state=s#_=_",
            "<http://localhost/callback?state=s&code=a>",
        ] {
            let answer = CallbackAnswer::parse_pasted(pasted).unwrap_or_else(|error| panic!("{pasted}: {error}"));
            assert_eq!(answer.state.expose(), "s");
            assert!(matches!(answer.outcome, CallbackOutcome::Code(code) if code.expose() == "a"));
        }
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "(\\PC|[%&=#?]){0,200}") {
            let _ = CallbackAnswer::parse(&query);
            let _ = CallbackAnswer::parse_pasted(&query);
        }

        #[test]
        fn what_was_sent_is_what_is_read(code in "[ -~]{1,80}", state in "[ -~]{1,80}", other in "[a-z]{1,8}") {
            prop_assume!(!PARAMETERS.contains(&other.as_str()));
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("code", &code).append_pair(&other, "x").append_pair("state", &state).append_pair(&other, "y").finish();
            let answer = CallbackAnswer::parse(&query).expect("an answer");
            prop_assert_eq!(answer.state.expose(), state);
            let CallbackOutcome::Code(read) = answer.outcome else { panic!("a code") };
            prop_assert_eq!(read.expose(), code);
        }
    }
}
