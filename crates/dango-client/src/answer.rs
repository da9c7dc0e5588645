//! What a server answered: JSON read into what was asked for, or a problem document (RFC 9457).

use dango_core::SecretValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::CallError;

/// The most characters of a problem's sentence that are shown.
const LONGEST_DETAIL: usize = 1_000;

/// An answer that says that it was done. The body is erased when dropped.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Values of `Set-Cookie`, without their attributes.
    pub cookies: Vec<Zeroizing<String>>,
    body: Zeroizing<Vec<u8>>,
}

/// A problem that the server told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A sentence for a person.
    pub detail: String,
    /// Seconds to wait, where it said so.
    pub retry_after: Option<u64>,
    /// What the permission is called that is missing.
    pub permission: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    code: String,
    detail: String,
    permission: Option<String>,
}

impl Answer {
    pub(crate) fn new(status: u16, cookies: Vec<Zeroizing<String>>, body: Zeroizing<Vec<u8>>) -> Self {
        Self { status, cookies, body }
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// [`CallError::Malformed`] where it is none.
    pub fn into_text(mut self) -> Result<SecretValue, CallError> {
        SecretValue::from_utf8(std::mem::take(&mut *self.body)).map_err(|_| CallError::Malformed)
    }

    /// The body as what was asked for; members that are not known are passed over.
    ///
    /// # Errors
    ///
    /// [`CallError::Malformed`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|_| CallError::Malformed)
    }
}

impl Problem {
    /// A refusal of which no more than the first lines arrived.
    pub(crate) fn cut_off(status: u16) -> Self {
        let (code, detail) = match status {
            401 => (
                "authentication_required",
                "the server does not take this key; the rest of its answer did not arrive",
            ),
            _ => (
                "permission_denied",
                "the server does not allow this; the rest of its answer did not arrive",
            ),
        };
        Self {
            status,
            code: code.to_owned(),
            detail: detail.to_owned(),
            retry_after: None,
            permission: None,
        }
    }

    /// Reads a problem document. What is none came from something in between.
    pub(crate) fn read(status: u16, retry_after: Option<u64>, body: &[u8]) -> Result<Self, CallError> {
        let document: Document = serde_json::from_slice(body).map_err(|_| CallError::Malformed)?;
        Ok(Self {
            status,
            code: document.code,
            detail: document.detail.chars().take(LONGEST_DETAIL).collect(),
            retry_after,
            permission: document.permission,
        })
    }
}
