//! Where this machine's API key for a server is: in the environment, in a file if that was chosen, else in the system's keyring.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use dango_client::ServerUrl;
use dango_core::SecretValue;
use dango_keyring::{HolderError, KeyHolder, OsKeyring, ServerEntry};
use dango_secrets::storage::{self, Edit};
use zeroize::Zeroizing;

use super::{file_name, make_folder, own_folder};
use crate::failure::Failure;
use crate::host::Host;
use crate::key_access::{self, secret_variable, session_bus};
use crate::opened::failure_of_update;
use crate::output::Output;

/// The variable that holds a key.
pub(super) const VARIABLE: &str = "DANGO_SERVER_KEY";

/// Where a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Environment,
    File,
    Keyring,
}

impl Holder {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

/// Who made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// This machine, by a login: nobody else has it.
    ThisMachine,
    /// Somebody else, who may use it elsewhere, too.
    Others,
}

/// A key, and where it was found.
pub(super) struct Found {
    pub(super) key: SecretValue,
    pub(super) holder: Holder,
    pub(super) maker: Maker,
}

/// What stands behind a key that was handed over.
const HANDED_OVER: &str = "handed-over";

/// Every key that is kept for one server.
pub(super) struct Kept {
    /// That of the file first: it is the one that is used.
    pub(super) found: Vec<Found>,
    /// Why the keyring could not be looked into, in which there may be another.
    pub(super) closed: Option<Failure>,
}

/// Finds the key for a server.
pub(super) fn load(url: &ServerUrl, output: &mut Output<'_>) -> Result<Found, Failure> {
    if let Some(key) = secret_variable(output.host, VARIABLE)?.filter(|key| !key.expose().trim().is_empty()) {
        return Ok(Found {
            key: SecretValue::new(key.expose().trim().to_owned()).map_err(|error| Failure::caused_by(&error))?,
            holder: Holder::Environment,
            maker: Maker::Others,
        });
    }
    let found = match in_file(url, output)? {
        Some(found) => Some(found),
        None => in_keyring(url, output.host)?,
    };
    found.ok_or_else(|| {
        Failure::refused(format!("there is no API key for {url} on this machine"))
            .hint(format!("`dango login {url}` makes one"))
            .hint(format!("servers and CI give one in {VARIABLE}"))
    })
}

/// The keys that logins have kept, whatever the environment says: a login that was broken off may have left one in each place.
pub(super) fn everywhere(url: &ServerUrl, output: &mut Output<'_>) -> Result<Kept, Failure> {
    let mut found: Vec<Found> = in_file(url, output)?.into_iter().collect();
    let mut closed = None;
    match in_keyring(url, output.host) {
        Ok(other) => found.extend(other.filter(|other| found.iter().all(|one| one.key.expose() != other.key.expose()))),
        Err(failure) => closed = Some(failure),
    }
    Ok(Kept { found, closed })
}

fn in_file(url: &ServerUrl, output: &mut Output<'_>) -> Result<Option<Found>, Failure> {
    let path = file(url, output.host)?;
    let Some(contents) = storage::read(&path).map_err(|error| Failure::caused_by(&error))? else {
        return Ok(None);
    };
    warn_of_readers(&path, output);
    let text = SecretValue::from_utf8(contents.bytes().to_vec()).map_err(|error| Failure::caused_by(&error).at(&path))?;
    found(&text, Holder::File).map(Some)
}

fn in_keyring(url: &ServerUrl, host: &Host) -> Result<Option<Found>, Failure> {
    match keyring(url, host).load_text() {
        Ok(text) => found(&text, Holder::Keyring).map(Some),
        // Where there is no keyring nothing was kept in one.
        Err(HolderError::Missing { .. } | HolderError::NoKeyring { .. }) => Ok(None),
        Err(error) => Err(with_other_places(of_keyring(&error))),
    }
}

/// Sees that a key can be kept, before one is made.
pub(super) fn check_place(url: &ServerUrl, holder: Holder, host: &Host) -> Result<(), Failure> {
    match holder {
        Holder::File => folder(host).and_then(|folder| make_folder(&folder)),
        Holder::Keyring | Holder::Environment => match keyring(url, host).load_text() {
            Ok(_) | Err(HolderError::Missing { .. }) => Ok(()),
            Err(error) => Err(with_other_places(of_keyring(&error))),
        },
    }
}

