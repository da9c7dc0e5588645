//! Values of `secrets.toml`: encrypted, opened, decrypted, set, kept in the history.

use dango_core::OsEntropy;
use dango_keyring::HolderError;
use dango_secrets::{SetOutcome, Value};
use dango_vault::{
    Keys, LeftReason, OpeningError, Protection, Removal, Sealer, Selection, Targets, VaultError, decrypt_secrets, encrypt_secrets,
    is_encrypted, open_secrets,
};

use super::*;

#[test]
fn every_layout_comes_back_byte_for_byte() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let mut encrypted = 0;
    for (name, text) in corpus() {
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        // Every value there is, not only those that `--all` covers.
        let all: Vec<CredentialPath> = document.entries().into_iter().map(|entry| entry.path).collect();
        let mut sealer = Sealer::new(&set, &OsEntropy);
        let (sealed, report) =
            encrypt_secrets(&document, Targets::Paths(&all), &mut sealer).unwrap_or_else(|error| panic!("{name}: {error}"));
        encrypted += report.encrypted.len();
        assert_eq!(sealer.count().seals(), report.encrypted.len() as u64);
        for path in &report.encrypted {
            assert!(sealed.value(path).is_some_and(|value| is_encrypted(&value)), "{name}: {path}");
        }
        let (plain, decrypted) =
            decrypt_secrets(&sealed, Targets::Paths(&report.encrypted), &set).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plain.text(), text, "{name}");
        assert_eq!(decrypted.len(), report.encrypted.len());
        if report.already.is_empty() {
            let opened = open_secrets(&sealed, Selection::All, &keys).unwrap_or_else(|error| panic!("{name}: {error}"));
            for entry in document.entries() {
                let now = opened.value(&entry.path).expect("is there");
                assert_eq!(now.value_type(), entry.value.value_type(), "{name}: {}", entry.path);
            }
        }
    }
    assert!(encrypted > 200, "{encrypted}");
}

#[test]
fn a_file_comes_back_byte_for_byte_with_its_seal_gone() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    for (name, text) in corpus().into_iter().filter(|(name, _)| !name.contains("encrypted.toml")) {
        let place = Place::with(&text, "");
        let vault = vault(&place, &keys);
        let report = vault
            .encrypt_secrets(Targets::All)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(place.secrets().contains("[dango.seal]"), !report.encrypted.is_empty(), "{name}");
        assert_eq!(vault.check_secrets(&place.document()).expect("checked"), None, "{name}");
        vault
            .decrypt_secrets(Targets::All)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(place.secrets(), text, "{name}");
        assert_eq!(vault.check_secrets(&place.document()).expect("checked"), None, "{name}");
    }
}

#[test]
fn types_come_back_and_nothing_opened_is_a_reference() {
    let text = "[sources.x]\ns = \"${A}\"\nm = \"\"\"\na\nb\"\"\"\ni = 0x1F\nf = 1e3\nb = true\nd = 2024-01-31\nt = { a = 'q', n = 1 }\nl = [1, \"two\"]\n";
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with(text, "");
    let vault = vault(&place, &keys);
    let report = vault.encrypt_secrets(Targets::All).expect("encrypted");
    assert_eq!(report.encrypted.len(), 8);
    assert_eq!(
        report.left.iter().map(|left| left.reason).collect::<Vec<_>>(),
        [LeftReason::Reference]
    );
    vault
        .set_secrets(&[(path("sources.x.lit"), string("${A}"))], Protection::Encrypt)
        .expect("set");
    let opened = open_secrets(&place.document(), Selection::All, &keys).expect("opens");
    assert!(matches!(opened.value(&path("sources.x.i")), Some(Value::Integer { value: 31, .. })));
    assert!(matches!(opened.value(&path("sources.x.f")), Some(Value::Float { value, .. }) if value == 1000.0));
    assert!(matches!(opened.value(&path("sources.x.b")), Some(Value::Boolean(true))));
    assert!(matches!(opened.value(&path("sources.x.d")), Some(Value::Datetime(_))));
    assert!(matches!(opened.value(&path("sources.x.l")), Some(Value::Array(items)) if items.len() == 2));
    assert_eq!(text_at(&opened, "sources.x.m"), "a\nb");
    assert_eq!(text_at(&opened, "sources.x.t.a"), "q");
    assert!(opened.value(&path("sources.x.s")).is_some_and(|value| value.has_reference()));
    assert!(opened.value(&path("sources.x.lit")).is_some_and(|value| !value.has_reference()));
    assert_eq!(text_at(&opened, "sources.x.lit"), "${A}");
}

