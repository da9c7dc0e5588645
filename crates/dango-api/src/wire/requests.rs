//! What requests carry. Unknown members are refused; whoever is meant comes from the credential, never from the body.

use std::fmt;

use dango_identity::Password;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::problem::{Problem, code};

/// A text that is wiped, and never printed.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The password that it is.
    ///
    /// # Errors
    ///
    /// `weak_password` for one that is too long to be hashed.
    pub(crate) fn into_new_password(mut self) -> Result<Password, Problem> {
        Password::new(std::mem::take(&mut *self.0)).map_err(|error| {
            let issue = serde_json::json!({"code": "password-too-long", "message": error.to_string()});
            Problem::new(code!(weak_password), error.to_string()).with("issues", vec![issue])
        })
    }

    /// The password that it is; one that is too long is nobody's.
    pub(crate) fn into_password(mut self) -> Result<Password, Problem> {
        Password::new(std::mem::take(&mut *self.0)).map_err(|_| Problem::new(code!(invalid_credentials), "the credentials are not right"))
    }

    /// The text, for whoever erases it.
    pub(crate) fn into_text(mut self) -> String {
        std::mem::take(&mut *self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $member:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$attribute])* pub(crate) $member: $type),* }
    )*};
}

requests! {
    /// `POST /api/auth/login`.
    LogIn { email: String, password: Secret }
    /// `POST /api/auth/2fa/verify`: one of the two.
    SecondFactor { #[serde(default)] code: Option<Secret>, #[serde(default)] recovery_code: Option<Secret> }
    /// `POST /api/auth/change-password`.
    ChangePassword { current_password: Secret, new_password: Secret }
    /// `POST /api/auth/reauthenticate` and `/2fa/disable`.
    PasswordAndOptionalCode { password: Secret, #[serde(default)] code: Option<Secret> }
    /// `POST /api/auth/2fa/regenerate-recovery`.
    PasswordAndCode { password: Secret, code: Secret }
    /// `POST /api/auth/2fa/setup`.
    PasswordOnly { password: Secret }
    /// `POST /api/auth/2fa/verify-setup`.
    Code { code: Secret }
    /// `POST /api/auth/accept-invite`.
    AcceptInvite { token: Secret, password: Secret }
    /// `POST /api/auth/claim`.
    ClaimAdministrator { token: Secret, email: String, password: Secret }
    /// `POST /api/auth/api-keys`.
    MakeApiKey {
        name: String,
        #[serde(default)] expires_at: Option<String>,
        #[serde(default)] expires_in_days: Option<i64>,
        #[serde(default)] scopes: Option<Vec<String>>,
    }
    /// `POST /api/admin/users`.
    AddUser { email: String, role: String, #[serde(default)] generate_password: Option<bool> }
    /// `PUT /api/admin/users/{id}/role`.
    ChangeRole { role: String }
    /// `DELETE /api/admin/users/{id}`.
    DeleteUser { confirm_email: String }
    /// `POST /api/secrets`.
    SetVariable { key: String, value: Secret }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_no_secret() {
        let login: LogIn = crate::body::parse(br#"{"email":"a@b.example","password":"hunter2-hunter2"}"#).expect("a login");
        assert!(!format!("{login:?}").contains("hunter2"));
        assert_eq!(login.password.as_str(), "hunter2-hunter2");
    }

    #[test]
    fn a_new_password_that_is_too_long_is_refused_before_it_is_hashed() {
        let secret = Secret(Zeroizing::new("x".repeat(1025)));
        assert_eq!(
            secret.into_new_password().map(|_| ()).map_err(|problem| problem.code().name),
            Err("weak_password")
        );
        assert!(Secret(Zeroizing::new("x".repeat(1024))).into_new_password().is_ok());
    }
}
