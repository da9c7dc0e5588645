//! What came of a check: accepted, refused and how, not reached and why, or not asked at all. Texts here never hold what a server said.

use std::fmt;

use dango_oauth::CallError;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server took the credentials.
    Accepted,
    /// The server was asked and does not take them.
    Refused(Refusal),
    /// Nothing follows for the credentials: no answer, or none that says anything about them.
    Unreachable(Trouble),
    /// Nobody was asked.
    Unchecked(Obstacle),
}

/// How credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// They are wrong, or were revoked.
    #[error("the credentials are not accepted")]
    WrongCredential,
    /// They were right once.
    #[error("the credentials have expired")]
    Expired,
    /// They are known, and may not do what the source does.
    #[error("the credentials lack a permission")]
    MissingPermission,
    /// The account, shop, site or database that is named beside them does not exist.
    #[error("the account or database that is named does not exist there")]
    NotFound,
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The host's name has no address.
    #[error("the host's name is not known")]
    UnknownHost,
    /// The host's address is one that is never called.
    #[error("the host has an address that is never called")]
    ForbiddenAddress,
    /// No connection, or one that broke.
    #[error("the server cannot be reached")]
    NoConnection,
    /// No connection that is secure: a certificate that does not fit, or TLS that the server does not speak.
    #[error("there is no secure connection to the server")]
    Tls,
    /// No answer in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// The server has trouble of its own.
    #[error("the server has trouble of its own")]
    ServerError,
    /// Too many requests.
    #[error("the server asks to come later: too many requests")]
    TooManyRequests,
    /// The server would have it asked elsewhere.
    #[error("the server answered with a redirection, which is not followed")]
    Redirected,
    /// An answer that says nothing about the credentials.
    #[error("the server answered something that says nothing about the credentials")]
    Unexpected,
    /// This machine has no certificates to check servers with, or no randomness.
    #[error("this machine cannot make secure connections")]
    NotEquipped,
}

/// Why nobody was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// The type has no credentials.
    #[error("a source of this type has no credentials")]
    NoCredentials,
    /// The catalogue does not know the type.
    #[error("the catalogue does not know this type")]
    UnknownType,
    /// There is no check for the type.
    #[error("there is no check for this type")]
    NoCheck,
    /// There is none for this way to sign in.
    #[error("there is no check for this way to sign in")]
    NoCheckForWay,
    /// A field that the check needs has no value.
    #[error("a credential is missing")]
    Incomplete,
    /// A field has a value that cannot be what it is for.
    #[error("a credential is malformed")]
    Malformed,
    /// The address is plain HTTP, over which no credential is sent.
    #[error("the address is not `https:`, and no credential is sent in the clear")]
    InsecureAddress,
    /// The server wants something of the client that only a full driver has.
    #[error("the server wants a way to sign in that is not spoken here")]
    UnsupportedSignIn,
}

impl Outcome {
    /// The stable name of the outcome, and of what is behind it where there is something.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(refusal) => refusal.code(),
            Self::Unreachable(trouble) => trouble.code(),
            Self::Unchecked(obstacle) => obstacle.code(),
        }
    }

    /// One of `accepted`, `refused`, `unreachable` and `unchecked`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Unchecked(_) => "unchecked",
        }
    }

    /// The outcome with these two names, if it says something about the credentials: what may be remembered.
    pub fn verdict(code: &str) -> Option<Self> {
        let verdicts = Refusal::ALL.into_iter().map(Self::Refused).chain([Self::Accepted]);
        verdicts.into_iter().find(|verdict| verdict.code() == code)
    }

    /// Whether it says something about the credentials.
    pub const fn is_verdict(self) -> bool {
        matches!(self, Self::Accepted | Self::Refused(_))
    }
}

impl Refusal {
    const ALL: [Self; 4] = [Self::WrongCredential, Self::Expired, Self::MissingPermission, Self::NotFound];

    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongCredential => "wrong_credential",
            Self::Expired => "expired",
            Self::MissingPermission => "missing_permission",
            Self::NotFound => "not_found",
        }
    }
}

impl Trouble {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown_host",
            Self::ForbiddenAddress => "forbidden_address",
            Self::NoConnection => "no_connection",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::ServerError => "server_error",
            Self::TooManyRequests => "too_many_requests",
            Self::Redirected => "redirected",
            Self::Unexpected => "unexpected_answer",
            Self::NotEquipped => "not_equipped",
        }
    }
}

impl Obstacle {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::UnknownType => "unknown_type",
            Self::NoCheck => "no_check",
            Self::NoCheckForWay => "no_check_for_way",
            Self::Incomplete => "incomplete",
            Self::Malformed => "malformed",
            Self::InsecureAddress => "insecure_address",
            Self::UnsupportedSignIn => "unsupported_sign_in",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => formatter.write_str("the credentials are accepted"),
            Self::Refused(refusal) => refusal.fmt(formatter),
            Self::Unreachable(trouble) => trouble.fmt(formatter),
            Self::Unchecked(obstacle) => obstacle.fmt(formatter),
        }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        Self::Unreachable(trouble)
    }
}

impl From<Obstacle> for Outcome {
    fn from(obstacle: Obstacle) -> Self {
        Self::Unchecked(obstacle)
    }
}

impl From<CallError> for Outcome {
    fn from(error: CallError) -> Self {
        match error {
            CallError::UnknownHost => Self::Unreachable(Trouble::UnknownHost),
            CallError::PrivateAddress => Self::Unreachable(Trouble::ForbiddenAddress),
            CallError::Tls => Self::Unreachable(Trouble::Tls),
            CallError::Timeout => Self::Unreachable(Trouble::Timeout),
            CallError::Redirected => Self::Unreachable(Trouble::Redirected),
            CallError::TooLarge => Self::Unreachable(Trouble::Unexpected),
            CallError::NoCertificates => Self::Unreachable(Trouble::NotEquipped),
            // A value with a line break in it, or an address of its own making.
            CallError::Unwritable | CallError::ForeignHost => Self::Unchecked(Obstacle::Malformed),
            _ => Self::Unreachable(Trouble::NoConnection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_about_the_credentials_is_a_verdict() {
        for outcome in [
            Outcome::Accepted,
            Refusal::WrongCredential.into(),
            Refusal::Expired.into(),
            Refusal::MissingPermission.into(),
            Refusal::NotFound.into(),
        ] {
            assert!(outcome.is_verdict());
            assert_eq!(Outcome::verdict(outcome.code()), Some(outcome));
        }
        for outcome in [Outcome::from(Trouble::Timeout), Obstacle::Incomplete.into()] {
            assert!(!outcome.is_verdict());
            assert_eq!(Outcome::verdict(outcome.code()), None);
        }
    }
}
