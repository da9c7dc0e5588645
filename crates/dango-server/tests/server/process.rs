//! A project in a directory of its own, and the server as a process on a port of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dango_core::OsEntropy;
use dango_secrets::project::Project;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything takes; a test that waits for nothing fails.
const NEVER: Duration = Duration::from_secs(30);

/// A project that no server has seen yet.
pub(crate) struct Place {
    directory: TempDir,
}

/// What a command that ended has left behind.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Project::init(directory.path(), &OsEntropy).expect("a project");
        Self { directory }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn dango(&self, name: &str) -> PathBuf {
        self.root().join(".dango").join(name)
    }

    pub(crate) fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root().join(path);
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)
            .expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dango-server"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .env("HOME", "/nonexistent");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = self.command(arguments).envs(variables.iter().copied()).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts the server and waits until it says where it listens.
    pub(crate) fn start(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(&[&["--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut server = Server {
            child,
            lines,
            said: String::new(),
            address: ([127, 0, 0, 1], 0).into(),
        };
        server.address = server.wait_for_address("listening on ");
        server
    }

    /// Every file below `.dango`, so that nothing is made unnoticed.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root().join(".dango")).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with(".lock")).collect();
        names.sort();
        names
    }
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it has said on standard error.
    pub(crate) said: String,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Waits for a line, and answers it.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        if let Some(line) = self.said.lines().find(|line| line.contains(words)) {
            return line.to_owned();
        }
        loop {
            let line = self.lines.recv_timeout(NEVER);
            let line = line.map_err(|_| format!("it never said {words:?}, only:\n{}", self.said));
            let line = line.expect("it says it");
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn wait_for_address(&mut self, words: &str) -> SocketAddr {
        let line = self.wait_for(words);
        let url = line.split(words).nth(1).expect("the words are there");
        let address = url.split("://").nth(1).expect("a URL");
        let end = address.find(['"', ' ']).unwrap_or(address.len());
        address[..end].parse().expect("an address")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    pub(crate) fn get(&self, path: &str) -> String {
        get(self.address, path)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("it is ours");
    }

    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it ends");
        self.said.extend(self.lines.iter().map(|line| line + "\n"));
        let mut stdout = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("text");
        let is_link = |line: &str| line.starts_with("http") && line.contains("/setup/");
        assert!(
            stdout.lines().all(is_link),
            "a server has nothing else for standard output: {stdout}"
        );
        (status, std::mem::take(&mut self.said))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(NEVER)).expect("a timeout");
    stream
}

/// The whole answer to a request, head and body.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = connect(address);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
