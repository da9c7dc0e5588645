//! The query string: names and values, decoded. Credentials are refused in it, because addresses end up in logs and histories.

use percent_encoding::percent_decode_str;

use crate::problem::{Problem, code};
use crate::route::Parameter;

/// Names that would carry a credential.
const SECRET: [&str; 4] = ["token", "api_key", "access_token", "key"];

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    ///
    /// `secret_in_url`; `malformed_request` for what is no UTF-8.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self::default()) };
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                return Err(Problem::new(
                    code!(secret_in_url),
                    "a credential in an address ends up in logs; send it in the `Authorization` header",
                ));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    ///
    /// # Errors
    ///
    /// `invalid_parameter` for one that stands twice.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut found = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Problem::new(
                code!(invalid_parameter),
                format!("the parameter `{name}` stands twice"),
            )),
            (value, None) => Ok(value),
        }
    }

    /// Refuses parameters that an operation does not know: a filter that is misspelt would show too much.
    ///
    /// # Errors
    ///
    /// `invalid_parameter`.
    pub(crate) fn check_names(&self, known: &[Parameter]) -> Result<(), Problem> {
        let is_known = |name: &str| known.iter().any(|parameter| parameter.name == name);
        if self.0.iter().all(|(name, _)| is_known(name)) {
            return Ok(());
        }
        let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(Problem::new(
            code!(invalid_parameter),
            format!("there is no such parameter; known here: {known}"),
        ))
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Problem::new(code!(malformed_request), "the query string is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn a_credential_is_refused_however_its_name_is_written() {
        for text in ["token=x", "a=b&api_key=x", "access_token=", "key", "%74oken=x", "TOKEN=x", "Key=1"] {
            assert_eq!(
                Query::parse(Some(text)).map(|_| ()).map_err(|problem| problem.code().name),
                Err("secret_in_url"),
                "{text}"
            );
        }
        assert!(Query::parse(Some("tokens=x&keys=1")).is_ok());
    }

    #[test]
    fn values_are_decoded_and_stand_once() {
        let query = Query::parse(Some("actor=a%40b.example&type=a+b&x=1&x=2")).expect("fine");
        assert_eq!(query.value("actor").ok(), Some(Some("a@b.example")));
        assert_eq!(query.value("type").ok(), Some(Some("a b")));
        assert_eq!(query.value("nothing").ok(), Some(None));
        assert!(query.value("x").is_err());
        let known = ["actor", "type", "x"].map(|name| Parameter::new(name, "", Schema::text));
        assert!(query.check_names(&known).is_ok());
        assert!(query.check_names(&known[..2]).is_err());
        assert!(Query::parse(Some("a=%ff")).is_err());
    }
}
