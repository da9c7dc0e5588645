//! What a form without script sends (`application/x-www-form-urlencoded`, URL Standard §5): names and values, wiped afterwards.

use axum::http::{HeaderMap, header};
use zeroize::Zeroizing;

use crate::problem::{Problem, code};

/// The fields of a form.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Checks that a body calls itself a form.
    ///
    /// # Errors
    ///
    /// `unsupported_media_type`.
    pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
        let sent = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = sent.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(());
        }
        Err(Problem::new(code!(unsupported_media_type), "send the form as the page does"))
    }

    /// Reads the fields.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body);
        Self(
            fields
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    /// The value of a field that is filled in.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// The value of a field; nothing where it is not there, or there twice.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_count_once() {
        let form = Form::parse(b"email=a%40b.example&password=x+y%26z&twice=1&twice=2");
        assert_eq!(form.value("email"), Some("a@b.example"));
        assert_eq!(form.value("password"), Some("x y&z"));
        assert_eq!((form.value("twice"), form.value("nothing")), (None, None));
    }
}
