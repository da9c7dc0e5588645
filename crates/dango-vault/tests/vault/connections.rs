//! Connections on disk: fields and record in one save, plain or encrypted as the file is, and nothing left of what was removed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dango_core::Timestamp;
use dango_vault::{Connection, Protection, Renewal, RenewedConnection, Selection, Targets, open_secrets};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn connection(name: &str) -> Connection {
    Connection {
        name: name.to_owned(),
        source_type: "google_sheets".to_owned(),
        provider: "google".to_owned(),
        identifier: Some("ada@x.example".to_owned()),
        account_info: Some("Ada \"${X}\"".to_owned()),
        connected_at: Some(at("2026-11-22T09:00:00Z")),
        expires_at: None,
        refreshed_at: None,
        scopes: vec!["openid".to_owned(), "sheets".to_owned()],
        unreadable: Vec::new(),
    }
}

fn credentials(name: &str, fields: &[(&str, &str)]) -> Vec<(CredentialPath, SecretValue)> {
    let table = path(&format!("sources.{name}.credentials"));
    fields.iter().map(|(field, text)| (table.child(*field), secret(text))).collect()
}

#[test]
fn a_connection_is_stored_as_dlt_reads_it_and_comes_back() {
    let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
    let place = Place::with("# ours\n[sources.stripe]\napi_key = 'k' # stays\n", "");
    let fields = credentials(
        "sheets_eu",
        &[
            ("client_id", "id"),
            ("client_secret", "s3"),
            ("refresh_token", "1//r"),
            ("project_id", "dango-oauth"),
        ],
    );
    vault(&place, &keys)
        .save_connection(&connection("sheets_eu"), &fields, Protection::Habit)
        .expect("saved");
    assert_eq!(
        place.secrets(),
        "# ours\n[sources.stripe]\napi_key = 'k' # stays\n\n[sources.sheets_eu.credentials]\nclient_id = \"id\"\nclient_secret = \"s3\"\n\
         refresh_token = \"1//r\"\nproject_id = \"dango-oauth\"\n\n[dango.oauth.sheets_eu]\nsource_type = \"google_sheets\"\n\
         provider = \"google\"\nidentifier = \"ada@x.example\"\naccount_info = \"Ada \\\"\\u0024{X}\\\"\"\n\
         created_at = \"2026-11-22T09:00:00Z\"\nscopes = [\"openid\", \"sheets\"]\n"
    );
    assert_eq!(Connection::list(&place.document(), &SystemClock), [connection("sheets_eu")]);
}

#[test]
fn in_an_encrypted_file_the_tokens_are_encrypted_and_the_record_is_not() {
    let set = key_set();
    let keys = Keys::at_hand(&set);
    let place = Place::with("[sources.stripe]\napi_key = 'k'\n", "");
    let vault = vault(&place, &keys);
    vault.encrypt_secrets(Targets::All).expect("encrypted");
    let fields = credentials("sheets", &[("refresh_token", "1//canary")]);
    vault
        .save_connection(&connection("sheets"), &fields, Protection::Habit)
        .expect("saved");
    assert!(!place.secrets().contains("canary"));
    assert_eq!(Connection::list(&place.document(), &SystemClock), [connection("sheets")]);
    let renewal = Renewal {
        at: at("2026-11-22T10:00:00Z"),
        expires_at: Some(at("2027-01-01T00:00:00Z")),
    };
    let fields = credentials("sheets", &[("refresh_token", "2//canary")]);
    assert_eq!(
        vault.renew_connection(&connection("sheets"), &fields, renewal).expect("saved"),
        RenewedConnection::Saved
    );
    assert!(!place.secrets().contains("canary"));
    let opened = open_secrets(&place.document(), Selection::All, &keys).expect("opens");
    assert_eq!(text_at(&opened, "sources.sheets.credentials.refresh_token"), "2//canary");
    let stored = Connection::find(&place.document(), "sheets", &SystemClock).expect("is there");
    assert_eq!((stored.refreshed_at, stored.expires_at), (Some(renewal.at), renewal.expires_at));
    assert_eq!(stored.connected_at, connection("sheets").connected_at);
    // A rotated token is worth nothing: the history has none to offer.
    assert!(
        vault
            .secret_history(&path("sources.sheets.credentials.refresh_token"))
            .expect("read")
            .is_empty()
    );
    assert_eq!(
        vault
            .check_secrets(&place.document())
            .expect("checked")
            .map(|warning| warning.to_string()),
        None
    );
}

