//! A project's secrets as answers show them: names and marks, never a value.

use dango_actions::{BrokenCause, ConnectionDesk, ConnectionTrouble, ListedConnection, SecretsListing};
use dango_core::Timestamp;

use super::answers;
use crate::schema::Schema;

/// What stands in the place of every value.
const MASKED: &str = "***";
const DAY_MICROS: i64 = 86_400_000_000;
/// Up to so many days before its end a connection is called expiring.
const EXPIRING_DAYS: i64 = 7;

answers! {
    /// Everything that a project has.
    Secrets<'a> {
        env_vars: Vec<EnvVar<'a>>,
        source_credentials: Vec<SourceCredential<'a>>,
        oauth_credentials: Vec<Connection<'a>>,
    }
    /// A variable of `.env`.
    EnvVar<'a> {
        /// As it stands in the file, where an editor may have put any.
        key: &'a str,
        masked_value: &'static str = masked(),
        source: &'static str = Schema::constant("env"),
        encrypted: bool,
    }
    /// A value of `.dlt/secrets.toml`.
    SourceCredential<'a> {
        path: &'a str,
        masked_value: &'static str = masked(),
        encrypted: bool,
    }
    /// The object *oauth connection*.
    Connection<'a> {
        /// The name of the source; the type where there is only one.
        name: &'a str,
        source_type: &'a str,
        provider: &'a str,
        identifier: Option<&'a str>,
        account_info: Option<&'a str>,
        connected_at: Option<String> = Schema::time(),
        expires_at: Option<String> = Schema::time(),
        /// `expiring` means seven days or less.
        status: &'static str = Schema::word(["valid", "expiring", "expired"]),
        is_expired: bool,
        days_until_expiry: Option<i64> = Schema::count(),
        /// `limited`: not everything was granted that the source needs. `broken`: the provider takes it no more.
        problem: Option<&'static str> = Schema::word(["limited", "broken"]),
        /// What is missing, or why it is most likely broken, in a sentence.
        problem_detail: Option<String>,
    }
    /// A connection with what its provider said just now.
    CheckedConnection<'a> {
        /// The name of the source; the type where there is only one.
        name: &'a str,
        source_type: &'a str,
        provider: &'a str,
        identifier: Option<&'a str>,
        account_info: Option<&'a str>,
        connected_at: Option<String> = Schema::time(),
        expires_at: Option<String> = Schema::time(),
        /// `expiring` means seven days or less.
        status: &'static str = Schema::word(["valid", "expiring", "expired"]),
        is_expired: bool,
        days_until_expiry: Option<i64> = Schema::count(),
        /// `limited`: not everything was granted that the source needs. `broken`: the provider takes it no more.
        problem: Option<&'static str> = Schema::word(["limited", "broken"]),
        /// What is missing, or why it is most likely broken, in a sentence.
        problem_detail: Option<String>,
        /// Whether it counts as good: it does unless the provider plainly says otherwise.
        valid: bool,
        /// A sentence about what stood in the way.
        error: Option<&'a str>,
        error_code: Option<&'a str>,
    }
    /// A connection that is gone.
    Disconnected<'a> {
        source_type: &'a str,
        action: &'static str = Schema::constant("disconnected"),
        /// Whether the provider took the grant back.
        revoked_at_provider: bool,
    }
    /// A variable that was changed.
    VariableDone<'a> {
        key: &'a str,
        action: &'static str = Schema::word(["created", "updated", "deleted"]),
    }
}

fn masked() -> Schema {
    Schema::constant(MASKED)
}

impl<'a> Secrets<'a> {
    pub(crate) fn new(listing: &'a SecretsListing, desk: Option<&ConnectionDesk>, now: Timestamp) -> Self {
        let variables = listing.variables.iter().map(|variable| EnvVar {
            key: &variable.key,
            masked_value: MASKED,
            source: "env",
            encrypted: variable.is_encrypted,
        });
        let credentials = listing.credentials.iter().map(|credential| SourceCredential {
            path: &credential.path,
            masked_value: MASKED,
            encrypted: credential.is_encrypted,
        });
        Self {
            env_vars: variables.collect(),
            source_credentials: credentials.collect(),
            oauth_credentials: Connection::all(listing, desk, now),
        }
    }
}

impl<'a> Connection<'a> {
    /// Every connection of a listing, with what stands in its way as far as the desk knows.
    pub(crate) fn all(listing: &'a SecretsListing, desk: Option<&ConnectionDesk>, now: Timestamp) -> Vec<Self> {
        let connections = listing.connections.iter();
        connections
            .map(|one| Self::new(one, desk.and_then(|desk| desk.trouble(one)).as_ref(), now))
            .collect()
    }

