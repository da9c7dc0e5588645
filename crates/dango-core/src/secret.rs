//! Secret text: held zeroized, looked into only where it is spelled `expose`.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

/// A secret: UTF-8 text without the character NUL, erased from memory when dropped.
///
/// It has no `Debug`, `Display`, `Serialize` or `PartialEq`, so it reaches no log and no error by
/// accident.
///
/// ```compile_fail
/// let secret = dango_core::SecretValue::new("sk_live".to_owned()).unwrap();
/// println!("{secret:?}");
/// ```
#[derive(Clone)]
pub struct SecretValue(SecretString);

impl SecretValue {
    /// Takes over a text as a secret.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`] where the text holds a NUL: no environment, shell or `.env` reader can carry one.
    pub fn new(text: String) -> Result<Self, InvalidSecret> {
        Self::from_utf8(text.into_bytes())
    }

    /// Takes over bytes as a secret; the bytes are erased if they are refused.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`] with the offset of the first byte that is NUL or not UTF-8.
    pub fn from_utf8(bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        let nul = bytes.iter().position(|&byte| byte == 0);
        let invalid = std::str::from_utf8(&bytes).err().map(|error| error.valid_up_to());
        let problem = match (nul, invalid) {
            (Some(nul), invalid) if invalid.is_none_or(|at| nul < at) => Some(InvalidSecret {
                offset: nul,
                problem: SecretProblem::Nul,
            }),
            (_, Some(offset)) => Some(InvalidSecret {
                offset,
                problem: SecretProblem::NotUtf8,
            }),
            _ => None,
        };
        match (problem, String::from_utf8(bytes)) {
            (None, Ok(text)) => Ok(Self(SecretString::from(text))),
            (problem, text) => {
                match text {
                    Ok(mut text) => text.zeroize(),
                    Err(error) => error.into_bytes().zeroize(),
                }
                Err(problem.unwrap_or(InvalidSecret {
                    offset: 0,
                    problem: SecretProblem::NotUtf8,
                }))
            }
        }
    }

    /// Looks inside.
    ///
    /// # Security
    ///
    /// Call it on the last possible line, and never for an error, a log or a program's arguments.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Bytes that cannot be a secret, told by where, never by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value has {problem} at byte offset {offset}")]
pub struct InvalidSecret {
    /// The first bad byte, counted from 0.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: SecretProblem,
}

/// What makes bytes no [`SecretValue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretProblem {
    /// A NUL byte.
    #[error("a NUL byte")]
    Nul,
    /// A byte that UTF-8 does not allow here (RFC 3629).
    #[error("a byte that is not UTF-8")]
    NotUtf8,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> (usize, SecretProblem) {
        let error = SecretValue::from_utf8(bytes.to_vec()).err().expect("refused");
        (error.offset, error.problem)
    }

    #[test]
    fn the_first_bad_byte_is_named() {
        assert_eq!(refused(b"ab\0"), (2, SecretProblem::Nul));
        assert_eq!(refused(b"ab\xffc\0"), (2, SecretProblem::NotUtf8));
        assert_eq!(refused(b"a\0\xff"), (1, SecretProblem::Nul));
        assert_eq!(refused("é".as_bytes()[..1].as_ref()), (0, SecretProblem::NotUtf8));
    }

    #[test]
    fn any_other_text_is_kept_exactly() {
        let text = " a\r\n\t\u{1}é🍡${X} ";
        assert_eq!(
            SecretValue::new(text.to_owned())
                .ok()
                .map(|secret| secret.expose().to_owned())
                .as_deref(),
            Some(text)
        );
    }
}
