//! How long `dango run` takes with a project here and with one that a server holds, on the same machine.

use std::fmt::Write;
use std::time::Instant;

use dango_tests::{Scratch, Server};
use serde_json::json;

use super::super::Outcome;

const CREDENTIALS: usize = 100;
const RUNS: usize = 31;
const EMAIL: &str = "ada@team.example";
const PASSWORD: &str = "correct horse battery staple";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Here,
    OnServer,
}

pub(super) fn run(held: Held) -> Outcome {
    let project = Scratch::initialised();
    let mut text = String::new();
    for number in 0..CREDENTIALS {
        writeln!(text, "[sources.source_{number}]\napi_key = \"sk_live_{number:032}\"")?;
    }
    project.write(".dlt/secrets.toml", text);
    let server = Server::start(&project);
    server.claim(EMAIL, PASSWORD);
    let body = json!({"name": "bench", "scopes": ["source.view_credentials"], "expires_in_days": 1});
    let made = server.signed_in(EMAIL, PASSWORD).post("/api/auth/api-keys", &body).json();
    let key = made["key"].as_str().ok_or("no key was made")?;
    let mut taken: Vec<f64> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let run = project.dango(&["run", "--", "true"]);
        let run = match held {
            Held::Here => run,
            Held::OnServer => run.env("DANGO_SERVER_URL", server.url()).env("DANGO_SERVER_KEY", key),
        };
        let begun = Instant::now();
        let ran = run.run();
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
        if ran.status != 0 {
            return Err(ran.stderr.into());
        }
    }
    taken.sort_by(f64::total_cmp);
    println!("median of a run, ms: {:.2}", taken[RUNS / 2]);
    Ok(())
}
