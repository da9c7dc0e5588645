//! Who may renew a connection at a time, over all processes that use the project.

use std::time::Duration;

use dango_secrets::home::HomeLease;

use crate::error::VaultError;
use crate::vault::Vault;

/// The longest name that gets a lease of its own.
const LONGEST_NAME: usize = 64;

/// The right to renew one connection, until it is dropped. A process that dies gives it back.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub struct ConnectionLease {
    lease: HomeLease,
}

impl ConnectionLease {
    /// Whether it is certain that nobody else renews the connection now; asked right before its provider is.
    pub fn is_held(&self) -> bool {
        self.lease.is_held()
    }
}

impl Vault<'_> {
    /// Waits until nobody else renews a connection of that name. Whoever has waited reads what is stored anew: it may be renewed.
    ///
    /// Blocks the thread for as long as `patience` says.
    ///
    /// # Errors
    ///
    /// [`VaultError::Write`] where another process has it for longer, or the lock cannot be made.
    pub fn lease_connection(&self, name: &str, patience: Duration) -> Result<ConnectionLease, VaultError> {
        let lease = self.project().lease(&lease_name(name), patience)?;
        Ok(ConnectionLease { lease })
    }
}

/// The lease of a name. Names that no file should have share one, which only makes them wait for each other.
fn lease_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_plain) {
        true => format!("oauth-{name}"),
        false => "oauth".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        assert_eq!(lease_name("sheets_eu-2"), "oauth-sheets_eu-2");
        for odd in ["", "../x", "a/b", "a.b", "é", &"a".repeat(65)] {
            assert_eq!(lease_name(odd), "oauth");
        }
    }
}
