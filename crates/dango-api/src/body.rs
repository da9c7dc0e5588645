//! Bodies of requests: JSON read strictly. An error says what was expected and where, and never what was sent.

use std::collections::HashSet;
use std::fmt;

use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::problem::{Problem, code};

/// The deepest nesting that is read. No request needs more than two levels.
const DEPTH: usize = 16;

/// Checks that a body calls itself JSON.
///
/// # Errors
///
/// `unsupported_media_type`.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().unwrap_or_default(),
        _ => "",
    };
    let (essence, parameters) = only.split_once(';').unwrap_or((only, ""));
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    let is_utf8 = parameters.split(';').all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(Problem::new(
        code!(unsupported_media_type),
        "send the body as JSON in UTF-8, with `Content-Type: application/json`",
    ))
}

/// Reads a body into what a request takes.
///
/// # Errors
///
/// `malformed_json` for what is no JSON, has a member twice or is nested too deep; `invalid_body` for any other JSON than the object
/// that is described.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let malformed = |line: usize, column: usize, what: &str| {
        let place = format!("line {line}, column {column}: {what}");
        Problem::new(code!(malformed_json), format!("the body is not JSON that can be read: {place}"))
    };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let checked = Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|kind| reader.end().map(|()| kind));
    let kind = checked.map_err(|error| {
        let what = match error.classify() {
            Category::Eof => "it ends too early",
            Category::Data => "a member stands twice, or it is nested too deep",
            Category::Syntax | Category::Io => "it is malformed",
        };
        malformed(error.line(), error.column(), what)
    })?;
    if kind != Kind::Object {
        return Err(Problem::new(code!(invalid_body), "the body has to be a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| Problem::new(code!(invalid_body), described(&error)))
}

/// What was expected instead, without a word of what was sent: the texts of the reader repeat it, but for these parts.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field `") {
        let name = text.split('`').nth(1).unwrap_or_default();
        return format!("the member `{name}` is missing");
    }
    let expected = text.rsplit_once("expected ").map(|(_, expected)| expected);
    let expected = expected.map(|expected| expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected));
    let place = format!("line {}, column {}", error.line(), error.column());
    match expected {
        Some(expected) if text.starts_with("unknown field") => format!("{place}: there is no such member; there is {expected}"),
        Some(expected) => format!("{place}: a member has the wrong type; expected {expected}"),
        None => format!("{place}: a member has a value that it cannot have"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Other,
}

/// Walks through a document, keeps nothing, and refuses members that stand twice (RFC 8259 §4 leaves their meaning open).
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Kind, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("a member stands twice"));
            }
            members.next_value_seed(self.deeper()?)?;
        }
        Ok(Kind::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Kind, A::Error> {
        while elements.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(Kind::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Login {
        email: String,
        #[serde(default)]
        tries: Option<u32>,
    }

    fn refused(body: &str) -> (u16, String) {
        let problem = parse::<Login>(body.as_bytes())
            .map(|login| (login.email, login.tries))
            .expect_err(body);
        let detail = format!("{problem:?}");
        (problem.code().status, detail)
    }

    #[test]
    fn what_is_no_json_is_malformed_and_what_is_another_json_is_invalid() {
        let deep = "[".repeat(200);
        for body in [
            "",
            "{",
            "nonsense",
            "{\"email\":\"a\",\"email\":\"b\"}",
            "{\"email\":\"a\"} x",
            "{\"email\":\"\\ud800\"}",
            "\u{feff}{}",
            &deep,
            "{\"a\":{\"b\":1,\"b\":2}}",
            "{'email':1}",
            "{\"email\":NaN}",
        ] {
            assert_eq!(refused(body).0, 400, "{body}");
        }
        for body in [
            "[]",
            "null",
            "7",
            "\"text\"",
            "{}",
            "{\"email\":7}",
            "{\"email\":null}",
            "{\"email\":\"a\",\"role\":\"admin\"}",
            "{\"email\":\"a\",\"tries\":-1}",
            "{\"email\":\"a\",\"tries\":1.5}",
            "{\"email\":\"a\",\"tries\":99999999999}",
            "[\"a\",1]",
        ] {
            assert_eq!(refused(body).0, 422, "{body}");
        }
        assert!(parse::<Login>(b" {\"email\":\"a\"}\n").is_ok());
    }

    #[test]
    fn no_error_repeats_what_was_sent() {
        for body in [
            "{\"email\":\"a\",\"hunter2\":1}",
            "{\"email\":{\"hunter2\":1}}",
            "{\"email\":\"a\",\"tries\":\"hunter2\"}",
            "{\"email\":\"hunter2 expected hunter2\",\"tries\":\"hunter2 expected hunter2\"}",
            "{\"email\":\"hunter2\",\"email\":1}",
            "{\"missing field `hunter2`\":1}",
            "hunter2",
        ] {
            let (_, detail) = refused(body);
            assert!(!detail.contains("hunter2"), "{detail}");
        }
        assert!(refused("{}").1.contains("`email` is missing"));
        assert!(refused("{\"email\":\"a\",\"x\":1}").1.contains("`email` or `tries`"));
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        let checked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().expect("a header"));
            check_media_type(&headers).is_ok()
        };
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(checked(good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/jsonp",
            "",
            "text/json",
        ] {
            assert!(!checked(bad), "{bad}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_err());
    }
}
