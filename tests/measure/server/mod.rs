//! The release server over loopback HTTP, beside what the same cores and the same disk can do otherwise. Every measurement prints one figure.

pub(super) mod crowd;
mod held;
pub(super) mod house;
mod load;
mod original;
pub(super) mod rates;
mod replacements;
mod start;

use super::Outcome;

pub(super) const USAGE: &str = "server requests PATH | server original-project PROGRAM | server original PROGRAM PATH | server logins \
                                | server changes | server replacements THREADS | server answers idle|storm | server start first|later \
                                | server memory start|logins|quiet | server overload peak|crowd|rate | server overload reads CONNECTIONS | server run here|there";

pub(super) fn run(words: &[&str]) -> Outcome {
    match words {
        ["requests", path] => rates::requests(path),
        ["original-project", program] => original::make_project(program.as_ref()),
        ["original", program, path] => original::requests(program.as_ref(), path),
        ["logins"] => rates::logins(),
        ["changes"] => rates::changes(),
        ["replacements", threads] => replacements::replace(threads.parse()?),
        ["answers", "idle"] => load::answers(load::Beside::Nothing),
        ["answers", "storm"] => load::answers(load::Beside::Storm),
        ["start", "first"] => start::first_answer(start::Which::First),
        ["start", "later"] => start::first_answer(start::Which::Later),
        ["memory", "start"] => start::memory(start::After::Start),
        ["memory", "logins"] => start::memory(start::After::Logins),
        ["memory", "quiet"] => start::memory(start::After::Quiet),
        ["run", "here"] => held::run(held::Held::Here),
        ["run", "there"] => held::run(held::Held::OnServer),
        ["overload", "peak"] => load::logins(load::Load::Peak),
        ["overload", "crowd"] => load::logins(load::Load::Crowd),
        ["overload", "rate"] => load::logins(load::Load::Rate),
        ["overload", "reads", connections] => load::reads(connections.parse()?),
        _ => Err(format!("usage: measure {USAGE}").into()),
    }
}
