//! The connections to providers (OAuth) that `secrets.toml` has records of, as the desk shows them. How records are read is the vault's.

use dango_actions::ListedConnection;
use dango_core::Clock;
use dango_secrets::document::SecretsDocument;
use dango_vault::Connection;

/// Lists the records of a document, those of earlier versions, too.
pub(crate) fn list_connections(document: &SecretsDocument, clock: &dyn Clock) -> Vec<ListedConnection> {
    let records = Connection::list(document, clock).into_iter();
    records
        .map(|record| ListedConnection {
            name: record.name,
            source_type: record.source_type,
            provider: record.provider,
            identifier: record.identifier,
            account_info: record.account_info,
            connected_at: record.connected_at,
            expires_at: record.expires_at,
            refreshed_at: record.refreshed_at,
            scopes: record.scopes,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use dango_core::Timestamp;

    use super::*;

    /// Local time is UTC, and it is never asked for.
    struct Utc;

    impl Clock for Utc {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(0)
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    fn listed(text: &str) -> Vec<ListedConnection> {
        list_connections(&SecretsDocument::parse(text.as_bytes()).expect("TOML"), &Utc)
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().expect("a time"))
    }

    #[test]
    fn a_record_is_listed_with_its_fields() {
        let text = "[dango.oauth.sheets_eu]\nsource_type = 'google_sheets'\nprovider = 'google'\nidentifier = 'ada@x.example'\n\
                    account_info = 'Ada (ada@x.example)'\ncreated_at = '2026-05-01T10:00:00Z'\nexpires_at = 2026-07-01T10:00:00+02:00\n\
                    scopes = ['a']\nlast_refreshed = '2026-05-02T10:00:00Z'\n";
        let expected = ListedConnection {
            name: "sheets_eu".to_owned(),
            source_type: "google_sheets".to_owned(),
            provider: "google".to_owned(),
            identifier: Some("ada@x.example".to_owned()),
            account_info: Some("Ada (ada@x.example)".to_owned()),
            connected_at: at("2026-05-01T10:00:00Z"),
            expires_at: at("2026-07-01T08:00:00Z"),
            refreshed_at: at("2026-05-02T10:00:00Z"),
            scopes: vec!["a".to_owned()],
        };
        assert_eq!(listed(text), [expected]);
    }
}
