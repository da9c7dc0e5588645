//! The way to one remote: sessions are opened here, and here it is decided what becomes of a host whose key is not known.

use std::cell::Cell;
use std::process::Child;

use dango_core::Entropy;
use data_encoding::HEXLOWER;

use crate::failure::{LinkError, ServerError, SessionError};
use crate::process::Process;
use crate::protocol;
use crate::session::Session;
use crate::settings::Remote;
use crate::ssh::{HostKeys, Ssh};

/// How often the file is read where it changes while it is read.
const READINGS: usize = 5;

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
    new_key: Cell<Option<NewKey>>,
}

/// What became of the key of a host that was not known and was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKey {
    /// It is in the list of known hosts now.
    Recorded,
    /// It could not be put there.
    NotRecorded,
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
            new_key: Cell::new(None),
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

    /// What became of a key that was not known before; nothing where none was taken.
    pub fn new_key(&self) -> Option<NewKey> {
        self.new_key.get()
    }

    /// Logs in and reads `.env`.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; nothing was changed there.
    pub fn open(&self) -> Result<Session, SessionError> {
        for _ in 1..READINGS {
            match self.connect() {
                // Somebody saves the file right now, with a program that does so piece by piece.
                Err(SessionError::Server(ServerError::Torn)) => {}
                other => return other,
            }
        }
        self.connect()
    }

    fn connect(&self) -> Result<Session, SessionError> {
        let unknown = match self.attempt(HostKeys::Known) {
            Err(SessionError::Link(LinkError::HostKeyUnknown { host })) => host,
            other => return other,
        };
        if self.ssh.knows(&unknown)? {
            // Known by a key of another type.
            return Err(LinkError::HostKeyChanged.into());
        }
        let keys = match self.unknown {
            UnknownHost::Refuse => return Err(LinkError::HostKeyUnknown { host: unknown }.into()),
            UnknownHost::Ask => HostKeys::Ask,
            UnknownHost::Record => HostKeys::Record,
        };
        let session = self.attempt(keys);
        // A key may have been recorded before the login failed, and `ssh` goes on where it could not record one.
        self.new_key.set(match (self.ssh.knows(&unknown)?, session.is_ok()) {
            (true, _) => Some(NewKey::Recorded),
            (false, true) => Some(NewKey::NotRecorded),
            (false, false) => None,
        });
        session
    }

    fn attempt(&self, keys: HostKeys) -> Result<Session, SessionError> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random).map_err(LinkError::from)?;
        let mark = HEXLOWER.encode(&random);
        let script = protocol::script();
        let command = self
            .ssh
            .command(self.remote, keys, &protocol::loader(&script))
            .map_err(|error| LinkError::Ssh { said: error.to_string() })?;
        let mut process = Process::start(command, &mark, self.started.unwrap_or(&|_| {}))?;
        process.send(|stdin| protocol::begin(stdin, &script, &mark, &self.remote.directory));
        match process.answers.hello() {
            Ok(()) => Session::read(process),
            Err(no_answer) => Err(process.end().failure(no_answer, false).into()),
        }
    }
}
