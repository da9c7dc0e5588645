//! The shape of a row: what is asked for one type and one way to sign in, and what answers mean. The rows are beside.

use dango_oauth::Method;

use crate::outcome::{Outcome, Refusal, Trouble};

/// The cheapest authenticated call of a type.
#[derive(Debug)]
pub(crate) struct Call {
    /// The type of the catalogue.
    pub(crate) source_type: &'static str,
    /// The way to sign in, where the type has several.
    pub(crate) way: Option<&'static str>,
    pub(crate) method: Method,
    pub(crate) origin: Origin,
    /// Path and query; `{field}` stands for a value, percent-encoded. No secret is in it.
    pub(crate) path: &'static str,
    pub(crate) proof: Proof,
    /// Headers that are the same for everybody.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// What answers mean where it is not what their status usually means; the first that fits counts.
    pub(crate) signs: &'static [Sign],
    /// The page that documents it.
    pub(crate) document: &'static str,
}

/// Where the call goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// The same for everybody.
    Fixed(&'static str),
    /// An account's own host of the provider's: what stands in the field, and this behind it.
    Account { field: &'static str, suffix: &'static str },
    /// A server of the user's own choice, whose address or host stands in the field.
    Own { field: &'static str },
}

/// How the call proves who asks. Texts with `{field}` are filled with values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    Bearer(&'static str),
    /// A header of the provider's own.
    Header(&'static str, &'static str),
    /// `Authorization: Basic` (RFC 7617).
    Basic { name: &'static str, password: &'static str },
    /// A form in the body.
    Form(&'static [(&'static str, &'static str)]),
    /// A JSON object in the body.
    Json(&'static [(&'static str, &'static str)]),
    /// XML in the body; values are escaped.
    Xml(&'static str),
    /// AWS Signature Version 4, with an empty body for a GET and `body` for a POST.
    Aws { service: &'static str, body: &'static str },
    /// Azure Storage's Shared Key.
    AzureSharedKey,
    /// A service account's signed assertion, exchanged for a token (RFC 7523 §2.1).
    GoogleAssertion { scope: &'static str },
}

/// What tells one answer from others of its status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sign {
    /// The status; 0 for any.
    pub(crate) status: u16,
    pub(crate) mark: Mark,
    pub(crate) meaning: Outcome,
}

/// What stands in an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// Whatever it says.
    Anything,
    /// This text at a place of the JSON body (RFC 6901), or as the beginning of it where it ends in `*`.
    Json(&'static str, &'static str),
    /// This text anywhere in a text at a place of the JSON body.
    Within(&'static str, &'static str),
    /// `null` or nothing at a place of a JSON body.
    Missing(&'static str),
    /// This text, anywhere.
    Text(&'static str),
}

pub(crate) const WRONG: Outcome = Outcome::Refused(Refusal::WrongCredential);
pub(crate) const EXPIRED: Outcome = Outcome::Refused(Refusal::Expired);
pub(crate) const FORBIDDEN: Outcome = Outcome::Refused(Refusal::MissingPermission);
pub(crate) const UNKNOWN_ACCOUNT: Outcome = Outcome::Refused(Refusal::NotFound);
pub(crate) const LATER: Outcome = Outcome::Unreachable(Trouble::TooManyRequests);
pub(crate) const TROUBLE: Outcome = Outcome::Unreachable(Trouble::ServerError);
pub(crate) const UNEXPECTED: Outcome = Outcome::Unreachable(Trouble::Unexpected);

/// Any answer of a status.
pub(crate) const fn on(status: u16, meaning: Outcome) -> Sign {
    Sign {
        status,
        mark: Mark::Anything,
        meaning,
    }
}

/// An answer of a status with a text at a place of its JSON.
pub(crate) const fn json(status: u16, place: &'static str, text: &'static str, meaning: Outcome) -> Sign {
    Sign {
        status,
        mark: Mark::Json(place, text),
        meaning,
    }
}

/// An answer of a status with a text within one at a place of its JSON.
pub(crate) const fn within(status: u16, place: &'static str, text: &'static str, meaning: Outcome) -> Sign {
    Sign {
        status,
        mark: Mark::Within(place, text),
        meaning,
    }
}

/// An answer of a status with a text anywhere.
pub(crate) const fn text(status: u16, text: &'static str, meaning: Outcome) -> Sign {
    Sign {
        status,
        mark: Mark::Text(text),
        meaning,
    }
}
