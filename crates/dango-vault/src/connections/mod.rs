//! The connections to providers (OAuth) that `secrets.toml` has records of, read as any version of Dango has written them. How they
//! are written is in `save`; nobody is asked here whether they work.

mod lease;
mod save;
mod time;

use dango_core::{Clock, CredentialPath, Timestamp};
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;

use crate::secrets::{OWN_TABLE, is_encrypted};

pub use lease::ConnectionLease;
pub use save::{Renewal, RenewedConnection};
pub use time::parse_metadata_time;

/// The table in Dango's own that holds the records.
const OAUTH: &str = "oauth";

/// What is taken for the provider of a record that names none.
const UNKNOWN: &str = "unknown";

/// No access token of Google's lives longer: it has an hour, and a little is for the time between two looks at the clock.
const LONGEST_ACCESS_MICROS: i64 = 2 * 3_600 * 1_000_000;

/// The members of a record, as they are spelled in the file.
mod member {
    pub(super) const SOURCE_TYPE: &str = "source_type";
    pub(super) const PROVIDER: &str = "provider";
    pub(super) const IDENTIFIER: &str = "identifier";
    pub(super) const ACCOUNT_INFO: &str = "account_info";
    pub(super) const CREATED_AT: &str = "created_at";
    pub(super) const EXPIRES_AT: &str = "expires_at";
    pub(super) const LAST_REFRESHED: &str = "last_refreshed";
    pub(super) const SCOPES: &str = "scopes";
    /// What earlier versions kept beside: an app's id and secret, and the service.
    pub(super) const METADATA: &str = "metadata";
}

/// The record of a connection, `[dango.oauth.<name>]`. No token is in it: those are fields of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The name of the source; its type, where an earlier Dango made it.
    pub name: String,
    /// The type of the source.
    pub source_type: String,
    /// Who gave the access, or `unknown`.
    pub provider: String,
    /// What a person knows the account by.
    pub identifier: Option<String>,
    /// A name to show beside it.
    pub account_info: Option<String>,
    /// Since when it is connected.
    pub connected_at: Option<Timestamp>,
    /// When the grant ends, where that is known.
    pub expires_at: Option<Timestamp>,
    /// When its tokens were last renewed.
    pub refreshed_at: Option<Timestamp>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// The times of the record that cannot be read; they count as not known.
    pub unreadable: Vec<CredentialPath>,
}

impl Connection {
    /// Where the record of a name is.
    pub fn path_of(name: &str) -> CredentialPath {
        CredentialPath::from_parts([OWN_TABLE, OAUTH, name]).expect("three parts are a path")
    }

    /// Lists the records of a document. What is no table among them is passed over.
    ///
    /// A record without a type is of the type that it is named by, as earlier versions wrote it; their name `facebook_ads` for the
    /// provider is `facebook`. A time without an offset is one of the clock's place.
    pub fn list(document: &SecretsDocument, clock: &dyn Clock) -> Vec<Self> {
        let path = CredentialPath::from_parts([OWN_TABLE, OAUTH]).expect("two parts are a path");
        let Some(Value::Table(records)) = document.value(&path) else {
            return Vec::new();
        };
        let records = records.into_iter().filter_map(|(name, record)| match record {
            Value::Table(members) => Some(Self::read(name, &Members(members), clock)),
            _ => None,
        });
        records.collect()
    }

    /// The record of a name.
    pub fn find(document: &SecretsDocument, name: &str, clock: &dyn Clock) -> Option<Self> {
        match document.value(&Self::path_of(name)) {
            Some(Value::Table(members)) => Some(Self::read(name.to_owned(), &Members(members), clock)),
            _ => None,
        }
    }

    fn read(name: String, members: &Members, clock: &dyn Clock) -> Self {
        let mut unreadable = Vec::new();
        let mut time = |member: &str| {
            let text = members.text(member)?;
            let at = time::parse_local(&text, clock);
            if at.is_none() {
                unreadable.push(Self::path_of(&name).child(member));
            }
            at
        };
        let connected_at = time(member::CREATED_AT);
        let expires_at = time(member::EXPIRES_AT);
        let refreshed_at = time(member::LAST_REFRESHED);
        let provider = match members.text(member::PROVIDER).as_deref() {
            Some("facebook_ads") => "facebook".to_owned(),
            provider => provider.unwrap_or(UNKNOWN).to_owned(),
        };
        Self {
            source_type: members.text(member::SOURCE_TYPE).unwrap_or_else(|| name.clone()),
            identifier: members.text(member::IDENTIFIER),
            account_info: members.text(member::ACCOUNT_INFO),
            connected_at,
            expires_at: expires_at.filter(|end| !is_of_access_token(&provider, connected_at, *end)),
            refreshed_at,
            provider,
            scopes: members.texts(member::SCOPES),
            unreadable,
            name,
        }
    }
}

