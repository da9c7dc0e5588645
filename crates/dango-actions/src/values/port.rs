//! The port to a project's values for programs: read, and credentials changed. What is in a file, and the key to it, is behind the port.

use dango_core::CredentialPath;
use dango_secrets::SetOutcome;
use dango_secrets::document::NewValue;
use dango_secrets::dotenv::GivenValue;
use zeroize::Zeroizing;

use crate::desk::FilesError;

/// A project's values, as the desk needs them. Each call may take as long as a disk and a keyring take, and never for ever.
///
/// What [`ProjectValues::change`] has answered with success is on the disk, and a change that another program makes meanwhile is kept.
pub trait ProjectValues: Send + Sync {
    /// What there is, without a value.
    ///
    /// # Errors
    ///
    /// [`FilesError`] where a file cannot be read or parsed.
    fn list(&self) -> Result<ValuesListing, FilesError>;

    /// The values that are wanted, opened; one that does not open fails all of them.
    ///
    /// # Errors
    ///
    /// [`FilesError`] where a file cannot be read, parsed or opened; [`FilesProblem::NotFound`](crate::FilesProblem::NotFound) where
    /// one variable was wanted and is not there, [`FilesProblem::NoCredential`](crate::FilesProblem::NoCredential) where it was a
    /// credential, [`FilesProblem::Withheld`](crate::FilesProblem::Withheld) where it is given to nobody.
    fn read(&self, wanted: &WantedValues) -> Result<GivenValues, FilesError>;

    /// Makes a change of one credential of `secrets.toml`; `by` is who makes it, as the history will say.
    ///
    /// # Errors
    ///
    /// [`FilesError`].
    fn change(&self, change: &CredentialChange, by: &str) -> Result<CredentialChanged, FilesError>;
}

/// Which values are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedValues {
    /// What a program is run with: the credentials at or below a path, all without one, and all of `.env`.
    Run {
        /// The path.
        only: Option<CredentialPath>,
    },
    /// What a source is loaded with: the same, and of each connection what says how long it is good.
    Sync {
        /// The path.
        only: Option<CredentialPath>,
    },
    /// The credentials at or below a path, and the variables that they refer to.
    Credential(CredentialPath),
    /// A variable, and those that it refers to.
    Variable(String),
}

/// Values that left the files. There is no `Debug`.
pub struct GivenValues {
    /// The credentials as TOML, one line each.
    pub credentials: Zeroizing<String>,
    /// The paths in it, Dango's own records left out.
    pub paths: Vec<CredentialPath>,
    /// Variables of `.env`, in the order of the file.
    pub variables: Vec<GivenValue>,
    /// What was found to be wrong with the files, though their values open.
    pub warnings: Vec<ValuesWarning>,
}

/// Something to be told about values that were given, as that a file was put back to an older state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesWarning {
    /// The stable code.
    pub code: &'static str,
    /// The sentence; no value is in it.
    pub text: String,
}

/// What a project has, in the order of its files; no value is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValuesListing {
    /// The credentials of `secrets.toml`, Dango's own records left out.
    pub credentials: Vec<CredentialEntry>,
    /// The variables of `.env`, each once.
    pub variables: Vec<VariableEntry>,
}

/// A credential of `secrets.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialEntry {
    /// The path, as the command line spells it.
    pub path: String,
    /// The type by its name; that of a string where it is encrypted.
    pub value_type: &'static str,
    /// Whether the value is stored encrypted.
    pub is_encrypted: bool,
    /// Whether it refers to a variable.
    pub has_reference: bool,
}

/// A variable of `.env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableEntry {
    /// The key, whatever the file has as one.
    pub key: String,
    /// Whether the value is stored encrypted.
    pub is_encrypted: bool,
    /// Whether it refers to another.
    pub has_reference: bool,
    /// Whether it opens what Dango keeps, and is therefore given to nobody.
    pub is_withheld: bool,
}

/// A change of one credential. There is no `Debug`: it may hold the value.
pub enum CredentialChange {
    /// It gets a value.
    Set {
        /// Where.
        path: CredentialPath,
        /// The value.
        value: NewValue,
        /// How it is kept.
        keeping: Keeping,
    },
    /// It goes.
    Delete {
        /// What.
        path: CredentialPath,
        /// Whether it may be a table with all that is in it.
        tables: Tables,
    },
}

/// How a value is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// As the one before it, or as all others of the file.
    #[default]
    Habit,
    /// Encrypted.
    Encrypted,
    /// Plain.
    Plain,
}

/// Whether a whole table may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// A single value alone.
    #[default]
    Stay,
    /// A table, too.
    MayGo,
}

/// What became of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialChanged {
    /// It has the value.
    Set {
        /// What happened to it.
        outcome: SetOutcome,
        /// Whether it is encrypted now.
        encrypted: bool,
    },
    /// So many values are gone.
    Deleted(usize),
}

impl CredentialChange {
    /// Which credential it is about.
    pub const fn path(&self) -> &CredentialPath {
        match self {
            Self::Set { path, .. } | Self::Delete { path, .. } => path,
        }
    }
}
