//! The way from a command to a server: which one, with which known hosts, with signals passed on, and what became of the host's key.

use std::cell::Cell;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::Child;

use dango_actions::{ChangeDraft, Ending};
use dango_audit::{Event, Word};
use dango_remote::settings::Remote;
use dango_remote::{Access, KnownHosts, LinkError, NewKey, Ssh, UnknownHost};

use super::{Which, failures, parse_name, read};
use crate::arguments::Global;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as record, all_done, recorded};
use crate::signals::Forwarder;

/// The way to the remote that a command means.
pub(super) struct Link {
    pub(super) opened: Opened,
    pub(super) remote: Remote,
    ssh: Ssh,
    known_hosts: KnownHosts,
    unknown: UnknownHost,
    host_key: Cell<Option<HostKey>>,
}

/// What became of a host's key, for the audit log.
#[derive(Clone, Copy)]
enum HostKey {
    Recorded,
    NotRecorded,
    Refused,
}

impl Link {
    /// Finds the remote; nothing is connected to.
    pub(super) fn find(which: &Which, global: &Global, output: &Output<'_>) -> Result<Self, Failure> {
        let name = which.remote.as_deref().map(parse_name).transpose()?;
        let opened = Opened::find(global, output.host)?;
        let remotes = read(&opened)?;
        let remote = match &name {
            Some(name) => remotes.find(name),
            None => remotes.in_use(),
        };
        let remote = remote.map_err(|error| failures::of_settings(&error, &opened))?.clone();
        let unknown = match (global.yes, output.host.terminal.input) {
            (true, _) => UnknownHost::Record,
            (false, true) => UnknownHost::Ask,
            (false, false) => UnknownHost::Refuse,
        };
        let known_hosts = known_hosts(output);
        if let KnownHosts::File(path) | KnownHosts::Only(path) = &known_hosts
            && unknown != UnknownHost::Refuse
        {
            make_room(path);
        }
        let ssh = Ssh::new(known_hosts.clone()).map_err(|error| Failure::refused(format!("DANGO_SSH_KNOWN_HOSTS: {error}")))?;
        Ok(Self {
            opened,
            remote,
            ssh,
            known_hosts,
            unknown,
            host_key: Cell::new(None),
        })
    }

    /// The command that removes the known keys of the host; of an alias only ssh knows what it calls the host.
    pub(super) fn removal_of_key(&self) -> String {
        let destination = &self.remote.destination;
        let host = match destination.port() {
            Some(port) if port != 22 => format!("'[{}]:{port}'", destination.host()),
            _ => destination.host().to_string(),
        };
        let list = match &self.known_hosts {
            KnownHosts::File(path) | KnownHosts::Only(path) => format!(" -f '{}'", path.display()),
            KnownHosts::OfSsh => String::new(),
        };
        format!("ssh-keygen -R {host}{list}")
    }

    /// What an event about this remote says.
    pub(super) fn draft(&self, event: Event) -> ChangeDraft {
        record::remote(event, &self.remote.name, self.remote.destination.host())
    }

    /// Does something over the link. Ctrl-C and other signals end `ssh`, so what was begun is still told and recorded.
    pub(super) fn work<T, E>(&self, output: &Output<'_>, work: impl FnOnce(&Access<'_>) -> Result<T, E>) -> Result<T, Failure>
    where
        E: failures::OfLink,
    {
        let forwarder =
            Forwarder::start(output.host.terminal.input).map_err(|error| Failure::refused(format!("cannot take over signals: {error}")))?;
        let told = |child: &Child| forwarder.point_at(child);
        let access = Access::new(&self.ssh, &self.remote, self.unknown, output.host.entropy.as_ref()).telling(&told);
        let result = work(&access);
        forwarder.stop();
        self.host_key.set(match access.new_key() {
            Some(NewKey::Recorded) => Some(HostKey::Recorded),
            Some(NewKey::NotRecorded) => Some(HostKey::NotRecorded),
            None => None,
        });
        result.map_err(|error| {
            if matches!(error.link(), Some(LinkError::HostKeyChanged | LinkError::HostKeyRefused)) {
                self.host_key.set(Some(HostKey::Refused));
            }
            let failure = failures::of_remote(&error, self);
            match forwarder.received() {
                Some(signal) => interrupted(failure, signal),
                None => failure,
            }
        })
    }

    /// Tells the audit log of a key that was recorded or refused, once what was done meanwhile is recorded.
    pub(super) fn finish<T>(&self, result: Result<T, Failure>, output: &mut Output<'_>) -> Result<T, Failure> {
        match self.host_key.take() {
            None => result,
            Some(HostKey::NotRecorded) => {
                output.warn(format!(
                    "the key of {} could not be recorded, so it is not known the next time",
                    self.remote.destination
                ));
                result
            }
            Some(HostKey::Recorded) => {
                let draft = self.draft(Event::RemoteHostKeyRecorded);
                let told = recorded(&self.opened, vec![draft], output, |_| Ok(()), all_done(1));
                output.say(format!("the key of {} was recorded", self.remote.destination));
                // What went wrong before is the better reason.
                let done = result?;
                told.map(|()| done)
            }
            Some(HostKey::Refused) => {
                let draft = self.draft(Event::RemoteHostKeyRefused);
                let refused = |_: &()| vec![Ending::failed(Word::new("remote_host_key_refused"))];
                // That it was refused is said in any case, also where it cannot be recorded.
                let _ = recorded(&self.opened, vec![draft], output, |_| Ok(()), refused);
                result
            }
        }
    }
}

/// `DANGO_SSH_KNOWN_HOSTS`, else the file in the user's home.
fn known_hosts(output: &Output<'_>) -> KnownHosts {
    let host = &output.host;
    if let Some(path) = host.path_variable("DANGO_SSH_KNOWN_HOSTS") {
        return KnownHosts::Only(host.directory.join(path));
    }
    match host.home() {
        Some(home) => KnownHosts::File(host.directory.join(home).join(".ssh").join("known_hosts")),
        None => KnownHosts::OfSsh,
    }
}

/// Makes the directory of the list, and those above it, for their owner alone; where that fails, `ssh` says that it cannot record a key.
fn make_room(list: &Path) {
    if let Some(directory) = list.parent()
        && !directory.is_dir()
    {
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    }
}

/// What a signal ended, with the status that a shell gives it.
fn interrupted(mut failure: Failure, signal: u8) -> Failure {
    failure.status = Status::Program(128u8.wrapping_add(signal));
    failure.message = format!("interrupted: {}", failure.message);
    failure
}