#[test]
fn what_does_not_open_is_named_and_nothing_is_opened() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("[sources.x]\na = \"first-value\"\nb = \"other-value\"\nc = \"third-value\"\n", "");
    vault(&place, &keys).encrypt_secrets(Targets::All).expect("encrypted");
    let whole = place.document();
    let (a, b) = (text_at(&whole, "sources.x.a"), text_at(&whole, "sources.x.b"));
    let flipped = format!("{}{}", &b[..b.len() - 3], if b.ends_with("AAA") { "BBB" } else { "AAA" });
    let cases = [
        (
            place.secrets().replace(&a, "@").replace(&b, &a).replace('@', &b),
            vec!["sources.x.a", "sources.x.b"],
        ),
        (place.secrets().replace(&b, &flipped), vec!["sources.x.b"]),
        (place.secrets().replace(&b, &b[..b.len() - 1]), vec!["sources.x.b"]),
        (place.secrets().replace(&b, &b[..40]), vec!["sources.x.b"]),
        (place.secrets().replace("\nb = ", "\nmoved = "), vec!["sources.x.moved"]),
        (
            place.secrets().replace(&format!("\"{b}\""), &format!("[\"{b}\"]")),
            vec!["sources.x.b"],
        ),
    ];
    for (text, places) in cases {
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        match open_secrets(&document, Selection::All, &keys) {
            Err(OpeningError::Closed(closed)) => {
                assert_eq!(closed.iter().map(|value| value.place.as_str()).collect::<Vec<_>>(), places);
            }
            _ => panic!("opened: {places:?}"),
        }
        let below = path("sources.x.c");
        let opened = open_secrets(&document, Selection::Below(&below), &keys).expect("only what was asked for");
        assert_eq!(text_at(&opened, "sources.x.c"), "third-value");
    }
    let other = key_set();
    let error = open_secrets(&whole, Selection::All, &Keys::at_hand(&other))
        .err()
        .expect("another key");
    assert!(error.to_string().contains("sources.x.b") && error.to_string().contains(&set.active_id().to_string()));
}

#[test]
fn plain_files_never_ask_for_a_key() {
    let keys = Keys::lazy(|| panic!("nobody needs a key"));
    let place = Place::with("[sources.x]\na = 'dango:hello'\nb = 1\n", "A=dango:v1:\n");
    let vault = vault(&place, &keys);
    vault
        .set_secrets(&[(path("sources.x.a"), string("new"))], Protection::Habit)
        .expect("set");
    vault.unset_secret(&path("sources.x.b"), Removal::Value).expect("unset");
    assert_eq!(vault.check_secrets(&place.document()).expect("nothing to check"), None);
    assert!(open_secrets(&place.document(), Selection::All, &keys).is_ok());
    vault.reseal_secrets().expect("nothing to seal");
    assert_eq!(place.secrets(), "[sources.x]\na = \"new\"\n");
}

#[test]
fn without_a_key_the_holders_reason_is_told() {
    let set = key_set();
    let place = Place::with("[sources.x]\na = 'first-value'\n", "");
    vault(&place, &Keys::at_hand(&set))
        .encrypt_secrets(Targets::All)
        .expect("encrypted");
    let before = place.secrets();
    let keys = Keys::lazy(|| Err(HolderError::Locked { source: None }));
    let error = open_secrets(&place.document(), Selection::All, &keys).err().expect("locked");
    assert_eq!(error.code(), "keyring-locked");
    let error = vault(&place, &keys).set_secrets(&[(path("sources.x.a"), string("new"))], Protection::Habit);
    assert!(matches!(error, Err(VaultError::Keys(_))));
    assert_eq!(place.secrets(), before);
}

