//! A second process for the storage tests: this test program again, doing what it is told on its standard input.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use dango_core::OsEntropy;
use dango_secrets::storage::{self, Edit, UpdateError};

/// The user and group that own nothing.
pub(crate) const NOBODY: u32 = 65534;

const ARGUMENTS: [&str; 4] = ["--exact", "child_process", "--ignored", "--nocapture"];
/// What tells an answer from what the test program prints of itself.
const MARK: &str = "answer: ";

/// A running child; it ends when it is dropped.
pub(crate) struct Child {
    process: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// A child with the rights of this process.
    pub(crate) fn new() -> Self {
        Self::spawn(Command::new("/proc/self/exe").args(ARGUMENTS))
    }

    /// A child that is not root. It is started through `/proc`, as it might not be able to enter the program's directory.
    pub(crate) fn unprivileged() -> Self {
        let mut command = Command::new("/proc/self/exe");
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        Self::spawn(command.args(ARGUMENTS))
    }

    /// A child that sees a small disk of its own in place of a directory, and may mount more.
    pub(crate) fn with_own_disk(directory: &Path) -> Self {
        let program = std::env::current_exe().expect("the program's path");
        let script = "mount -t tmpfs -o size=64k,mode=0700 none \"$1\" && shift && exec \"$@\"";
        let rights = if rustix::process::geteuid().is_root() { "--mount" } else { "-rm" };
        let mut child = Self::spawn(
            Command::new("unshare")
                .args([rights, "sh", "-c", script, "sh"])
                .arg(directory)
                .arg(program)
                .args(ARGUMENTS),
        );
        let mounts = child.run(&["shell", &format!("grep -q 'none {} tmpfs' /proc/mounts", directory.display())]);
        assert_eq!(
            mounts, "ok",
            "no disk of its own: this test needs `unshare --mount` as root, or `unshare -rm`"
        );
        child
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child process starts");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, input, output }
    }

    /// Tells the child to do something, and waits for its answer.
    pub(crate) fn run(&mut self, words: &[&str]) -> String {
        self.send(words);
        self.answer()
    }

    /// Tells the child to do something.
    pub(crate) fn send(&mut self, words: &[&str]) {
        writeln!(self.input, "{}", words.join("\t")).expect("the child process listens");
    }

    /// Waits for the child's next answer.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.output.read_line(&mut line).expect("the child process talks");
            assert_ne!(length, 0, "the child process ended without an answer");
            if let Some((_, answer)) = line.split_once(MARK) {
                return answer.trim_end_matches('\n').replace("\\n", "\n");
            }
        }
    }

    /// Ends the child with SIGKILL, wherever it is.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("dead");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the child does: a command a line, its words parted by tabs, until there are no more.
pub(crate) fn serve(input: impl BufRead) {
    for line in input.lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.split('\t').collect();
        answer(&obey(&words).unwrap_or_else(|error| error));
    }
}

fn answer(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{MARK}{}", text.replace('\n', "\\n"))
        .and_then(|()| output.flush())
        .expect("heard");
}

fn obey(words: &[&str]) -> Result<String, String> {
    let replace = |path: &str, text: String| {
        storage::update(Path::new(path), &OsEntropy, |_| {
            Ok(Edit::Replace(text.clone().into_bytes().into(), ()))
        })
        .map_err(describe)
    };
    match *words {
        ["umask", bits] => {
            let bits = u32::from_str_radix(bits, 8).expect("octal");
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(bits));
        }
        ["set", path, text] => replace(path, text.to_owned())?,
        ["large", path, size] => replace(path, "x".repeat(size.parse().expect("a number")))?,
        ["append", path, line, count] => {
            for n in 0..count.parse().expect("a number") {
                let append = |old: Option<&[u8]>| {
                    let new = [old.unwrap_or_default(), format!("{line} {n}\n").as_bytes()].concat();
                    Ok(Edit::Replace(new.into(), ()))
                };
                storage::update(Path::new(path), &OsEntropy, append).map_err(describe)?;
            }
        }
        ["forever", path] => {
            answer("ok");
            for n in 0_usize.. {
                replace(path, super::whole(n * 7919 % 300_000))?;
            }
        }
        ["hold", path] => {
            let hold = |_: Option<&[u8]>| -> Result<Edit<()>, Infallible> {
                answer("ok");
                loop {
                    std::thread::park();
                }
            };
            storage::update(Path::new(path), &OsEntropy, hold).map_err(describe)?;
        }
        ["read", path] => {
            return match storage::read(Path::new(path)) {
                Ok(Some(contents)) => Ok(format!("ok {}", String::from_utf8_lossy(contents.bytes()))),
                Ok(None) => Ok("none".to_owned()),
                Err(error) => Err(describe(UpdateError::Read(error))),
            };
        }
        ["fill", path] => {
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .open(path)
                .map_err(|error| error.to_string())?;
            while file.write_all(&[b'x'; 512]).is_ok() {}
        }
        ["names", directory] => return Ok(format!("ok {}", super::names(Path::new(directory)).join(" "))),
        ["shell", script] => {
            let status = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).status();
            return status
                .map_err(|error| error.to_string())
                .map(|status| if status.success() { "ok" } else { "failed" }.to_owned());
        }
        _ => return Err("no such command".to_owned()),
    }
    Ok("ok".to_owned())
}

/// Code, message and cause in one line.
fn describe(error: UpdateError<Infallible>) -> String {
    let source = std::error::Error::source(&error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    format!("{}: {error}{source}", error.code().unwrap_or_default())
}
