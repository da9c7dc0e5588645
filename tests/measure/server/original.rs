//! The earlier Dango as it is published for Python: its own project, made and served by its own commands, asked as ours is.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Answer, Client};
use serde_json::json;

use super::super::Outcome;
use super::rates::wrk;

const EMAIL: &str = "ada@team.example";
/// Below the working directory, so that it can be used again.
const PROJECT: &str = "original";
/// Python has a lot to import, on a machine that may have other things to do.
const PATIENCE: Duration = Duration::from_secs(90);

/// Makes a project with an administrator, as its users do.
pub(super) fn make_project(program: &Path) -> Outcome {
    std::fs::create_dir_all(PROJECT)?;
    let made = command(program, &["init", ".", "--skip-wizard"]).output()?;
    match made.status.success() {
        true => Ok(()),
        false => Err(format!("the earlier Dango makes no project: {}", String::from_utf8_lossy(&made.stderr)).into()),
    }
}

/// Serves that project with its one worker, and has `wrk` ask for something.
pub(super) fn requests(program: &Path, path: &str) -> Outcome {
    let reset = command(program, &["auth", "reset-password", EMAIL]).output()?;
    let said = String::from_utf8_lossy(&reset.stdout).into_owned();
    // The word may be set in bold.
    let password = said.split_whitespace().skip_while(|word| !word.contains("Password:")).nth(1);
    let password = password.ok_or_else(|| format!("the earlier Dango gives no password: {said}"))?;
    let server = Served::begin(program)?;
    let mut client = Client::of(&format!("http://{}", server.address));
    let login = json!({"email": EMAIL, "password": password}).to_string();
    let answer = server.wait_for(&mut client, &login)?;
    if answer.status != 200 {
        return Err(format!("the earlier Dango lets nobody in: {} {}", answer.status, answer.text).into());
    }
    let session = client.cookie("dango_session").ok_or("the login has set no cookie")?;
    wrk(server.address, path, &format!("dango_session={session}"))
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(PROJECT)
        .env("NO_COLOR", "1")
        .env("DANGO_ADMIN_EMAIL", EMAIL)
        .env("DANGO_TELEMETRY_DISABLED", "1")
        // What it would fetch has no part in this; nothing listens there.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .stdin(Stdio::null());
    command
}

struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    fn begin(program: &Path) -> Result<Self, Box<dyn Error>> {
        // Free a moment ago; whoever takes it in between fails the measurement.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = command(program, &["web", "--host", "127.0.0.1", "--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, address })
    }

    /// The answer to a login, once the server answers at all.
    fn wait_for(&self, client: &mut Client, login: &str) -> Result<Answer, Box<dyn Error>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match client.try_send("POST", "/api/auth/login", &[], Some(login)) {
                Ok(answer) => return Ok(answer),
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(format!("the earlier Dango does not answer: {error}").into()),
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
