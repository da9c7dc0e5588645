//! Why `sources.yml` cannot be read, or not edited.

use dango_core::{ParseNameError, SourceName};

use crate::{ParseRotateEveryError, YamlError};

/// Why a text is no `sources.yml`. Lines and columns count from 1.
///
/// # Security
///
/// It names the place, never a value: a secret may have been put into the wrong file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// It is no YAML that is read here.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The file is a list or a text.
    #[error("line {line}, column {column}: the file must be a mapping with the member `sources`")]
    NotMapping {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// `sources` is something other than a list.
    #[error("line {line}, column {column}: `sources` must be a list, each source beginning with `- name:`")]
    NotList {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An item of `sources` is no mapping.
    #[error("line {line}, column {column}: a source must be a mapping with `name` and `type`")]
    NotEntry {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A source without name or type.
    #[error("line {line}, column {column}: this source has no `{member}`")]
    MissingMember {
        /// The line the source begins on.
        line: usize,
        /// The column.
        column: usize,
        /// `name` or `type`.
        member: &'static str,
    },
    /// A name or type that is no text.
    #[error("line {line}, column {column}: `{member}` must be text")]
    NotText {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// `name` or `type`.
        member: &'static str,
    },
    /// A name that cannot be one.
    #[error("line {line}, column {column}: this is no source name")]
    Name {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// The rule that it breaks.
        source: ParseNameError,
    },
    /// A type that cannot be one.
    #[error("line {line}, column {column}: this is no source type")]
    Type {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// The rule that it breaks.
        source: ParseNameError,
    },
    /// Two sources of one name.
    #[error("line {line}: there is already a source named {name} on line {first_line}")]
    DuplicateName {
        /// The line of the second.
        line: usize,
        /// The line of the first.
        first_line: usize,
        /// The name.
        name: SourceName,
    },
    /// A `rotate_every` that is no interval.
    #[error("line {line}, column {column}: `rotate_every` is no interval")]
    RotateEvery {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// The rule that it breaks.
        source: ParseRotateEveryError,
    },
    /// A `sync` that is neither text nor a list of texts.
    #[error("line {line}, column {column}: `sync` must be a command or a list of its words")]
    Sync {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
}

impl SourcesError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Yaml(_) => "sources_yaml",
            Self::NotMapping { .. } | Self::NotList { .. } | Self::NotEntry { .. } => "sources_shape",
            Self::MissingMember { .. } | Self::NotText { .. } => "sources_member",
            Self::Name { .. } => "sources_name",
            Self::Type { .. } => "sources_type",
            Self::DuplicateName { .. } => "sources_duplicate",
            Self::Sync { .. } => "sources_sync",
            Self::RotateEvery { .. } => "sources_rotate_every",
        }
    }

    /// The line of the first thing that is wrong, counted from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::Yaml(error) => error.line,
            Self::NotMapping { line, .. }
            | Self::NotList { line, .. }
            | Self::NotEntry { line, .. }
            | Self::MissingMember { line, .. }
            | Self::NotText { line, .. }
            | Self::Name { line, .. }
            | Self::Type { line, .. }
            | Self::DuplicateName { line, .. }
            | Self::RotateEvery { line, .. }
            | Self::Sync { line, .. } => *line,
        }
    }
}

/// Why `sources.yml` was not edited; the text stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A source of that name is there already.
    #[error("there is already a source named {name} on line {line}")]
    Exists {
        /// The name.
        name: SourceName,
        /// Its line, counted from 1.
        line: usize,
    },
    /// No source of that name is there.
    #[error("there is no source named {name}")]
    Unknown {
        /// The name.
        name: SourceName,
    },
    /// The source has no such field.
    #[error("{name} has no field of that name")]
    NoField {
        /// The source.
        name: SourceName,
    },
    /// A field with the name of a member that every source has, or one given twice.
    #[error("`{field}` cannot be set as a field")]
    Reserved {
        /// The member.
        field: String,
    },
    /// A field that is a credential: it is stored in `secrets.toml`, never here.
    #[error("`{field}` is a credential and belongs in .dlt/secrets.toml")]
    Secret {
        /// The field.
        field: String,
    },
    /// The text is laid out in a way that this edit does not know; it has to be made by hand.
    #[error("line {line}: the layout here is one that is only edited by hand")]
    Layout {
        /// The line, counted from 1.
        line: usize,
    },
    /// The edited text would not say what was asked for.
    #[error("the edited text would not read back as it should, so nothing was changed")]
    NotFaithful {
        /// What reading it back said, where it could not be read at all.
        #[source]
        source: Option<SourcesError>,
    },
}

impl EditError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "source_exists",
            Self::Unknown { .. } => "source_unknown",
            Self::NoField { .. } => "source_no_field",
            Self::Reserved { .. } => "source_reserved",
            Self::Secret { .. } => "source_secret",
            Self::Layout { .. } => "source_layout",
            Self::NotFaithful { .. } => "source_not_faithful",
        }
    }
}
