//! Why `sources.yml` cannot be read.

use dango_core::{ParseNameError, SourceName};

use crate::YamlError;

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
            | Self::Sync { line, .. } => *line,
        }
    }
}
