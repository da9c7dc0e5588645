//! A form on its way to a page: the same steps as an operation's request takes, in the same order.

use std::future::Future;

use axum::extract::Request;
use dango_actions::Caller;
use dango_audit::Id;
use dango_identity::Client;

use super::CrossSite;
use super::dispatch::{client_of, collect, limited, parameters, record_denial};
use crate::app::App;
use crate::credential::has_session_cookie;
use crate::cross_site;
use crate::form::Form;
use crate::gate::{OwnHost, RequestId};
use crate::problem::Problem;

/// The most bytes of a form.
const FORM_BYTES: usize = 16 * 1024;

/// A form that somebody sends who has proven nothing yet, as pages need it: the same steps as an operation's.
pub(crate) struct Visit {
    pub(crate) client: Client,
    pub(crate) request: Id,
    pub(crate) form: Form,
    parameters: Vec<(String, String)>,
}

impl Visit {
    /// Takes a form in: origin, size, kind.
    pub(crate) async fn begin(app: &App, request: Request, class: CrossSite) -> Result<Self, Problem> {
        let client = client_of(app, &request);
        let (mut parts, sent) = request.into_parts();
        let host = parts.extensions.remove::<OwnHost>().map(|host| host.0).unwrap_or_default();
        let request = parts
            .extensions
            .remove::<RequestId>()
            .map_or_else(|| app.next_request_id(), |id| id.0);
        let has_cookie = has_session_cookie(&parts.headers, app.site());
        if let Err(problem) = cross_site::check(class, has_cookie, &parts.headers, &host, app.site()) {
            let caller = Caller::anonymous(client).with_request(request);
            record_denial(app, &caller, &problem).await;
            return Err(problem);
        }
        Form::check_media_type(&parts.headers)?;
        let parameters = parameters(&mut parts).await?;
        let body = collect(FORM_BYTES, &parts, sent).await?;
        Ok(Self {
            client,
            request,
            form: Form::parse(&body),
            parameters,
        })
    }

    /// A part of the path; empty where there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }

    /// Tries a proof, as operations do.
    pub(crate) async fn limited<T>(&self, app: &App, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        limited(app.clone(), self.client.address, work).await
    }
}
