//! A button that opens a dialog or does something at once. Buttons in rows are named with their row.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;

/// How loud a button is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// What most people come for.
    Primary,
    /// Anything else.
    Usual,
    /// In rows.
    Plain,
    /// In rows, and takes something away.
    Careful,
    /// The last word in a confirmation; templates write it themselves.
    #[cfg(debug_assertions)]
    Danger,
}

impl Weight {
    #[cfg(debug_assertions)]
    pub(crate) const ALL: [Self; 5] = [Self::Primary, Self::Usual, Self::Plain, Self::Careful, Self::Danger];

    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Usual => "button",
            Self::Plain => "button plain",
            Self::Careful => "button plain careful",
            #[cfg(debug_assertions)]
            Self::Danger => "button danger",
        }
    }
}

/// A button.
#[derive(Clone, Debug, Template)]
#[template(path = "components/button.html")]
pub(crate) struct Button<'a> {
    label: &'static str,
    weight: Weight,
    row: Option<Cow<'a, str>>,
    opens: Option<&'static str>,
    sends: Option<(&'static str, &'static str)>,
    /// Whether what is answered says where the browser goes.
    leaves: bool,
    id: Cow<'a, str>,
}

impl HtmlSafe for Button<'_> {}

impl<'a> Button<'a> {
    /// A button that opens a dialog.
    pub(crate) const fn opening(label: &'static str, weight: Weight, dialog: &'static str) -> Self {
        Self {
            label,
            weight,
            row: None,
            opens: Some(dialog),
            sends: None,
            leaves: false,
            id: Cow::Borrowed(""),
        }
    }

    /// A button that sends a request at once: `METHOD /path`, and says a sentence when it is done.
    pub(crate) const fn sending(label: &'static str, weight: Weight, request: &'static str, said: &'static str) -> Self {
        Self {
            label,
            weight,
            row: None,
            opens: None,
            sends: Some((request, said)),
            leaves: false,
            id: Cow::Borrowed(""),
        }
    }

    /// A button that sends a request at once, and goes to where the answer says.
    pub(crate) const fn leaving(label: &'static str, weight: Weight, request: &'static str) -> Self {
        let mut button = Self::sending(label, weight, request, "");
        button.leaves = true;
        button
    }

    /// The same in a row: named with it, and about the thing with this id.
    pub(crate) fn of_row(self, row: impl Into<Cow<'a, str>>, id: impl Into<Cow<'a, str>>) -> Self {
        Self {
            row: Some(row.into()),
            id: id.into(),
            ..self
        }
    }
}
