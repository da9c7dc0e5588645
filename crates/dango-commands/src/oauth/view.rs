//! A stored connection as `dango oauth` shows it: in JSON as `http-api.md` has it, in words in a table. Nobody is asked anything.

use dango_connections::missing_scopes;
use dango_core::Timestamp;
use dango_oauth::{Providers, Status, days_until_expiry, status};
use dango_vault::Connection;
use serde::Serialize;

use crate::opened::Opened;
use crate::output::Output;

/// A connection in JSON.
#[derive(Serialize)]
pub(super) struct ConnectionView {
    pub(super) name: String,
    pub(super) source_type: String,
    pub(super) provider: String,
    pub(super) identifier: Option<String>,
    pub(super) account_info: Option<String>,
    pub(super) connected_at: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) status: &'static str,
    pub(super) is_expired: bool,
    pub(super) days_until_expiry: Option<i64>,
    /// The scopes that its source wants and was not granted.
    #[serde(skip)]
    missing: Vec<String>,
}

impl ConnectionView {
    pub(super) fn new(connection: &Connection, now: Timestamp) -> Self {
        let standing = status(connection.expires_at, now);
        Self {
            name: connection.name.clone(),
            source_type: connection.source_type.clone(),
            provider: connection.provider.clone(),
            identifier: connection.identifier.clone(),
            account_info: connection.account_info.clone(),
            connected_at: connection.connected_at.map(|at| at.to_string()),
            expires_at: connection.expires_at.map(|at| at.to_string()),
            status: standing.as_str(),
            is_expired: standing == Status::Expired,
            days_until_expiry: days_until_expiry(connection.expires_at, now),
            missing: Vec::new(),
        }
    }

    /// Whose account it is, as a person knows it.
    pub(super) fn account(&self) -> String {
        let known = self.account_info.as_ref().or(self.identifier.as_ref());
        known.cloned().unwrap_or_default()
    }

    /// How somebody gets it back to where it was.
    pub(super) fn how_to_connect(&self) -> String {
        format!("`dango oauth {} --name {}`", self.source_type, self.name)
    }

    fn warn_of_limits(&self, output: &mut Output<'_>) {
        if self.missing.is_empty() {
            return;
        }
        output.warn(format!(
            "{} was not granted all that it needs: without {}",
            self.name,
            self.missing.join(", ")
        ));
        output.hint(format!("connect it again and leave every box ticked: {}", self.how_to_connect()));
    }

    /// How it stands, in words.
    pub(super) fn standing(&self) -> String {
        match (self.status, self.days_until_expiry) {
            ("expiring", Some(0)) => "expires within a day".to_owned(),
            ("expiring", Some(1)) => "expires in 1 day".to_owned(),
            ("expiring", Some(days)) => format!("expires in {days} days"),
            ("valid", _) if !self.missing.is_empty() => "limited".to_owned(),
            (word, _) => word.to_owned(),
        }
    }
}

/// Connections as they are to be shown. What a person has to know of one that works is warned of: a time that cannot be read, and
/// access that was not granted.
pub(super) fn views(connections: &[Connection], opened: &Opened, output: &mut Output<'_>) -> Vec<ConnectionView> {
    let now = output.host.clock.now();
    let providers = match connections {
        [] => None,
        _ => known_providers(opened, output),
    };
    let views = connections.iter().map(|connection| {
        for path in &connection.unreadable {
            output.warn(format!(
                "{path} is no time; correct it in .dlt/secrets.toml, or connect the source again"
            ));
        }
        let missing = providers.as_ref().map(|providers| missing_scopes(providers, connection));
        let view = ConnectionView {
            missing: missing.unwrap_or_default(),
            ..ConnectionView::new(connection, now)
        };
        view.warn_of_limits(output);
        view
    });
    views.collect()
}

/// The providers; what is wrong with the project's own table keeps no record from being shown.
fn known_providers(opened: &Opened, output: &mut Output<'_>) -> Option<Providers> {
    match opened.connections(output.host).providers() {
        Ok(providers) => Some(providers),
        Err(error) => {
            output.warn(&error);
            None
        }
    }
}

/// The table of connections.
pub(super) fn table(views: &[ConnectionView], output: &mut Output<'_>) -> crate::Outcome {
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            let connected = view.connected_at.clone().unwrap_or_default();
            vec![
                view.name.clone(),
                view.source_type.clone(),
                view.provider.clone(),
                view.account(),
                view.standing(),
                connected,
            ]
        })
        .collect();
    output.table(&["NAME", "TYPE", "PROVIDER", "ACCOUNT", "STATUS", "CONNECTED"], &rows)
}