    /// A connection has expired at its last moment, not after it; seven days before that it begins to be expiring.
    pub(crate) fn new(listed: &'a ListedConnection, trouble: Option<&ConnectionTrouble>, now: Timestamp) -> Self {
        let left = listed.expires_at.map(|end| end.unix_micros().saturating_sub(now.unix_micros()));
        let is_expired = left.is_some_and(|left| left <= 0);
        let is_expiring = left.is_some_and(|left| left <= EXPIRING_DAYS * DAY_MICROS);
        Self {
            name: &listed.name,
            source_type: &listed.source_type,
            provider: &listed.provider,
            identifier: listed.identifier.as_deref(),
            account_info: listed.account_info.as_deref(),
            connected_at: listed.connected_at.map(|at| at.to_string()),
            expires_at: listed.expires_at.map(|at| at.to_string()),
            status: match (is_expired, is_expiring) {
                (true, _) => "expired",
                (false, true) => "expiring",
                (false, false) => "valid",
            },
            is_expired,
            days_until_expiry: left.map(|left| left.max(0) / DAY_MICROS),
            problem: trouble.map(|trouble| match trouble {
                ConnectionTrouble::Limited { .. } => "limited",
                ConnectionTrouble::Broken(_) => "broken",
            }),
            problem_detail: trouble.map(trouble_sentence),
        }
    }
}

impl<'a> CheckedConnection<'a> {
    pub(crate) fn new(
        (listed, trouble): (&'a ListedConnection, Option<&ConnectionTrouble>),
        checked: &'a dango_actions::CheckedConnection,
        now: Timestamp,
    ) -> Self {
        let connection = Connection::new(listed, trouble, now);
        Self {
            name: connection.name,
            source_type: connection.source_type,
            provider: connection.provider,
            identifier: connection.identifier,
            account_info: connection.account_info,
            connected_at: connection.connected_at,
            expires_at: connection.expires_at,
            status: connection.status,
            is_expired: connection.is_expired,
            days_until_expiry: connection.days_until_expiry,
            problem: connection.problem,
            problem_detail: connection.problem_detail,
            valid: checked.is_valid,
            error: checked.error.as_ref().map(|(_, sentence)| *sentence),
            error_code: checked.error.as_ref().map(|(code, _)| code.as_str()),
        }
    }
}

/// What stands in the way of a connection, in a sentence that says what to do.
pub(crate) fn trouble_sentence(trouble: &ConnectionTrouble) -> String {
    match trouble {
        ConnectionTrouble::Limited { missing } => {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            format!("Not everything that the source needs was granted. Missing: {}.", missing.join(", "))
        }
        ConnectionTrouble::Broken(BrokenCause::Ended) => "The connection has reached its end.".to_owned(),
        ConnectionTrouble::Broken(BrokenCause::TestingPhase { days }) => {
            format!("The provider ends the tokens of an app in its testing phase after {days} days; publish the app, then connect again.")
        }
        ConnectionTrouble::Broken(BrokenCause::Revoked) => {
            "The access was revoked at the provider, or the account's password was changed.".to_owned()
        }
        ConnectionTrouble::Broken(BrokenCause::Misconfigured) => {
            "The provider refuses the app: its client id or secret is not right any more, or its settings there were changed.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_days_and_a_second_are_not_yet_seven_days() {
        let now = Timestamp::from_unix_micros(1_795_000_000_000_000);
        let shown = |seconds: Option<i64>| {
            let expires_at = seconds.map(|seconds| Timestamp::from_unix_micros(now.unix_micros() + seconds * 1_000_000));
            let listed = ListedConnection {
                name: "sheets".to_owned(),
                source_type: "google_sheets".to_owned(),
                provider: "google".to_owned(),
                identifier: None,
                account_info: None,
                connected_at: None,
                expires_at,
                refreshed_at: None,
                scopes: Vec::new(),
            };
            let connection = Connection::new(&listed, None, now);
            (connection.status, connection.is_expired, connection.days_until_expiry)
        };
        let week = 7 * 86_400;
        assert_eq!(shown(None), ("valid", false, None));
        assert_eq!(shown(Some(week + 1)), ("valid", false, Some(7)));
        assert_eq!(shown(Some(week)), ("expiring", false, Some(7)));
        assert_eq!(shown(Some(week - 1)), ("expiring", false, Some(6)));
        assert_eq!(shown(Some(1)), ("expiring", false, Some(0)));
        assert_eq!(shown(Some(0)), ("expired", true, Some(0)));
        assert_eq!(shown(Some(-86_400)), ("expired", true, Some(0)));
    }
}
