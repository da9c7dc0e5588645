//! Logging people in with an account elsewhere: who they are there. Whether that is somebody here is not known here.

mod github;
mod oidc;

use crate::answer::ProviderError;

pub use github::{GitHubLogin, LOGIN_SCOPES as GITHUB_LOGIN_SCOPES};
pub use oidc::{
    Discovered, DiscoveryError, IdTokenError, IssuerProblem, JWKS_PAUSE_SECONDS, MOST_KEYS, OidcLogin, OidcSettings, SKEW_SECONDS,
};

/// Who somebody is at a provider. The key of an account is issuer and subject, never the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginIdentity {
    /// The issuer that vouches for it.
    pub issuer: String,
    /// The account's own id there, which is never given to somebody else (OpenID Connect Core §5.7).
    pub subject: String,
    /// Its e-mail address, if the issuer says that it is verified.
    pub email: Option<VerifiedEmail>,
    /// A name to show.
    pub name: Option<String>,
}

/// An e-mail address that the issuer plainly calls verified. There is no other way to get one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEmail(String);

impl VerifiedEmail {
    /// The address, as the issuer spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let fine = text.len() <= 320 && text.contains('@') && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        fine.then(|| Self(text.to_owned()))
    }
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The provider's configuration cannot be learned.
    #[error("the login provider's configuration cannot be used")]
    Discovery(#[from] DiscoveryError),
    /// The provider gave no tokens, or no account.
    #[error("the login provider gave nothing")]
    Provider(#[from] ProviderError),
    /// The ID token is not what it must be.
    #[error("the login provider's ID token is refused")]
    IdToken(#[from] IdTokenError),
    /// There is no randomness.
    #[error("no randomness")]
    Entropy(#[from] dango_core::EntropyError),
}

impl LoginError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Discovery(error) => error.code(),
            Self::Provider(error) => error.code(),
            Self::IdToken(error) => error.code(),
            Self::Entropy(_) => "no_randomness",
        }
    }
}
