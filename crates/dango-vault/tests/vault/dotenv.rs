//! Variables of `.env`: encrypted, opened, decrypted, set.

use dango_secrets::dotenv::{EnvDocument, Precedence};
use dango_vault::{EnvLeftReason, EnvTargets, Keys, OpeningError, Protection, is_encrypted_binding, open_env};

use super::*;

const ENV: &str = "\u{feff}# the warehouse\r\nexport HOST = 'db one'   # inside\r\nPASSWORD=\"p#ss\\n2\"\r\nURL=pg://${PASSWORD}@${HOST}/x\r\n\
                   HOST=second\r\nEMPTY=\r\nNOTHING\r\nmy.key=dotted-value\r\nLAST=bare value # end";

fn document(place: &Place) -> EnvDocument {
    EnvDocument::parse(place.env().as_bytes()).expect("UTF-8")
}

#[test]
fn a_file_comes_back_byte_for_byte_and_reads_as_before_meanwhile() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("", ENV);
    let before: Vec<(String, Option<String>)> = values(&document(&place));
    let vault = vault(&place, &keys);
    let report = vault.encrypt_env(EnvTargets::All).expect("encrypted");
    let names: Vec<&str> = report.encrypted.iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["HOST", "PASSWORD", "HOST", "EMPTY", "LAST"]);
    let left: Vec<EnvLeftReason> = report.left.iter().map(|left| left.reason).collect();
    assert_eq!(left, [EnvLeftReason::Reference, EnvLeftReason::NoValue, EnvLeftReason::NoName]);
    assert!(!place.env().contains("p#ss") && !place.env().contains("second") && place.env().contains("# inside"));
    let opened = open_env(&document(&place), &keys).expect("opens");
    assert_eq!(
        values(&opened),
        before,
        "plain values that refer to encrypted ones see what was encrypted"
    );
    assert_eq!(vault.check_env(&document(&place)).expect("checked"), None);
    vault.decrypt_env(EnvTargets::All).expect("decrypted");
    assert_eq!(place.env(), ENV);
}

fn values(document: &EnvDocument) -> Vec<(String, Option<String>)> {
    let values = document.values(&|_| None, Precedence::File).expect("small");
    values
        .iter()
        .map(|(key, value)| (key.to_owned(), value.map(|value| value.expose().to_owned())))
        .collect()
}

#[test]
fn what_no_spelling_holds_is_stored_encrypted() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("", "A=1\n");
    let vault = vault(&place, &keys);
    let name = "TOKEN".parse().expect("a name");
    for value in ["${HOME}", "'\"`\\# \n${X}", "plain"] {
        let report = vault
            .set_env(&name, &secret(value), References::Literal, Protection::Encrypt)
            .expect("set");
        assert!(report.encrypted);
        let opened = open_env(&document(&place), &keys).expect("opens");
        assert!(values(&opened).contains(&("TOKEN".to_owned(), Some(value.to_owned()))));
    }
    vault
        .set_env(&name, &secret("${HOME}"), References::Literal, Protection::Habit)
        .expect("it replaces an encrypted one");
    let error = vault.decrypt_env(EnvTargets::All).expect_err("no spelling");
    assert!(error.to_string().contains("TOKEN"), "{error}");
    assert_eq!(vault.env_history(&name).expect("listed").len(), 3);
    vault.rollback_env(&name, 1).expect("rolled back");
    let opened = open_env(&document(&place), &keys).expect("opens");
    assert!(values(&opened).contains(&("TOKEN".to_owned(), Some("plain".to_owned()))));
    assert!(document(&place).bindings().last().is_some_and(is_encrypted_binding));
    vault.unset_env("TOKEN").expect("unset");
    assert_eq!(place.env(), "A=1\n");
}

#[test]
fn swapped_variables_are_named() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("", "A=first-value\nB=other-value\n");
    vault(&place, &keys).encrypt_env(EnvTargets::All).expect("encrypted");
    let swapped = place.env().replacen("A=", "C=", 1).replacen("B=", "A=", 1);
    match open_env(&EnvDocument::parse(swapped.as_bytes()).expect("UTF-8"), &keys) {
        Err(OpeningError::Closed(closed)) => assert_eq!(closed.iter().map(|value| value.place.as_str()).collect::<Vec<_>>(), ["C", "A"]),
        _ => panic!("opened"),
    }
}
