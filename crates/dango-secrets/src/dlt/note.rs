//! What an explanation says beside the places: stable codes and a sentence each, without any value.

use dango_core::CredentialPath;

use super::cast::CastKind;
use super::name::{EnvironmentName, NameError};
use super::places::Place;
use super::surroundings::UnreadableFile;

/// Something a user should know about a look-up. Its `Display` is one sentence; `place` is an index in
/// [`super::Explanation::places`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Note {
    /// dlt cannot read a file, so every look-up fails, even one that the environment would answer.
    #[error("dlt cannot read {location}, so every look-up fails: {problem}")]
    FileUnreadable {
        /// The file.
        location: String,
        /// Why.
        problem: UnreadableFile,
    },
    /// A secret is in `config.toml`: dlt stops with an error instead of taking it.
    #[error("dlt finds the secret in a file for configuration and stops with an error")]
    NotSecret {
        /// Where it is.
        place: usize,
    },
    /// A `credentials` table is in `config.toml` and none in `secrets.toml`: dlt stops with an error, whatever is in it.
    #[error("`{}` is in a file for configuration and in none for secrets: dlt stops with an error", place.name)]
    CredentialsInConfig {
        /// Where it is; not one of the explanation's places.
        place: Place,
    },
    /// The credentials are given as one text, whose parts go before this field.
    #[error("`{}` gives the credentials as a whole; what it holds goes before this field", place.name)]
    CredentialsAsText {
        /// Where it is; not one of the explanation's places.
        place: Place,
    },
    /// A variable with a less specific name goes before the value in a file.
    #[error("a variable with a shorter name goes before the value in a file")]
    VariableShadowsFile {
        /// The variable.
        place: usize,
        /// The first value in a file that it goes before.
        shadowed: usize,
        /// Whether the name is the key alone, as in `API_KEY` or `USER`.
        bare: bool,
    },
    /// The winner is empty: an empty string is a value for dlt.
    #[error("the value is empty, and dlt takes it nevertheless")]
    EmptyWins {
        /// The winner.
        place: usize,
    },
    /// The winner is a placeholder that dlt wrote.
    #[error("the value is the placeholder that `dlt init` writes, and dlt takes it nevertheless")]
    PlaceholderWins {
        /// The winner.
        place: usize,
    },
    /// The winner holds a `${NAME}` reference, which dlt takes for text.
    #[error("the value has a `${{…}}` reference, which dlt itself does not expand")]
    ReferenceTakenVerbatim {
        /// The winner.
        place: usize,
    },
    /// The winner is a string that `dlt.secrets["…"]` turns into something else.
    #[error("`dlt.secrets[…]` turns this string into another type: {kind}")]
    AutoCast {
        /// The winner.
        place: usize,
        /// What it becomes.
        kind: CastKind,
    },
    /// `.env` has a variable that would win, but dlt is started without it.
    #[error("`.env` has a value that would win, but dlt does not read `.env`")]
    DotenvNotLoaded {
        /// The variable.
        place: usize,
    },
    /// The variable's name is none that a shell can export.
    #[error("no shell can export the variable `{}`", variable.as_str().escape_debug())]
    NotExportable {
        /// The name.
        variable: EnvironmentName,
    },
    /// No environment can hold a variable for the path.
    #[error("{error}")]
    NoVariable {
        /// Why.
        error: NameError,
    },
    /// A file has a key with a dot in it that reads like the path but is another one for dlt.
    #[error("{location} has {path}, which dlt does not find here: a dot inside quotes separates no sections")]
    QuotedDot {
        /// The file.
        location: String,
        /// The path as it is in the file.
        path: CredentialPath,
    },
    /// The path has so many keys that it was not looked at.
    #[error("the path has more than {max} keys and was not looked at")]
    TooDeep {
        /// The most keys that are looked at.
        max: usize,
    },
}

impl Note {
    /// A stable name for the kind of note.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileUnreadable { .. } => "file_unreadable",
            Self::NotSecret { .. } => "secret_in_config",
            Self::CredentialsInConfig { .. } => "credentials_in_config",
            Self::CredentialsAsText { .. } => "credentials_as_text",
            Self::VariableShadowsFile { bare: true, .. } => "bare_variable_shadows_file",
            Self::VariableShadowsFile { .. } => "variable_shadows_file",
            Self::EmptyWins { .. } => "empty_value_wins",
            Self::PlaceholderWins { .. } => "placeholder_wins",
            Self::ReferenceTakenVerbatim { .. } => "reference_taken_verbatim",
            Self::AutoCast { .. } => "auto_cast",
            Self::DotenvNotLoaded { .. } => "dotenv_not_loaded",
            Self::NotExportable { .. } => "variable_not_exportable",
            Self::NoVariable { .. } => "no_variable",
            Self::QuotedDot { .. } => "quoted_dot",
            Self::TooDeep { .. } => "path_too_deep",
        }
    }
}
