//! `/settings/account`: one's own account. Whoever has to set up a second factor first sees nothing but that.

use askama::Template;
use axum::http::StatusCode;
use dango_actions::{Holder, LoginProviders, LoginWay, LoginWays, UserView};
use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, Full, Role, SessionId, SessionRecord};

use super::Answer;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::route::Due;
use crate::web::components::{Badge, Button, CodeField, Colour, Column, Field, Kind, Moment, Notice, Pager, Sorting, Table, Tone, Weight};
use crate::web::frame::{Frame, Person, page};
use crate::web::visit::Visit;

pub(super) const PATH: &str = "/settings/account";

const SESSIONS: [Column; 4] = [
    Column::sorted("ip", "IP"),
    Column::sorted("agent", "User Agent"),
    Column::sorted("active", "Last Active"),
    Column::fixed("Actions"),
];
const KEYS: [Column; 5] = [
    Column::sorted("name", "Name"),
    Column::fixed("Prefix"),
    Column::sorted("created", "Created"),
    Column::sorted("used", "Last Used"),
    Column::fixed("Actions"),
];

/// The page.
#[derive(Template)]
#[template(path = "pages/account.html")]
pub(crate) struct AccountPage<'a> {
    frame: Frame<'a>,
    view: UserView,
    now: Timestamp,
    /// Nothing where a second factor has to be set up first.
    own: Option<Own<'a>>,
}

/// What somebody has who is signed in.
pub(super) struct Own<'a> {
    pub(super) current: SessionId,
    pub(super) sessions: (Vec<&'a SessionRecord>, Pager),
    pub(super) has_others: bool,
    pub(super) keys: (Vec<&'a ApiKeyRecord>, Pager),
    pub(super) logins: LoginWays,
}

/// `GET /settings/account`.
pub(crate) async fn show(due: Due, visit: Visit) -> Answer {
    match due {
        Due::Full(holder) => all(&holder, &visit).await,
        Due::Restricted(holder) => {
            let view = holder.view();
            let frame = Frame::of(Person::obliged(&view), PATH, None);
            page(StatusCode::OK, &AccountPage::new(frame, view, visit.now(), None))
        }
    }
}

async fn all(holder: &Holder<Full>, visit: &Visit) -> Answer {
    let sessions = visit.actions().list_sessions(holder).await;
    let sessions = sessions.map_err(|fault| fault.into_problem(visit.now()))?.live;
    let keys = visit.actions().list_api_keys(holder).await;
    let keys = keys.map_err(|fault| fault.into_problem(visit.now()))?.keys;
    let providers = visit.app.logins().map(LoginProviders::providers).unwrap_or_default();
    let logins = visit.actions().list_logins(holder, providers).await;
    let logins = logins.map_err(|fault| fault.into_problem(visit.now()))?;
    let view = holder.view();
    let frame = Frame::of(Person::new(&view), PATH, said(visit, &logins));
    let own = Own::new(holder.session().record().id, (&sessions, &keys), logins, &visit.query);
    page(StatusCode::OK, &AccountPage::new(frame, view, visit.now(), Some(own)))
}

impl<'a> Own<'a> {
    pub(super) fn new(
        current: SessionId,
        (sessions, keys): (&'a [SessionRecord], &'a [ApiKeyRecord]),
        logins: LoginWays,
        query: &Query,
    ) -> Self {
        let sorting = Sorting::read(query, "session_", "sessions", &SESSIONS, ("active", true));
        let column = sorting.column();
        let shown = sorting.show(
            sessions.iter(),
            |row, wanted| agent(row).to_lowercase().contains(wanted) || address(row).contains(wanted),
            |one, other| match column {
                "ip" => one.client.address.cmp(&other.client.address),
                "agent" => agent(one).cmp(agent(other)),
                _ => one.last_active.cmp(&other.last_active),
            },
        );
        let sorting = Sorting::read(query, "key_", "keys", &KEYS, ("created", true));
        let column = sorting.column();
        let used = |row: &ApiKeyRecord| row.last_used.as_ref().map(|last| last.at);
        let keys = sorting.show(
            keys.iter(),
            |row, wanted| row.name.as_str().to_lowercase().contains(wanted) || row.prefix.to_string().to_lowercase().contains(wanted),
            |one, other| match column {
                "name" => one.name.as_str().cmp(other.name.as_str()),
                "used" => used(one).cmp(&used(other)),
                _ => one.created_at.cmp(&other.created_at),
            },
        );
        Self {
            current,
            has_others: sessions.iter().any(|row| row.id != current),
            sessions: shown,
            keys,
            logins,
        }
    }

    fn sessions_head(&self) -> Table<'_> {
        Table::head(&SESSIONS, &self.sessions.1)
    }

    fn keys_head(&self) -> Table<'_> {
        Table::head(&KEYS, &self.keys.1)
    }
}

impl<'a> AccountPage<'a> {
    pub(super) const fn new(frame: Frame<'a>, view: UserView, now: Timestamp, own: Option<Own<'a>>) -> Self {
        Self { frame, view, now, own }
    }

    fn role(&self) -> Badge {
        Badge::from(self.view.user.role)
    }

    fn is_admin(&self) -> bool {
        self.view.user.role == Role::Admin
    }

    fn member_since(&self) -> Moment {
        Moment::day(self.view.user.created_at)
    }

    fn password_field(&self, id: &'static str) -> Field<'static> {
        Field::new(id, "password", "Password", Kind::Password).autocomplete("current-password")
    }

    fn current_field(&self) -> Field<'static> {
        Field::new("current-password", "current_password", "Current Password", Kind::Password).autocomplete("current-password")
    }

