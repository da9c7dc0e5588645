//! Connections to providers, as the page of the secrets shows them: cards, and what can still be connected.

use dango_actions::ListedConnection;
use dango_core::Timestamp;

use crate::route::ROUTES;
use crate::site::Site;
use crate::web::components::{Badge, Colour, Moment};

const DAY_MICROS: i64 = 86_400_000_000;
/// Up to so long before its end a connection is called expiring.
const EXPIRING_MICROS: i64 = 7 * DAY_MICROS;

/// The sources that are connected by a login at their provider.
const CONNECTED_SOURCES: [&str; 4] = ["google_ads", "google_analytics", "google_sheets", "facebook_ads"];

/// The operations that connect and disconnect; what this server does not have is not offered.
const CONNECT: &str = "/oauth/connect/{source_type}";
const DISCONNECT: &str = "/api/secrets/oauth/{source_type}";

/// The section on connections.
pub(super) struct Connections<'a> {
    pub(super) cards: Vec<Card<'a>>,
    pub(super) offer: Offer,
    pub(super) can_disconnect: bool,
}

/// What can still be connected.
pub(super) enum Offer {
    /// Nothing here: providers lead back only to a domain with HTTPS.
    NeedsDomain,
    /// These sources, by type and title.
    Sources(Vec<(&'static str, String)>),
}

/// One connection.
pub(super) struct Card<'a> {
    pub(super) title: String,
    /// The name of the source, where it says more than the title.
    pub(super) name: Option<&'a str>,
    pub(super) id: &'a str,
    pub(super) source_type: &'a str,
    pub(super) account: String,
    pub(super) connected: Option<Moment>,
    pub(super) expiry: Option<Badge>,
    pub(super) reconnects: bool,
}

impl<'a> Connections<'a> {
    pub(super) fn new(listed: &'a [ListedConnection], site: &Site, now: Timestamp) -> Self {
        let has = |path: &str| ROUTES.iter().any(|route| route.path == path);
        Self::with(listed, site, now, has(CONNECT), has(DISCONNECT))
    }

    pub(super) fn with(listed: &'a [ListedConnection], site: &Site, now: Timestamp, connects: bool, can_disconnect: bool) -> Self {
        let missing = CONNECTED_SOURCES
            .into_iter()
            .filter(|known| listed.iter().all(|one| one.source_type != *known));
        let sources = || missing.filter(|_| connects).map(|known| (known, title_of(known))).collect();
        Self {
            cards: listed.iter().map(|one| Card::new(one, now, connects)).collect(),
            offer: match site {
                Site::Public(_) if site.is_secure() => Offer::Sources(sources()),
                Site::Public(_) | Site::Loopback { .. } => Offer::NeedsDomain,
            },
            can_disconnect,
        }
    }
}

impl<'a> Card<'a> {
    fn new(listed: &'a ListedConnection, now: Timestamp, connects: bool) -> Self {
        let left = listed
            .expires_at
            .map(|end| (end, end.unix_micros().saturating_sub(now.unix_micros())));
        let expiry = left.map(|(end, left)| match left {
            ..=0 => Badge::new(Colour::Red, "Expired"),
            1..=EXPIRING_MICROS => Badge::new(Colour::Amber, "Expires").on(Moment::day(end)),
            _ => Badge::new(Colour::Gray, "Expires").on(Moment::day(end)),
        });
        let account = listed.account_info.as_deref().or(listed.identifier.as_deref());
        let provider = title_of(&listed.provider);
        Self {
            title: title_of(&listed.source_type),
            name: (listed.name != listed.source_type).then_some(listed.name.as_str()),
            id: &listed.name,
            source_type: &listed.source_type,
            account: account.map_or_else(|| provider.clone(), |account| format!("{provider} · {account}")),
            connected: listed.connected_at.map(Moment::day),
            expiry,
            reconnects: connects && left.is_some_and(|(_, left)| left <= EXPIRING_MICROS),
        }
    }
}

/// `google_sheets` as people write it.
pub(super) fn title_of(word: &str) -> String {
    let parts = word.split(['_', '-']).filter(|part| !part.is_empty());
    let titled = parts.map(|part| {
        let mut letters = part.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    });
    titled.collect::<Vec<_>>().join(" ")
}

/// What `?connected=` says; only types that there are have a sentence.
pub(super) fn connected_title(word: &str, listed: &[ListedConnection]) -> Option<String> {
    let is_known = CONNECTED_SOURCES.contains(&word) || listed.iter().any(|one| one.source_type == word);
    is_known.then(|| title_of(word))
}

/// What `?error=` says; only codes of ours have a sentence.
pub(super) fn sentence_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "state_mismatch" => "The answer of the provider belongs to no login that was begun here. Start again.",
        "provider_denied" => "The provider did not grant access, or it was declined there.",
        "session_expired" => "The login at the provider has taken too long, or your session has ended. Start again.",
        "exchange_failed" => "The provider did not hand out the access that it had promised. Try again in a moment.",
        "missing_credentials" => "The server has no client id and secret for this provider yet. Set them up first.",
        "no_domain" => "OAuth connections require a domain with HTTPS.",
        "unsupported" => "This source is not connected by a login at a provider.",
        "account_mismatch" => "This is another account than the one that was connected. Disconnect that one first, or sign in with it.",
        "save_failed" => "The connection could not be saved, so nothing has changed.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Site = Site::Loopback { port: 8800, tls: false };

