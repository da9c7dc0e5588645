//! The system's `ssh`: with which options it is started, and what its list of known hosts says. No session is held here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dango_secrets::environment::WITHHELD;

use crate::failure::LinkError;
use crate::settings::Remote;

const KEYGEN: &str = "ssh-keygen";
/// What the system's administrator provides.
const OF_SYSTEM: &str = "/etc/ssh/ssh_known_hosts";

/// What is set whatever a user's configuration says; the rest of it applies.
///
/// The key of the host is looked at for every connection, so none is shared, no alias of this machine is trusted blindly, and
/// no other source of keys is asked; nothing is forwarded to a server; a dead link is noticed within 30 s.
const OPTIONS: [&str; 16] = [
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "NoHostAuthenticationForLocalhost=no",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "LogLevel=INFO",
    "ConnectTimeout=20",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "TCPKeepAlive=yes",
];

/// Where keys of hosts are looked up and recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownHosts {
    /// Where `ssh` itself looks.
    OfSsh,
    /// In this file, and in what the system's administrator provides.
    File(PathBuf),
    /// In this file alone.
    Only(PathBuf),
}

/// A path that cannot be handed to `ssh` as an option, in which some characters have a meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ssh cannot be given a path with quotes, backslashes, control characters or `${{` in it")]
pub struct OptionPathError;

/// How a key is treated that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKeys {
    /// It is not connected to.
    Known,
    /// `ssh` asks on the terminal, showing the fingerprint.
    Ask,
    /// It is recorded; one that differs from a known one is not.
    Record,
}

/// The system's `ssh`.
#[derive(Clone, Debug)]
pub struct Ssh {
    program: PathBuf,
    known_hosts: KnownHosts,
}

impl Ssh {
    /// The `ssh` that is found in `PATH`.
    ///
    /// # Errors
    ///
    /// [`OptionPathError`] for a list of known hosts whose path means something to `ssh`.
    pub fn new(known_hosts: KnownHosts) -> Result<Self, OptionPathError> {
        if let KnownHosts::File(path) | KnownHosts::Only(path) = &known_hosts {
            check_option_path(path)?;
        }
        Ok(Self {
            program: PathBuf::from("ssh"),
            known_hosts,
        })
    }

    /// A command that logs in to a remote and runs `command` there.
    ///
    /// # Errors
    ///
    /// [`OptionPathError`] for an identity whose path means something to `ssh`.
    pub(crate) fn command(&self, remote: &Remote, keys: HostKeys, command: &str) -> Result<Command, OptionPathError> {
        let mut ssh = Command::new(&self.program);
        ssh.arg("-T");
        let mut option = |option: String| {
            ssh.arg("-o").arg(option);
        };
        OPTIONS.iter().for_each(|fixed| option((*fixed).to_owned()));
        let strict = match keys {
            HostKeys::Known => "yes",
            HostKeys::Ask => "ask",
            HostKeys::Record => "accept-new",
        };
        option(format!("StrictHostKeyChecking={strict}"));
        match &self.known_hosts {
            KnownHosts::OfSsh => {}
            KnownHosts::File(path) => option(format!("UserKnownHostsFile={}", option_path(path)?)),
            KnownHosts::Only(path) => {
                option(format!("UserKnownHostsFile={}", option_path(path)?));
                option("GlobalKnownHostsFile=/dev/null".to_owned());
            }
        }
        if let Some(identity) = &remote.identity {
            option(format!("IdentityFile={}", option_path(Path::new(identity))?));
            option("IdentitiesOnly=yes".to_owned());
        }
        if let Some(user) = remote.destination.user() {
            ssh.arg("-l").arg(user);
        }
        if let Some(port) = remote.destination.port() {
            ssh.arg("-p").arg(port.to_string());
        }
        ssh.arg("--").arg(remote.destination.host().as_str()).arg(command);
        WITHHELD.iter().for_each(|name| {
            ssh.env_remove(name);
        });
        Ok(ssh)
    }

