//! Where a deployed project is, as a user says it: `user@host:port` and a directory there. Nothing is connected to here.

use std::fmt;
use std::str::FromStr;

use dango_core::{HostName, ParseNameError};

/// The longest user name and directory, in characters.
const LONGEST: usize = 1024;

/// Who is logged in as, and where: `user@host:port`, `host` or an alias of ssh's own configuration, `user@[::1]:22`.
///
/// What is left out is settled by ssh and its configuration.
///
/// ```
/// use dango_remote::Destination;
///
/// let destination: Destination = "deploy@example.org:2222".parse()?;
/// assert_eq!((destination.user(), destination.port()), (Some("deploy"), Some(2222)));
/// assert!("-oProxyCommand=id".parse::<Destination>().is_err());
/// # Ok::<(), dango_remote::ParseDestinationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    user: Option<String>,
    host: HostName,
    port: Option<u16>,
}

impl Destination {
    /// Who is logged in as, where that was said.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host.
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// The port, where that was said.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

/// A text that names no host to log in to. The text is not kept: people paste what they should not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDestinationError {
    /// What stands before the `@`.
    #[error("the user before the `@` may have letters, digits, `.`, `_`, `-` and `+`, and no `-` first")]
    User,
    /// What stands behind the last colon.
    #[error("the port is a number from 1 to 65535")]
    Port,
    /// Brackets that are not closed, or hold no address.
    #[error("an address in brackets is written as in `user@[::1]:22`")]
    Brackets,
    /// What is left.
    #[error(transparent)]
    Host(#[from] ParseNameError),
}

impl FromStr for Destination {
    type Err = ParseDestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        if user.is_some_and(|user| !is_user(user)) {
            return Err(ParseDestinationError::User);
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or(ParseDestinationError::Brackets)?;
                let is_address = host.contains(':');
                match (is_address, behind.strip_prefix(':')) {
                    (true, Some(port)) => (host, Some(port)),
                    (true, None) if behind.is_empty() => (host, None),
                    _ => return Err(ParseDestinationError::Brackets),
                }
            }
            // Several colons and no brackets: an address of IPv6 without a port.
            None if rest.matches(':').count() > 1 => (rest, None),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.parse()?,
            port: port.map(parse_port).transpose()?,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match (self.port, self.host.as_str().contains(':')) {
            (Some(port), true) => write!(f, "[{}]:{port}", self.host),
            (Some(port), false) => write!(f, "{}:{port}", self.host),
            (None, true) => write!(f, "[{}]", self.host),
            (None, false) => write!(f, "{}", self.host),
        }
    }
}

/// What a system takes for a user, an account of a directory service (`ada@corp.example`) too, and no shell for anything else.
fn is_user(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@');
    !text.is_empty() && text.len() <= LONGEST && !text.starts_with('-') && text.chars().all(allowed)
}

fn parse_port(text: &str) -> Result<u16, ParseDestinationError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    let port = digits.and_then(|digits| digits.parse::<u16>().ok());
    port.filter(|port| *port != 0).ok_or(ParseDestinationError::Port)
}

/// A directory on another host: absolute, below the home of who is logged in (`~/project`), or relative to where a login starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteDirectory(String);

impl RemoteDirectory {
    /// The directory as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that names no directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDirectoryError {
    /// Nothing at all.
    #[error("the directory must not be empty")]
    Empty,
    /// Longer than systems take.
    #[error("the directory has more than {LONGEST} characters")]
    TooLong,
    /// A line break or another character that no directory should have.
    #[error("the directory must not hold control characters")]
    Control,
    /// The home of somebody else.
    #[error("`~` stands for the home of who is logged in, as in `~/project`; write any other home out")]
    Home,
}

impl FromStr for RemoteDirectory {
    type Err = ParseDirectoryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseDirectoryError::Empty);
        }
        if text.chars().count() > LONGEST {
            return Err(ParseDirectoryError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(ParseDirectoryError::Control);
        }
        if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
            return Err(ParseDirectoryError::Home);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RemoteDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_destination_is_written_as_it_was_read() {
        for text in [
            "deploy@example.org:22",
            "deploy@example.org",
            "example.org",
            "alias:2222",
            "ada@corp.example@host",
            "root@[::1]:2222",
            "root@[::1]",
        ] {
            assert_eq!(text.parse::<Destination>().expect(text).to_string(), text);
        }
        assert_eq!(
            "fe80::1%eth0".parse::<Destination>().expect("an address").to_string(),
            "[fe80::1%eth0]"
        );
    }

    #[test]
    fn nothing_that_ssh_or_a_shell_could_take_for_more_is_a_destination() {
        for text in [
            "",
            "@host",
            "user@",
            "-oProxyCommand=id",
            "user@-oProxyCommand=id",
            "-l@host",
            "a;b@host",
            "$(id)@host",
            "user@host;id",
            "user@`id`",
            "user@host:0",
            "user@host:65536",
            "user@host:+22",
            "user@host:",
            "user@[::1",
            "user@[host]:22",
            "user@[::1]x",
            "us er@host",
            "user@ho st",
            "user@host\n",
            "user@höst",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn directories_are_lines_of_any_other_text() {
        for text in ["/srv/dango/project", "~", "~/my project", "a", "-x", "it's \"$HOME\" `id`", "/é"] {
            assert_eq!(text.parse::<RemoteDirectory>().expect(text).as_str(), text);
        }
        for text in ["", "/a\nb", "/a\0", "~root/x", "\u{1b}[31m"] {
            assert!(text.parse::<RemoteDirectory>().is_err(), "{text:?}");
        }
        assert!("x".repeat(1025).parse::<RemoteDirectory>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_a_destination_stays_one(text in "[ -~]{0,40}") {
            if let Ok(destination) = text.parse::<Destination>() {
                prop_assert_eq!(destination.to_string().parse::<Destination>(), Ok(destination));
            }
        }
    }
}
