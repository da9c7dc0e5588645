//! What requests carry. Unknown members are refused; whoever is meant comes from the credential, never from the body.

use std::fmt;

use dango_identity::{MAX_PASSWORD_BYTES, Password, Role};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::problem::{Problem, code};
use crate::schema::{Described, Named, Presence, Schema, object};

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
    ($(
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $about:literal])* $member:ident: $type:ty $(= $closer:expr)?),* $(,)? } $(=> $more:path)?
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[doc = $about])* pub(crate) $member: $type),* }

        impl Described for $name {
            fn schema(named: &mut Named) -> Schema {
                named.refer(stringify!($name), |named| {
                    let schema = object!(named, true; $($(#[doc = $about])* $member: $type $(= $closer)?),*).closed();
                    $(let schema = $more(schema);)?
                    schema
                })
            }
        }
    )*};
}

requests! {
    /// `POST /api/auth/login`.
    LogIn { email: String = typed_email(), password: Secret = password() }
    /// `POST /api/auth/change-password`.
    ChangePassword { current_password: Secret = password(), new_password: Secret = new_password() }
    /// `POST /api/auth/reauthenticate` and `/2fa/disable`.
    PasswordAndOptionalCode {
        password: Secret = password(),
        /// A code of the authenticator app, or a recovery code.
        code: Option<Secret> = Schema::text().with("maxLength", 128),
    }
    /// `POST /api/auth/2fa/regenerate-recovery`.
    PasswordAndCode { password: Secret = password(), code: Secret = one_time_code() }
    /// `POST /api/auth/2fa/setup`.
    PasswordOnly { password: Secret = password() }
    /// `POST /api/auth/2fa/verify-setup`.
    Code { code: Secret = one_time_code() }
    /// `POST /api/auth/accept-invite`.
    AcceptInvite { token: Secret = token(), password: Secret = new_password() }
    /// `POST /api/auth/claim`.
    ClaimAdministrator { token: Secret = token(), email: String = Schema::email(), password: Secret = new_password() }
    /// `POST /api/auth/api-keys`.
    MakeApiKey {
        /// What it is for. Not blank, and without control characters.
        name: String = Schema::text().lengths(1, 128).pattern(r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$"),
        /// When it ends: in the future, and within a year. Not together with `expires_in_days`; without both it never ends, and may
        /// not read stored values.
        expires_at: Option<String> = Schema::time(),
        expires_in_days: Option<i64> = Schema::of("integer").between(1, 365),
        /// `admin` to administer people, which alone stands for `users.manage` and `auth.manage`. Permissions that are named are all that it has; reading values has to be named.
        scopes: Option<Vec<String>> = Schema::list(super::account::requested_scope()),
    } => with_one_expiry
    /// `POST /api/admin/users`.
    AddUser {
        email: String = Schema::email(),
        role: String = role(),
        /// Whether the user gets a temporary password in the place of an invitation.
        generate_password: Option<bool>,
    }
    /// `PUT /api/admin/users/{id}/role`.
    ChangeRole { role: String = role() }
    /// `DELETE /api/admin/users/{id}`.
    DeleteUser {
        /// The account's address, typed again.
        confirm_email: String,
    }
    /// `POST /api/secrets`.
    SetVariable {
        key: String = Schema::text().lengths(1, 128).pattern("^[A-Za-z_][A-Za-z0-9_]*$"),
        /// At most 32 KiB.
        value: Secret = Schema::text().secret().with("maxLength", 32 * 1024).pattern(r"^[^\x00]*$"),
    }
    /// `POST /api/project/values`.
    ReadValues {
        /// What for, as the audit log will say. `get` takes either `only` or `key`, the others no `key`.
        purpose: String = Schema::word(["run", "sync", "get", "export"]),
        /// Only credentials at or below this path.
        only: Option<String> = Schema::text(),
        /// This variable of `.env` alone, with those that it refers to.
        key: Option<String> = Schema::text(),
    } => with_one_of_only_and_key
    /// `PUT /api/project/credentials`.
    SetCredential {
        path: String = Schema::text().lengths(1, 4096),
        value: Secret = Schema::text().secret().pattern(r"^[^\x00]*$"),
        /// `string` where it is left out.
        value_type: Option<String> = Schema::word(["string", "integer", "float", "boolean", "datetime", "json"]),
        /// Whether `${NAME}` in the value refers to a variable.
        reference: Option<bool>,
        /// How it is kept; as is the habit of the file where it is left out.
        keep: Option<String> = Schema::word(["encrypted", "plain"]),
    }
    /// `DELETE /api/project/credentials`.
    DeleteCredential {
        path: String = Schema::text().lengths(1, 4096),
        /// Whether it may be a whole table.
        table: Option<bool>,
    }
}

/// The scope of API keys that administer people.
pub(crate) const SCOPE_ADMIN: &str = "admin";

/// `POST /api/auth/2fa/verify`: one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondFactor {
    pub(crate) code: Option<Secret>,
    pub(crate) recovery_code: Option<Secret>,
}