/// Whether an end is that of Google's access token, which earlier versions noted; it says nothing about the grant, which renews it.
fn is_of_access_token(provider: &str, connected_at: Option<Timestamp>, end: Timestamp) -> bool {
    let lasts = |since: Timestamp| end.unix_micros().saturating_sub(since.unix_micros());
    provider == "google" && connected_at.is_some_and(|since| lasts(since) <= LONGEST_ACCESS_MICROS)
}

struct Members(Vec<(String, Value)>);

impl Members {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text of a member, a number's and a date's, too; never that of an encrypted value.
    fn text(&self, name: &str) -> Option<String> {
        text_of(self.value(name)?)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Array(items)) => items.iter().filter_map(text_of).collect(),
            // As one text, with blanks between them (RFC 6749 §3.3).
            Some(value) => {
                let text = text_of(value).unwrap_or_default();
                text.split_whitespace().map(str::to_owned).collect()
            }
            None => Vec::new(),
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        _ if is_encrypted(value) => return None,
        Value::String(text) => text.verbatim().to_string(),
        Value::Integer { text, .. } | Value::Datetime(text) => text.to_string(),
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
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

    fn listed(text: &str) -> Vec<Connection> {
        Connection::list(&SecretsDocument::parse(text.as_bytes()).expect("TOML"), &Abroad)
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().expect("a time"))
    }

    #[test]
    fn a_record_is_read_with_all_its_members() {
        let text = "[dango.oauth.sheets_eu]\nsource_type = 'google_sheets'\nprovider = 'google'\nidentifier = 'ada@x.example'\n\
                    account_info = 'Ada (ada@x.example)'\ncreated_at = '2026-05-01T10:00:00Z'\nexpires_at = 2026-07-01T10:00:00+02:00\n\
                    scopes = ['a', 'b']\nlast_refreshed = '2026-05-02T10:00:00Z'\n";
        let expected = Connection {
            name: "sheets_eu".to_owned(),
            source_type: "google_sheets".to_owned(),
            provider: "google".to_owned(),
            identifier: Some("ada@x.example".to_owned()),
            account_info: Some("Ada (ada@x.example)".to_owned()),
            connected_at: at("2026-05-01T10:00:00Z"),
            expires_at: at("2026-07-01T08:00:00Z"),
            refreshed_at: at("2026-05-02T10:00:00Z"),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            unreadable: Vec::new(),
        };
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        assert_eq!(Connection::find(&document, "sheets_eu", &Abroad), Some(expected.clone()));
        assert_eq!(Connection::find(&document, "sheets", &Abroad), None);
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
    fn the_end_of_an_access_token_is_not_that_of_the_connection() {
        let record = |name: &str, provider: &str, end: &str| {
            format!("[dango.oauth.{name}]\nprovider = \"{provider}\"\ncreated_at = \"2026-01-15T09:30:00Z\"\nexpires_at = \"{end}\"\n")
        };
        let end = |provider: &str, end: &str| listed(&record("a", provider, end))[0].expires_at;
        assert_eq!(end("google", "2026-01-15T10:29:59Z"), None);
        // An app in Testing, or somebody who gave access for a day.
        assert_eq!(end("google", "2026-01-16T09:30:00Z"), at("2026-01-16T09:30:00Z"));
        assert_eq!(end("facebook_ads", "2026-01-15T10:29:59Z"), at("2026-01-15T10:29:59Z"));
    }

    #[test]
    fn what_is_missing_or_strange_is_not_known() {
        assert_eq!(listed("[dango.oauth]\na = 1\nb = 'x'\n[[dango.oauth.c]]\nd = 1\n"), []);
        assert_eq!(listed("[dango]\noauth = 'x'\n"), []);
        let sealed = "dango:v1:0123456789abcdef:AAAA";
        let text = format!(
            "[dango.oauth.\"odd name\"]\nidentifier = \"{sealed}\"\naccount_info = ' '\ncreated_at = 'soon'\nexpires_at = true\nscopes = 'a  b'\n"
        );
        let [connection] = listed(&text).try_into().expect("one");
        assert_eq!((connection.name.as_str(), connection.provider.as_str()), ("odd name", "unknown"));
        let optional = (
            connection.identifier,
            connection.account_info,
            connection.connected_at,
            connection.expires_at,
        );
        assert_eq!(optional, (None, None, None, None));
        assert_eq!(connection.scopes, ["a", "b"]);
        let unreadable: Vec<String> = connection.unreadable.iter().map(CredentialPath::to_string).collect();
        assert_eq!(unreadable, ["dango.oauth.\"odd name\".created_at"]);
    }
}
