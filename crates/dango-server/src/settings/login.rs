//! Who people may log in with beside a password, as the settings have it.

/// A provider that people may log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginName {
    /// Google.
    Google,
    /// GitHub.
    GitHub,
    /// The OpenID provider of the settings.
    Oidc,
}

impl LoginName {
    /// The word, in settings and paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
            Self::Oidc => "oidc",
        }
    }

    /// The variable of the process environment that holds the client's secret.
    pub const fn secret_variable(self) -> &'static str {
        match self {
            Self::Google => "DANGO_LOGIN_GOOGLE_SECRET",
            Self::GitHub => "DANGO_LOGIN_GITHUB_SECRET",
            Self::Oidc => "DANGO_LOGIN_OIDC_SECRET",
        }
    }
}

/// Who people may log in with beside a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginSettings {
    /// The providers, each with the client's id.
    pub clients: Vec<(LoginName, String)>,
    /// `login-oidc-issuer`.
    pub oidc_issuer: Option<String>,
    /// `login-oidc-title`.
    pub oidc_title: String,
    /// `login-by-email`.
    pub by_email: Vec<LoginName>,
}
