//! What went wrong with a deployed project, for a person: where, why, and what may be done about it.

use std::error::Error;

use dango_remote::settings::SettingsError;
use dango_remote::{ChangeError, LinkError, PushError, ServerError, SessionError};

use super::link::Link;
use crate::failure::{Failure, chain};
use crate::opened::Opened;

/// Errors behind which there may be a session that failed.
pub(super) trait OfLink: Error + Sized {
    fn session(&self) -> Option<&SessionError>;
    fn code(&self) -> &'static str;

    /// Why there was no link.
    fn link(&self) -> Option<&LinkError> {
        match self.session()? {
            SessionError::Link(error) => Some(error),
            _ => None,
        }
    }
}

impl OfLink for SessionError {
    fn session(&self) -> Option<&SessionError> {
        Some(self)
    }

    fn code(&self) -> &'static str {
        self.code()
    }
}

impl OfLink for ChangeError {
    fn session(&self) -> Option<&SessionError> {
        match self {
            Self::Session(error) => Some(error),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        self.code()
    }
}

impl OfLink for PushError {
    fn session(&self) -> Option<&SessionError> {
        match self {
            Self::Session(error) => Some(error),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        self.code()
    }
}

/// What an error of the settings means for a person.
pub(super) fn of_settings(error: &SettingsError, opened: &Opened) -> Failure {
    let failure = Failure::caused_by(error).with_code(error.code());
    match error {
        SettingsError::Document(_) | SettingsError::Entry { .. } => failure
            .at(&opened.project.remote_toml())
            .hint("correct that line in an editor; nothing was changed"),
        SettingsError::None => failure.hint("add one with `dango remote add NAME USER@HOST --path DIR`"),
        SettingsError::Undecided => failure.hint("choose one with `dango remote use NAME`, or name it with `--remote NAME`"),
        SettingsError::Unknown(_) => failure.hint("`dango remote list` shows what there is"),
        SettingsError::Exists(name) => failure.hint(format!("`dango remote remove {name}` forgets it")),
        _ => failure,
    }
}

/// What an error on the way to a server, or there, means for a person.
pub(super) fn of_remote<E: OfLink>(error: &E, link: &Link) -> Failure {
    let remote = &link.remote;
    let mut failure = Failure::refused(format!("{} ({}): {}", remote.name, remote.destination, chain(error))).with_code(error.code());
    let Some(session) = error.session() else { return failure };
    match session {
        SessionError::Link(error) => {
            failure.message.push_str("; nothing was changed");
            hinted_link(failure, error, link)
        }
        SessionError::Server(error) => {
            failure.message.push_str("; nothing was changed");
            hinted_server(failure, error, link)
        }
        SessionError::OutcomeUnknown(_) => failure.hint("the old file or the new one is there, whole; look with `dango remote env list`"),
        _ => failure,
    }
}

fn hinted_link(failure: Failure, error: &LinkError, link: &Link) -> Failure {
    let destination = &link.remote.destination;
    match error {
        LinkError::NoSsh { .. } => failure.hint("install the OpenSSH client"),
        LinkError::HostKeyUnknown { .. } => failure
            .hint("ask whoever runs the server for the fingerprint of its key, and compare it at a terminal: there ssh shows it and asks")
            .hint("`--yes` records the key without a question"),
        LinkError::HostKeyChanged => failure.hint("ask whoever runs the server before anything else").hint(format!(
            "if its key was replaced on purpose, remove the old one with `{}`",
            link.removal_of_key()
        )),
        LinkError::NotAuthenticated => failure.hint(format!(
            "see whether `ssh {}` works; a key is named with `dango remote add … --identity FILE`",
            spelled(destination)
        )),
        LinkError::Unresolved
        | LinkError::ConnectionRefused
        | LinkError::TimedOut
        | LinkError::Unreachable
        | LinkError::NoShell
        | LinkError::Ssh { .. } => failure.hint(format!(
            "see whether `ssh {}` works; `dango remote list` shows what was added",
            spelled(destination)
        )),
        _ => failure,
    }
}

fn hinted_server(failure: Failure, error: &ServerError, link: &Link) -> Failure {
    let directory = &link.remote.directory;
    match error {
        ServerError::NoProject | ServerError::NoEntry => failure.hint(format!(
            "it was added as {directory}; make it there, or correct it in {}",
            link.opened.project.remote_toml().display()
        )),
        ServerError::Denied | ServerError::ReadOnly | ServerError::NotOurs | ServerError::Unreadable => failure.hint(format!(
            "the user who logs in has to own {directory}/.env and may have to write in its directory"
        )),
        ServerError::DiskFull => failure.hint("make room there; the old file is untouched"),
        ServerError::Locked { file } => failure.hint(format!(
            "try again; if no dango runs there and the lock stays, remove {file} beside .env"
        )),
        _ => failure,
    }
}

/// The destination as `ssh` takes it on its command line.
fn spelled(destination: &dango_remote::Destination) -> String {
    let user = destination.user().map(|user| format!("{user}@")).unwrap_or_default();
    let port = destination.port().map(|port| format!("-p {port} ")).unwrap_or_default();
    format!("{port}{user}{}", destination.host())
}
