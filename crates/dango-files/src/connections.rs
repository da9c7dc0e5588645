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

    /// A country that is an hour ahead, and two from 2026-03-29T01:00:00Z.
    struct Abroad;

    impl Clock for Abroad {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(0)
        }

        fn local_offset_seconds(&self, at: Timestamp) -> i32 {
            if at < "2026-03-29T01:00:00Z".parse().expect("a time") {
                3600
            } else {
                7200
            }
        }
    }

    fn listed(text: &str) -> Vec<ListedConnection> {
        list_connections(&SecretsDocument::parse(text.as_bytes()).expect("TOML"), &Abroad)
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

    #[test]
    fn a_record_of_an_earlier_dango_is_of_its_own_type_and_its_times_are_local() {
        let text = "[sources.facebook_ads]\naccess_token = 'EAAcanary'\n\n[dango.oauth.facebook_ads]\nprovider = \"facebook_ads\"\n\
                    identifier = \"123456\"\naccount_info = \"Ad Account 123456\"\ncreated_at = \"2026-01-15T09:30:00.123456\"\n\
                    expires_at = \"2026-03-29T03:30:00\"\n\n[dango.oauth.facebook_ads.metadata]\napp_id = \"1\"\napp_secret = \"canary\"\n";
        let [connection] = listed(text).try_into().expect("one");
        assert_eq!(
            (connection.name.as_str(), connection.source_type.as_str()),
            ("facebook_ads", "facebook_ads")
        );
        assert_eq!(connection.provider, "facebook");
        assert_eq!(
            connection.connected_at.map(|at| at.to_string()).as_deref(),
            Some("2026-01-15T08:30:00Z")
        );
        assert_eq!(connection.expires_at, at("2026-03-29T01:30:00Z"));
        assert!(!format!("{connection:?}").contains("canary"));
    }

    #[test]
    fn what_is_missing_or_strange_is_left_out() {
        assert_eq!(listed("[dango.oauth]\na = 1\nb = 'x'\n[[dango.oauth.c]]\nd = 1\n"), []);
        assert_eq!(listed("[dango]\noauth = 'x'\n"), []);
        let sealed = "dango:v1:0123456789abcdef:AAAA";
        let text =
            format!("[dango.oauth.\"odd name\"]\nidentifier = \"{sealed}\"\naccount_info = ' '\ncreated_at = 'soon'\nexpires_at = true\n");
        let [connection] = listed(&text).try_into().expect("one");
        assert_eq!((connection.name.as_str(), connection.provider.as_str()), ("odd name", "unknown"));
        let optional = (
            connection.identifier,
            connection.account_info,
            connection.connected_at,
            connection.expires_at,
        );
        assert_eq!(optional, (None, None, None, None));
    }
}
