//! `/settings/users`: who there is. People are managed at the command line.

use askama::Template;
use axum::http::StatusCode;
use dango_actions::{Holder, UserView, UsersView};
use dango_identity::{AccountStatus, Full};

use super::Answer;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::web::components::{Badge, Column, Moment, Pager, Sorting, Table};
use crate::web::frame::{Frame, Person, page};
use crate::web::visit::Visit;

pub(super) const PATH: &str = "/settings/users";

const COLUMNS: [Column; 5] = [
    Column::sorted("email", "Email"),
    Column::sorted("role", "Role"),
    Column::sorted("status", "Status"),
    Column::sorted("last_login", "Last Login"),
    Column::sorted("created", "Created"),
];

/// The page.
#[derive(Template)]
#[template(path = "pages/users.html")]
pub(crate) struct UsersPage<'a> {
    frame: Frame<'a>,
    users: (Vec<&'a UserView>, Pager),
}

/// `GET /settings/users`.
pub(crate) async fn show(holder: Holder<Full>, visit: Visit) -> Answer {
    let permit = visit.actions().permit::<UsersView>(holder.caller()).await;
    let permit = permit.map_err(|denied| denied.into_problem(visit.now()))?;
    let users = visit.actions().list_users(&permit).await;
    let users = users.map_err(|fault| fault.into_problem(visit.now()))?;
    let frame = Frame::of(Person::new(&holder.view()), PATH, None);
    page(StatusCode::OK, &UsersPage::new(frame, &users, &visit.query))
}

impl<'a> UsersPage<'a> {
    pub(super) fn new(frame: Frame<'a>, users: &'a [UserView], query: &Query) -> Self {
        let sorting = Sorting::read(query, "", "users", &COLUMNS, ("email", false));
        let column = sorting.column();
        let shown = sorting.show(
            users.iter(),
            |row, wanted| row.user.email.as_str().to_lowercase().contains(wanted) || row.user.role.name() == wanted,
            |one, other| {
                let by_email = || one.user.email.as_str().cmp(other.user.email.as_str());
                let order = match column {
                    "role" => one.user.role.name().cmp(other.user.role.name()),
                    "status" => rank(one.status).cmp(&rank(other.status)),
                    "last_login" => one.user.last_login.cmp(&other.user.last_login),
                    "created" => one.user.created_at.cmp(&other.user.created_at),
                    _ => by_email(),
                };
                order.then_with(by_email)
            },
        );
        Self { frame, users: shown }
    }

    fn head(&self) -> Table<'_> {
        Table::head(&COLUMNS, &self.users.1)
    }

    fn role(&self, row: &UserView) -> Badge {
        Badge::from(row.user.role)
    }

    fn status(&self, row: &UserView) -> Badge {
        Badge::from(row.status)
    }

    fn last_login(&self, row: &UserView) -> Option<Moment> {
        row.user.last_login.map(Moment::time)
    }

    fn created(&self, row: &UserView) -> Moment {
        Moment::day(row.user.created_at)
    }
}

/// Those who can log in first.
fn rank(status: AccountStatus) -> usize {
    let place = AccountStatus::ALL.iter().rposition(|one| *one == status);
    AccountStatus::ALL.len() - place.unwrap_or(0)
}
