//! The app that a user registered at a provider. Where it is stored is not known here.

use dango_core::SecretValue;

/// A client of a provider (RFC 6749 §2): its id, and its secret if it has one.
#[derive(Clone)]
pub struct ClientRegistration {
    /// The client's id; no secret.
    pub id: String,
    /// The client's secret.
    pub secret: Option<SecretValue>,
}

impl ClientRegistration {
    /// A client with a secret.
    pub const fn new(id: String, secret: SecretValue) -> Self {
        Self { id, secret: Some(secret) }
    }

    /// A client without a secret, which PKCE alone protects (RFC 6749 §2.1, "public").
    pub const fn public(id: String) -> Self {
        Self { id, secret: None }
    }
}
