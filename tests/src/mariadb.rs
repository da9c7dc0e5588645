//! A real MariaDB server with data of its own, on a Unix socket and on loopback. What is stored there is the tests' business.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server on a loaded machine may take to begin.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often another port is tried, where one was taken meanwhile.
const ATTEMPTS: usize = 10;

/// A running MariaDB server; it is stopped when dropped.
pub struct MariaDb {
    folder: TempDir,
    child: Child,
    port: u16,
}

impl MariaDb {
    /// Makes the data, starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it cannot be started, as in every method here.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "starting a process is no default value")]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with more options.
    #[must_use]
    pub fn with(more: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dango-mariadb-")
            .tempdir()
            .expect("a scratch folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let data = format!("--datadir={}", folder.path().join("data").display());
        let output = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data])
            // In a shared folder two servers that begin at once take one another's temporary tables.
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("cannot run mariadb-install-db: {error}: run `cargo xtask setup` first"));
        assert!(
            output.status.success(),
            "mariadb-install-db: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let socket = folder.path().join("socket");
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let said = fs::File::create(folder.path().join("log")).expect("a scratch folder is writable");
            let mut command = Command::new("/usr/sbin/mariadbd");
            // Whom the tests run as is whom the data belongs to; root says so by name.
            command.args([
                "--no-defaults",
                "--user=root",
                &data,
                "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0",
            ]);
            command.args(["--bind-address=127.0.0.1", &format!("--port={port}")]);
            command.args([
                &format!("--socket={}", socket.display()),
                &format!("--pid-file={}.pid", socket.display()),
            ]);
            let mut child = command
                .args(more)
                .env("TMPDIR", folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(said)
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start mariadbd: {error}: run `cargo xtask setup` first"));
            let deadline = Instant::now() + PATIENCE;
            while let Ok(None) = child.try_wait() {
                if is_ready(&socket) {
                    return Self { folder, child, port };
                }
                assert!(Instant::now() < deadline, "mariadbd does not answer");
                thread::sleep(Duration::from_millis(50));
            }
        }
        panic!(
            "mariadbd does not start:\n{}",
            fs::read_to_string(folder.path().join("log")).unwrap_or_default()
        );
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Runs statements of the superuser's.
    #[track_caller]
    pub fn sql(&self, statements: &str) {
        let output = client(&self.socket()).args(["-e", statements]).output().expect("it is there");
        assert!(output.status.success(), "mariadb: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn is_ready(socket: &PathBuf) -> bool {
    let asked = client(socket)
        .args(["-e", "SELECT 1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn client(socket: &PathBuf) -> Command {
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "-u", "root", "-S"]).arg(socket).stdin(Stdio::null());
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    listener.local_addr().expect("it is bound").port()
}
