//! `.dango/remote.toml`: the deployed projects by name, and which of them is in use. No secret is in it, and no file is opened here.

use dango_core::{CredentialPath, RemoteName, SecretValue};
use dango_secrets::document::{DocumentError, EditError, NewValue, SecretsDocument};
use dango_secrets::{References, Value};

use crate::address::{Destination, RemoteDirectory};

/// The table with one table for each remote.
const REMOTES: &str = "remotes";
/// The key that names the one in use.
const IN_USE: &str = "use";
const HOST: &str = "host";
const PATH: &str = "path";
const IDENTITY: &str = "identity";

/// One deployed project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What it is called here.
    pub name: RemoteName,
    /// Where it is.
    pub destination: Destination,
    /// Its directory there.
    pub directory: RemoteDirectory,
    /// The file with the private key that opens it, where one was named.
    pub identity: Option<String>,
}

/// The file's contents. Edits keep comments, order and whatever else a person wrote into it.
pub struct Remotes {
    document: SecretsDocument,
    remotes: Vec<Remote>,
    selected: Option<RemoteName>,
}

/// Why the settings could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file is no TOML.
    #[error("line {}, column {}: {}", .0.line, .0.column, .0.problem)]
    Document(DocumentError),
    /// An entry that says nothing sensible.
    #[error("{path} {problem}")]
    Entry {
        /// Where it is in the file.
        path: CredentialPath,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is one of that name already.
    #[error("there is a remote named {0} already")]
    Exists(RemoteName),
    /// There is none of that name.
    #[error("there is no remote named {0}")]
    Unknown(RemoteName),
    /// There is none at all.
    #[error("no remote is known yet")]
    None,
    /// There are several, and none was chosen.
    #[error("there are several remotes, and none is in use")]
    Undecided,
    /// The file could not be edited.
    #[error("the settings cannot be changed")]
    Edit(#[from] EditError),
}

impl SettingsError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(_) => "remote_settings_unreadable",
            Self::Entry { .. } => "remote_settings_entry",
            Self::Exists(_) => "remote_exists",
            Self::Unknown(_) => "remote_unknown",
            Self::None => "remote_none",
            Self::Undecided => "remote_undecided",
            Self::Edit(_) => "remote_settings_edit",
        }
    }
}

impl Remotes {
    /// Reads the file's bytes; an empty file knows no remote.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Document`] and [`SettingsError::Entry`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SettingsError> {
        let document = SecretsDocument::parse(bytes).map_err(SettingsError::Document)?;
        let Value::Table(root) = document.root() else {
            return Err(entry(path([REMOTES]), "is missing"));
        };
        let mut remotes = Vec::new();
        let mut selected = None;
        for (key, value) in root {
            match (key.as_str(), value) {
                (REMOTES, Value::Table(tables)) => {
                    for (name, value) in tables {
                        remotes.push(remote(&name, &value)?);
                    }
                }
                (REMOTES, _) => return Err(entry(path([REMOTES]), "is to be a table")),
                (IN_USE, value) => {
                    let name = text(&value).and_then(|name| name.parse().ok());
                    selected = Some(name.ok_or_else(|| entry(path([IN_USE]), "is to be the name of a remote"))?);
                }
                _ => {}
            }
        }
        Ok(Self {
            document,
            remotes,
            selected,
        })
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        self.document.text()
    }

    /// The remotes in the order of the file.
    pub fn all(&self) -> &[Remote] {
        &self.remotes
    }

    /// The one of this name.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unknown`].
    pub fn find(&self, name: &RemoteName) -> Result<&Remote, SettingsError> {
        let found = self.remotes.iter().find(|remote| remote.name == *name);
        found.ok_or_else(|| SettingsError::Unknown(name.clone()))
    }

    /// The one in use: what was chosen, else the only one there is.
    ///
    /// # Errors
    ///
    /// [`SettingsError::None`], [`SettingsError::Undecided`], and [`SettingsError::Unknown`] where what was chosen is gone.
    pub fn in_use(&self) -> Result<&Remote, SettingsError> {
        match (&self.selected, self.remotes.as_slice()) {
            (_, []) => Err(SettingsError::None),
            (Some(name), _) => self.find(name),
            (None, [only]) => Ok(only),
            (None, _) => Err(SettingsError::Undecided),
        }
    }

    /// The settings with one remote more; the first one is in use at once.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Exists`] and [`SettingsError::Edit`].
    pub fn with(&self, remote: &Remote) -> Result<Self, SettingsError> {
        if self.find(&remote.name).is_ok() {
            return Err(SettingsError::Exists(remote.name.clone()));
        }
        let mut document = self.document.clone();
        if self.remotes.is_empty() && self.selected.is_none() {
            document = set(&document, &path([IN_USE]), remote.name.as_str())?;
        }
        let name = remote.name.as_str();
        document = set(&document, &path([REMOTES, name, HOST]), &remote.destination.to_string())?;
        document = set(&document, &path([REMOTES, name, PATH]), remote.directory.as_str())?;
        if let Some(identity) = &remote.identity {
            document = set(&document, &path([REMOTES, name, IDENTITY]), identity)?;
        }
        Self::parse(document.text().as_bytes())
    }

    /// The settings without a remote; if it was in use, none is.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unknown`] and [`SettingsError::Edit`].
    pub fn without(&self, name: &RemoteName) -> Result<Self, SettingsError> {
        self.find(name)?;
        let (mut document, _) = self.document.unset(&path([REMOTES, name.as_str()]))?;
        if self.selected.as_ref() == Some(name) {
            (document, _) = document.unset(&path([IN_USE]))?;
        }
        Self::parse(document.text().as_bytes())
    }

    /// The settings with this remote in use.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unknown`] and [`SettingsError::Edit`].
    pub fn using(&self, name: &RemoteName) -> Result<Self, SettingsError> {
        self.find(name)?;
        let document = set(&self.document, &path([IN_USE]), name.as_str())?;
        Self::parse(document.text().as_bytes())
    }
}

