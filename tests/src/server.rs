//! A running `dango-server` on a port of its own, stopped when dropped; and what it has said so far.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::binary::dango_server;
use crate::client::Client;
use crate::scratch::Scratch;

/// Far beyond what a start needs, so that only one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server says once it can be asked.
const LISTENING: &str = "listening on ";

/// A server process over a scratch project.
pub struct Server {
    child: Child,
    address: SocketAddr,
    stderr: Arc<Said>,
    stdout: Arc<Said>,
}

/// What a stream has brought so far.
#[derive(Default)]
struct Said {
    text: Mutex<(String, bool)>,
    more: Condvar,
}

impl Server {
    /// Starts the server of a project on a free port of the loopback interface, and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it does not start; the message holds what it said.
    #[track_caller]
    #[must_use]
    pub fn start(project: &Scratch) -> Self {
        Self::start_with(project, &[])
    }

    /// Starts it with more options.
    ///
    /// # Panics
    ///
    /// When it does not start; the message holds what it said.
    #[track_caller]
    #[must_use]
    pub fn start_with(project: &Scratch, options: &[&str]) -> Self {
        let mut arguments = vec!["--listen", "127.0.0.1:0"];
        arguments.extend(options);
        Self::launch(
            Command::new(dango_server())
                .args(arguments)
                .current_dir(project.path())
                .env_clear()
                .envs(project.environment()),
        )
    }

    /// Starts it as it is told, and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it does not start; the message holds what it said.
    #[track_caller]
    #[must_use]
    pub fn launch(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start dango-server: {error}"));
        let stderr = Said::listen_to(child.stderr.take().expect("it was asked for"));
        let stdout = Said::listen_to(child.stdout.take().expect("it was asked for"));
        let Some(address) = stderr.wait_for(address_in) else {
            drop(child.kill());
            let status = child.wait();
            panic!("dango-server does not listen ({status:?}):\n{}", stderr.text());
        };
        Self {
            child,
            address,
            stderr,
            stdout,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its URLs begin with.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// What the URLs of its operations listener begin with, if it has one.
    #[must_use]
    pub fn operations(&self) -> Option<String> {
        let text = self.stderr.text();
        let (_, after) = text.split_once("operations on ")?;
        let url = after.split(|end: char| end.is_whitespace() || end == '"').next()?;
        Some(url.to_owned())
    }

    /// A client that has no credential yet.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::of(&self.url())
    }

    /// A client of somebody who has logged in.
    ///
    /// # Panics
    ///
    /// When the login is refused.
    #[track_caller]
    #[must_use]
    pub fn signed_in(&self, email: &str, password: &str) -> Client {
        let mut client = self.client();
        let body = serde_json::json!({"email": email, "password": password});
        let answer = client.post("/api/auth/login", &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        client
    }

    /// The link for the first administrator, once it is shown.
    ///
    /// # Panics
    ///
    /// When none is shown.
    #[track_caller]
    #[must_use]
    pub fn setup_link(&self) -> String {
        let link = |text: &str| {
            let link = text.split_whitespace().find(|word| word.contains("/setup/"))?;
            Some(link.to_owned())
        };
        self.stdout
            .wait_for(link)
            .unwrap_or_else(|| panic!("no setup link: {}", self.stderr.text()))
    }

    /// Makes the first administrator by that link.
    ///
    /// # Panics
    ///
    /// When the server does not take it.
    #[track_caller]
    pub fn claim(&self, email: &str, password: &str) {
        let link = self.setup_link();
        let token = link.rsplit('/').next().expect("a link has a token");
        let body = serde_json::json!({"token": token, "email": email, "password": password});
        let answer = self.client().post("/api/auth/claim", &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.stderr.text()
    }

    /// What it has written to standard output so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.stdout.text()
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end (SIGTERM), and returns its exit status and everything that it wrote to standard error.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn stop(mut self) -> (i32, String) {
        self.signal("TERM");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                let code = status.code().unwrap_or(-1);
                return (code, self.stderr.whole());
            }
            assert!(Instant::now() < deadline, "dango-server does not end:\n{}", self.stderr.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once, as a power failure would (SIGKILL).
    ///
    /// # Panics
    ///
    /// When the system does not let it.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Sends it a signal, by its name without `SIG`.
    ///
    /// # Panics
    ///
    /// When there is no `kill`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name} fails");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Said {
    fn listen_to(stream: impl Read + Send + 'static) -> Arc<Self> {
        let said = Arc::new(Self::default());
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                heard.text.lock().expect("not poisoned").0.push_str(&String::from_utf8_lossy(&line));
                heard.more.notify_all();
                line.clear();
            }
            heard.text.lock().expect("not poisoned").1 = true;
            heard.more.notify_all();
        });
        said
    }

    /// Waits until what was said holds something, and gives up where the stream ends without it.
    fn wait_for<T>(&self, found: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = self.text.lock().expect("not poisoned");
        loop {
            if let Some(found) = found(&said.0) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if said.1 || left.is_zero() {
                return None;
            }
            said = self.more.wait_timeout(said, left).expect("not poisoned").0;
        }
    }

    /// Everything, once the stream has ended.
    fn whole(&self) -> String {
        let _ = self.wait_for(|_| None::<()>);
        self.text()
    }

    fn text(&self) -> String {
        self.text.lock().expect("not poisoned").0.clone()
    }
}

fn address_in(text: &str) -> Option<SocketAddr> {
    let (_, after) = text.split_once(LISTENING)?;
    let url = after.split(|end: char| end.is_whitespace() || end == '"').next()?;
    url.split_once("://")?.1.parse().ok()
}
