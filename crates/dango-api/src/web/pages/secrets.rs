//! `/settings/secrets`: variables, connections, credentials of sources. No value is ever part of it.

use askama::Template;
use axum::http::StatusCode;
use dango_actions::{Holder, ListedCredential, ListedVariable, SecretsListing};
use dango_identity::Full;

use super::Answer;
use super::connections::{Connections, Offer, sentence_of};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::web::components::{Badge, Button, Colour, Column, Field, Kind, Notice, Pager, Sorting, Table, Tone, Weight};
use crate::web::frame::{Frame, Person, page};
use crate::web::visit::Visit;

pub(super) const PATH: &str = "/settings/secrets";

const VARIABLES: [Column; 3] = [Column::sorted("name", "Key"), Column::fixed("Value"), Column::fixed("Actions")];
const CREDENTIALS: [Column; 3] = [
    Column::sorted("path", "Path"),
    Column::fixed("Value"),
    Column::sorted("stored", "Stored"),
];

/// The page.
#[derive(Template)]
#[template(path = "pages/secrets.html")]
pub(crate) struct SecretsPage<'a> {
    frame: Frame<'a>,
    variables: (Vec<&'a ListedVariable>, Pager),
    connections: Connections<'a>,
    credentials: (Vec<&'a ListedCredential>, Pager),
}

/// `GET /settings/secrets`.
pub(crate) async fn show(holder: Holder<Full>, visit: Visit) -> Answer {
    let listed = visit.app.secrets().list(holder.caller()).await;
    let listed = listed.map_err(|error| error.into_problem(visit.now()))?;
    let connections = Connections::new(&listed.connections, visit.app.connections(), visit.site(), visit.now());
    let frame = Frame::of(Person::new(&holder.view()), PATH, said(&visit, &connections));
    page(StatusCode::OK, &SecretsPage::new(frame, &listed, connections, &visit.query))
}

/// What has come of a way to a provider and back.
fn said(visit: &Visit, connections: &Connections<'_>) -> Option<Notice<'static>> {
    let error = visit.asked("error").and_then(sentence_of);
    let connected = visit.asked("connected").and_then(|word| connections.title_of_type(word));
    match (error, connected) {
        (Some(sentence), _) => Some(Notice::new(Tone::Bad, sentence)),
        (None, Some(title)) => Some(Notice::new(Tone::Good, format!("{title} is connected."))),
        (None, None) => None,
    }
}

impl<'a> SecretsPage<'a> {
    pub(super) fn new(frame: Frame<'a>, listed: &'a SecretsListing, connections: Connections<'a>, query: &Query) -> Self {
        let variables = Sorting::read(query, "", "variables", &VARIABLES, ("name", false));
        let credentials = Sorting::read(query, "source_", "credentials", &CREDENTIALS, ("path", false));
        let by_state = credentials.column() == "stored";
        Self {
            frame,
            variables: variables.show(
                listed.variables.iter(),
                |row, wanted| row.key.to_lowercase().contains(wanted),
                |one, other| one.key.cmp(&other.key),
            ),
            connections,
            credentials: credentials.show(
                listed.credentials.iter(),
                |row, wanted| row.path.to_lowercase().contains(wanted),
                |one, other| match by_state {
                    true => (one.is_encrypted, &one.path).cmp(&(other.is_encrypted, &other.path)),
                    false => one.path.cmp(&other.path),
                },
            ),
        }
    }

    fn variables_head(&self) -> Table<'_> {
        Table::head(&VARIABLES, &self.variables.1)
    }

    fn credentials_head(&self) -> Table<'_> {
        Table::head(&CREDENTIALS, &self.credentials.1)
    }

    fn add(&self) -> Button<'static> {
        Button::opening("Add Variable", Weight::Primary, "add-variable")
    }

    fn edit<'b>(&self, row: &'b ListedVariable) -> Button<'b> {
        Button::opening("Edit", Weight::Plain, "edit-variable").of_row(row.key.as_str(), row.key.as_str())
    }

    fn delete<'b>(&self, row: &'b ListedVariable) -> Button<'b> {
        Button::opening("Delete", Weight::Careful, "delete-variable").of_row(row.key.as_str(), row.key.as_str())
    }

    fn disconnect<'b>(&self, title: &'b str, name: &'b str) -> Button<'b> {
        Button::opening("Disconnect", Weight::Careful, "disconnect").of_row(title, name)
    }

    fn key_field(&self) -> Field<'static> {
        Field::new("add-key", "key", "Key", Kind::Mono)
            .at_most(128)
            .hint("Letters, digits and underscores, not beginning with a digit: STRIPE_API_KEY.")
    }

    fn known_key_field(&self) -> Field<'static> {
        Field::new("edit-key", "key", "Key", Kind::Mono).read_only()
    }

    fn value_field(&self, id: &'static str) -> Field<'static> {
        Field::new(id, "value", "Value", Kind::Lines)
            .hint("It may have several lines. Nobody can read it here afterwards.")
            .may_be_empty()
    }

    fn stored(&self, is_encrypted: bool) -> Badge {
        match is_encrypted {
            true => Badge::new(Colour::Green, "Encrypted"),
            false => Badge::new(Colour::Gray, "Plain text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use dango_actions::{ConnectableSource, ListedConnection};
    use dango_core::Timestamp;

    use super::*;
    use crate::site::Site;

    fn rendered(site: &Site) -> String {
        let now = Timestamp::from_unix_micros(1_795_000_000_000_000);
        let connection = |source_type: &str, days: i64| ListedConnection {
            name: format!("{source_type}_eu"),
            source_type: source_type.to_owned(),
            provider: "google".to_owned(),
            identifier: None,
            account_info: None,
            connected_at: None,
            expires_at: Some(Timestamp::from_unix_micros(now.unix_micros() + days * 86_400_000_000)),
            refreshed_at: None,
            scopes: Vec::new(),
        };
        let listed = SecretsListing {
            variables: Vec::new().into(),
            credentials: Vec::new().into(),
            connections: vec![
                connection("google_sheets", 3),
                connection("google_ads", 30),
                connection("facebook_ads", -3),
            ]
            .into(),
        };
        let analytics = ConnectableSource {
            source_type: "google_analytics".parse().expect("a type"),
            title: "Google Analytics".to_owned(),
            provider: "Google".to_owned(),
        };
        let connections = Connections::with(&listed.connections, (Some(vec![analytics]), &|_| None), site, now);
        SecretsPage::new(Frame::bare(), &listed, connections, &Query::default()).to_string()
    }

    #[test]
    fn a_connection_that_ends_soon_is_reconnected_and_any_is_disconnected() {
        let html = rendered(&Site::Public("https://dango.example".parse().expect("an address")));
        for part in [
            "href=\"/oauth/connect/google_sheets_eu\" aria-label=\"Reconnect Google Sheets\"",
            "aria-label=\"Reconnect Facebook Ads\"",
            "aria-label=\"Disconnect Google Ads\"",
            "google_sheets_eu",
            ">Connect Google Analytics</a>",
            "<template id=\"disconnect\">",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("Reconnect Google Ads") && !html.contains(">Connect Google Ads<"));
        assert!(rendered(&Site::Loopback { port: 8800, tls: false }).contains("OAuth connections require a domain with HTTPS."));
    }
}
