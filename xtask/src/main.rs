//! `cargo xtask setup | test | tidy | bench | seed`: reads the arguments and calls the library, no more.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a build tool is its own edge: it reads the environment and talks to the person who started it"
)]

use std::process::ExitCode;

use xtask::bench::Request;
use xtask::step::Failure;
use xtask::{bench, seed, setup, suite, tidy, workspace};

const USAGE: &str = "usage: cargo xtask COMMAND

  setup                            installs the real tools that the tests compare with (safe to run again)
  test                             setup, then formatting, tidy, clippy, build, every test and the documentation
  tidy                             the rules of the house that no compiler knows
  bench [--write] [--full] [--runs N] [NAME…]
                                   measures the release build against other programs; --full fills a
                                   PostgreSQL as the document tells of, which takes 10 GB for a while;
                                   --write puts the tables into docs/benchmarks.md, and the drawing of
                                   `login-timing` beside it
  seed --database-url sqlite:PATH [--users N] [--sessions N] [--events N] [--identity-key FILE]
                                   fills a database for measurements
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["setup"] => workspace::root().and_then(|root| setup::run(&root).map(|_| ())),
        ["test"] => workspace::root().and_then(|root| suite::run(&root)),
        ["tidy"] => workspace::root().and_then(|root| tidy::run(&root)),
        ["bench", options @ ..] => match Request::parse(options) {
            Ok(request) => workspace::root().and_then(|root| bench::run(&root, &request)),
            Err(failure) => return wrong_usage(&failure),
        },
        ["seed", options @ ..] => workspace::root().and_then(|root| seed::run(&root, options)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        [] => return wrong_usage(&Failure::new("no command is given")),
        [other, ..] => return wrong_usage(&Failure::new(format!("cannot make sense of `{other}` and what follows it"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn wrong_usage(failure: &Failure) -> ExitCode {
    eprintln!("error: {failure}\n\n{USAGE}");
    ExitCode::from(2)
}
