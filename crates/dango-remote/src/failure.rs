//! Why a session with a server failed: what `ssh` said, sorted, and what the script there answered. Contents of files are in no error.

/// Why there is no link to the server, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// `ssh` cannot be started.
    #[error("`{program}` cannot be started")]
    NoSsh {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No key of the host is known, and none was to be taken.
    #[error("the key of {host} is not known, so it was not connected to")]
    HostKeyUnknown {
        /// The host as the list of known hosts calls it.
        host: String,
    },
    /// The host has another key than the known one.
    #[error("the key of the host has changed: somebody may be in between, or the server was set up anew")]
    HostKeyChanged,
    /// The key was revoked, or a person did not accept it.
    #[error("the key of the host was not accepted")]
    HostKeyRefused,
    /// The name stands for no address.
    #[error("there is no host of that name")]
    Unresolved,
    /// Nothing listens there.
    #[error("nothing listens there for ssh: the connection was refused")]
    ConnectionRefused,
    /// No answer in time.
    #[error("the host did not answer in time")]
    TimedOut,
    /// There is no way to the address.
    #[error("the host cannot be reached from this network")]
    Unreachable,
    /// The server lets nobody in with what was offered.
    #[error("the server accepted neither a key nor a password")]
    NotAuthenticated,
    /// Something answered, but no shell that runs `sh`.
    #[error("the host does not run a POSIX shell for this user")]
    NoShell,
    /// The connection ended before everything was said.
    #[error("the connection was lost")]
    Lost,
    /// Ctrl-C, or another signal.
    #[error("interrupted")]
    Interrupted,
    /// Something else that `ssh` said.
    #[error("ssh: {said}")]
    Ssh {
        /// Its last words.
        said: String,
    },
    /// No random number for the session.
    #[error(transparent)]
    Entropy(#[from] dango_core::EntropyError),
}

impl LinkError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSsh { .. } => "remote_no_ssh",
            Self::HostKeyUnknown { .. } => "remote_host_key_unknown",
            Self::HostKeyChanged => "remote_host_key_changed",
            Self::HostKeyRefused => "remote_host_key_refused",
            Self::Unresolved => "remote_unresolved",
            Self::ConnectionRefused => "remote_connection_refused",
            Self::TimedOut => "remote_timed_out",
            Self::Unreachable => "remote_unreachable",
            Self::NotAuthenticated => "remote_not_authenticated",
            Self::NoShell => "remote_no_shell",
            Self::Lost => "remote_lost",
            Self::Interrupted => "remote_interrupted",
            Self::Ssh { .. } => "remote_ssh",
            Self::Entropy(_) => "entropy",
        }
    }

    /// Sorts what `ssh` said before it ended with status 255 or by a signal.
    pub(crate) fn of_ssh(said: &str) -> Self {
        let has = |words: &str| said.contains(words);
        if has("IDENTIFICATION HAS CHANGED") {
            Self::HostKeyChanged
        } else if let Some(host) = unknown_host(said) {
            Self::HostKeyUnknown { host }
        } else if has("Host key verification failed") {
            Self::HostKeyRefused
        } else if has("Killed by signal") {
            Self::Interrupted
        } else if has("Could not resolve hostname") {
            Self::Unresolved
        } else if has("Permission denied (") || has("Too many authentication failures") {
            Self::NotAuthenticated
        } else if has("Connection refused") {
            Self::ConnectionRefused
        } else if has("timed out") || has("Timeout, server") || has("not responding") {
            Self::TimedOut
        } else if has("No route to host") || has("is unreachable") {
            Self::Unreachable
        } else if has("Connection reset") || has("Connection closed") || has("closed by remote host") || has("Broken pipe") {
            Self::Lost
        } else {
            match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
                Some(line) => Self::Ssh {
                    said: line.chars().take(200).collect(),
                },
                None => Self::Lost,
            }
        }
    }
}

