//! The keyring holder over a keyring in memory that can be told to fail; a real one is in the crate's `tests/`.

use std::sync::Mutex;

use dango_core::OsEntropy;
use keyring_core::mock;

use super::*;
use crate::key::MasterKey;

fn over(open: impl Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync + 'static) -> OsKeyring {
    OsKeyring {
        open_store: Arc::new(open),
        // The keyring in memory knows no labels.
        modifiers: |_| HashMap::new(),
        ..OsKeyring::new("project-1", SessionBus::Announced)
    }
}

fn in_memory() -> (OsKeyring, Arc<mock::Store>) {
    let store = mock::Store::new().expect("no configuration");
    let opened = Arc::clone(&store);
    (over(move || Ok(Arc::clone(&opened) as Arc<CredentialStore>)), store)
}

/// The next call of the entry fails.
fn fail_next(store: &Arc<mock::Store>, error: Error) {
    let store = Arc::clone(store) as Arc<CredentialStore>;
    let entry = store.build(KEYRING_SERVICE, "project-1", None).expect("no modifiers");
    let credential: &mock::Cred = entry.as_any().downcast_ref().expect("the mock's own");
    credential.set_error(error);
}

fn set(store: &Arc<mock::Store>, secret: &[u8]) {
    let store = Arc::clone(store) as Arc<CredentialStore>;
    let entry = store.build(KEYRING_SERVICE, "project-1", None).expect("no modifiers");
    entry.set_secret(secret).expect("sets");
}

fn keys() -> KeySet {
    KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
}

fn code<T>(result: Result<T, HolderError>) -> Option<&'static str> {
    result.err().map(|error| error.code())
}

#[test]
fn keys_are_kept_until_they_are_deleted() {
    let (keyring, _store) = in_memory();
    assert_eq!(code(keyring.load()), Some("key-missing"));
    let keys = keys();
    keyring.store(&keys).expect("stores");
    assert!(keyring.load().is_ok_and(|back| back.ct_eq(&keys)));
    keyring.delete().expect("deletes");
    assert_eq!(code(keyring.load()), Some("key-missing"));
    assert_eq!(code(keyring.delete()), Some("key-missing"));
}

#[test]
fn every_failure_of_a_keyring_has_an_error_of_its_own() {
    let (keyring, store) = in_memory();
    keyring.store(&keys()).expect("stores");
    let boxed = || Box::<dyn std::error::Error + Send + Sync>::from("why");
    for (error, expected) in [
        (Error::NoStorageAccess(boxed()), "keyring-denied"),
        (Error::PlatformFailure(boxed()), "keyring-failed"),
        (Error::Ambiguous(Vec::new()), "keyring-ambiguous"),
        (Error::NoEntry, "key-missing"),
        (Error::NoDefaultStore, "keyring-none"),
        (Error::TooLong("password".to_owned(), 1), "keyring-failed"),
    ] {
        fail_next(&store, error);
        assert_eq!(code(keyring.load()), Some(expected));
    }
    assert!(keyring.load().is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_bus_that_nobody_announced_is_no_keyring_and_an_announced_one_is_gone() {
    let refused = || {
        let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        Err(Error::PlatformFailure(Box::new(secret_service::Error::Zbus(error.into()))))
    };
    let keyring = over(refused);
    assert_eq!(code(keyring.load()), Some("keyring-gone"));
    let keyring = OsKeyring {
        bus: SessionBus::Unannounced,
        ..over(refused)
    };
    assert_eq!(code(keyring.load()), Some("keyring-none"));
}

#[test]
fn an_entry_that_holds_something_else_is_not_repeated() {
    let (keyring, store) = in_memory();
    for entry in [&b"canary"[..], b"canary\xff", b"canary\0", b""] {
        set(&store, entry);
        let error = keyring.load().err().expect("no key");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert!(!format!("{error} {error:?} {source:?}").contains("anary"), "{error:?}");
        assert!(matches!(error, HolderError::Unreadable { .. }));
    }
}

#[test]
fn a_bare_key_that_somebody_put_there_by_hand_is_taken() {
    let (keyring, store) = in_memory();
    set(&store, "ab".repeat(32).as_bytes());
    let expected = MasterKey::parse(&SecretValue::new("ab".repeat(32)).expect("no NUL")).expect("a key");
    assert_eq!(keyring.load().ok().map(|keys| keys.active_id()), Some(expected.id()));
}

#[test]
fn a_keyring_that_does_not_answer_is_given_up_and_one_that_panics_is_survived() {
    let (hold, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let stuck = over(move || {
        // Until the test ends, as a prompt that nobody answers.
        let _ = held.lock().expect("one thread").recv();
        Err(Error::NoEntry)
    });
    let stuck = stuck.with_patience(Duration::from_millis(20));
    assert_eq!(code(stuck.load()), Some("keyring-timeout"));
    drop(hold);
    let panicking = over(|| std::panic::resume_unwind(Box::new("a bug of the library")));
    assert_eq!(code(panicking.load()), Some("keyring-failed"));
}
