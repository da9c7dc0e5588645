//! What `cargo xtask bench` measures: inside one process logins, session checks, appends, verification, refusals; and of running servers. It prints figures and judges none.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own reads its arguments and prints what it measured"
)]

mod log;
mod logins;
mod postgres;
mod server;
mod sessions;

use std::error::Error;
use std::path::Path;

use dango_core::SecretValue;
use dango_identity::IdentityKey;
use dango_tests::refusals::{self, Meter, Refusal};
use log::Against;

type Outcome = Result<(), Box<dyn Error>>;

const USAGE: &str = "usage: measure logins COUNT | argon2id COUNT | session-checks DATABASE KEY | appends THREADS COUNT \
                     | verification[-to-checkpoint] DATABASE KEY | refusals COUNT";

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["server", what @ ..] = words.as_slice() {
        return server::run(what);
    }
    if let ["postgres", folder, users, what @ ..] = words.as_slice() {
        return postgres::run(Path::new(folder), users, what);
    }
    let folder = tempfile::tempdir()?;
    match words.as_slice() {
        ["logins", count] => logins::with_password(folder.path(), count.parse()?),
        ["argon2id", count] => logins::raw_argon2id(count.parse()?),
        ["session-checks", database, key] => sessions::check(Path::new(database), &identity_key(key)?),
        ["appends", threads, count] => log::append(folder.path(), threads.parse()?, count.parse()?),
        ["verification", database, key] => log::verify(Path::new(database), &identity_key(key)?, Against::Nothing),
        ["verification-to-checkpoint", database, key] => log::verify(Path::new(database), &identity_key(key)?, Against::Checkpoint),
        ["refusals", count] => refuse(folder.path(), count.parse()?),
        _ => Err(format!("{USAGE} | {}", postgres::USAGE).into()),
    }
}

/// One line for each login that was refused: why, and how many microseconds it took.
fn refuse(folder: &Path, count: usize) -> Outcome {
    let wanted = Refusal::ALIKE.map(|refusal| (refusal, count));
    for (refusal, micros) in refusals::sample(folder, &wanted, Meter::WallClock)? {
        println!("{refusal}: {micros:.1}");
    }
    Ok(())
}

fn identity_key(file: &str) -> Result<IdentityKey, Box<dyn Error>> {
    Ok(IdentityKey::parse_file(&SecretValue::new(std::fs::read_to_string(file)?)?)?)
}

/// Spreads work over so many threads.
fn spread<E: Send>(threads: usize, work: impl Fn(usize) -> Result<(), E> + Sync) -> Result<(), Box<dyn Error>>
where
    Box<dyn Error>: From<E>,
{
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| {
                let work = &work;
                scope.spawn(move || work(number))
            })
            .collect();
        for thread in running {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
