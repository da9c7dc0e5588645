//! Why there is no answer. No part of a request or of an answer is in these texts.

/// Why there is no answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The name has no address, or nobody takes a connection there.
    #[error("the server cannot be reached")]
    Unreachable,
    /// Nothing was said in time.
    #[error("the server did not answer within {} seconds", crate::client::CALL_LIMIT.as_secs())]
    Timeout,
    /// Something in front of the server says that the server behind it does not answer.
    #[error("what stands in front of the server answered with status {0}: the server behind it does not answer")]
    Gateway(u16),
    /// Somebody took the connection, and it broke before there was an answer, or what came was no HTTP, or not TLS.
    #[error("the connection broke, or what answered is no server of this kind")]
    Broken,
    /// An answer began and did not end.
    #[error("the server's answer broke off")]
    Incomplete,
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
            Self::Gateway(_) => "server-gateway",
            Self::Broken => "server-connection-broken",
            Self::Incomplete => "server-answer-incomplete",
            Self::Certificate => "server-certificate",
            Self::Redirected => "server-redirected",
            Self::Malformed => "server-answer-malformed",
            Self::TooLarge => "server-answer-too-large",
            Self::NoCertificates => "no-certificates",
            Self::Unwritable => "request-unwritable",
        }
    }

    /// Whether what was asked for may have been done all the same: the request may have arrived, and what came of it is not known.
    pub const fn is_in_doubt(self) -> bool {
        match self {
            Self::Timeout | Self::Gateway(_) | Self::Broken | Self::Incomplete | Self::Malformed | Self::TooLarge => true,
            Self::Unreachable | Self::Certificate | Self::Redirected | Self::NoCertificates | Self::Unwritable => false,
        }
    }

    /// Whether nobody answered at all, or a gateway whose word is trusted as the server's is said so, so that nothing is known of what
    /// the server would have said. Where something answered and was not understood it is no silence.
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Gateway(_))
    }
}

/// A text that holds no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no PEM certificate in it")]
pub struct TrustError;
