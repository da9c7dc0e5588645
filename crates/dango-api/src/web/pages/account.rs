//! `/settings/account`: one's own account.

use askama::Template;
use axum::http::StatusCode;

use super::Answer;
use crate::route::Due;
use crate::web::frame::{Frame, Person, page};
use crate::web::visit::Visit;

/// The page.
#[derive(Template)]
#[template(path = "pages/account.html")]
pub(crate) struct AccountPage<'a> {
    frame: Frame<'a>,
}

/// `GET /settings/account`.
pub(crate) async fn show(due: Due, _: Visit) -> Answer {
    let person = match &due {
        Due::Full(holder) => Person::new(&holder.view()),
        Due::Restricted(holder) => Person::obliged(&holder.view()),
    };
    let shown = AccountPage {
        frame: Frame::of(person, "/settings/account", None),
    };
    page(StatusCode::OK, &shown)
}