#[test]
fn a_value_over_an_encrypted_one_is_encrypted_and_new_ones_follow_the_files_habit() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("[sources.x]\na = 'first-value' # was first-value in May\nport = 5432\n", "");
    let vault = vault(&place, &keys);
    let new = |at: &str, text: &str, protection| vault.set_secrets(&[(path(at), string(text))], protection).expect("set");
    assert!(new("sources.x.b", "plain-one", Protection::Habit).encrypted.is_empty());
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    assert_eq!(
        new("sources.x.a", "second-value", Protection::Habit).encrypted,
        [path("sources.x.a")]
    );
    assert!(!place.secrets().contains("May"), "the comment about the old value stays encrypted");
    assert_eq!(new("sources.y.c", "by-habit", Protection::Habit).encrypted, [path("sources.y.c")]);
    assert_eq!(new("sources.y.c", "by-habit", Protection::Habit).outcomes, [SetOutcome::Unchanged]);
    assert!(new("sources.y.d", "on-purpose", Protection::Plain).encrypted.is_empty());
    assert!(new("sources.y.e", "no-habit-now", Protection::Habit).encrypted.is_empty());
    let refused = NewValue::String {
        text: secret("${A}"),
        references: References::Expand,
    };
    let error = vault.set_secrets(&[(path("sources.y.f"), refused)], Protection::Encrypt).err();
    assert_eq!(error.map(|error| error.code()), Some("not-encryptable"));
    vault.decrypt_secrets(Targets::Paths(&[path("sources.x.a")])).expect("decrypted");
    assert!(place.secrets().contains("a = \"second-value\" # was first-value in May\n"));
    assert_eq!(vault.check_secrets(&place.document()).expect("checked"), None);
}

#[test]
fn previous_values_are_listed_and_come_back() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("[sources.x]\na = 'value-number-0'\nport = 0x10\n", "");
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    let at = path("sources.x.a");
    for number in 1..=25 {
        vault
            .set_secrets(&[(at.clone(), string(&format!("value-number-{number}")))], Protection::Habit)
            .expect("set");
    }
    vault.unset_secret(&path("sources.x.port"), Removal::Value).expect("unset");
    let listed = vault.secret_history(&at).expect("listed");
    assert_eq!((listed.len(), listed[0].number, listed[0].actor.as_str()), (20, 1, "ana"));
    for (name, bytes) in place.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("value-number"), "{name}");
    }
    vault.rollback_secret(&at, 3).expect("rolled back");
    let opened = open_secrets(&place.document(), Selection::All, &keys).expect("opens");
    assert_eq!(text_at(&opened, "sources.x.a"), "value-number-22");
    assert!(place.document().value(&at).is_some_and(|value| is_encrypted(&value)));
    vault.rollback_secret(&path("sources.x.port"), 1).expect("rolled back");
    let opened = open_secrets(&place.document(), Selection::All, &keys).expect("opens");
    assert!(matches!(
        opened.value(&path("sources.x.port")),
        Some(Value::Integer { value: 16, .. })
    ));
    let error = vault.rollback_secret(&at, 21).err();
    assert_eq!(error.map(|error| error.code()), Some("history-no-such-number"));
}

#[test]
fn what_is_written_was_counted_before() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("[sources.x]\na = 'first-value'\nb = 'other-value'\n", "A=third-value\n");
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    vault.encrypt_env(dango_vault::EnvTargets::All).expect("encrypted");
    vault
        .set_secrets(&[(path("sources.x.a"), string("new"))], Protection::Habit)
        .expect("set");
    let count = dango_vault::count_of(&place.project, set.active_id()).expect("counted");
    assert_eq!(
        count.seals(),
        2 + 1 + 1 + 1,
        "two values, one variable, the new value and the old one in the history"
    );
    let protected = dango_vault::protected_by(&place.project).expect("counted");
    assert_eq!(protected, [(set.active_id(), 4)]);
}
