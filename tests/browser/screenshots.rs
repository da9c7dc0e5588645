//! Draws every page in its states, wide and narrow, light and dark, into a folder: for people who review how the pages look.
//!
//! `cargo build --workspace && cargo run -p dango-tests --example screenshots -- FOLDER`
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it is a tool of the tests: it stops loudly, and talks to the one who started it"
)]

use std::path::{Path, absolute};
use std::process::ExitCode;

use dango_tests::Scratch;
use dango_tests::browser::{exhibition, run_script};

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        println!("usage: cargo run -p dango-tests --example screenshots -- FOLDER");
        return ExitCode::from(2);
    };
    let folder = absolute(Path::new(&folder)).expect("a folder has an absolute path");
    let mut project = Scratch::initialised();
    let server = exhibition(&mut project);
    let folder = folder.to_str().expect("the folder's name is UTF-8");
    let output = run_script("screenshots", &project, &server, &[("DANGO_SCREENSHOTS", folder)]);
    print!("{}{}", output.stdout, output.stderr);
    if output.status == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
