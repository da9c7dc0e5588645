//! The way from the command line to the project's key, and what a person may do where there is none.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use dango_core::{Entropy, SecretValue};
use dango_keyring::{HolderError, SessionBus};
use dango_secrets::project::Project;
use dango_vault::{KeyEnvironment, ProjectKeys};

use crate::Host;
use crate::failure::{Failure, Status, chain};
use crate::prompt;

/// Unlocks the passphrase holder without a terminal.
pub(crate) const PASSPHRASE: &str = "DANGO_PASSPHRASE";

/// What this process's environment and terminal know of keys; whatever asks for a passphrase asks once.
#[derive(Clone)]
pub(crate) struct KeyRoute {
    key: Option<SecretValue>,
    key_file: Option<PathBuf>,
    bus: SessionBus,
    passphrase: Option<SecretValue>,
    on_terminal: bool,
    typed: Arc<OnceLock<Result<SecretValue, Status>>>,
}

impl KeyRoute {
    /// The route of this process; a passphrase that was given already is used.
    pub(crate) fn of(passphrase: Option<SecretValue>, host: &Host) -> Result<Self, Failure> {
        Ok(Self {
            key: secret_variable(host, "DANGO_KEY")?,
            // An empty one is a mistake that must not lead to another key; it names the directory, which is no key file.
            key_file: host
                .environment
                .get(OsStr::new("DANGO_KEY_FILE"))
                .map(|path| host.directory.join(path)),
            bus: session_bus(host),
            passphrase: match passphrase {
                Some(passphrase) => Some(passphrase),
                None => secret_variable(host, PASSPHRASE)?,
            },
            on_terminal: host.terminal.input,
            typed: Arc::default(),
        })
    }

    /// The keys of a project.
    pub(crate) fn keys_of(&self, project: Project, entropy: Arc<dyn Entropy>) -> ProjectKeys {
        let (passphrase, typed, on_terminal) = (self.passphrase.clone(), Arc::clone(&self.typed), self.on_terminal);
        let environment = KeyEnvironment {
            key: self.key.clone(),
            key_file: self.key_file.clone(),
            bus: self.bus,
            passphrase: Box::new(move || match &passphrase {
                Some(passphrase) => Ok(passphrase.clone()),
                // Standard input that is no terminal may be the value to be stored, so it is never read for this.
                None if on_terminal => ask_once(&typed),
                None => Err(HolderError::NoPassphrase),
            }),
        };
        ProjectKeys::new(project, environment, entropy)
    }
}

/// Whether the environment says where the keyring's bus is.
pub(crate) fn session_bus(host: &Host) -> SessionBus {
    match host.variable("DBUS_SESSION_BUS_ADDRESS") {
        None | Some("") => SessionBus::Unannounced,
        Some(_) => SessionBus::Announced,
    }
}

/// What was typed is kept, also that it was nothing: a command that fetches the key twice, as a rotation does, asks for it once.
fn ask_once(typed: &OnceLock<Result<SecretValue, Status>>) -> Result<SecretValue, HolderError> {
    let typed = typed.get_or_init(|| prompt::secret("passphrase of the encryption key").map_err(|failure| failure.status));
    typed.clone().map_err(|status| match status {
        Status::Program(_) => HolderError::Interrupted,
        _ => HolderError::NoPassphrase,
    })
}

/// A variable that holds a secret; the empty one is set, too.
pub(crate) fn secret_variable(host: &Host, name: &str) -> Result<Option<SecretValue>, Failure> {
    let Some(value) = host.environment.get(OsStr::new(name)) else {
        return Ok(None);
    };
    let value = SecretValue::from_utf8(value.as_encoded_bytes().to_vec());
    value
        .map(Some)
        .map_err(|error| Failure::refused(format!("{name}: {}", chain(&error))))
}

/// What may be done about a key that was not fetched, kept or found, by the error's code.
pub(crate) fn hints(code: &str) -> Vec<&'static str> {
    let elsewhere = "a backup can be put elsewhere with `dango key import FILE --holder passphrase` (or `file`); servers and CI give the key in DANGO_KEY or DANGO_KEY_FILE";
    match code {
        "keyring-none" => vec![
            "start a keyring that speaks Secret Service (GNOME Keyring, KWallet, KeePassXC) in this session",
            elsewhere,
        ],
        "keyring-locked" => vec!["unlock the keyring of this session, then do it again", elsewhere],
        "keyring-denied" => vec!["allow dango to use the keyring, then do it again", elsewhere],
        "keyring-gone" => vec![
            "log in again, or correct DBUS_SESSION_BUS_ADDRESS, which names a D-Bus session that does not answer",
            elsewhere,
        ],
        "keyring-timeout" => vec!["answer the keyring's question, then do it again", elsewhere],
        "keyring-ambiguous" => vec!["keep one of the entries of service dango, in the keyring's own program"],
        "keyring-failed" => vec![elsewhere],
        "key-missing" => vec![
            "bring the key back from a backup with `dango key import FILE`, or give it in DANGO_KEY or DANGO_KEY_FILE",
            "without a backup what it encrypted is lost; `dango key create --yes` then begins with a new key",
        ],
        "key-not-chosen" => vec![
            "`dango key create` makes one in the keyring; `--holder passphrase` or `--holder file` keeps it elsewhere",
            "`dango key import FILE` brings one from a backup; servers and CI give one in DANGO_KEY or DANGO_KEY_FILE",
        ],
        "passphrase-missing" => vec!["give it in DANGO_PASSPHRASE, or run the command on a terminal"],
        "passphrase-wrong" => vec!["try the passphrase again; nothing was changed"],
        "key-twice-in-environment" => vec!["unset one of them"],
        "key-empty" | "key-malformed" => {
            vec!["a key is 32 bytes as 64 hexadecimal digits or as base64, such as `openssl rand -hex 32` prints"]
        }
        "holder-read-only" => vec![
            "dango cannot write to the environment; move the key first: `dango key export FILE`, then without DANGO_KEY `dango key import FILE --holder file`",
        ],
        "key-other" => vec!["give the key that the file's values were encrypted with, or set the value with `--plain`"],
        "value-is-envelope" => vec![
            "store the value itself: `dango secrets get PATH --reveal` or `dango secrets export --reveal` shows it where it comes from",
        ],
        "key-retired" => vec!["fetch the new key: a rotation has replaced this one"],
        "unknown-key" => vec!["bring the key that they were encrypted with: `dango key import FILE`, or DANGO_KEY"],
        "not-authentic" | "malformed-envelope" => {
            vec!["the value was changed, cut or moved from where it was encrypted: put it back, or set it anew; its history may have it"]
        }
        _ => Vec::new(),
    }
}

/// A failure with what may be done about it. Who ended the program has done something about it already.
pub(crate) fn with_hints(failure: Failure, code: &'static str) -> Failure {
    if code == HolderError::Interrupted.code() {
        return prompt::interrupted().with_code(code);
    }
    hints(code).into_iter().fold(failure.with_code(code), Failure::hint)
}

/// A holder's error for a person.
pub(crate) fn holder_failure(error: &HolderError) -> Failure {
    with_hints(Failure::caused_by(error), error.code())
}
