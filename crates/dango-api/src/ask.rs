//! A request as handlers see it: what was sent, already limited and checked, and who sent it from where.

use axum::http::HeaderMap;
use bytes::Bytes;
use dango_actions::{Actions, Caller, SecretsDesk, ValuesDesk};
use dango_audit::Id;
use dango_core::Timestamp;
use dango_identity::Client;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::body;
use crate::problem::{Problem, code};
use crate::query::Query;
use crate::site::Site;

/// A request.
pub(crate) struct Ask {
    pub(crate) app: App,
    pub(crate) client: Client,
    pub(crate) request: Id,
    /// The name by which the request called the server.
    pub(crate) host: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn actions(&self) -> &Actions {
        self.app.actions()
    }

    pub(crate) fn secrets(&self) -> &SecretsDesk {
        self.app.secrets()
    }

    pub(crate) fn values(&self) -> &ValuesDesk {
        self.app.values()
    }

    pub(crate) fn site(&self) -> &Site {
        self.app.site()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock().now()
    }

    /// Somebody who has proven nothing, from where the request came.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::anonymous(self.client.clone()).with_request(self.request.clone())
    }

    /// The body as what the operation takes.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::parse(&self.body)
    }

    /// A part of the path, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Result<&str, Problem> {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Problem::new(code!(not_found), "there is no such thing"))
    }

    /// A part of the path that is an id. What is none names nothing.
    pub(crate) fn id<T: std::str::FromStr>(&self) -> Result<T, Problem> {
        let text = self.parameter("id")?;
        text.parse().map_err(|_| Problem::new(code!(not_found), "there is no such thing"))
    }
}