/// Keeps a key; what was kept elsewhere for the same server goes.
pub(super) fn keep(url: &ServerUrl, holder: Holder, (key, maker): (&SecretValue, Maker), output: &mut Output<'_>) -> Result<(), Failure> {
    let host = &*output.host;
    let path = file(url, host)?;
    let mut line = Zeroizing::new(String::with_capacity(key.expose().len() + HANDED_OVER.len() + 2));
    line.push_str(key.expose());
    if maker == Maker::Others {
        line.push(' ');
        line.push_str(HANDED_OVER);
    }
    match holder {
        Holder::File => {
            make_folder(&folder(host)?)?;
            line.push('\n');
            storage::update(&path, host.entropy.as_ref(), |_| {
                Ok::<_, Failure>(Edit::Replace(Zeroizing::new(line.as_bytes().to_vec()), ()))
            })
            .map_err(failure_of_update)?;
            if let Err(left) = forget_in_keyring(url, host) {
                output.warn(format!("an earlier key may still be in the keyring: {}", left.message));
            }
            Ok(())
        }
        Holder::Keyring | Holder::Environment => {
            let text = SecretValue::new(std::mem::take(&mut *line)).map_err(|error| Failure::caused_by(&error))?;
            let stored = keyring(url, host).store_text(&text);
            stored.map_err(|error| with_other_places(of_keyring(&error)))?;
            // The file would be looked at first.
            forget_in_file(url, host)
        }
    }
}

/// Forgets the key, wherever it was kept; each place is tried, whatever became of the other.
pub(super) fn forget(url: &ServerUrl, host: &Host) -> Result<(), Failure> {
    match (forget_in_file(url, host), forget_in_keyring(url, host)) {
        (Ok(()), forgotten) | (forgotten, Ok(())) => forgotten,
        (Err(one), Err(other)) => Err(one.also(other)),
    }
}

fn forget_in_file(url: &ServerUrl, host: &Host) -> Result<(), Failure> {
    storage::remove(&file(url, host)?, host.entropy.as_ref())
        .map(|_| ())
        .map_err(|error| Failure::caused_by(&error))
}

fn forget_in_keyring(url: &ServerUrl, host: &Host) -> Result<(), Failure> {
    match keyring(url, host).delete() {
        Ok(()) | Err(HolderError::Missing { .. } | HolderError::NoKeyring { .. }) => Ok(()),
        Err(error) => Err(of_keyring(&error)),
    }
}

/// Reads what was kept: the key, and whether somebody else made it.
fn found(text: &SecretValue, holder: Holder) -> Result<Found, Failure> {
    let (key, maker) = match text.expose().trim().split_once(' ') {
        Some((key, HANDED_OVER)) => (key, Maker::Others),
        _ => (text.expose().trim(), Maker::ThisMachine),
    };
    Ok(Found {
        key: SecretValue::new(key.to_owned()).map_err(|error| Failure::caused_by(&error))?,
        holder,
        maker,
    })
}

fn folder(host: &Host) -> Result<PathBuf, Failure> {
    Ok(own_folder(host, "XDG_CONFIG_HOME", ".config")?.join("servers"))
}

fn file(url: &ServerUrl, host: &Host) -> Result<PathBuf, Failure> {
    Ok(folder(host)?.join(file_name(url)))
}

fn keyring(url: &ServerUrl, host: &Host) -> OsKeyring {
    OsKeyring::of_server(ServerEntry::ApiKey, url.as_str(), session_bus(host))
}

fn of_keyring(error: &HolderError) -> Failure {
    let mut failure = key_access::with_hints(Failure::caused_by(error), error.code());
    // What else is said there is about the key of a project.
    failure.hints.retain(|hint| !hint.contains("dango key"));
    failure
}

fn with_other_places(failure: Failure) -> Failure {
    failure.hint(format!(
        "or keep the key in a file with `dango login --holder file`, or give it in {VARIABLE}"
    ))
}

fn warn_of_readers(path: &std::path::Path, output: &mut Output<'_>) {
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        output.warn(format!(
            "{} can be read by others; `chmod 600` it, and log in again if they are none of yours",
            path.display()
        ));
    }
}
