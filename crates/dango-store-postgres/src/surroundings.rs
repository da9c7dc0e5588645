//! What an address leaves to its surroundings, as the programs of PostgreSQL do: the password, and the authorities that are trusted.
//! Whose environment that is, a server's or a command's, is known to others.

use std::path::{Path, PathBuf};

use dango_core::SecretValue;
use dango_secrets::storage::{self, ReadError};

use crate::url::DatabaseUrl;

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// What the environment of a process says of databases.
pub struct Surroundings {
    /// `PGPASSWORD`.
    pub password: Option<SecretValue>,
    /// `PGPASSFILE`; an empty one counts as unset.
    pub password_file: Option<PathBuf>,
    /// `HOME`, in which `.pgpass` is looked for where no other file is named.
    pub home: Option<PathBuf>,
    /// The working directory, where relative paths begin.
    pub directory: PathBuf,
}

/// Why an address was not completed. It repeats no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurroundingsError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Others may read the file of passwords.
    #[error("{}: others may read the passwords in it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file of passwords is no text.
    #[error("{}: it is not UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file with authorities, `sslrootcert`, is not there.
    #[error("{}: there is no such file", path.display())]
    NoAuthorities {
        /// The file.
        path: PathBuf,
    },
}

impl SurroundingsError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::Exposed { .. } => "database_passwords_exposed",
            Self::NotText { .. } => "database_passwords_not_text",
            Self::NoAuthorities { .. } => "database_authorities_missing",
        }
    }

    /// What may be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exposed { path } => Some(format!("`chmod 600 {}` closes it", path.display())),
            Self::NoAuthorities { .. } => Some("sslrootcert names it".to_owned()),
            Self::Read(_) | Self::NotText { .. } => None,
        }
    }
}

impl Surroundings {
    /// An address with the password and the authorities that belong to it, as far as it has none of its own.
    ///
    /// # Errors
    ///
    /// [`SurroundingsError`].
    pub fn complete(&self, url: DatabaseUrl) -> Result<DatabaseUrl, SurroundingsError> {
        let url = match &self.password {
            _ if url.has_password() => url,
            Some(password) => url.with_password(password.clone()),
            None => self.with_password_of_file(url)?,
        };
        let Some(path) = url.root_file().map(|file| self.directory.join(file)) else {
            return Ok(url);
        };
        match storage::read(&path)? {
            Some(contents) => Ok(url.with_roots(contents.bytes().to_vec())),
            None => Err(SurroundingsError::NoAuthorities { path }),
        }
    }

    fn with_password_of_file(&self, url: DatabaseUrl) -> Result<DatabaseUrl, SurroundingsError> {
        let named = self.password_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        let of_home = || self.home.as_deref().map(|home| home.join(".pgpass"));
        let Some(path) = named.map(Path::to_owned).or_else(of_home).map(|path| self.directory.join(path)) else {
            return Ok(url);
        };
        let Some(contents) = storage::read(&path)? else {
            return Ok(url);
        };
        if contents.mode() & OTHERS != 0 {
            return Err(SurroundingsError::Exposed { path });
        }
        match SecretValue::from_utf8(contents.bytes().to_vec()) {
            Ok(passwords) => Ok(url.with_password_of(passwords.expose())),
            Err(_) => Err(SurroundingsError::NotText { path }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        DatabaseUrl::parse(text).expect("an address")
    }

    fn put(path: &Path, text: &[u8], mode: u32) {
        let file = fs::OpenOptions::new().create(true).truncate(true).write(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text))
            .expect("written");
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
    }

    #[test]
    fn the_address_goes_first_then_the_variable_then_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let surroundings = |password: Option<&str>, file: Option<&str>| Surroundings {
            password: password.map(|text| SecretValue::new(text.to_owned()).expect("a text")),
            password_file: file.map(PathBuf::from),
            home: Some(directory.path().to_owned()),
            directory: directory.path().to_owned(),
        };
        let password = |surroundings: &Surroundings, text: &str| {
            let complete = surroundings.complete(url(text)).expect("complete");
            complete.password().map(str::to_owned)
        };
        let (with, without) = ("postgres://d:own@h/d", "postgres://d@h/d");
        assert_eq!(password(&surroundings(None, None), without), None);
        put(&directory.path().join(".pgpass"), b"h:*:*:d:of-home\n", 0o600);
        put(&directory.path().join("named"), b"h:*:*:d:of-file\n", 0o600);
        assert_eq!(
            password(&surroundings(Some("variable"), Some("named")), with).as_deref(),
            Some("own")
        );
        assert_eq!(
            password(&surroundings(Some("variable"), Some("named")), without).as_deref(),
            Some("variable")
        );
        assert_eq!(password(&surroundings(None, Some("named")), without).as_deref(), Some("of-file"));
        assert_eq!(password(&surroundings(None, Some("")), without).as_deref(), Some("of-home"));
        assert_eq!(password(&surroundings(None, None), without).as_deref(), Some("of-home"));
    }

    #[test]
    fn a_file_that_others_read_is_refused_and_not_repeated() {
        let directory = tempfile::tempdir().expect("a directory");
        let surroundings = Surroundings {
            password: None,
            password_file: Some("passwords".into()),
            home: None,
            directory: directory.path().to_owned(),
        };
        let path = directory.path().join("passwords");
        for (text, mode, code) in [
            (&b"h:*:*:d:canary"[..], 0o640, "database_passwords_exposed"),
            (b"canary\xff", 0o600, "database_passwords_not_text"),
        ] {
            put(&path, text, mode);
            let error = surroundings.complete(url("postgres://d@h/d")).expect_err("refused");
            assert_eq!(error.code(), code);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        let error = surroundings
            .complete(url("postgres://d:x@h/d?sslrootcert=none.pem"))
            .expect_err("refused");
        assert_eq!(error.code(), "database_authorities_missing");
    }
}
