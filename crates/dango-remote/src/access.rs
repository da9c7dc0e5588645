//! The way to one remote: sessions are opened here, and here it is decided what becomes of a host whose key is not known.

use std::cell::Cell;
use std::process::Child;

use data_encoding::HEXLOWER;
use dango_core::{Entropy, EntropyError};

use crate::failure::{LinkError, SessionError};
use crate::process::{Ended, Process};
use crate::protocol;
use crate::session::Session;
use crate::settings::Remote;
use crate::ssh::{HostKeys, Ssh};

/// What becomes of a host of which no key is known. A host of which another key is known is never connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownHost {
    /// It is not connected to.
    Refuse,
    /// `ssh` shows the fingerprint and asks on the terminal.
    Ask,
    /// Its key is recorded.
    Record,
}

/// The way to one remote.
pub struct Access<'a> {
    ssh: &'a Ssh,
    pub(crate) remote: &'a Remote,
    unknown: UnknownHost,
    pub(crate) entropy: &'a dyn Entropy,
    started: Option<&'a dyn Fn(&Child)>,
    recorded: Cell<bool>,
}

impl<'a> Access<'a> {
    /// The way to a remote; nothing is connected to yet.
    pub fn new(ssh: &'a Ssh, remote: &'a Remote, unknown: UnknownHost, entropy: &'a dyn Entropy) -> Self {
        Self {
            ssh,
            remote,
            unknown,
            entropy,
            started: None,
            recorded: Cell::new(false),
        }
    }

    /// Tells of every `ssh` that is started, for signals that are to be passed on to it.
    #[must_use]
    pub fn telling(self, started: &'a dyn Fn(&Child)) -> Self {
        Self {
            started: Some(started),
            ..self
        }
    }

    /// Whether a key was recorded that was not known before.
    pub fn has_recorded_key(&self) -> bool {
        self.recorded.get()
    }

    /// Logs in and reads `.env`.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; nothing was changed there.
    pub fn open(&self) -> Result<Session, SessionError> {
        let unknown = match self.attempt(HostKeys::Known) {
            Err(SessionError::Link(LinkError::HostKeyUnknown { host })) => host,
            other => return other,
        };
        if self.ssh.knows(&unknown)? {
            // Known by a key of another type.
            return Err(LinkError::HostKeyChanged.into());
        }
        match self.unknown {
            UnknownHost::Refuse => Err(LinkError::HostKeyUnknown { host: unknown }.into()),
            UnknownHost::Ask => self.attempt(HostKeys::Ask),
            UnknownHost::Record => self.attempt(HostKeys::Record),
        }
    }

    fn attempt(&self, keys: HostKeys) -> Result<Session, SessionError> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random).map_err(|error: EntropyError| LinkError::from(error))?;
        let mark = HEXLOWER.encode(&random);
        let script = protocol::script();
        let command = self
            .ssh
            .command(self.remote, keys, &protocol::loader(&script))
            .map_err(|error| LinkError::Ssh { said: error.to_string() })?;
        let mut process = Process::start(command, &mark, self.started.unwrap_or(&|_| {}))?;
        process.send(|stdin| protocol::begin(stdin, &script, &mark, &self.remote.directory));
        let greeted = process.answers.hello();
        if let Err(no_answer) = greeted {
            let ended = process.end();
            self.note(keys, &ended);
            return Err(ended.failure(no_answer, false).into());
        }
        if keys != HostKeys::Known {
            // Whoever was not known and has answered now is known from now on.
            self.recorded.set(true);
        }
        Session::read(process)
    }

    /// A key may have been recorded before the login failed.
    fn note(&self, keys: HostKeys, ended: &Ended) {
        if keys != HostKeys::Known && ended.said.contains("Permanently added") {
            self.recorded.set(true);
        }
    }
}
