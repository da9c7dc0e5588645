//! The port through which providers are called, and what may go wrong there. What is said over it is not known here.

mod client;
mod reach;

use async_trait::async_trait;
use dango_core::SecretValue;
use url::Url;
use zeroize::Zeroizing;

pub use client::{CertificateSource, ClientSetupError, HttpClient};
pub use reach::Reach;

/// The largest answer that is read, in bytes.
pub const MOST_ANSWER_BYTES: usize = 1024 * 1024;

/// Calls providers.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole answer; any status is an answer.
    ///
    /// # Errors
    ///
    /// [`CallError`]. It never holds a part of the answer.
    async fn call(&self, reach: &Reach, request: Outbound) -> Result<Answer, CallError>;
}

/// A request to a provider. Secrets are in the headers marked so and in the body, never in the address.
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers, those with secrets among them.
    pub headers: Vec<Header>,
    /// The body, if there is one; its type is among the headers.
    pub body: Option<SecretValue>,
}

/// A header of a request.
pub struct Header {
    /// The name.
    pub name: String,
    /// The value, which may be secret.
    pub value: SecretValue,
}

/// The methods that providers are called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

/// What a provider answered. The body is erased from memory when dropped.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Seconds to wait, from `Retry-After` where it holds a number.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status / 100 == 2
    }

    /// Whether the provider could not answer, or asks to come later (5xx, 429): nothing follows from it.
    pub const fn is_trouble(&self) -> bool {
        self.status / 100 == 5 || self.status == 429
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The host is not one of the provider's.
    #[error("the address is not one of the provider's hosts")]
    ForeignHost,
    /// The host's address is one of a private network, of this machine or otherwise not public.
    #[error("the host has an address that is not public")]
    PrivateAddress,
    /// The request has a part that HTTP cannot carry.
    #[error("the request cannot be written as HTTP")]
    Unwritable,
    /// The provider wants to send the request elsewhere, which is never followed.
    #[error("the provider answered with a redirection, which is not followed")]
    Redirected,
    /// No connection, or one that broke.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// The host's name has no address.
    #[error("the provider cannot be reached: its name is not known")]
    UnknownHost,
    /// A certificate that is not the host's, or no TLS at all.
    #[error("the provider cannot be reached: there is no secure connection")]
    Tls,
    /// No answer in time.
    #[error("the provider did not answer in time")]
    Timeout,
    /// An answer of more than [`MOST_ANSWER_BYTES`].
    #[error("the provider's answer is too large")]
    TooLarge,
    /// No client could be set up, for want of certificates.
    #[error("no certificates to check providers with")]
    NoCertificates,
}

impl CallError {
    /// The stable name of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForeignHost => "foreign_host",
            Self::PrivateAddress => "private_address",
            Self::Unwritable => "unwritable_request",
            Self::Redirected => "redirected",
            Self::Unreachable | Self::UnknownHost | Self::Tls => "network_error",
            Self::Timeout => "timeout",
            Self::TooLarge => "answer_too_large",
            Self::NoCertificates => "no_certificates",
        }
    }
}
