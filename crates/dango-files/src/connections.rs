//! The connections to providers (OAuth) that `secrets.toml` has records of, read as any version of Dango has written them; nobody is asked whether they work.

use dango_actions::ListedConnection;
use dango_core::{Clock, CredentialPath, Timestamp};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_vault::parse_metadata_time;

/// Lists `[dango.oauth.<name>]`. What is no table there is passed over, and of what is written in a field nothing but text.
///
/// A record without a type is of the type that it is named by, as earlier versions wrote it; their name `facebook_ads` for the
/// provider is `facebook`.
pub(crate) fn list_connections(document: &SecretsDocument, clock: &dyn Clock) -> Vec<ListedConnection> {
    let path = CredentialPath::from_parts(["dango", "oauth"]).expect("two parts are a path");
    let Some(Value::Table(records)) = document.value(&path) else {
        return Vec::new();
    };
    let tables = records.into_iter().filter_map(|(name, record)| match record {
        Value::Table(fields) => Some((name, Fields(fields))),
        _ => None,
    });
    tables
        .map(|(name, fields)| ListedConnection {
            source_type: fields.text("source_type").unwrap_or_else(|| name.clone()),
            name,
            provider: match fields.text("provider").as_deref() {
                Some("facebook_ads") => "facebook".to_owned(),
                provider => provider.unwrap_or("unknown").to_owned(),
            },
            identifier: fields.text("identifier"),
            account_info: fields.text("account_info"),
            connected_at: fields.time("created_at", clock),
            expires_at: fields.time("expires_at", clock),
        })
        .collect()
}

struct Fields(Vec<(String, Value)>);

impl Fields {
    /// The text of a field, a number's and a date's, too; never that of an encrypted value.
    fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        let text = match value {
            _ if dango_vault::is_encrypted(value) => return None,
            Value::String(text) => text.verbatim().to_string(),
            Value::Integer { text, .. } | Value::Datetime(text) => text.to_string(),
            _ => return None,
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn time(&self, name: &str, clock: &dyn Clock) -> Option<Timestamp> {
        let text = self.text(name)?;
        // A time without an offset is local, and how far local time is ahead depends on the time: the second guess is right but
        // within the hour in which the clocks are moved.
        let mut at = parse_metadata_time(&text, 0).ok()?;
        for _ in 0..2 {
            at = parse_metadata_time(&text, clock.local_offset_seconds(at)).ok()?;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
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
