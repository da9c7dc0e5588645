//! A real `sshd` on the loopback interface with keys and configuration of its own: a server to deploy to. What runs there is the tests' business.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::scratch::Scratch;

/// Where Debian puts it; `sshd` wants to be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";
/// Where an `sshd` that root starts puts itself before anybody has logged in.
const EMPTY: &str = "/run/sshd";
/// How often another port is tried, where one was taken meanwhile.
const ATTEMPTS: usize = 20;

/// A running `sshd` with a folder for a deployed project; it is stopped when dropped.
pub struct Sshd {
    folder: TempDir,
    child: Child,
    port: u16,
    more: Vec<String>,
}

impl Sshd {
    /// Starts one that lets whoever runs the tests in with its key, and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it cannot be started, as in every method here.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "starting a process is no default value")]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// Starts one with more lines of configuration.
    #[must_use]
    pub fn with(more: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("dango-sshd-").tempdir().expect("a scratch folder");
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("it is ours");
        fs::create_dir(folder.path().join("project")).expect("a fresh folder is writable");
        for name in ["host", "user"] {
            make_key(&folder.path().join(name), "ed25519");
        }
        let more: Vec<String> = more.iter().map(|line| (*line).to_owned()).collect();
        let (child, port) = start(folder.path(), None, &more);
        let sshd = Self { folder, child, port, more };
        sshd.know();
        sshd
    }

    /// The deployed project's folder.
    #[must_use]
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A file of the deployed project.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.project().join(file)).unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
    }

    /// Writes a file of the deployed project, for its owner alone.
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        let path = self.project().join(file);
        fs::write(&path, contents).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }

    /// The names of what is in the deployed project's folder.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.project()).expect("it is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The list of known hosts, in which this one stands.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// The private key that opens it.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    /// Another folder for what a test needs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is written for it in a list of known hosts, by the port through which it is reached.
    #[must_use]
    pub fn known_line(&self, port: u16) -> String {
        let key = fs::read_to_string(self.folder.path().join("host.pub")).expect("it was made");
        format!("[127.0.0.1]:{port} {key}")
    }

    /// Makes a project on this machine that knows the deployed one as `prod`, and in which commands know its host.
    #[must_use]
    pub fn client(&self) -> Scratch {
        self.client_through(self.port, &self.project().display().to_string())
    }

    /// The same for another way to it, and another folder.
    #[must_use]
    pub fn client_through(&self, port: u16, path: &str) -> Scratch {
        let mut client = Scratch::initialised();
        client.give("DANGO_SSH_KNOWN_HOSTS", self.known_hosts());
        let user = client.command("id", &["-un"]).run().success().stdout;
        let destination = format!("{}@127.0.0.1:{port}", user.trim());
        let identity = self.identity();
        let identity = identity.to_str().expect("scratch folders have plain names");
        let arguments = ["remote", "add", "prod", &destination, "--path", path, "--identity", identity];
        let _ = client.run(&arguments).success();
        client
    }

    /// Starts it anew on the same port with another key of its own, as whoever stands in between has one.
    pub fn change_key(&mut self, kind: &str) {
        self.stop();
        for name in ["host", "host.pub"] {
            fs::remove_file(self.folder.path().join(name)).expect("it was made");
        }
        make_key(&self.folder.path().join("host"), kind);
        (self.child, self.port) = start(self.folder.path(), Some(self.port), &self.more);
    }

    /// The same one, started anew with these lines of configuration and no others.
    #[must_use]
    pub fn restarted(mut self, more: &[&str]) -> Self {
        self.stop();
        self.more = more.iter().map(|line| (*line).to_owned()).collect();
        (self.child, self.port) = start(self.folder.path(), Some(self.port), &self.more);
        self
    }

    /// Stops it.
    pub fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn know(&self) {
        fs::write(self.known_hosts(), self.known_line(self.port)).expect("a scratch folder is writable");
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make_key(path: &Path, kind: &str) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", "", "-C", "test", "-f"])
        .arg(path)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "ssh-keygen makes no key: run `cargo xtask setup` first"
    );
}

/// Starts it on a port that is free, and waits until it says that it listens.
fn start(folder: &Path, port: Option<u16>, more: &[String]) -> (Child, u16) {
    assert!(Path::new(SSHD).is_file(), "{SSHD} does not exist: run `cargo xtask setup` first");
    // Only root's needs it, and only root can make it.
    drop(fs::create_dir_all(EMPTY));
    let mut said = String::new();
    for _ in 0..ATTEMPTS {
        let port = port.unwrap_or_else(free_port);
        let folder = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPidFile none\n\
             UsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             MaxStartups 200\nLogLevel INFO\nPrintMotd no\n{}\n",
            more.join("\n")
        );
        let path = format!("{folder}/sshd_config");
        fs::write(&path, config).expect("a scratch folder is writable");
        let mut child = Command::new(SSHD)
            .args(["-D", "-e", "-f", &path])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {SSHD}: {error}"));
        let mut lines = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
        let listens = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push_str(&line);
            said.push('\n');
            line.contains("Server listening on")
        });
        if listens {
            // What it says is taken from it to the end, so it never waits.
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
            return (child, port);
        }
        drop(child.wait());
    }
    panic!("sshd does not listen:\n{said}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    listener.local_addr().expect("it is bound").port()
}
