//! The port to providers: flows begun and finished there, and why it did not work. No use case and no rule about accounts lives here.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use dango_audit::Word;
use dango_core::SourceName;
use dango_identity::{EmailClaim, ExternalIdentity, FirstUse, PlainToken, kind};
use dango_store::BoxFuture;
use zeroize::Zeroizing;

/// A flow that a provider has not heard of yet.
pub struct BegunFlow {
    /// The parameter `state`.
    pub state: PlainToken<kind::OauthState>,
    /// Where the browser goes. It holds `state`: it is for whoever began, and for no log.
    pub url: String,
    /// What the port needs to finish it. It holds secrets, and is stored encrypted.
    pub kept: Zeroizing<Vec<u8>>,
}

/// A provider that people may log in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProvider {
    /// The name, in paths and records.
    pub name: SourceName,
    /// How people know it.
    pub title: String,
    /// The issuer of its accounts, as links have it.
    pub issuer: String,
    /// Whether an account that has linked nothing is recognised by its address.
    pub first_use: FirstUse,
}

/// Whose account at a provider somebody has shown.
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    /// Issuer and subject.
    pub identity: ExternalIdentity,
    /// What the provider says about the address.
    pub email: EmailClaim,
}

/// The providers that people may log in with.
///
/// An implementation must hold to this: an answer of another provider, with another issuer or nonce, is refused before the code
/// of it is sent anywhere; each call ends within a minute; and no failure repeats what a provider said.
pub trait LoginProviders: Send + Sync {
    /// Every provider that is configured, in the order in which pages show them.
    fn providers(&self) -> &[LoginProvider];

    /// Begins a flow; the provider sends the browser back to `redirect_uri`.
    fn begin<'a>(&'a self, provider: &'a LoginProvider, redirect_uri: &'a str) -> BoxFuture<'a, Result<BegunFlow, ProviderFailure>>;

    /// The `state` in the query of an answer, if it is an answer and has one of ours.
    fn state_of(&self, query: &str) -> Option<PlainToken<kind::OauthState>>;

    /// Finishes a flow by the query of its answer.
    fn finish<'a>(
        &'a self,
        provider: &'a LoginProvider,
        kept: &'a [u8],
        query: &'a str,
    ) -> BoxFuture<'a, Result<ExternalAccount, ProviderFailure>>;
}

/// Why something did not work at a provider, by what people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderProblem {
    /// The answer is not to this request.
    #[error("the answer does not belong to this request")]
    StateMismatch,
    /// The provider, or whoever was asked there, said no.
    #[error("the provider refused, or access was not granted")]
    ProviderDenied,
    /// It took too long.
    #[error("it has taken too long")]
    SessionExpired,
    /// The provider could not be reached, or its answer could not be used.
    #[error("the provider could not be reached, or gave nothing that can be used")]
    ExchangeFailed,
    /// The client's id or secret is not configured.
    #[error("the client id or secret of the provider is not configured")]
    MissingCredentials,
    /// There is no such provider or source.
    #[error("this is not supported")]
    Unsupported,
}

impl ProviderProblem {
    /// The stable code, as addresses of pages have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::StateMismatch => "state_mismatch",
            Self::ProviderDenied => "provider_denied",
            Self::SessionExpired => "session_expired",
            Self::ExchangeFailed => "exchange_failed",
            Self::MissingCredentials => "missing_credentials",
            Self::Unsupported => "unsupported",
        }
    }
}

/// Why something did not work at a provider, with the word for the audit log and the cause for the server's own.
#[derive(Clone, Debug)]
pub struct ProviderFailure {
    problem: ProviderProblem,
    word: Word,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ProviderFailure {
    /// A failure; `word` says more exactly what it was.
    pub const fn new(problem: ProviderProblem, word: &'static str) -> Self {
        Self {
            problem,
            word: Word::new(word),
            source: None,
        }
    }

    /// The same failure with what failed below. It holds no token and nothing that a provider wrote.
    #[must_use]
    pub fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        let source: Arc<dyn Error + Send + Sync> = Arc::new(source);
        Self {
            source: Some(source),
            ..self
        }
    }

    /// What people are told.
    pub const fn problem(&self) -> ProviderProblem {
        self.problem
    }

    /// What the audit log is told.
    pub const fn word(&self) -> Word {
        self.word
    }
}

impl fmt::Display for ProviderFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl Error for ProviderFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
