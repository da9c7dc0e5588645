//! A text is an envelope, a damaged one or plain; an envelope is written as it was read, and opens for nobody who did not seal it.
#![no_main]

use std::sync::LazyLock;

use dango_core::SecretValue;
use dango_keyring::{Binding, Envelope, FileSeal, KeySet, OpenError, Purpose, WrappedKeys};
use libfuzzer_sys::fuzz_target;

/// A key that sealed none of the seeds.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| keys(&"00".repeat(32)).expect("a key"));

fn keys(text: &str) -> Option<KeySet> {
    KeySet::parse(&SecretValue::new(text.to_owned()).ok()?).ok()
}

fuzz_target!(|text: &str| {
    let place = Binding::path(&"a".parse().expect("a path"));
    for text in [text, &format!("dango:v1:{}:{text}", KEYS.active_id())] {
        if let Ok(Some(envelope)) = Envelope::parse(text) {
            assert_eq!(envelope.to_string(), text);
            let opened = KEYS.open(Purpose::SecretsToml, &place, &envelope);
            assert!(matches!(opened, Err(OpenError::UnknownKey { .. } | OpenError::NotAuthentic)));
        }
    }
    if let Some(seal) = FileSeal::parse_comment(text) {
        assert_eq!(seal.to_comment(), text.trim_end_matches(['\r', '\n']));
    }
    assert!(KEYS.file_sealer(Purpose::DotEnv).parse_seen(text).is_err());
    if let Ok(wrapped) = text.parse::<WrappedKeys>() {
        assert!(wrapped.to_string().parse::<WrappedKeys>().is_ok());
    }
    if let Some(keys) = keys(text) {
        assert!(KeySet::parse(&keys.to_text()).is_ok_and(|back| back.ct_eq(&keys)));
    }
});
