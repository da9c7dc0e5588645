//! Who somebody is at another provider: issuer and subject, nothing else.

use std::fmt;

/// An account at another provider: the issuer and what the issuer calls the person (OpenID Connect Core §2, `iss` and `sub`).
///
/// Both are compared byte for byte. A subject is never reassigned; an address is, which is why none is in here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalIdentity {
    issuer: String,
    subject: String,
}

impl ExternalIdentity {
    /// Checks the two: 1 to 255 printable ASCII characters each.
    ///
    /// # Errors
    ///
    /// [`InvalidExternalIdentity`].
    pub fn new(issuer: &str, subject: &str) -> Result<Self, InvalidExternalIdentity> {
        let valid = |text: &str| (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if valid(issuer) && valid(subject) {
            Ok(Self {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            })
        } else {
            Err(InvalidExternalIdentity)
        }
    }

    /// The issuer, exactly as it is configured.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the issuer calls the person.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for ExternalIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalIdentity({}, {})", self.issuer, self.subject)
    }
}

/// An issuer or subject that is empty, longer than 255 characters, or not printable ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identity at another provider")]
pub struct InvalidExternalIdentity;
