//! What is encrypted of a `.env` value: what stands behind its `=`, or the value itself where nothing can stand there for it.

use dango_core::{SecretValue, VariableName};
use dango_secrets::References;
use dango_secrets::dotenv::EnvDocument;
use zeroize::Zeroizing;

/// Marks a plain text that is the value itself; no spelling begins with it.
const LITERAL: &str = "\n";

/// Any key will do to read a spelling by itself.
const KEY: &str = "V";

/// The plain text of an encrypted `.env` value. There is no `Debug`: it is a secret.
pub(crate) enum EnvPlain {
    /// What stands in the file, the comment behind the value with the blanks before it included.
    Spelled {
        /// All of it.
        text: Zeroizing<String>,
        /// The value that python-dotenv reads.
        value: SecretValue,
    },
    /// A value that no spelling holds.
    Literal(SecretValue),
}

impl EnvPlain {
    /// Reads the plain text of an envelope.
    pub(crate) fn parse(plain: &SecretValue) -> Option<Self> {
        match plain.expose().strip_prefix(LITERAL) {
            Some(value) => SecretValue::new(value.to_owned()).ok().map(Self::Literal),
            None => Self::parse_spelling(plain.expose()),
        }
    }

    /// Takes what stands behind a `=`, a comment behind it included; `None` for what is more than one value.
    pub(crate) fn parse_spelling(text: &str) -> Option<Self> {
        let line = Zeroizing::new(format!("{KEY}={text}"));
        let document = EnvDocument::parse(line.as_bytes()).ok()?;
        let spelled = document.spelled();
        let [only] = spelled.as_slice() else { return None };
        let (spelling, value) = (only.spelling?, only.binding.expose()?);
        let is_whole = document.problems().next().is_none() && [spelling, only.comment].concat() == text;
        if !is_whole || only.binding.key() != KEY {
            return None;
        }
        Some(Self::Spelled {
            text: Zeroizing::new(text.to_owned()),
            value: SecretValue::new(value.to_owned()).ok()?,
        })
    }

    /// Finds the plainest spelling of a value, or none.
    pub(crate) fn of_value(value: &SecretValue) -> Self {
        let name: Option<VariableName> = KEY.parse().ok();
        let written = name.and_then(|name| EnvDocument::default().set(&name, value, References::Literal).ok());
        let spelled = written.and_then(|(document, _)| {
            let spelling = document.spelled().first().and_then(|only| only.spelling.map(str::to_owned));
            spelling.and_then(|spelling| Self::parse_spelling(&Zeroizing::new(spelling)))
        });
        spelled.unwrap_or_else(|| Self::Literal(value.clone()))
    }

    /// What is sealed.
    pub(crate) fn to_secret(&self) -> Option<SecretValue> {
        match self {
            Self::Spelled { text, .. } => SecretValue::new(text.as_str().to_owned()).ok(),
            Self::Literal(value) => SecretValue::new([LITERAL, value.expose()].concat()).ok(),
        }
    }

    /// The value.
    pub(crate) fn value(&self) -> SecretValue {
        match self {
            Self::Spelled { value, .. } | Self::Literal(value) => value.clone(),
        }
    }

    /// Whether a value in a file would refer to variables; a value that was encrypted never does.
    pub(crate) fn has_reference(&self) -> bool {
        let Self::Spelled { text, .. } = self else { return false };
        let line = Zeroizing::new(format!("{KEY}={}", text.as_str()));
        EnvDocument::parse(line.as_bytes()).is_ok_and(|document| document.has_reference(KEY))
    }

    /// What stands in a file for it.
    pub(crate) fn spelling(&self) -> Option<&str> {
        match self {
            Self::Spelled { text, .. } => Some(text),
            Self::Literal(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_and_values_without_one_come_back() {
        let secret = |text: &str| SecretValue::new(text.to_owned()).expect("no NUL");
        for (spelling, value) in [
            ("'a b'  # c", "a b"),
            ("", ""),
            (" # empty", ""),
            ("bare", "bare"),
            ("\"x\r\ny\"", "x\ny"),
        ] {
            let plain = EnvPlain::parse_spelling(spelling).expect("one value");
            assert_eq!(plain.value().expose(), value);
            let again = EnvPlain::parse(&plain.to_secret().expect("no NUL")).expect("reads back");
            assert_eq!(again.spelling(), Some(spelling));
        }
        for value in ["${X}", "'\"`#\\ \n", "\n", "plain", "${X}\nY=1"] {
            let plain = EnvPlain::of_value(&secret(value));
            let again = EnvPlain::parse(&plain.to_secret().expect("no NUL")).expect("reads back");
            assert_eq!(again.value().expose(), value);
            assert_eq!(again.spelling().is_some(), value == "plain" || value == "\n", "{value:?}");
        }
        for bad in ["a\nB=1", "'a", "a\n", "'a' b"] {
            assert!(EnvPlain::parse_spelling(bad).is_none(), "{bad:?}");
        }
    }
}
