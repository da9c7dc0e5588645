//! The one keyring that each system has, and what its errors mean. Nothing else knows which system this is.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use keyring_core::CredentialStore;

/// What an error of the keyring comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only a keyring behind a bus fails in so many ways")
)]
pub(super) enum Cause {
    /// There is no keyring service.
    NoService,
    /// Nobody answers where the session bus should be.
    Unreachable,
    /// The connection ended.
    Gone,
    /// Locked, and not unlocked.
    Locked,
    /// Not for this program.
    Denied,
    /// The entry was there a moment ago.
    NoObject,
    /// Something else.
    Other,
}

#[cfg(target_os = "linux")]
pub(super) use linux::{NAME, cause, modifiers, open_store};

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{NAME, cause, modifiers, open_store};

#[cfg(target_os = "linux")]
mod linux {
    //! The Secret Service over D-Bus: GNOME Keyring, KWallet, KeePassXC.

    use std::io::ErrorKind;

    use zbus::DBusError;
    use zbus_secret_service_keyring_store::Store;

    use super::{Arc, Cause, CredentialStore, Error, HashMap};

    pub(in super::super) const NAME: &str = "the keyring (Secret Service)";

    pub(in super::super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(Store::new()?)
    }

    /// Only the label: a target would be a new collection, which asks for a password of its own.
    pub(in super::super) fn modifiers(label: &str) -> HashMap<&str, &str> {
        HashMap::from([("label", label)])
    }

    pub(in super::super) fn cause(error: &(dyn Error + 'static)) -> Cause {
        use secret_service::Error as Service;
        match error.downcast_ref::<Service>() {
            Some(Service::Unavailable) => Cause::NoService,
            // Without a collection there is no keyring yet that could be open; a prompt that cannot be shown counts as dismissed.
            Some(Service::Locked | Service::NoResult | Service::Prompt) => Cause::Locked,
            Some(Service::PromptDisconnected) => Cause::Gone,
            Some(Service::Zbus(error)) => bus_cause(error),
            Some(Service::ZbusFdo(error)) => standard_cause(error),
            _ => Cause::Other,
        }
    }

    fn bus_cause(error: &zbus::Error) -> Cause {
        match error {
            zbus::Error::InterfaceNotFound | zbus::Error::Address(_) => Cause::NoService,
            zbus::Error::Connection(error, _) | zbus::Error::InputOutput(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => Cause::Unreachable,
                ErrorKind::PermissionDenied => Cause::Denied,
                _ => Cause::Gone,
            },
            // Somebody else's bus: another user's, as under sudo.
            zbus::Error::Handshake(_) => Cause::Denied,
            zbus::Error::MethodError(name, _, _) => named_cause(name.as_str()),
            zbus::Error::FDO(error) => standard_cause(error),
            _ => Cause::Other,
        }
    }

    fn standard_cause(error: &zbus::fdo::Error) -> Cause {
        match error {
            zbus::fdo::Error::ZBus(error) => bus_cause(error),
            other => named_cause(other.name().as_str()),
        }
    }

    /// Names of the D-Bus specification ("Standard Errors") and of the Secret Service API ("Errors").
    fn named_cause(name: &str) -> Cause {
        let Some(standard) = name.strip_prefix("org.freedesktop.DBus.Error.") else {
            return match name {
                "org.freedesktop.Secret.Error.IsLocked" => Cause::Locked,
                "org.freedesktop.Secret.Error.NoSuchObject" => Cause::NoObject,
                "org.freedesktop.Secret.Error.NoSession" => Cause::Gone,
                _ => Cause::Other,
            };
        };
        match standard {
            "ServiceUnknown" | "NameHasNoOwner" | "NoServer" => Cause::NoService,
            "AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired" => Cause::Denied,
            "Disconnected" | "NoReply" | "Timeout" | "TimedOut" | "NoNetwork" => Cause::Gone,
            spawning if spawning.starts_with("Spawn.") => Cause::NoService,
            _ => Cause::Other,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn errors_of_the_bus_and_of_the_service_have_their_causes() {
            for (name, cause) in [
                ("org.freedesktop.DBus.Error.ServiceUnknown", Cause::NoService),
                ("org.freedesktop.DBus.Error.Spawn.ExecFailed", Cause::NoService),
                ("org.freedesktop.DBus.Error.AccessDenied", Cause::Denied),
                ("org.freedesktop.DBus.Error.NoReply", Cause::Gone),
                ("org.freedesktop.DBus.Error.UnknownMethod", Cause::Other),
                ("org.freedesktop.Secret.Error.IsLocked", Cause::Locked),
                ("org.freedesktop.Secret.Error.NoSuchObject", Cause::NoObject),
                ("org.example.Error", Cause::Other),
            ] {
                assert_eq!(named_cause(name), cause, "{name}");
            }
            let denied = zbus::fdo::Error::AccessDenied("no".to_owned());
            assert_eq!(cause(&secret_service::Error::ZbusFdo(denied)), Cause::Denied);
        }

        #[test]
        fn a_broken_connection_is_gone_and_a_missing_socket_unreachable() {
            let broken = |kind: ErrorKind| secret_service::Error::Zbus(std::io::Error::from(kind).into());
            assert_eq!(cause(&broken(ErrorKind::BrokenPipe)), Cause::Gone);
            assert_eq!(cause(&broken(ErrorKind::UnexpectedEof)), Cause::Gone);
            assert_eq!(cause(&broken(ErrorKind::ConnectionRefused)), Cause::Unreachable);
            assert_eq!(cause(&broken(ErrorKind::PermissionDenied)), Cause::Denied);
            assert_eq!(cause(&std::io::Error::from(ErrorKind::NotFound)), Cause::Other);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    //! macOS Keychain, Windows Credential Manager, and systems that have no keyring this program knows.

    use super::{Arc, Cause, CredentialStore, Error, HashMap};

    #[cfg(target_os = "macos")]
    pub(in super::super) const NAME: &str = "the macOS Keychain";
    #[cfg(windows)]
    pub(in super::super) const NAME: &str = "the Windows Credential Manager";
    #[cfg(not(any(target_os = "macos", windows)))]
    pub(in super::super) const NAME: &str = "the keyring";

    #[cfg(target_os = "macos")]
    pub(in super::super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(apple_native_keyring_store::keychain::Store::new()?)
    }

    #[cfg(windows)]
    pub(in super::super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(windows_native_keyring_store::Store::new()?)
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    pub(in super::super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
        Err(keyring_core::Error::NoDefaultStore)
    }

    /// These systems name entries by service and account alone.
    pub(in super::super) fn modifiers(_: &str) -> HashMap<&str, &str> {
        HashMap::new()
    }

    /// These systems say for themselves whether access was denied.
    pub(in super::super) fn cause(_: &(dyn Error + 'static)) -> Cause {
        Cause::Other
    }
}