    /// Whether any key of a host is known, of whatever type; `host` is what `ssh` calls it there.
    ///
    /// # Security
    ///
    /// `ssh` takes a key of a new type for one of an unknown host, so who stands in between could offer a type that was never seen.
    pub(crate) fn knows(&self, host: &str) -> Result<bool, LinkError> {
        let lists = match &self.known_hosts {
            // Without a file it asks the user's own.
            KnownHosts::OfSsh => vec![None, Some(Path::new(OF_SYSTEM))],
            KnownHosts::File(path) => vec![Some(path.as_path()), Some(Path::new(OF_SYSTEM))],
            KnownHosts::Only(path) => vec![Some(path.as_path())],
        };
        for list in lists {
            if is_in(host, list)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a list has a key of a host; one that is not there has none.
fn is_in(host: &str, list: Option<&Path>) -> Result<bool, LinkError> {
    let mut keygen = Command::new(KEYGEN);
    keygen.arg("-F").arg(host);
    if let Some(list) = list {
        keygen.arg("-f").arg(list);
    }
    keygen.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = keygen.status().map_err(|source| LinkError::NoSsh { program: KEYGEN, source })?;
    Ok(status.success())
}

/// Says whether `ssh` can be given a file of this path.
///
/// # Errors
///
/// [`OptionPathError`] where the path means something to it.
pub fn check_option_path(path: &Path) -> Result<(), OptionPathError> {
    option_path(path).map(drop)
}

/// A path as `ssh` reads it in an option: quoted, and its `%` no token.
fn option_path(path: &Path) -> Result<String, OptionPathError> {
    let text = path.to_str().ok_or(OptionPathError)?;
    if text.is_empty() || text.contains(['"', '\'', '\\']) || text.contains("${") || text.chars().any(char::is_control) {
        return Err(OptionPathError);
    }
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn remote(destination: &str, identity: Option<&str>) -> Remote {
        Remote {
            name: "prod".parse().expect("a name"),
            destination: destination.parse().expect("a destination"),
            directory: "/srv".parse().expect("a directory"),
            identity: identity.map(str::to_owned),
        }
    }

    #[test]
    fn no_connection_is_made_without_looking_at_the_key() {
        let ssh = Ssh::new(KnownHosts::Only("/a b/50% known".into())).expect("a path");
        let command = ssh
            .command(&remote("root@[::1]:22022", None), HostKeys::Known, "true")
            .expect("no path");
        let arguments: Vec<&str> = command.get_args().filter_map(OsStr::to_str).collect();
        for option in [
            "StrictHostKeyChecking=yes",
            "UserKnownHostsFile=\"/a b/50%% known\"",
            "GlobalKnownHostsFile=/dev/null",
            "ControlPath=none",
            "NoHostAuthenticationForLocalhost=no",
        ] {
            assert!(arguments.contains(&option), "{option}: {arguments:?}");
        }
        assert_eq!(arguments[arguments.len() - 7..], ["-l", "root", "-p", "22022", "--", "::1", "true"]);
    }

    #[test]
    fn what_opens_secrets_is_not_handed_to_ssh() {
        let ssh = Ssh::new(KnownHosts::OfSsh).expect("no path");
        let command = ssh.command(&remote("h", None), HostKeys::Record, "true").expect("no path");
        let removed: Vec<&OsStr> = command
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(removed.len(), WITHHELD.len());
    }

    #[test]
    fn a_path_that_means_something_to_ssh_is_refused() {
        for path in ["/a\"b", "/a\\b", "/${HOME}", "/a\nb", ""] {
            assert_eq!(option_path(Path::new(path)), Err(OptionPathError), "{path:?}");
        }
        let ssh = Ssh::new(KnownHosts::OfSsh).expect("no path");
        assert!(ssh.command(&remote("h", Some("/${x}")), HostKeys::Known, "true").is_err());
    }
}
