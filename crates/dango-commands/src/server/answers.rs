//! What a server answers, as far as commands need it. Values are wiped when dropped.

use dango_core::SecretValue;
use dango_secrets::dotenv::GivenValue;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

/// A request or an answer in which nothing is of interest.
#[derive(Serialize, Deserialize)]
pub(super) struct Nothing {}

/// What a project has, masked.
#[derive(Deserialize)]
pub(crate) struct Listing {
    pub(crate) credentials: Vec<CredentialRow>,
    pub(crate) variables: Vec<VariableRow>,
}

/// A credential as lists show it.
#[derive(Deserialize)]
pub(crate) struct CredentialRow {
    pub(crate) path: String,
    pub(crate) value_type: String,
    pub(crate) encrypted: bool,
    pub(crate) reference: bool,
}

/// A variable as lists show it.
#[derive(Deserialize)]
pub(crate) struct VariableRow {
    pub(crate) key: String,
    pub(crate) encrypted: bool,
    pub(crate) reference: bool,
}

/// What there is, as whoever changes it sees it.
#[derive(Deserialize)]
pub(crate) struct Stored {
    #[serde(rename = "env_vars")]
    pub(crate) variables: Vec<StoredVariable>,
    #[serde(rename = "source_credentials")]
    pub(crate) credentials: Vec<StoredCredential>,
}

/// A variable that is stored.
#[derive(Deserialize)]
pub(crate) struct StoredVariable {
    pub(crate) key: String,
    pub(crate) encrypted: bool,
}

/// A credential that is stored.
#[derive(Deserialize)]
pub(crate) struct StoredCredential {
    pub(crate) path: String,
}

/// Values, opened.
#[derive(Deserialize)]
pub(super) struct Values {
    pub(super) credentials: Hidden,
    pub(super) variables: Vec<Variable>,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    pub(super) key_expires_at: Option<String>,
}

/// What is wrong with the files there, though their values open.
#[derive(Deserialize)]
pub(super) struct Warning {
    pub(super) message: String,
}

/// A variable with its value.
#[derive(Deserialize)]
pub(super) struct Variable {
    key: String,
    value: Option<Hidden>,
    literal: bool,
}

/// A text that is wiped.
pub(super) struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(super) fn into_secret(mut self) -> Option<SecretValue> {
        SecretValue::new(std::mem::take(&mut *self.0)).ok()
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Variable {
    /// `None` for a value that no environment can hold.
    pub(super) fn into_given(self) -> Option<GivenValue> {
        let value = match self.value {
            Some(hidden) => Some(hidden.into_secret()?),
            None => None,
        };
        Some(GivenValue {
            value,
            key: self.key,
            is_literal: self.literal,
        })
    }
}

/// The object *api key*; the key itself is with it only when it was just made.
#[derive(Deserialize)]
pub(super) struct ApiKey {
    pub(super) name: String,
    pub(super) key_prefix: String,
    pub(super) expires_at: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) key: Option<Hidden>,
}

/// An API key as lists show it.
#[derive(Deserialize)]
pub(super) struct ListedKey {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: String,
    pub(super) last_used_at: Option<String>,
}

/// A session of whoever asks.
#[derive(Deserialize)]
pub(super) struct OwnSession {
    pub(super) is_current: bool,
    pub(super) created_at: String,
}

/// What a login answers: a user, or that the second factor is still to come.
#[derive(Deserialize)]
pub(super) struct LoggedIn {
    #[serde(default)]
    pub(super) requires_2fa: bool,
    #[serde(default)]
    pub(super) must_change_password: bool,
    #[serde(default)]
    pub(super) requires_2fa_setup: bool,
}

/// The object *user*, as far as it is looked at.
#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) status: String,
    pub(super) last_login: Option<String>,
    pub(super) created_at: String,
}
