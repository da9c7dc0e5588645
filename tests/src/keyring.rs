//! A private D-Bus session with or without GNOME Keyring, in folders of its own, ended when dropped. What is kept in it is the tests' business.
//!
//! The keyring crate's own tests start one, too (`crates/dango-keyring/tests/secret_service/session.rs`). They cannot share this one: this package
//! is above every library, and a dependency from below would be a cycle.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{Output, run_to_end};

/// Far longer than a keyring takes to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom the bus lets talk to the Secret Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Open,
    DenySecretService,
}

/// A D-Bus session in which there may be a real keyring.
pub struct KeyringSession {
    folder: TempDir,
    bus: Child,
    address: String,
    keyring: Option<Child>,
}

impl KeyringSession {
    /// A keyring that is open.
    ///
    /// # Panics
    ///
    /// When the programs are not installed, as in every method here.
    #[must_use]
    pub fn unlocked() -> Self {
        let mut session = Self::start(Policy::Open);
        session.start_keyring(Some("password"));
        session
    }

    /// A keyring that nobody has unlocked, nor ever given a password.
    #[must_use]
    pub fn locked() -> Self {
        let mut session = Self::start(Policy::Open);
        session.start_keyring(None);
        session
    }

    /// A keyring that is there and open, on a bus that lets nobody talk to it.
    #[must_use]
    pub fn denied() -> Self {
        let mut session = Self::start(Policy::DenySecretService);
        session.start_keyring(Some("password"));
        session
    }

    /// A bus without a keyring, which starts none by itself.
    #[must_use]
    pub fn without_keyring() -> Self {
        Self::start(Policy::Open)
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` is in this session.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts a keyring in a session that has none.
    pub fn add_keyring(&mut self) {
        self.start_keyring(Some("password"));
    }

    /// Ends the keyring and starts it again over the same files, locked.
    pub fn lock(&mut self) {
        self.end_keyring();
        self.start_keyring(Some("not the password"));
    }

    /// Ends the keyring; the bus stays.
    pub fn end_keyring(&mut self) {
        end(self.keyring.take());
        self.wait_for_keyring(false);
    }

    /// Lets nobody talk to the keyring any more, from the next connection on.
    pub fn deny(&self) {
        write(
            &self.folder.path().join("bus.conf"),
            &configuration(self.folder.path(), Policy::DenySecretService),
        );
        let _ = self.call(&["--print-reply", "org.freedesktop.DBus.ReloadConfig"]).success();
    }

    /// Ends the bus under everyone.
    pub fn end_bus(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }

    /// Runs the Secret Service's own tool with this on its standard input.
    pub fn secret_tool(&self, arguments: &[&str], stdin: &str) -> Output {
        run_to_end(self.command("secret-tool").args(arguments), stdin.as_bytes())
    }

    /// The secrets of all entries with the attribute `service` = `dango`, as another program reads them.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        let found = self.secret_tool(&["search", "--all", "--unlock", "service", "dango"], "").stdout;
        let secrets = found.lines().filter_map(|line| line.strip_prefix("secret = "));
        secrets.map(str::to_owned).collect()
    }

    fn start(policy: Policy) -> Self {
        let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
        let config = folder.path().join("bus.conf");
        write(&config, &configuration(folder.path(), policy));
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts: `cargo xtask setup` installs it");
        let mut address = String::new();
        let mut output = BufReader::new(bus.stdout.take().expect("it was asked for"));
        output.read_line(&mut address).expect("the bus prints its address");
        Self {
            folder,
            bus,
            address: address.trim().to_owned(),
            keyring: None,
        }
    }

    fn start_keyring(&mut self, password: Option<&str>) {
        let mut command = self.command("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets"])
            .arg(format!("--control-directory={}", self.folder.path().join("control").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if password.is_some() {
            command.arg("--unlock");
        }
        let mut keyring = command
            .spawn()
            .expect("gnome-keyring-daemon starts: `cargo xtask setup` installs it");
        let mut input = keyring.stdin.take().expect("it was asked for");
        input
            .write_all(password.unwrap_or_default().as_bytes())
            .expect("the keyring reads its password");
        drop(input);
        self.keyring = Some(keyring);
        self.wait_for_keyring(true);
    }

    /// Asks the bus until somebody owns the name of the Secret Service, or nobody does.
    fn wait_for_keyring(&self, wanted: bool) {
        let start = Instant::now();
        let question = [
            "--print-reply=literal",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ];
        while self.call(&question).success().stdout.contains("true") != wanted {
            assert!(start.elapsed() < PATIENCE, "the keyring is there: {}", !wanted);
        }
    }

    /// Calls a method of the bus itself.
    fn call(&self, arguments: &[&str]) -> Output {
        let (reply, rest) = arguments.split_first().expect("the form of the reply comes first");
        let mut command = self.command("dbus-send");
        command.args(["--session", reply, "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
        run_to_end(command.args(rest), b"")
    }

    /// A program of this session, with nothing of this machine's environment but where programs are.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, self.folder.path().join(name));
        }
        command
    }
}

impl Drop for KeyringSession {
    fn drop(&mut self) {
        end(self.keyring.take());
        self.end_bus();
    }
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        // It may have ended by itself, as a keyring does without its bus.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn configuration(folder: &Path, policy: Policy) -> String {
    let denied = match policy {
        Policy::Open => "",
        Policy::DenySecretService => r#"<deny send_destination="org.freedesktop.secrets"/>"#,
    };
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    {denied}
  </policy>
</busconfig>
"#,
        folder.join("bus").display()
    )
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_keyring_keeps_what_its_own_tool_stores_and_a_locked_one_gives_nothing() {
        let mut session = KeyringSession::unlocked();
        assert_eq!(session.entries(), Vec::<String>::new());
        let _ = session
            .secret_tool(&["store", "--label", "x", "service", "dango"], "kept")
            .success();
        assert_eq!(session.entries(), ["kept"]);
        session.lock();
        assert_eq!(session.entries(), Vec::<String>::new());
    }

    #[test]
    fn a_bus_can_begin_to_deny() {
        let session = KeyringSession::unlocked();
        let _ = session
            .secret_tool(&["store", "--label", "x", "service", "dango"], "kept")
            .success();
        session.deny();
        assert_ne!(session.secret_tool(&["lookup", "service", "dango"], "").status, 0);
    }
}
