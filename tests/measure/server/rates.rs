//! How much of one thing the server does in a second: reads as `wrk` asks for them, logins, changes that are on the disk.

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::super::Outcome;
use super::crowd::{Answered, Crowd, Pace};
use super::house::House;

/// How long is measured, after a moment that warms up.
const TIME: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
/// As many as ask at once where reads are measured.
const READERS: usize = 32;
/// As many as the issue of the server names for changes.
const WRITERS: usize = 20;
/// So many log in at once: cores are busy then, whatever a login waits for.
pub(crate) const LOGGING_IN: usize = 20;

pub(super) fn requests(path: &str) -> Outcome {
    let house = House::open();
    wrk(house.address(), path, &house.cookie()?)
}

/// Has `wrk` ask for something with one thread, and prints how often it was answered well.
pub(super) fn wrk(address: SocketAddr, path: &str, cookie: &str) -> Outcome {
    ask_with_wrk(address, path, cookie, WARM_UP)?;
    println!("requests a second: {:.2}", ask_with_wrk(address, path, cookie, TIME)?);
    Ok(())
}

fn ask_with_wrk(address: SocketAddr, path: &str, cookie: &str, time: Duration) -> Result<f64, Box<dyn Error>> {
    let asked = Command::new("wrk")
        // The earlier Dango takes seconds for an answer where the machine is busy, and that is none that fails.
        .args(["--threads", "1", "--connections", &READERS.to_string(), "--timeout", "60s"])
        .args(["--duration", &format!("{}s", time.as_secs())])
        .args([
            "--header",
            &format!("cookie: {cookie}"),
            "--header",
            &format!("Host: localhost:{}", address.port()),
        ])
        .arg(format!("http://{address}{path}"))
        .output()
        .map_err(|error| format!("cannot start wrk: {error}; it is a Debian package of that name"))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    if !asked.status.success() || said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(format!("{path} is not answered well: {said}{}", String::from_utf8_lossy(&asked.stderr)).into());
    }
    let rate = said.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(rate.ok_or("wrk tells no rate")?.trim().parse()?)
}

/// Whole logins, each from somebody else.
pub(super) fn logins() -> Outcome {
    let mut house = House::open();
    let people = house.invite(LOGGING_IN);
    let requests: Vec<_> = people.iter().map(|person| house.login(person)).collect();
    let mut crowd = Crowd::connect(house.address(), LOGGING_IN)?;
    let question = |client: usize, _| requests[client].clone();
    crowd.ask(Pace::AtOnce, WARM_UP, &question)?;
    let rate = rate(&crowd.ask(Pace::AtOnce, TIME, &question)?, 200)?;
    println!("logins a second: {rate:.2}");
    Ok(())
}

/// Changes of `.env`, each on the disk and in the audit log before it is answered.
pub(super) fn changes() -> Outcome {
    let house = House::open();
    let question = |client: usize, asked: usize| {
        let body = json!({"key": format!("VARIABLE_{client:02}"), "value": format!("synthetic-{asked:08}")});
        house.post("/api/secrets", &body).unwrap_or_default()
    };
    let mut crowd = Crowd::connect(house.address(), WRITERS)?;
    crowd.ask(Pace::AtOnce, WARM_UP, &question)?;
    let rate = rate(&crowd.ask(Pace::AtOnce, TIME, &question)?, 200)?;
    println!("changes a second: {rate:.2}");
    Ok(())
}

/// How many answers there are in a second; all of them have to be of one kind.
fn rate(answers: &[Answered], status: u16) -> Result<f64, Box<dyn Error>> {
    match answers.iter().find(|answer| answer.status != status) {
        Some(other) => Err(format!("one was answered {}", other.status).into()),
        None => Ok(answers.len() as f64 / TIME.as_secs_f64()),
    }
}
