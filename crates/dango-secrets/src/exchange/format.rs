//! The names of the formats, as `--format` takes them.

use std::fmt;
use std::str::FromStr;

/// A format that credentials are exported to and imported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A `.env` file.
    Dotenv,
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// `export` commands for a POSIX shell.
    Shell,
    /// What a step of a GitHub Actions workflow appends to `$GITHUB_ENV`.
    Github,
    /// A file for `docker run --env-file`.
    Docker,
    /// The manifest of a Kubernetes `Secret`.
    K8s,
}

impl Format {
    /// Every format, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Dotenv,
        Self::Json,
        Self::Yaml,
        Self::Toml,
        Self::Shell,
        Self::Github,
        Self::Docker,
        Self::K8s,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Shell => "shell",
            Self::Github => "github",
            Self::Docker => "docker",
            Self::K8s => "k8s",
        }
    }

    /// Whether it knows variables only: names without structure, and text without types.
    pub const fn is_environment(self) -> bool {
        !matches!(self, Self::Json | Self::Yaml | Self::Toml)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such format; there are dotenv, json, yaml, toml, shell, github, docker and k8s")]
pub struct ParseFormatError;

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or(ParseFormatError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_read_by_its_name_and_named_in_the_error() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert!(ParseFormatError.to_string().contains(format.as_str()), "{format}");
        }
        assert!("JSON".parse::<Format>().is_err() && "".parse::<Format>().is_err());
    }
}