fn remote(name: &str, value: &Value) -> Result<Remote, SettingsError> {
    let at = path([REMOTES, name]);
    let Value::Table(entries) = value else {
        return Err(entry(at, "is to be a table"));
    };
    let member = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let name = name
        .parse()
        .map_err(|_| entry(at.clone(), "has a name of other characters than letters, digits, `_` and `-`"))?;
    let host = member(HOST).and_then(text).and_then(|text| text.parse().ok());
    let directory = member(PATH).and_then(text).and_then(|text| text.parse().ok());
    let identity = match member(IDENTITY) {
        Some(value) => Some(text(value).ok_or_else(|| entry(at.child(IDENTITY), "is to be a path"))?),
        None => None,
    };
    Ok(Remote {
        name,
        destination: host.ok_or_else(|| entry(at.child(HOST), "is to be user@host:port"))?,
        directory: directory.ok_or_else(|| entry(at.child(PATH), "is to be a directory"))?,
        identity,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.verbatim().to_string()),
        _ => None,
    }
}

fn set(document: &SecretsDocument, at: &CredentialPath, text: &str) -> Result<SecretsDocument, SettingsError> {
    let problem = || entry(at.clone(), "cannot hold a NUL character");
    let value = NewValue::String {
        text: SecretValue::new(text.to_owned()).map_err(|_| problem())?,
        references: References::Expand,
    };
    let (document, _) = document.set(at, &value)?;
    Ok(document)
}

fn entry(path: CredentialPath, problem: &'static str) -> SettingsError {
    SettingsError::Entry { path, problem }
}

fn path<'a>(parts: impl IntoIterator<Item = &'a str>) -> CredentialPath {
    CredentialPath::from_parts(parts).expect("every caller names at least one part")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_remote(name: &str, host: &str) -> Remote {
        Remote {
            name: name.parse().expect("a name"),
            destination: host.parse().expect("a destination"),
            directory: "/srv/dango/my project".parse().expect("a directory"),
            identity: Some("~/.ssh/deploy".to_owned()),
        }
    }

    #[test]
    fn what_is_added_is_read_back_and_comments_stay() {
        let empty = Remotes::parse(b"# where we are\n").expect("a comment");
        assert!(matches!(empty.in_use(), Err(SettingsError::None)));
        let prod = a_remote("prod", "deploy@example.org:2222");
        let one = empty.with(&prod).expect("added");
        assert!(one.text().starts_with("# where we are\n"), "{}", one.text());
        assert_eq!(one.in_use().expect("the first"), &prod);
        let two = one.with(&a_remote("staging", "[::1]:22")).expect("added");
        assert_eq!(two.in_use().expect("still the first"), &prod);
        assert!(matches!(two.with(&prod), Err(SettingsError::Exists(_))));
        let two = two.using(&"staging".parse().expect("a name")).expect("known");
        assert_eq!(two.in_use().expect("the other").destination.to_string(), "[::1]:22");
        let left = two.without(&"staging".parse().expect("a name")).expect("known");
        assert_eq!(left.in_use().expect("the only one"), &prod);
    }

    #[test]
    fn of_several_one_has_to_be_chosen() {
        let text = "[remotes.a]\nhost = \"h\"\npath = \"/p\"\n[remotes.b]\nhost = \"h\"\npath = \"/p\"\n";
        let remotes = Remotes::parse(text.as_bytes()).expect("two remotes");
        assert!(matches!(remotes.in_use(), Err(SettingsError::Undecided)));
        let gone = Remotes::parse(format!("use = \"c\"\n{text}").as_bytes()).expect("two remotes");
        assert!(matches!(gone.in_use(), Err(SettingsError::Unknown(_))));
    }

    #[test]
    fn a_file_that_was_tampered_with_reaches_no_ssh() {
        for text in [
            "[remotes.a]\nhost = \"-oProxyCommand=id\"\npath = \"/p\"\n",
            "[remotes.a]\nhost = \"h\"\npath = \"/p\\n/q\"\n",
            "[remotes.a]\nhost = \"h\"\n",
            "[remotes.\"a b\"]\nhost = \"h\"\npath = \"/p\"\n",
            "[remotes.a]\nhost = \"h\"\npath = \"/p\"\nidentity = 1\n",
            "remotes = 1\n",
            "use = \"../x\"\n",
            "[",
        ] {
            assert!(Remotes::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
