//! What an envelope is bound to: what it is for and where it stands. Neither is stored in it; both have to be given again to open it.

use std::fmt;

use dango_core::{CredentialPath, VariableName};

use crate::encoding::Fields;

/// What is sealed; each purpose has a key of its own, derived from the master key.
///
/// The names are part of the format and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A value of `.dlt/secrets.toml`.
    SecretsToml,
    /// A value of `.env`.
    DotEnv,
    /// A value that either of the two had before.
    History,
    /// A value that is laid aside while another takes its place.
    Rotation,
    /// The secret of a second factor.
    Totp,
    /// What a server answered, kept for when it cannot be reached.
    OfflineCopy,
}

impl Purpose {
    /// The name that enters key derivation and associated data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretsToml => "secrets.toml",
            Self::DotEnv => ".env",
            Self::History => "history",
            Self::Rotation => "rotation",
            Self::Totp => "totp",
            Self::OfflineCopy => "offline copy",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The one place where an envelope opens: a path, a variable, or a cell of a table.
///
/// It prints as its name: the canonical path, the variable, or the three parts of a cell as a dotted path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Binding {
    kind: &'static str,
    parts: Vec<String>,
    name: String,
}

impl Binding {
    /// A key of `.dlt/secrets.toml`.
    pub fn path(path: &CredentialPath) -> Self {
        Self::of("path", vec![path.to_string()])
    }

    /// A variable of `.env`.
    pub fn variable(name: &VariableName) -> Self {
        Self::of("variable", vec![name.to_string()])
    }

    /// A cell of a database: its table, its column and the key of its row.
    pub fn cell(table: &str, column: &str, row: &str) -> Self {
        let parts = vec![table.to_owned(), column.to_owned(), row.to_owned()];
        let name = CredentialPath::from_parts(parts.iter().cloned()).map_or_else(String::new, |path| path.to_string());
        Self { kind: "cell", parts, name }
    }

    /// The name for people and for lists; equal only for equal places of one kind, without control characters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The data that an envelope authenticates beside its plain text: version, purpose, kind and parts.
    pub(crate) fn associated_data(&self, purpose: Purpose) -> Vec<u8> {
        let fields = Fields::default().with("dango:v1").with(purpose.as_str()).with(self.kind);
        self.parts.iter().fold(fields, Fields::with).into_bytes()
    }

    fn of(kind: &'static str, parts: Vec<String>) -> Self {
        let name = parts.concat();
        Self { kind, parts, name }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_have_the_same_associated_data() {
        let path = |text: &str| Binding::path(&text.parse().expect("a path"));
        let variable = |text: &str| Binding::variable(&text.parse().expect("a name"));
        let places = [
            path("a.b"),
            path("\"a.b\""),
            path("a"),
            variable("a"),
            Binding::cell("a", "b", "c"),
            Binding::cell("a", "b.c", ""),
            Binding::cell("ab", "", "c"),
        ];
        let purposes = [
            Purpose::SecretsToml,
            Purpose::DotEnv,
            Purpose::History,
            Purpose::Rotation,
            Purpose::Totp,
            Purpose::OfflineCopy,
        ];
        let mut data: Vec<Vec<u8>> = places
            .iter()
            .flat_map(|place| purposes.map(|purpose| place.associated_data(purpose)))
            .collect();
        data.sort();
        data.dedup();
        assert_eq!(data.len(), places.len() * purposes.len());
    }

    #[test]
    fn a_path_has_one_binding_however_it_was_written() {
        let plain: CredentialPath = "sources.stripe.api_key".parse().expect("a path");
        let quoted: CredentialPath = r#""sources".'stripe'."api\u005fkey""#.parse().expect("a path");
        assert_eq!(Binding::path(&plain), Binding::path(&quoted));
        assert_eq!(Binding::path(&quoted).name(), "sources.stripe.api_key");
        assert_eq!(Binding::cell("t", "a b", "1\n").name(), r#"t."a b"."1\n""#);
    }
}
