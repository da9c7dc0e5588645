//! The server under more load than it can bear: what it still does, how fast it refuses, and how long others wait meanwhile.

use std::error::Error;
use std::thread;
use std::time::Duration;

use super::super::Outcome;
use super::crowd::{Answered, Crowd, Pace};
use super::house::House;
use super::rates::LOGGING_IN;

const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(4);
/// So many times the load that the server can bear.
const TIMES: usize = 20;
/// Where clients ask by the clock, there are enough that one is always free.
const ENOUGH: usize = 1000;
/// How often somebody reads whose answers are timed.
const BEAT: Duration = Duration::from_millis(2);

/// What else the server does.
#[derive(Clone, Copy)]
pub(super) enum Beside {
    Nothing,
    /// Many more log in than the cores can hash for.
    Storm,
}

/// How long the slowest hundredth of a signed-in reader's answers take at least.
pub(super) fn answers(beside: Beside) -> Outcome {
    let mut house = House::open();
    let people = house.invite(LOGGING_IN);
    let read = house.get("/api/auth/me")?;
    let logins: Vec<_> = people.iter().map(|person| house.login(person)).collect();
    // Enough that one waits for no other's answer.
    let mut readers = Crowd::connect(house.address(), 8)?;
    let answers = thread::scope(|scope| {
        let storm = match beside {
            Beside::Nothing => None,
            Beside::Storm => {
                let mut crowd = Crowd::connect(house.address(), LOGGING_IN * 5).map_err(|error| error.to_string())?;
                let (time, logins) = (WARM_UP + TIME + WARM_UP, &logins);
                Some(scope.spawn(move || {
                    let question = |client: usize, _| logins[client % logins.len()].clone();
                    crowd
                        .ask(Pace::AtOnce, time, &question)
                        .map(|_| ())
                        .map_err(|error| error.to_string())
                }))
            }
        };
        let question = |_, _| read.clone();
        let mut ask = |time| readers.ask(Pace::Every(BEAT), time, &question).map_err(|error| error.to_string());
        ask(WARM_UP)?;
        let answers = ask(TIME)?;
        match storm.map(thread::ScopedJoinHandle::join) {
            Some(Err(_)) => Err("a thread panicked".to_owned()),
            Some(Ok(stormed)) => stormed.map(|()| answers),
            None => Ok(answers),
        }
    })?;
    if let Some(other) = answers.iter().find(|answer| answer.status != 200) {
        return Err(format!("one was answered {}", other.status).into());
    }
    println!("slowest hundredth, ms: {:.3}", slowest_hundredth(&answers)?);
    Ok(())
}

/// How many log in at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// As many as keep the cores busy.
    Peak,
    /// Twenty times as many, each back as soon as it is answered.
    Crowd,
    /// Twenty times as often as there can be logins, by the clock.
    Rate,
}

/// How many are let in a second, and how long those wait that are refused.
pub(super) fn logins(load: Load) -> Outcome {
    let mut house = House::open();
    let people = house.invite(LOGGING_IN);
    let requests: Vec<_> = people.iter().map(|person| house.login(person)).collect();
    let question = |client: usize, asked: usize| requests[(client + asked) % requests.len()].clone();
    let (count, pace) = match load {
        Load::Peak => (LOGGING_IN, Pace::AtOnce),
        Load::Crowd => (LOGGING_IN * TIMES, Pace::AtOnce),
        Load::Rate => {
            let mut few = Crowd::connect(house.address(), LOGGING_IN)?;
            few.ask(Pace::AtOnce, WARM_UP, &question)?;
            let peak = few.ask(Pace::AtOnce, TIME, &question)?.len().max(1);
            (ENOUGH, Pace::Every(TIME / u32::try_from(peak * TIMES)?))
        }
    };
    let mut crowd = Crowd::connect(house.address(), count)?;
    crowd.ask(pace, WARM_UP, &question)?;
    tell("logins", &crowd.ask(pace, TIME, &question)?)
}

/// How many signed-in reads are answered a second over so many connections at once.
pub(super) fn reads(connections: usize) -> Outcome {
    let house = House::open();
    let read = house.get("/api/auth/me")?;
    let mut crowd = Crowd::connect(house.address(), connections)?;
    crowd.ask(Pace::AtOnce, WARM_UP, &|_, _| read.clone())?;
    tell("reads", &crowd.ask(Pace::AtOnce, TIME, &|_, _| read.clone())?)
}

fn tell(what: &str, answers: &[Answered]) -> Outcome {
    let (done, rest): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    if let Some(other) = rest.iter().find(|answer| !matches!(answer.status, 429 | 503)) {
        return Err(format!("one was answered {}", other.status).into());
    }
    println!("{what} a second: {:.2}", done.len() as f64 / TIME.as_secs_f64());
    println!("refusals a second: {:.2}", rest.len() as f64 / TIME.as_secs_f64());
    if !rest.is_empty() {
        println!("slowest hundredth of the refusals, ms: {:.2}", slowest_hundredth(rest)?);
    }
    Ok(())
}

/// Milliseconds that one of a hundred takes at least.
fn slowest_hundredth<'a>(answers: impl IntoIterator<Item = &'a Answered>) -> Result<f64, Box<dyn Error>> {
    let mut took: Vec<f64> = answers.into_iter().map(|answer| answer.took.as_secs_f64() * 1000.0).collect();
    took.sort_by(f64::total_cmp);
    took.get(took.len() * 99 / 100).copied().ok_or_else(|| "there was no answer".into())
}
