//! How long a start takes until the first answer, and how much memory the process has then and later.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Scratch, dango_server};

use super::super::Outcome;
use super::crowd::{Crowd, Pace, whole};
use super::house::House;
use super::rates::LOGGING_IN;

/// How long a start is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an address is tried that does not answer yet: the error of the measurement.
const AGAIN: Duration = Duration::from_micros(500);
/// Longer than the server keeps the memory of hashes where nobody logs in.
const QUIET: Duration = Duration::from_secs(8);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// With nothing there but a project: the database and the identity key are made.
    First,
    /// Of a server that was stopped.
    Later,
}

pub(super) fn first_answer(which: Which) -> Outcome {
    let project = Scratch::initialised();
    if which == Which::Later {
        let mut earlier = Started::begin(&project)?;
        earlier.wait_for_answer()?;
    }
    let begun = Instant::now();
    Started::begin(&project)?.wait_for_answer()?;
    println!("first answer, ms: {:.2}", begun.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

#[derive(Clone, Copy)]
pub(super) enum After {
    Start,
    Logins,
    Quiet,
}

pub(super) fn memory(after: After) -> Outcome {
    let mebibytes = match after {
        After::Start => {
            let project = Scratch::initialised();
            let mut server = Started::begin(&project)?;
            server.wait_for_answer()?;
            thread::sleep(Duration::from_secs(1));
            resident(server.process.id())?
        }
        After::Logins => resident(logged_in()?.pid())?,
        After::Quiet => {
            let house = logged_in()?;
            thread::sleep(QUIET);
            let read = house.get("/api/secrets")?;
            Crowd::connect(house.address(), 32)?.ask(Pace::AtOnce, Duration::from_secs(1), &|_, _| read.clone())?;
            resident(house.pid())?
        }
    };
    println!("resident, MiB: {mebibytes:.2}");
    Ok(())
}

/// A server at which some hundred people have just logged in.
fn logged_in() -> Result<House, Box<dyn Error>> {
    let mut house = House::open();
    let people = house.invite(LOGGING_IN);
    let requests: Vec<_> = people.iter().map(|person| house.login(person)).collect();
    let mut crowd = Crowd::connect(house.address(), LOGGING_IN)?;
    crowd.ask(Pace::AtOnce, Duration::from_secs(3), &|client, _| requests[client].clone())?;
    Ok(house)
}

/// What the system says of a process's memory (`VmRSS`, proc(5)).
fn resident(pid: u32) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: f64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?;
    Ok(kibibytes / 1024.0)
}

/// A server of which nothing is known but where it will listen.
struct Started {
    process: Child,
    address: SocketAddr,
}

impl Started {
    fn begin(project: &Scratch) -> Result<Self, Box<dyn Error>> {
        // Free a moment ago; whoever takes it in between fails the measurement.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = Command::new(dango_server())
            .args(["--listen", &address.to_string()])
            .current_dir(project.path())
            .env_clear()
            .envs(project.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, address })
    }

    fn wait_for_answer(&mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut stream = loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline && self.process.try_wait()?.is_none() => thread::sleep(AGAIN),
                Err(error) => return Err(error.into()),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /api/health HTTP/1.1\r\nhost: localhost:{}\r\n\r\n",
            self.address.port()
        )?;
        let (mut answer, mut block) = (Vec::new(), [0; 4096]);
        loop {
            let count = stream.read(&mut block)?;
            answer.extend_from_slice(&block[..count]);
            match whole(&answer)? {
                Some(200) => return Ok(()),
                None if count > 0 => {}
                other => return Err(format!("the first answer is {other:?}").into()),
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
