//! Why there is no answer. No part of a request or of an answer is in these texts.

/// Why there is no answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The name has no address, or nobody takes a connection there, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the server did not answer within {} seconds", crate::client::CALL_LIMIT.as_secs())]
    Timeout,
    /// Its certificate is not one that this system trusts for that name.
    #[error("the server's certificate is not trusted for this name")]
    Certificate,
    /// It answered with a redirection. A credential is never taken along to somewhere else.
    #[error("the server answered with a redirection, which is not followed")]
    Redirected,
    /// Something answered that is not a Dango server, or not one that this program understands.
    #[error("the answer is not that of a Dango server")]
    Malformed,
    /// The answer is larger than any project.
    #[error("the server's answer is too large")]
    TooLarge,
    /// No certificates were found on this system.
    #[error("this system has no certificates to check the server's with")]
    NoCertificates,
    /// The request has a part that HTTP cannot carry.
    #[error("the request cannot be written as HTTP")]
    Unwritable,
}

impl CallError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "server-unreachable",
            Self::Timeout => "server-timeout",
            Self::Certificate => "server-certificate",
            Self::Redirected => "server-redirected",
            Self::Malformed => "server-answer-malformed",
            Self::TooLarge => "server-answer-too-large",
            Self::NoCertificates => "no-certificates",
            Self::Unwritable => "request-unwritable",
        }
    }

    /// Whether nobody answered at all, so that nothing is known of what the server would have said.
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout)
    }
}

/// A text that holds no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no PEM certificate in it")]
pub struct TrustError;
