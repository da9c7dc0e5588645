//! What several servers on one database do in a second, and what a request costs the processors of a server and of the database.

use std::error::Error;
use std::thread;
use std::time::Duration;

use super::super::Outcome;
use super::super::server::crowd::{Answered, Crowd, Pace};
use super::super::server::house::House;
use super::super::server::rates::LOGGING_IN;
use super::bare;
use super::filled::Filled;
use super::processor;

const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(4);
/// As many ask at once, of however many servers.
const READERS: usize = 30;

/// How many signed-in reads so many servers answer in a second, all asked at once by the same number of clients.
pub(super) fn reads(filled: &Filled, nodes: usize) -> Outcome {
    let houses = (0..nodes).map(|_| filled.house()).collect::<Result<Vec<_>, _>>()?;
    let answered = thread::scope(|scope| {
        let asking: Vec<_> = houses
            .iter()
            .map(|house| scope.spawn(move || read(house, READERS / nodes).map_err(|error| error.to_string())))
            .collect();
        let mut answered = 0;
        for asking in asking {
            answered += asking.join().map_err(|_| "a thread panicked".to_owned())??;
        }
        Ok::<usize, String>(answered)
    })?;
    println!("reads a second: {:.2}", answered as f64 / TIME.as_secs_f64());
    Ok(())
}

fn read(house: &House, clients: usize) -> Result<usize, Box<dyn Error>> {
    let read = house.get("/api/auth/me")?;
    let mut crowd = Crowd::connect(house.address(), clients)?;
    crowd.ask(Pace::AtOnce, WARM_UP, &|_, _| read.clone())?;
    all_well(&crowd.ask(Pace::AtOnce, TIME, &|_, _| read.clone())?)
}

/// How many log in a second, each somebody else.
pub(super) fn logins(filled: &Filled) -> Outcome {
    let house = filled.house()?;
    println!("logins a second: {:.2}", log_in(&house)? as f64 / TIME.as_secs_f64());
    Ok(())
}

fn log_in(house: &House) -> Result<usize, Box<dyn Error>> {
    let people: Vec<_> = (0..LOGGING_IN).map(House::person).collect();
    let requests: Vec<_> = people.iter().map(|person| house.login(person)).collect();
    let question = |client: usize, _| requests[client].clone();
    let mut crowd = Crowd::connect(house.address(), LOGGING_IN)?;
    crowd.ask(Pace::AtOnce, WARM_UP, &question)?;
    all_well(&crowd.ask(Pace::AtOnce, TIME, &question)?)
}

fn all_well(answers: &[Answered]) -> Result<usize, Box<dyn Error>> {
    match answers.iter().find(|answer| answer.status != 200) {
        Some(other) => Err(format!("one was answered {}", other.status).into()),
        None => Ok(answers.len()),
    }
}

/// Processor time of one request, at the server or in the database.
pub(super) fn cost(filled: &Filled, what: &str) -> Outcome {
    let (work, at) = what.rsplit_once('-').ok_or(super::USAGE)?;
    let house = filled.house()?;
    let spent = || match at {
        "server" => processor::of_process(house.pid()),
        _ => processor::of_database(&filled.postgres),
    };
    // What it costs to warm up is spent on work that counts.
    let begun = spent()?;
    let done = match work {
        "read" => reads_with_warm_up(&house)?,
        "login" => logins_with_warm_up(&house)?,
        "round-trip" => bare::ask(filled, "SELECT 1;", "8")?.per_second * 4.0,
        _ => return Err(super::USAGE.into()),
    };
    println!("processor time, µs: {:.2}", (spent()? - begun) / done);
    Ok(())
}

fn reads_with_warm_up(house: &House) -> Result<f64, Box<dyn Error>> {
    let read = house.get("/api/auth/me")?;
    let mut crowd = Crowd::connect(house.address(), READERS)?;
    Ok(all_well(&crowd.ask(Pace::AtOnce, TIME, &|_, _| read.clone())?)? as f64)
}

fn logins_with_warm_up(house: &House) -> Result<f64, Box<dyn Error>> {
    let requests: Vec<_> = (0..LOGGING_IN).map(|number| house.login(&House::person(number))).collect();
    let mut crowd = Crowd::connect(house.address(), LOGGING_IN)?;
    Ok(all_well(&crowd.ask(Pace::AtOnce, TIME, &|client, _| requests[client].clone())?)? as f64)
}
