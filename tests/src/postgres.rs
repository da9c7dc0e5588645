//! A real PostgreSQL server with a cluster of its own, on a Unix socket and on loopback. What is stored there is the tests' business.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs the server where the tests are root, whom it refuses.
const USER: &str = "postgres";
/// How long a server on a loaded machine may take to begin.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often another port is tried, where one was taken meanwhile.
const ATTEMPTS: usize = 10;

/// A running PostgreSQL server; it is stopped when dropped.
///
/// Everybody is let in through the socket; over TCP each role needs its password (SCRAM-SHA-256).
pub struct Postgres {
    folder: TempDir,
    child: Child,
    port: u16,
    more: Vec<String>,
}

impl Postgres {
    /// Makes a cluster, starts it and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it cannot be started, as in every method here.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "starting a process is no default value")]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with settings, each as it stands in `postgresql.conf`.
    #[must_use]
    pub fn with(more: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dango-postgres-")
            .tempdir()
            .expect("a scratch folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let cluster = folder.path().join("cluster");
        fs::create_dir(&cluster).expect("a fresh folder is writable");
        give(&cluster);
        let output = of_server("initdb")
            .args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth=trust",
                "--username=postgres",
                "-D",
            ])
            .arg(&cluster)
            .output()
            .expect("it is there");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(cluster.join("pg_hba.conf"), hba).expect("a scratch folder is writable");
        let more: Vec<String> = more.iter().map(|line| (*line).to_owned()).collect();
        let (child, port) = start(&cluster, None, &more);
        Self { folder, child, port, more }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket, as `host` takes it.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.cluster()
    }

    /// The folder of the cluster, for certificates and the like.
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    /// Writes a file into the cluster that only the server may read, such as the key of its certificate.
    pub fn write(&self, file: &str, contents: &str) {
        let path = self.cluster().join(file);
        fs::write(&path, contents).expect("a scratch folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        give(&path);
    }

    /// What the superuser's statement answers, a row a line and `|` between columns.
    #[track_caller]
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let output = Command::new(program("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
                "-d",
                database,
                "-c",
                statement,
            ])
            .arg("-h")
            .arg(self.socket())
            .args(["-p", &self.port.to_string()])
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("psql is there");
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Everything that a backup of a database holds, as `pg_dump` writes it.
    #[track_caller]
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let output = Command::new(program("pg_dump"))
            .args(["-U", "postgres", "-d", database, "-h"])
            .arg(self.socket())
            .args(["-p", &self.port.to_string()])
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("pg_dump is there");
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Makes a role that may log in, or gives it another password.
    #[track_caller]
    pub fn role(&self, name: &str, password: &str) {
        let (name, password) = (name.replace('"', "\"\""), password.replace('\'', "''"));
        let there = self.sql(
            "postgres",
            &format!("SELECT 1 FROM pg_roles WHERE rolname = '{}'", name.replace('\'', "''")),
        );
        let verb = if there.is_empty() { "CREATE" } else { "ALTER" };
        let _ = self.sql("postgres", &format!("{verb} ROLE \"{name}\" LOGIN PASSWORD '{password}'"));
    }

    /// Where a role reaches a database over TCP. Name and password stand in it as they are, so they are to be letters and digits.
    #[must_use]
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgresql://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Replaces the rules of who is let in how, and has them read.
    pub fn admit(&self, hba: &str) {
        self.write("pg_hba.conf", hba);
        assert_eq!(self.sql("postgres", "SELECT pg_reload_conf()"), "t");
        // They count for whoever comes once the server says that it has read them.
        let deadline = Instant::now() + PATIENCE;
        let rules = hba.lines().filter(|line| !line.trim().is_empty()).count().to_string();
        while self.sql("postgres", "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NULL") != rules {
            assert!(Instant::now() < deadline, "the rules are not read");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a failing machine does.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it anew on the same port with the same cluster.
    pub fn restart(&mut self) {
        self.stop();
        (self.child, self.port) = start(&self.cluster(), Some(self.port), &self.more);
    }

    /// Stops it; what was committed stays.
    pub fn stop(&mut self) {
        // A shutdown that waits for no client.
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)) {
            let _ = kill_process(pid, Signal::INT);
        }
        let deadline = Instant::now() + PATIENCE;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > deadline {
                return self.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)) {
            // Nothing of it is wanted any more: its processes end at once, and none stays behind.
            let _ = kill_process(pid, Signal::QUIT);
        }
        drop(self.child.wait());
    }
}

/// The path of one of PostgreSQL's programs, of the newest version that is installed.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name))))
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    let newest = found.pop().map(|(_, path)| path);
    newest.unwrap_or_else(|| panic!("there is no {name} below {VERSIONS}: run `cargo xtask setup` first"))
}

/// One of the programs that refuse to be run by root.
fn of_server(name: &str) -> Command {
    let mut command = match geteuid().is_root() {
        false => Command::new(program(name)),
        true => {
            // It puts the program in its own place, so what is stopped later is the server.
            let mut command = Command::new("setpriv");
            let user = format!("--reuid={USER}");
            command.args([user.as_str(), &format!("--regid={USER}"), "--init-groups", "--"]);
            command.arg(program(name));
            command
        }
    };
    command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/bin:/bin");
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Gives a path to who runs the server.
fn give(path: &Path) {
    if geteuid().is_root() {
        let users = fs::read_to_string("/etc/passwd").expect("it lists users");
        let line = users
            .lines()
            .find(|line| line.starts_with("postgres:"))
            .expect("the package makes the user");
        let mut fields = line.split(':').skip(2).map(|field| field.parse::<u32>().ok());
        let (user, group) = (fields.next().flatten(), fields.next().flatten());
        chown(path, user, group).expect("root may");
    }
}

/// Starts a server on a port that is free, and waits until it answers.
fn start(cluster: &Path, port: Option<u16>, more: &[String]) -> (Child, u16) {
    let log = cluster.with_file_name("log");
    for _ in 0..ATTEMPTS {
        let port = port.unwrap_or_else(free_port);
        let mut command = of_server("postgres");
        command.arg("-D").arg(cluster).arg("-k").arg(cluster);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=off"]);
        for line in more {
            command.args(["-c", line]);
        }
        let said = fs::File::create(&log).expect("a scratch folder is writable");
        let mut child = command
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start postgres: {error}"));
        let deadline = Instant::now() + PATIENCE;
        while let Ok(None) = child.try_wait() {
            if is_ready(cluster, port) {
                return (child, port);
            }
            assert!(Instant::now() < deadline, "postgres does not answer");
            thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("postgres does not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
}

fn is_ready(cluster: &Path, port: u16) -> bool {
    let asked = Command::new(program("pg_isready"))
        .args(["-q", "-p", &port.to_string(), "-h"])
        .arg(cluster)
        .status();
    asked.is_ok_and(|status| status.success())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    listener.local_addr().expect("it is bound").port()
}