impl Described for SecondFactor {
    fn schema(named: &mut Named) -> Schema {
        named.refer("SecondFactor", |_| {
            let recovery_code = || {
                let text = Schema::text()
                    .with("maxLength", 128)
                    .about("As it was shown; case and dashes do not matter.");
                text.with("examples", vec!["7K3M-Q9XT-2BHV-ZR4D"])
            };
            let one_of = |name: &str, schema: Schema, other: &str| {
                let object = Schema::object().member(name, schema, Presence::Required);
                object.member(other, Schema::of("null"), Presence::Optional).closed()
            };
            Schema::either([
                one_of("code", one_time_code(), "recovery_code"),
                one_of("recovery_code", recovery_code(), "code"),
            ])
        })
    }
}

impl Described for Secret {
    fn schema(_: &mut Named) -> Schema {
        Schema::text()
    }
}

/// Not both members that say when a key ends.
fn with_one_expiry(schema: Schema) -> Schema {
    let without = |name: &str| json!({"properties": {name: {"type": "null"}}});
    schema.with("anyOf", vec![without("expires_at"), without("expires_in_days")])
}

/// One thing alone is shown; a program is run with more than a variable.
fn with_one_of_only_and_key(schema: Schema) -> Schema {
    let text = || json!({"type": "string"});
    let absent = || json!({"type": "null"});
    let get = json!({"const": "get"});
    schema.with(
        "anyOf",
        vec![
            json!({"properties": {"purpose": get, "only": text(), "key": absent()}, "required": ["only"]}),
            json!({"properties": {"purpose": get, "key": text(), "only": absent()}, "required": ["key"]}),
            json!({"properties": {"purpose": {"enum": ["run", "sync", "export"]}, "key": absent()}}),
        ],
    )
}

/// An address as somebody types it to log in; what is none has no account.
fn typed_email() -> Schema {
    Schema::text().with("examples", vec!["ada@example.com"])
}

fn password() -> Schema {
    Schema::text().secret().with("maxLength", MAX_PASSWORD_BYTES)
}

fn new_password() -> Schema {
    let text = Schema::text().secret().lengths(8, MAX_PASSWORD_BYTES);
    text.about("8 characters or more, 1024 bytes at most. Common, repeated and obvious ones are refused.")
}

/// A code of an authenticator app; apps show it in groups, so blanks do not matter.
fn one_time_code() -> Schema {
    let text = Schema::text().with("maxLength", 64).pattern(r"^\s*(?:[0-9]\s*){6,8}$");
    text.with("examples", vec!["123456"])
}

/// What stands at the end of a link: 32 bytes in base64url.
fn token() -> Schema {
    let text = Schema::text()
        .with("writeOnly", true)
        .pattern("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$");
    text.about("What stands at the end of the link.")
}

fn role() -> Schema {
    Schema::word(Role::ALL.map(Role::name))
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