#[test]
fn reconnecting_leaves_no_member_of_the_connection_before() {
    let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
    let place = Place::with(
        "[sources.facebook_ads]\naccess_token = \"old\"\naccount_id = \"1\"\n\n[dango.oauth.facebook_ads]\nprovider = \"facebook_ads\"\n\
         expires_at = \"2026-01-01T00:00:00\" # naive\n\n[dango.oauth.facebook_ads.metadata]\napp_secret = \"canary\"\n",
        "",
    );
    let new = Connection {
        source_type: "facebook_ads".to_owned(),
        provider: "facebook".to_owned(),
        identifier: None,
        ..connection("facebook_ads")
    };
    let fields = [(path("sources.facebook_ads.access_token"), secret("new"))];
    vault(&place, &keys)
        .save_connection(&new, &fields, Protection::Habit)
        .expect("saved");
    assert!(!place.secrets().contains("canary"), "{}", place.secrets());
    assert_eq!(Connection::list(&place.document(), &SystemClock), [new]);
    assert_eq!(text_at(&place.document(), "sources.facebook_ads.access_token"), "new");
    // What was not named stays: an account id, or a refresh token that did not come again.
    assert_eq!(text_at(&place.document(), "sources.facebook_ads.account_id"), "1");
}

#[test]
fn removing_takes_everything_that_was_written_and_nothing_else() {
    let set = key_set();
    for encrypted in [false, true] {
        let keys = Keys::at_hand(&set);
        let before = "# top\n[sources.stripe]\napi_key = 'k'\n\n[sources.sheets]\nrange_names = ['a'] # mine\n";
        let place = Place::with(before, "");
        let vault = vault(&place, &keys);
        if encrypted {
            vault.encrypt_secrets(Targets::All).expect("encrypted");
        }
        for name in ["sheets", "sheets_us"] {
            let fields = credentials(name, &[("client_id", "canary"), ("refresh_token", "canary")]);
            vault.save_connection(&connection(name), &fields, Protection::Habit).expect("saved");
        }
        for name in ["sheets", "sheets_us"] {
            let fields = ["client_id", "refresh_token", "never_written"].map(|field| path(&format!("sources.{name}.credentials.{field}")));
            assert!(vault.remove_connection(name, &fields).expect("removed") >= 2);
        }
        assert_eq!(Connection::list(&place.document(), &SystemClock), []);
        let history = vault
            .secret_history(&path("sources.sheets.credentials.refresh_token"))
            .expect("read");
        assert!(history.is_empty());
        let document = place.document();
        assert!(!document.contains_table(&path("sources.sheets.credentials")), "{}", place.secrets());
        assert!(!document.contains_table(&path("sources.sheets_us")), "{}", place.secrets());
        assert!(document.value(&path("sources.sheets.range_names")).is_some());
        if !encrypted {
            assert_eq!(place.secrets().trim_end(), before.trim_end());
        }
    }
}

#[test]
fn a_renewal_brings_no_removed_connection_back() {
    let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
    let place = Place::with("[sources.stripe]\napi_key = 'k'\n", "");
    let renewal = Renewal {
        at: at("2026-11-22T10:00:00Z"),
        expires_at: None,
    };
    let before = place.secrets();
    let fields = credentials("sheets", &[("refresh_token", "new")]);
    let renewed = vault(&place, &keys).renew_connection(&connection("sheets"), &fields, renewal);
    assert_eq!((renewed.expect("read"), place.secrets()), (RenewedConnection::Gone, before));
}

#[test]
fn a_renewal_that_comes_late_puts_nothing_in_the_place_of_a_newer_grant() {
    let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
    let place = Place::with("", "");
    let vault = vault(&place, &keys);
    let asked = connection("sheets");
    let renew = |token: &str, time: &str| {
        let renewal = Renewal {
            at: at(time),
            expires_at: None,
        };
        vault
            .renew_connection(&asked, &credentials("sheets", &[("refresh_token", token)]), renewal)
            .expect("read")
    };
    let connect = |connection: &Connection, token: &str| {
        let fields = credentials("sheets", &[("refresh_token", token)]);
        vault.save_connection(connection, &fields, Protection::Habit).expect("saved");
    };
    connect(&asked, "first");
    assert_eq!(renew("second", "2026-11-22T10:00:00Z"), RenewedConnection::Saved);
    // Two asked with the first, and the other one was slower.
    assert_eq!(renew("late", "2026-11-22T10:05:00Z"), RenewedConnection::Superseded);
    assert!(place.secrets().contains("second") && !place.secrets().contains("late"));
    let anew = Connection {
        connected_at: Some(at("2026-11-22T11:00:00Z")),
        ..connection("sheets")
    };
    connect(&anew, "third");
    assert_eq!(renew("late", "2026-11-22T11:05:00Z"), RenewedConnection::Superseded);
    assert!(place.secrets().contains("third") && !place.secrets().contains("late"));
}

#[test]
fn one_at_a_time_renews_a_connection() {
    let place = Place::with("", "");
    std::fs::create_dir_all(place.project.dango_dir()).expect("made");
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
                let lease = vault(&place, &keys)
                    .lease_connection("sheets", Duration::from_secs(60))
                    .expect("waited for");
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(lease);
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
    let keys = Keys::lazy(|| Err(dango_keyring::HolderError::NotChosen));
    let vault = vault(&place, &keys);
    let _held = vault.lease_connection("sheets", Duration::ZERO).expect("free");
    assert!(vault.lease_connection("sheets", Duration::ZERO).is_err());
    let _other = vault
        .lease_connection("sheets_us", Duration::ZERO)
        .expect("another connection does not wait");
}
