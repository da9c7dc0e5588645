//! A field with its label, its hint, and what is wrong with it.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A line of text.
    Text,
    /// A line of text that is code.
    Mono,
    /// An e-mail address.
    Email,
    /// A password.
    Password,
    /// Several lines.
    Lines,
}

/// A field.
#[derive(Clone, Debug, Template)]
#[template(path = "components/field.html")]
pub(crate) struct Field<'a> {
    id: &'static str,
    name: &'static str,
    label: &'static str,
    kind: Kind,
    autocomplete: &'static str,
    least: Option<usize>,
    most: Option<usize>,
    value: Cow<'a, str>,
    hint: Option<&'static str>,
    error: Option<Cow<'a, str>>,
    is_first: bool,
    is_read_only: bool,
    is_optional: bool,
    /// Whether the form as a whole was refused because of it, too.
    is_refused: bool,
}

impl HtmlSafe for Field<'_> {}

impl<'a> Field<'a> {
    /// A field that has to be filled in.
    pub(crate) const fn new(id: &'static str, name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self {
            id,
            name,
            label,
            kind,
            autocomplete: "off",
            least: None,
            most: None,
            value: Cow::Borrowed(""),
            hint: None,
            error: None,
            is_first: false,
            is_read_only: false,
            is_optional: false,
            is_refused: false,
        }
    }

    /// What browsers may fill in (HTML §4.10.18.7).
    pub(crate) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// A password that somebody chooses.
    pub(crate) fn chosen(self) -> Self {
        Self {
            autocomplete: "new-password",
            least: Some(8),
            ..self
        }
    }

    /// The most characters.
    pub(crate) fn at_most(self, most: usize) -> Self {
        Self { most: Some(most), ..self }
    }

    pub(crate) fn value(self, value: impl Into<Cow<'a, str>>) -> Self {
        Self {
            value: value.into(),
            ..self
        }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    pub(crate) fn error(self, error: Option<impl Into<Cow<'a, str>>>) -> Self {
        Self {
            error: error.map(Into::into),
            ..self
        }
    }

    /// The field that the page begins with.
    pub(crate) fn first(self, is_first: bool) -> Self {
        Self { is_first, ..self }
    }

    /// The notice of the form is about this field, too.
    pub(crate) fn refused(self, is_refused: bool) -> Self {
        Self { is_refused, ..self }
    }

    pub(crate) fn read_only(self) -> Self {
        Self {
            is_read_only: true,
            ..self
        }
    }

    /// A field in which nothing is something, too.
    pub(crate) fn may_be_empty(self) -> Self {
        Self { is_optional: true, ..self }
    }

    const fn has_lines(&self) -> bool {
        matches!(self.kind, Kind::Lines)
    }

    const fn is_code(&self) -> bool {
        matches!(self.kind, Kind::Mono)
    }

    const fn type_of(&self) -> &'static str {
        match self.kind {
            Kind::Email => "email",
            Kind::Password => "password",
            Kind::Text | Kind::Mono | Kind::Lines => "text",
        }
    }

    fn described_by(&self) -> String {
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        let notice = self.is_refused.then(|| "form-notice".to_owned());
        let parts = [notice, hint, Some(format!("{}-error", self.id))];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some() || self.is_refused
    }
}

/// A field for a code of an authenticator app.
#[derive(Clone, Debug, Template)]
#[template(path = "components/code_field.html")]
pub(crate) struct CodeField<'a> {
    id: &'static str,
    label: &'static str,
    error: Option<Cow<'a, str>>,
    is_first: bool,
    is_optional: bool,
}

impl HtmlSafe for CodeField<'_> {}

impl<'a> CodeField<'a> {
    pub(crate) const fn new(id: &'static str, label: &'static str) -> Self {
        Self {
            id,
            label,
            error: None,
            is_first: false,
            is_optional: false,
        }
    }

    pub(crate) fn error(self, error: Option<impl Into<Cow<'a, str>>>) -> Self {
        Self {
            error: error.map(Into::into),
            ..self
        }
    }

    pub(crate) fn first(self, is_first: bool) -> Self {
        Self { is_first, ..self }
    }
}