/// The host in `No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.`
fn unknown_host(said: &str) -> Option<String> {
    let (_, behind) = said.split_once("host key is known for ")?;
    let (host, _) = behind.split_once(" and you have requested strict checking")?;
    (!host.starts_with('-') && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

/// What the script on the server answered in place of doing what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is no such directory, or the user may not see it.
    #[error("the project's directory is not there")]
    NoProject,
    /// The user may not enter the directory.
    #[error("the project's directory must not be entered by this user")]
    NoEntry,
    /// A symbolic link that leads nowhere.
    #[error(".env is a symbolic link that leads to nothing")]
    Dangling,
    /// A directory, a pipe or the like.
    #[error(".env is no regular file")]
    NotRegular,
    /// The user may not read the file.
    #[error(".env must not be read by this user")]
    Unreadable,
    /// Far larger than any file of variables.
    #[error(".env is larger than 16 MiB")]
    TooLarge,
    /// The user may not write there.
    #[error("the server denies writing in the directory of .env")]
    Denied,
    /// The file system is read-only.
    #[error("the file system of .env is read-only")]
    ReadOnly,
    /// No space, or the user's quota is used up.
    #[error("the disk of the server is full")]
    DiskFull,
    /// The file is somebody else's, and would become this user's.
    #[error(".env belongs to another user, to whom a new one could not be given")]
    NotOurs,
    /// Another process holds the lock.
    #[error("another process holds the lock {file}")]
    Locked {
        /// The lock's name, beside `.env`.
        file: String,
    },
    /// Not all that was sent arrived.
    #[error("the contents arrived incomplete")]
    Cut,
    /// The file kept changing while it was read.
    #[error(".env was changed while it was read")]
    Torn,
    /// The answer makes no sense.
    #[error("the server's answer makes no sense")]
    Garbled,
    /// Something else that a program there said.
    #[error("the server said: {said}")]
    Said {
        /// The first line of it.
        said: String,
    },
}

impl ServerError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProject => "remote_no_project",
            Self::NoEntry => "remote_no_entry",
            Self::Dangling => "remote_dangling_link",
            Self::NotRegular => "remote_not_regular",
            Self::Unreadable => "remote_unreadable",
            Self::TooLarge => "remote_too_large",
            Self::Denied => "remote_denied",
            Self::ReadOnly => "remote_read_only",
            Self::DiskFull => "remote_disk_full",
            Self::NotOurs => "remote_not_ours",
            Self::Locked { .. } => "remote_locked",
            Self::Cut => "remote_cut",
            Self::Torn => "remote_torn",
            Self::Garbled => "remote_garbled",
            Self::Said { .. } => "remote_said",
        }
    }

    /// Reads what follows the word `fail`.
    pub(crate) fn parse(words: &str) -> Self {
        let (code, rest) = words.split_once(' ').unwrap_or((words, ""));
        match code {
            "no_project" => Self::NoProject,
            "no_entry" => Self::NoEntry,
            "dangling" => Self::Dangling,
            "not_regular" => Self::NotRegular,
            "unreadable" => Self::Unreadable,
            "too_large" => Self::TooLarge,
            "denied" => Self::Denied,
            "read_only" => Self::ReadOnly,
            "disk_full" => Self::DiskFull,
            "not_ours" => Self::NotOurs,
            "cut" => Self::Cut,
            "locked" => Self::Locked { file: rest.to_owned() },
            "other" => Self::Said {
                said: rest.chars().take(200).collect(),
            },
            _ => Self::Garbled,
        }
    }
}

/// Why a session did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There was no link, or it broke before anything was asked to change: nothing was changed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The server refused: nothing was changed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The link broke behind the request to replace the file: the old file or the new one is there, whole.
    #[error("whether the change was made is not known")]
    OutcomeUnknown(#[source] LinkError),
    /// The new file is in place, but the directory could not be synced: after a power cut the old one may be back.
    #[error("the change was made, but the server could not make it durable")]
    NotDurable,
}

impl SessionError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Link(error) => error.code(),
            Self::Server(error) => error.code(),
            Self::OutcomeUnknown(_) => "remote_outcome_unknown",
            Self::NotDurable => "remote_not_durable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_sorted() {
        // Said by OpenSSH 9.2p1.
        for (said, code) in [
            (
                "ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n",
                "remote_connection_refused",
            ),
            (
                "ssh: Could not resolve hostname nowhere.invalid: Name or service not known\r\n",
                "remote_unresolved",
            ),
            (
                "No ED25519 host key is known for [127.0.0.1]:22022 and you have requested strict checking.\r\nHost key verification failed.\r\n",
                "remote_host_key_unknown",
            ),
            (
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r\n",
                "remote_host_key_changed",
            ),
            ("Host key verification failed.\r\n", "remote_host_key_refused"),
            ("root@127.0.0.1: Permission denied (publickey).\r\n", "remote_not_authenticated"),
            (
                "ssh: connect to host 10.255.255.1 port 22: Connection timed out\r\n",
                "remote_timed_out",
            ),
            ("ssh: connect to host h port 22: No route to host\r\n", "remote_unreachable"),
            ("Connection closed by 127.0.0.1 port 22022\r\n", "remote_lost"),
            ("Killed by signal 2.\r\n", "remote_interrupted"),
            ("Bad owner or permissions on /x/config\r\n", "remote_ssh"),
            ("", "remote_lost"),
        ] {
            assert_eq!(LinkError::of_ssh(said).code(), code, "{said}");
        }
    }

    #[test]
    fn the_name_of_an_unknown_host_is_no_option() {
        let said = |host: &str| format!("No RSA host key is known for {host} and you have requested strict checking.");
        assert_eq!(unknown_host(&said("[::1]:22")).as_deref(), Some("[::1]:22"));
        assert_eq!(unknown_host(&said("-R x")), None);
    }

    #[test]
    fn an_answer_of_the_server_that_nobody_knows_is_no_success() {
        assert_eq!(ServerError::parse("something new"), ServerError::Garbled);
        assert_eq!(
            ServerError::parse("locked .env.lock"),
            ServerError::Locked {
                file: ".env.lock".to_owned()
            }
        );
    }
}
