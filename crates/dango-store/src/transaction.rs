//! The unit of work: every store of the domains, inside one transaction.

use dango_audit::AuditStore;
use dango_identity::{ApiKeyStore, BootstrapStore, InviteStore, LinkStore, LoginStore, OauthFlowStore};

use crate::imports::ImportStore;
use crate::settings::{DirectoryStore, SettingsStore};

/// Every store of the domains, seen at one moment and changed in one piece.
///
/// A domain takes the part it knows: `tx` coerces to `&mut dyn LoginStore`, which is users, attempts, factors and sessions,
/// to `&mut dyn SessionStore` alone, to `&mut dyn AuditStore` and so on. What is done through it happens when the transaction
/// is committed, together or not at all; nobody else sees it before.
pub trait Transaction:
    LoginStore
    + InviteStore
    + BootstrapStore
    + LinkStore
    + OauthFlowStore
    + ApiKeyStore
    + AuditStore
    + SettingsStore
    + DirectoryStore
    + ImportStore
    + Send
{
}

impl<T> Transaction for T where
    T: LoginStore
        + InviteStore
        + BootstrapStore
        + LinkStore
        + OauthFlowStore
        + ApiKeyStore
        + AuditStore
        + SettingsStore
        + DirectoryStore
        + ImportStore
        + Send
{
}
