//! `dango oauth` against providers that answer in the documented shapes, and real dlt reading what was stored.

mod canary;
mod certified;
mod clients;
mod connect;
mod contention;
mod crashes;
mod daily;
mod disks;
mod keeping;
mod refused;
mod terminal;
mod types;
mod ways;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

use dango_tests::provider::{Answers, Fake, Rotating, consent};
use dango_tests::{Output, Scratch};

use crate::answers::revealed;

pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";

/// A project whose app is registered at a provider that is a fake of ours.
fn project_with_app(provider: &str, fake: &Fake<impl Answers>) -> Scratch {
    let mut project = Scratch::initialised();
    fake.stands_in_for(provider, &mut project);
    project.give("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback");
    let _ = project
        .dango(&["oauth", "setup", provider, "--client-id", "client id+1"])
        .stdin(CLIENT_SECRET)
        .run()
        .success();
    project
}

/// A project with a connection to a provider of its own, whose refresh tokens are worth something once.
pub(crate) fn rotating_project(fake: &Fake<Rotating>) -> Scratch {
    let mut project = Scratch::initialised();
    project.write(".dango/providers.toml", Rotating::DESCRIPTION);
    fake.stands_in_for("corp", &mut project);
    project.give("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback");
    let _ = project
        .dango(&["oauth", "setup", "corp", "--client-id", "c"])
        .stdin("canary-client")
        .run()
        .success();
    let _ = connect(&project, &["corp_data"]);
    project
}

/// Makes the access token one that ended long ago, by the record.
pub(crate) fn expire(project: &Scratch) {
    let text = project.read(".dlt/secrets.toml");
    let (before, record) = text.split_once("[dango.oauth.corp_data]\n").expect("it is connected");
    let lines = record.lines().filter(|line| !line.starts_with("last_refreshed"));
    let lines = lines.map(|line| match line.starts_with("created_at") {
        true => "created_at = \"2020-01-01T00:00:00Z\"",
        false => line,
    });
    let record: Vec<&str> = lines.collect();
    project.write(
        ".dlt/secrets.toml",
        format!("{before}[dango.oauth.corp_data]\n{}\n", record.join("\n")),
    );
}

/// The access token and the refresh token that are stored there.
#[track_caller]
pub(crate) fn stored(project: &Scratch) -> (String, String) {
    let field = |name| revealed(project, &format!("sources.corp_data.{name}"));
    (field("access_token"), field("refresh_token"))
}

/// `dango oauth … --no-browser` that has shown its address and waits.
struct Waiting {
    child: Child,
    said: BufReader<ChildStderr>,
    before: String,
    address: String,
}

impl Waiting {
    /// Starts it, and reads up to the line that is the address alone.
    #[track_caller]
    fn start(project: &Scratch, arguments: &[&str]) -> Self {
        Self::launch(project, arguments, None)
    }

    /// The same with a whole standard input, so that nothing can be pasted.
    #[track_caller]
    fn start_with(project: &Scratch, arguments: &[&str], stdin: &str) -> Self {
        Self::launch(project, arguments, Some(stdin))
    }

    #[track_caller]
    fn launch(project: &Scratch, arguments: &[&str], stdin: Option<&str>) -> Self {
        let mut words = vec!["oauth"];
        words.extend(arguments);
        words.push("--no-browser");
        let mut child = project
            .dango(&words)
            .into_command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        if let Some(text) = stdin {
            let mut input = child.stdin.take().expect("it was asked for");
            input.write_all(text.as_bytes()).expect("taken");
        }
        let said = BufReader::new(child.stderr.take().expect("it was asked for"));
        let mut waiting = Self {
            child,
            said,
            before: String::new(),
            address: String::new(),
        };
        loop {
            let mut line = String::new();
            let read = waiting.said.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended without an address: {}", waiting.before);
            if line.starts_with("http") {
                line.trim_end().clone_into(&mut waiting.address);
                return waiting;
            }
            waiting.before.push_str(&line);
        }
    }

    /// A parameter of the address.
    #[track_caller]
    fn parameter(&self, name: &str) -> String {
        let (_, query) = self.address.split_once('?').expect("has a query");
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        decoded(found.unwrap_or_else(|| panic!("no {name} in {}", self.address)))
    }

    /// What a browser asks for that brings an answer: a path with a query.
    fn callback(&self, answer: &str) -> String {
        format!("/callback?{answer}&state={}", self.parameter("state"))
    }

    /// Sends what a browser would; answers what it shows.
    #[track_caller]
    fn browse(&self, method: &str, target: &str) -> String {
        let redirect = self.parameter("redirect_uri");
        let authority = redirect
            .strip_prefix("http://")
            .and_then(|rest| rest.split('/').next())
            .expect("plain HTTP");
        let mut stream = TcpStream::connect(authority).expect("it listens");
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    }

    /// Goes to the provider and back as a browser does; answers what it shows then.
    #[track_caller]
    fn consent(&self) -> String {
        let back = consent(&self.address);
        let target = back.strip_prefix("http://").and_then(|rest| Some(rest.split_at(rest.find('/')?).1));
        self.browse("GET", target.expect("the callback is plain HTTP"))
    }

    /// Types a line into the program.
    #[track_caller]
    fn paste(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("it was asked for");
        writeln!(input, "{line}").expect("taken");
    }

    /// Waits for its end.
    #[track_caller]
    fn end(mut self) -> Output {
        let mut stderr = format!("{}{}\n", self.before, self.address);
        self.said.read_to_string(&mut stderr).expect("text");
        let output = self.child.wait_with_output().expect("ended");
        Output {
            status: output.status.code().unwrap_or(128),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr,
        }
    }
}

/// Goes through the whole of it, as somebody would who says yes.
#[track_caller]
fn connect(project: &Scratch, arguments: &[&str]) -> Output {
    let waiting = Waiting::start(project, arguments);
    let page = waiting.consent();
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    waiting.end().success()
}

/// Percent-decoded, `+` as a blank.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("two digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}