    fn new_field(&self) -> Field<'static> {
        Field::new("new-password", "new_password", "New Password", Kind::Password)
            .chosen()
            .hint("At least 8 characters.")
    }

    fn again_field(&self) -> Field<'static> {
        Field::new("confirm-password", "confirm_password", "Confirm New Password", Kind::Password).chosen()
    }

    fn code_field(&self, id: &'static str) -> CodeField<'static> {
        CodeField::new(id, "Authentication code")
    }

    fn name_field(&self) -> Field<'static> {
        Field::new("key-name", "name", "Key Name", Kind::Text)
            .at_most(128)
            .hint("What it is for, such as “CLI access”.")
    }

    fn revoke_others(&self) -> Button<'static> {
        Button::sending(
            "Revoke All Others",
            Weight::Usual,
            "DELETE /api/auth/sessions",
            "All other sessions have ended.",
        )
    }

    fn revoke_session(&self, row: &SessionRecord) -> Button<'static> {
        let request = "DELETE /api/auth/sessions/{id}";
        let button = Button::sending("Revoke", Weight::Careful, request, "The session has ended.");
        button.of_row(name_of(row), row.id.to_string())
    }

    fn address(&self, row: &SessionRecord) -> String {
        address(row)
    }

    fn agent<'b>(&self, row: &'b SessionRecord) -> &'b str {
        agent(row)
    }

    fn create_key(&self) -> Button<'static> {
        Button::opening("Create Key", Weight::Usual, "create-key")
    }

    fn revoke_key<'b>(&self, row: &'b ApiKeyRecord) -> Button<'b> {
        Button::opening("Revoke", Weight::Careful, "revoke-key").of_row(row.name.as_str(), row.id.to_string())
    }

    /// Whether there is a password to ask for. Where nothing is known there is one.
    fn has_password(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.logins.has_password)
    }

    fn link<'b>(&self, way: &'b LoginWay) -> Button<'b> {
        let button = Button::leaving("Link", Weight::Plain, "POST /api/auth/oauth/{id}/link");
        button.of_row(way.title.as_str(), way.name.as_str())
    }

    fn unlink<'b>(&self, way: &'b LoginWay) -> Button<'b> {
        Button::opening("Unlink", Weight::Careful, "unlink-login").of_row(way.title.as_str(), way.name.as_str())
    }

    fn linked(&self, way: &LoginWay) -> Option<Moment> {
        way.linked_at.map(Moment::day)
    }

    fn enable(&self) -> Button<'static> {
        Button::opening("Enable 2FA", Weight::Primary, "enable-2fa")
    }

    fn disable(&self) -> Button<'static> {
        Button::opening("Disable 2FA", Weight::Careful, "disable-2fa")
    }

    fn regenerate(&self) -> Button<'static> {
        Button::opening("Regenerate Recovery Codes", Weight::Usual, "regenerate-codes")
    }

    fn on_or_off(&self) -> Badge {
        match self.view.totp_enabled {
            true => Badge::new(Colour::Green, "On"),
            false => Badge::new(Colour::Gray, "Off"),
        }
    }

    fn current(&self) -> Badge {
        Badge::new(Colour::Green, "Current")
    }

    fn active(&self, row: &SessionRecord) -> Moment {
        Moment::time(row.last_active)
    }

    fn created(&self, row: &ApiKeyRecord) -> Moment {
        Moment::day(row.created_at)
    }

    fn used(&self, row: &ApiKeyRecord) -> Option<Moment> {
        row.last_used.as_ref().map(|last| Moment::time(last.at))
    }

    /// What is to be known of a key's end.
    fn expiry(&self, row: &ApiKeyRecord) -> Option<Badge> {
        let end = [row.expires_at, row.retiring_until].into_iter().flatten().min()?;
        Some(match self.now >= end {
            true => Badge::new(Colour::Red, "Expired"),
            false => Badge::new(Colour::Gray, "Expires").on(Moment::day(end)),
        })
    }
}

/// What has come of a way to a login provider and back.
fn said(visit: &Visit, logins: &LoginWays) -> Option<Notice<'static>> {
    if let Some(sentence) = visit.asked("error").and_then(sentence_of) {
        return Some(Notice::new(Tone::Bad, sentence));
    }
    let linked = visit.asked("linked")?;
    let way = logins.providers.iter().find(|way| way.name == linked && way.linked_at.is_some())?;
    Some(Notice::new(Tone::Good, format!("You can sign in with {} from now on.", way.title)))
}

/// What `?error=` says; only codes of ours have a sentence.
fn sentence_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "state_mismatch" => "The answer of the login provider belongs to nothing that was begun in this session. Try again.",
        "provider_denied" => "The login provider did not confirm who you are, or it was declined there.",
        "session_expired" => "The login at the provider has taken too long. Try again.",
        "exchange_failed" => "The login provider could not be asked. Try again in a moment.",
        "missing_credentials" | "unsupported" => "Signing in with this provider is not set up here.",
        "reauthentication_required" => "It was too long ago that you proved who you are. Try again.",
        "identity_taken" => "This account at the provider opens another account here.",
        "provider_linked" => "Another account of this provider is linked already. Unlink it first.",
        _ => return None,
    })
}

fn address(row: &SessionRecord) -> String {
    row.client
        .address
        .map_or_else(|| "Unknown".to_owned(), |address| address.to_string())
}

fn agent(row: &SessionRecord) -> &str {
    row.client.user_agent.as_ref().map_or("Unknown", |agent| agent.as_str())
}

/// A row is named by its address, and by what the client most likely is.
fn name_of(row: &SessionRecord) -> String {
    const KNOWN: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let found = KNOWN.into_iter().find(|(mark, _)| agent(row).contains(mark));
    match found {
        Some((_, name)) => format!("{name} at {}", address(row)),
        None => address(row),
    }
}
