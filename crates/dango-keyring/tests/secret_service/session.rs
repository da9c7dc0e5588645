//! A private D-Bus session with or without a keyring, in folders of its own, ended when dropped. What is asked of it is elsewhere.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child::{ANSWER, Request};

/// Far longer than a keyring takes to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom the bus lets talk to the Secret Service.
pub(crate) enum Policy {
    Open,
    DenySecretService,
}

pub(crate) struct Session {
    folder: TempDir,
    bus: Child,
    address: String,
    keyring: Option<Child>,
}

impl Session {
    /// A keyring whose password was just set to this one.
    pub(crate) fn unlocked(password: &str) -> Self {
        let mut session = Self::without_keyring(Policy::Open);
        session.start_keyring(Some(password));
        session
    }

    /// A keyring that nobody has unlocked, nor ever given a password.
    pub(crate) fn locked() -> Self {
        let mut session = Self::without_keyring(Policy::Open);
        session.start_keyring(None);
        session
    }

    /// A keyring that is there and open, on a bus that lets nobody talk to it.
    pub(crate) fn denied() -> Self {
        let mut session = Self::without_keyring(Policy::DenySecretService);
        session.start_keyring(Some("password"));
        session
    }

    /// A bus that knows no services, so it starts none by itself.
    pub(crate) fn without_keyring(policy: Policy) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("bus.conf");
        write(&config, &configuration(folder.path(), &policy));
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon: install the package dbus, or run `cargo xtask setup`");
        let mut address = String::new();
        let mut output = BufReader::new(bus.stdout.take().expect("piped"));
        output.read_line(&mut address).expect("an address");
        Self {
            folder,
            bus,
            address: address.trim().to_owned(),
            keyring: None,
        }
    }

    /// Ends the keyring and starts it again over the same files.
    pub(crate) fn restart_keyring(&mut self, password: &str) {
        end(self.keyring.take().as_mut());
        self.wait_for_keyring(false);
        self.start_keyring(Some(password));
    }

    /// Ends the bus under everyone.
    pub(crate) fn end_bus(&mut self) {
        end(Some(&mut self.bus));
    }

    /// What the holder answers on this bus.
    pub(crate) fn ask(&self, request: &Request) -> String {
        self.ask_at(&self.address, request)
    }

    /// What it answers where the environment names this address.
    pub(crate) fn ask_at(&self, address: &str, request: &Request) -> String {
        let mut child = self.child();
        child.env("DBUS_SESSION_BUS_ADDRESS", address);
        answer(child, &format!("announced {request}"))
    }

    /// What it answers where the environment names none.
    pub(crate) fn ask_without_bus(&self, request: &Request) -> String {
        answer(self.child(), &format!("unannounced {request}"))
    }

    /// What the Secret Service's own tool prints.
    pub(crate) fn secret_tool(&self, arguments: &[&str]) -> String {
        self.secret_tool_with(arguments, "")
    }

    /// The same, with a secret on its standard input.
    pub(crate) fn secret_tool_with(&self, arguments: &[&str], input: &str) -> String {
        let mut tool = self.command("secret-tool");
        tool.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        run(tool, input)
    }

    fn start_keyring(&mut self, password: Option<&str>) {
        let mut keyring = self.command("gnome-keyring-daemon");
        keyring
            .args(["--foreground", "--components=secrets"])
            .arg(format!("--control-directory={}", self.folder.path().join("control").display()))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::piped());
        if password.is_some() {
            keyring.arg("--unlock");
        }
        let mut keyring = keyring
            .spawn()
            .expect("gnome-keyring-daemon: install the package gnome-keyring, or run `cargo xtask setup`");
        let mut input = keyring.stdin.take().expect("piped");
        input.write_all(password.unwrap_or_default().as_bytes()).expect("writes");
        drop(input);
        self.keyring = Some(keyring);
        self.wait_for_keyring(true);
    }

    /// Asks the bus until somebody owns the name of the Secret Service, or nobody does.
    fn wait_for_keyring(&self, wanted: bool) {
        let start = Instant::now();
        loop {
            let mut question = self.command("dbus-send");
            question
                .args([
                    "--session",
                    "--print-reply=literal",
                    "--dest=org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.NameHasOwner",
                    "string:org.freedesktop.secrets",
                ])
                .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
            if run(question, "").contains("true") == wanted {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "the keyring is there: {}", !wanted);
        }
    }

    /// This very program as the child process.
    fn child(&self) -> Command {
        let mut child = self.command("/proc/self/exe");
        child.args(["--exact", "child_process", "--ignored", "--nocapture"]);
        child
    }

    /// A program with nothing of this machine's environment but where programs are.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path());
        for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, self.folder.path().join(name));
        }
        command
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        end(self.keyring.as_mut());
        end(Some(&mut self.bus));
    }
}

fn end(child: Option<&mut Child>) {
    if let Some(child) = child {
        // It may have ended by itself, as a keyring does without its bus.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn answer(child: Command, request: &str) -> String {
    let output = run(child, &format!("{request}\n"));
    let answer = output.lines().find_map(|line| line.strip_prefix(ANSWER)).map(str::to_owned);
    answer.unwrap_or_else(|| format!("no answer in: {output}"))
}

/// Everything that a program prints to standard output; one that fails may have nothing to say.
fn run(mut command: Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // The attributes of what is found.
        .stderr(Stdio::null())
        .spawn()
        .expect("a program of the packages dbus and libsecret-tools: `cargo xtask setup` installs them");
    // A program that reads nothing may have ended before.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("ends");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn configuration(folder: &Path, policy: &Policy) -> String {
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
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).expect("a new file");
    file.write_all(text.as_bytes()).expect("writes");
}