    fn listed(source_type: &str, expires_at: Option<Timestamp>) -> ListedConnection {
        ListedConnection {
            name: source_type.to_owned(),
            source_type: source_type.to_owned(),
            provider: "google".to_owned(),
            identifier: Some("ada@team.example".to_owned()),
            account_info: None,
            connected_at: Some(Timestamp::from_unix_micros(1_794_000_000_000_000)),
            expires_at,
        }
    }

    #[test]
    fn a_connection_is_expiring_from_seven_days_before_its_end() {
        let now = Timestamp::from_unix_micros(1_795_000_000_000_000);
        let shown = |micros: i64| {
            let listed = [listed(
                "google_sheets",
                Some(Timestamp::from_unix_micros(now.unix_micros() + micros)),
            )];
            let connections = Connections::with(&listed, &LOOPBACK, now, true, true);
            let badge = connections.cards[0].expiry.as_ref().map(ToString::to_string).unwrap_or_default();
            let colour = ["red", "amber", "gray"].into_iter().find(|colour| badge.contains(colour));
            (colour, connections.cards[0].reconnects)
        };
        assert_eq!(shown(EXPIRING_MICROS + 1), (Some("gray"), false));
        assert_eq!(shown(EXPIRING_MICROS), (Some("amber"), true));
        assert_eq!(shown(1), (Some("amber"), true));
        assert_eq!(shown(0), (Some("red"), true));
    }

    #[test]
    fn what_is_connected_or_cannot_be_is_not_offered() {
        let now = Timestamp::from_unix_micros(0);
        let public = Site::Public("https://dango.example".parse().expect("an address"));
        let listed = [listed("google_sheets", None)];
        let offered = |site: &Site, connects| match Connections::with(&listed, site, now, connects, connects).offer {
            Offer::NeedsDomain => None,
            Offer::Sources(sources) => Some(sources.into_iter().map(|(_, title)| title).collect::<Vec<_>>()),
        };
        assert_eq!(offered(&LOOPBACK, true), None);
        let all = ["Google Ads", "Google Analytics", "Facebook Ads"].map(str::to_owned).to_vec();
        assert_eq!(offered(&public, true), Some(all));
        assert_eq!(offered(&public, false), Some(Vec::new()));
    }

    #[test]
    fn only_known_words_of_a_query_have_a_sentence() {
        assert_eq!(connected_title("facebook_ads", &[]).as_deref(), Some("Facebook Ads"));
        assert_eq!(
            connected_title("my_source", &[listed("my_source", None)]).as_deref(),
            Some("My Source")
        );
        assert_eq!(connected_title("<b>evil</b>", &[]), None);
        assert_eq!(sentence_of("evil"), None);
        assert!(sentence_of("state_mismatch").is_some());
    }
}
