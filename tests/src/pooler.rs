//! A real PgBouncer in front of a PostgreSQL server: it lends connections for one transaction each. What goes through it is the tests' business.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tempfile::TempDir;

/// Where Debian puts it.
const POOLER: &str = "/usr/sbin/pgbouncer";
/// Who runs it where the tests are root, whom it refuses.
const USER: &str = "postgres";
/// How long it may take to begin on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running pooler with fewer connections than servers have; it is stopped when dropped.
pub struct Pooler {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one in front of the server on a port of this machine, for roles with one password, and waits until it listens. For each database
    /// and role it has four connections.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(server: u16, roles: &[&str], password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let port = free.expect("the loopback interface is there").port();
        let (users, settings) = (folder.path().join("users"), folder.path().join("settings"));
        let lines: String = roles.iter().map(|role| format!("\"{role}\" \"{password}\"\n")).collect();
        fs::write(&users, lines).expect("a fresh folder is writable");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 4\nserver_reset_query =\n",
            users.display()
        );
        fs::write(&settings, text).expect("a fresh folder is writable");
        let mut command = Command::new(POOLER);
        if geteuid().is_root() {
            command.args(["-u", USER]);
        }
        let child = command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {POOLER}, run `cargo xtask setup` first: {error}"));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    /// Where a role reaches a database through it. Name and password stand in it as they are, so they are to be letters and digits.
    #[must_use]
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgresql://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
