//! How the script for the server gets there and is started, by whatever shell a user has; the script itself is `server.sh`.

use std::io::{self, Write};

use crate::address::RemoteDirectory;

/// The script with its comments.
const SCRIPT: &str = include_str!("server.sh");

/// The script as it is sent: without comments.
pub(crate) fn script() -> String {
    let lines = SCRIPT.lines().map(str::trim);
    let mut script = String::with_capacity(SCRIPT.len());
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        script.push_str(line);
        script.push('\n');
    }
    script
}

/// The command that the login shell there is asked to run: it reads the script from standard input, to the byte, and no further.
///
/// # Security
///
/// It is the same for every session but for a number, so nothing that a user says is ever read by a login shell. What stands
/// between the quotes means the same to bash, dash, zsh, fish, csh and busybox.
pub(crate) fn loader(script: &str) -> String {
    format!("exec sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"'", script.len())
}

/// Sends the script and what it reads first.
pub(crate) fn begin(to: &mut impl Write, script: &str, mark: &str, directory: &RemoteDirectory) -> io::Result<()> {
    to.write_all(format!("{script}{mark}\n{directory}\n").as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_login_shell_reads_has_nothing_that_shells_disagree_about() {
        let script = script();
        let loader = loader(&script);
        assert_eq!(loader.matches('\'').count(), 2);
        assert!(!loader.contains(['\\', '!', '\n', '`']), "{loader}");
        assert!(!script.contains('\0') && !script.lines().any(|line| line.starts_with('#')));
        assert!(script.len() < 16 * 1024, "every byte is read on its own there: {}", script.len());
    }
}
