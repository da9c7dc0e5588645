//! A badge: a word with a colour that says the same.

use askama::Template;
use askama::filters::HtmlSafe;
use dango_identity::{AccountStatus, Role};

use super::Moment;

/// The colours that badges have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    Amber,
    Red,
    Blue,
    Indigo,
    Orange,
    Gray,
}

impl Colour {
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 7] = [
        Self::Green,
        Self::Amber,
        Self::Red,
        Self::Blue,
        Self::Indigo,
        Self::Orange,
        Self::Gray,
    ];

    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Indigo => "indigo",
            Self::Orange => "orange",
            Self::Gray => "gray",
        }
    }
}

/// A badge.
#[derive(Clone, Debug, Template)]
#[template(path = "components/badge.html")]
pub(crate) struct Badge {
    colour: Colour,
    text: &'static str,
    day: Option<Moment>,
}

impl HtmlSafe for Badge {}

impl Badge {
    pub(crate) const fn new(colour: Colour, text: &'static str) -> Self {
        Self { colour, text, day: None }
    }

    /// The same with a day behind the word.
    pub(crate) const fn on(self, day: Moment) -> Self {
        Self { day: Some(day), ..self }
    }
}

impl From<Role> for Badge {
    fn from(role: Role) -> Self {
        let colour = match role {
            Role::Admin => Colour::Red,
            Role::Editor => Colour::Blue,
            Role::Viewer => Colour::Gray,
        };
        Self::new(colour, role.name())
    }
}

impl From<AccountStatus> for Badge {
    fn from(status: AccountStatus) -> Self {
        match status {
            AccountStatus::Active => Self::new(Colour::Green, "Active"),
            AccountStatus::Invited => Self::new(Colour::Indigo, "Invited"),
            AccountStatus::InviteExpired => Self::new(Colour::Orange, "Invite Expired"),
            AccountStatus::Locked => Self::new(Colour::Amber, "Locked"),
            AccountStatus::Inactive => Self::new(Colour::Red, "Inactive"),
        }
    }
}
