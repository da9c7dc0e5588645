//! Connections to providers, as the page of the secrets shows them: cards, and what can still be connected.

use dango_actions::{ConnectableSource, ConnectionDesk, ConnectionTrouble, ListedConnection};
use dango_core::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::site::Site;
use crate::web::components::{Badge, Colour, Moment};
use crate::wire::trouble_sentence;

const DAY_MICROS: i64 = 86_400_000_000;
/// Up to so long before its end a connection is called expiring.
const EXPIRING_MICROS: i64 = 7 * DAY_MICROS;

/// What is written as `%xx` within a part of a path, or a value of a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in the way of a connection, as far as it is known.
type Trouble<'t> = &'t dyn Fn(&ListedConnection) -> Option<ConnectionTrouble>;

/// The section on connections.
pub(super) struct Connections<'a> {
    pub(super) cards: Vec<Card<'a>>,
    pub(super) offer: Offer,
    pub(super) can_disconnect: bool,
    /// Whether another account may be taken for a connection, which is asked for before it is done.
    pub(super) can_switch: bool,
}

/// What can still be connected.
pub(super) enum Offer {
    /// Nothing here: providers lead back only to a domain with HTTPS.
    NeedsDomain,
    /// These sources, by type and title.
    Sources(Vec<(String, String)>),
}

/// One connection.
pub(super) struct Card<'a> {
    source_type: &'a str,
    pub(super) title: String,
    /// The name of the source, where it says more than the title.
    pub(super) name: Option<&'a str>,
    pub(super) id: &'a str,
    /// The name as part of a path.
    pub(super) part: String,
    pub(super) account: String,
    pub(super) connected: Option<Moment>,
    pub(super) expiry: Option<Badge>,
    /// What stands in the way, as a word and as a sentence.
    pub(super) trouble: Option<(Badge, String)>,
    pub(super) reconnects: bool,
}

impl<'a> Connections<'a> {
    pub(super) fn new(listed: &'a [ListedConnection], desk: Option<&ConnectionDesk>, site: &Site, now: Timestamp) -> Self {
        let trouble = |one: &ListedConnection| desk.and_then(|desk| desk.trouble(one));
        Self::with(listed, (desk.map(ConnectionDesk::sources), &trouble), site, now)
    }

    /// With what can be connected; nothing where this server connects none, and disconnects none.
    pub(super) fn with(
        listed: &'a [ListedConnection],
        (sources, trouble): (Option<Vec<ConnectableSource>>, Trouble<'_>),
        site: &Site,
        now: Timestamp,
    ) -> Self {
        let connects = sources.is_some();
        let sources = sources.unwrap_or_default();
        let cards = listed.iter().map(|one| {
            let known = sources.iter().find(|source| source.source_type.as_str() == one.source_type);
            Card::new(one, known, trouble(one).as_ref(), now, connects)
        });
        let cards = cards.collect();
        let missing = sources
            .into_iter()
            .filter(|source| listed.iter().all(|one| one.source_type != source.source_type.as_str()));
        Self {
            cards,
            offer: match site {
                Site::Public(_) if site.is_secure() => {
                    Offer::Sources(missing.map(|source| (source.source_type.to_string(), source.title)).collect())
                }
                Site::Public(_) | Site::Loopback { .. } => Offer::NeedsDomain,
            },
            can_disconnect: connects,
            can_switch: connects && matches!(site, Site::Public(_)) && site.is_secure(),
        }
    }

    /// What `?connected=` names; only types that are connected have a title.
    pub(super) fn title_of_type(&self, word: &str) -> Option<&str> {
        let card = self.cards.iter().find(|card| card.source_type == word)?;
        Some(&card.title)
    }
}

impl<'a> Card<'a> {
    fn new(
        listed: &'a ListedConnection,
        known: Option<&ConnectableSource>,
        trouble: Option<&ConnectionTrouble>,
        now: Timestamp,
        connects: bool,
    ) -> Self {
        let left = listed
            .expires_at
            .map(|end| (end, end.unix_micros().saturating_sub(now.unix_micros())));
        let expiry = left.map(|(end, left)| match left {
            ..=0 => Badge::new(Colour::Red, "Expired"),
            1..=EXPIRING_MICROS => Badge::new(Colour::Amber, "Expires").on(Moment::day(end)),
            _ => Badge::new(Colour::Gray, "Expires").on(Moment::day(end)),
        });
        // What does not work any more has no future to tell of.
        let is_broken = matches!(trouble, Some(ConnectionTrouble::Broken(_)));
        let expiry = expiry.filter(|_| !is_broken || left.is_some_and(|(_, left)| left <= 0));
        let account = listed.account_info.as_deref().or(listed.identifier.as_deref());
        let provider = known.map_or_else(|| title_of(&listed.provider), |source| source.provider.clone());
        Self {
            source_type: &listed.source_type,
            title: known.map_or_else(|| title_of(&listed.source_type), |source| source.title.clone()),
            name: (listed.name != listed.source_type).then_some(listed.name.as_str()),
            id: &listed.name,
            part: encoded(&listed.name),
            account: account.map_or_else(|| provider.clone(), |account| format!("{provider} · {account}")),
            connected: listed.connected_at.map(Moment::day),
            expiry,
            trouble: trouble.map(|trouble| {
                let badge = match trouble {
                    ConnectionTrouble::Limited { .. } => Badge::new(Colour::Amber, "Limited"),
                    ConnectionTrouble::Broken(_) => Badge::new(Colour::Red, "Broken"),
                };
                (badge, trouble_sentence(trouble))
            }),
            reconnects: connects && (trouble.is_some() || left.is_some_and(|(_, left)| left <= EXPIRING_MICROS)),
        }
    }
}

/// `google_sheets` as people write it, where no provider says how.
fn title_of(word: &str) -> String {
    let parts = word.split(['_', '-']).filter(|part| !part.is_empty());
    let titled = parts.map(|part| {
        let mut letters = part.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    });
    titled.collect::<Vec<_>>().join(" ")
}

/// A name as part of a path or a query.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
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
        "account_mismatch" => {
            "This is another account than the one that was connected. Sign in with that one, or choose “Use another account” below."
        }
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
            refreshed_at: None,
            scopes: Vec::new(),
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
            let connections = Connections::with(&listed, (Some(Vec::new()), &|_| None), &LOOPBACK, now);
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
        let sources = || {
            let source = |name: &str| ConnectableSource {
                source_type: name.parse().expect("a type"),
                title: title_of(name),
                provider: "Google".to_owned(),
            };
            Some(["google_ads", "google_sheets", "facebook_ads"].map(source).to_vec())
        };
        let offered = |site: &Site, sources| match Connections::with(&listed, (sources, &|_| None), site, now).offer {
            Offer::NeedsDomain => None,
            Offer::Sources(sources) => Some(sources.into_iter().map(|(_, title)| title).collect::<Vec<_>>()),
        };
        assert_eq!(offered(&LOOPBACK, sources()), None);
        let all = ["Google Ads", "Facebook Ads"].map(str::to_owned).to_vec();
        assert_eq!(offered(&public, sources()), Some(all));
        assert_eq!(offered(&public, None), Some(Vec::new()));
    }

    #[test]
    fn a_card_is_titled_as_its_provider_writes_both() {
        let listed = [listed("hubspot", None), listed("my_source", None)];
        let hubspot = ConnectableSource {
            source_type: "hubspot".parse().expect("a type"),
            title: "HubSpot".to_owned(),
            provider: "HubSpot, Inc.".to_owned(),
        };
        let now = Timestamp::from_unix_micros(0);
        let connections = Connections::with(&listed, (Some(vec![hubspot]), &|_| None), &LOOPBACK, now);
        let shown: Vec<(&str, &str)> = connections
            .cards
            .iter()
            .map(|card| (card.title.as_str(), card.account.as_str()))
            .collect();
        let expected = [
            ("HubSpot", "HubSpot, Inc. · ada@team.example"),
            ("My Source", "Google · ada@team.example"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(connections.title_of_type("hubspot"), Some("HubSpot"));
    }

    #[test]
    fn only_known_words_of_a_query_have_a_sentence() {
        let listed = [listed("my_source", None)];
        let now = Timestamp::from_unix_micros(0);
        let connections = Connections::with(&listed, (None, &|_| None), &LOOPBACK, now);
        assert_eq!(connections.title_of_type("facebook_ads"), None);
        assert_eq!(connections.title_of_type("my_source"), Some("My Source"));
        assert_eq!(connections.title_of_type("<b>evil</b>"), None);
        assert_eq!(sentence_of("evil"), None);
        assert!(sentence_of("state_mismatch").is_some());
    }
}
