//! The comparisons of the running server: with the earlier Dango, with what cores and disk allow, and with itself under too much load.

use std::path::Path;

use super::cases::{Case, Measure, Others, Ours, Unit};
use super::measurement::Contestant;
use super::projects;
use crate::step::Failure;

/// Those that are compared with the earlier Dango, which has to be installed first.
const AGAINST_THE_ORIGINAL: [&str; 2] = ["server-me", "server-secrets"];

/// Whether a case needs the earlier Dango.
pub(super) fn needs_original(name: &str) -> bool {
    AGAINST_THE_ORIGINAL.contains(&name)
}

/// Whether a case does without the examples of other packages, which take a while to build.
pub(super) fn needs_no_example(name: &str) -> bool {
    name.starts_with("server-") || name.starts_with("postgres-")
}

/// Names the contestants of a case; nothing for a name that is not of the server.
pub(super) fn prepare(name: &str, folder: &Path, ours: &Ours, others: &Others) -> Result<Option<Case>, Failure> {
    let contest = Contest { ours, folder };
    let case = match name {
        "server-me" => contest.reads("/api/auth/me", &others.original),
        "server-secrets" => contest.reads("/api/secrets", &others.original),
        "server-logins" => contest.logins(),
        "server-changes" => contest.changes(),
        "server-answers" => contest.answers(),
        "server-overload" => contest.overload(),
        "server-overload-reads" => contest.overload_of_reads(),
        "server-refusals" => contest.refusals(),
        "server-memory" => contest.memory(),
        "server-start" => contest.start(),
        "server-run" => contest.held_run(),
        _ => return Ok(None),
    };
    projects::with_credentials(folder, 0)?;
    Ok(Some(case))
}

const CROWD: &str = "400 at once, each again as soon as they are answered";
const RATE: &str = "20 times as many a second as there can be";

/// Where our server takes part: the programs, and the folder that they are started in.
struct Contest<'c> {
    ours: &'c Ours,
    folder: &'c Path,
}

impl Contest<'_> {
    fn reads(&self, path: &str, original: &Path) -> Case {
        const FIGURE: &str = "requests a second: ";
        let original = original.to_string_lossy();
        let case = served(
            Unit::PerSecond,
            format!("`GET {path}`, signed in, asked by `wrk` over 32 connections"),
            "Ours is to answer at least 100 times as many, so *relative* is to be at most 0.01.",
            vec![
                self.run("`dango-server`", &["requests", path]).reporting(FIGURE),
                self.run("`dango web` of getdango 1.0.13, one worker", &["original", &original, path])
                    .reporting(FIGURE),
            ],
        );
        Case {
            preparations: vec![self.run("the project of the earlier Dango", &["original-project", &original])],
            ..case
        }
    }

    fn logins(&self) -> Case {
        served(
            Unit::PerSecond,
            "`POST /api/auth/login` by 20 at once, each with its session and its audit record",
            "Logins are to be at least 0.85 of the bare hashes, so *relative* at most 1.18.",
            vec![
                self.run("logins", &["logins"]).reporting("logins a second: "),
                Contestant::new(
                    "the `argon2` crate alone, on all cores",
                    &self.ours.measure,
                    &["argon2id", "300"],
                    self.folder,
                )
                .reporting("hashes a second: "),
            ],
        )
    }

    fn changes(&self) -> Case {
        const FIGURE: &str = "replacements a second: ";
        served(
            Unit::PerSecond,
            "`POST /api/secrets` by 20 at once, each in `.env` and in the audit log, on the disk",
            "Changes are to be at least half of the replacements, so *relative* at most 2.",
            vec![
                self.run("changes", &["changes"]).reporting("changes a second: "),
                self.run(
                    "write, fsync, rename, fsync of the directory, one after the other",
                    &["replacements", "1"],
                )
                .reporting(FIGURE),
                self.run("the same by 20 at once, each a file of its own", &["replacements", "20"])
                    .reporting(FIGURE),
            ],
        )
    }

    fn answers(&self) -> Case {
        const FIGURE: &str = "slowest hundredth, ms: ";
        served(
            Unit::Milliseconds,
            "`GET /api/auth/me`, signed in, 500 a second: the slowest hundredth takes at least",
            "During a storm of logins it is to be at most 3 times what it is without, and below 20 ms.",
            vec![
                self.run("while nothing else is asked", &["answers", "idle"]).reporting(FIGURE),
                self.run("while 100 log in, each again as soon as they are answered", &["answers", "storm"])
                    .reporting(FIGURE),
            ],
        )
    }

    fn overload(&self) -> Case {
        let logins = |label, load| self.run(label, &["overload", load]).reporting("logins a second: ");
        served(
            Unit::PerSecond,
            "Logins under 20 times the load that the server bears",
            "What is still done is to be at least 0.9 of what is done at most; those who ask share the server's cores.",
            vec![
                logins("20 at once, which keep the cores busy", "peak"),
                logins(CROWD, "crowd"),
                logins(RATE, "rate"),
            ],
        )
    }

    fn refusals(&self) -> Case {
        let refusals = |label, load| {
            self.run(label, &["overload", load])
                .reporting("slowest hundredth of the refusals, ms: ")
        };
        served(
            Unit::Milliseconds,
            "Refused logins under 20 times the load that the server bears: the slowest hundredth takes at least",
            "To be below 20 ms.",
            vec![refusals(CROWD, "crowd"), refusals(RATE, "rate")],
        )
    }

    fn overload_of_reads(&self) -> Case {
        let reads = |label, connections| self.run(label, &["overload", "reads", connections]).reporting("reads a second: ");
        served(
            Unit::PerSecond,
            "`GET /api/auth/me`, signed in, over 20 times the connections that keep the cores busy",
            "What is still done is to be at least 0.9 of what is done at most.",
            vec![reads("32 connections", "32"), reads("640 connections", "640")],
        )
    }

    fn memory(&self) -> Case {
        let memory = |label, after| self.run(label, &["memory", after]).reporting("resident, MiB: ");
        served(
            Unit::Mebibytes,
            "Memory that the server holds",
            "To be at most 25 MiB after the start; what passwords were hashed in is to go back where it is quiet.",
            vec![
                memory("after the start", "start"),
                memory("after three seconds of logins", "logins"),
                memory("a while later, in which nobody has logged in", "quiet"),
            ],
        )
    }

    fn start(&self) -> Case {
        let start = |label, which| self.run(label, &["start", which]).reporting("first answer, ms: ");
        Case {
            goal: Some("To be at most 150 ms."),
            ..Case::new(
                "From the start of the server's process to its first answer",
                vec![
                    start("the first start of a project, which makes database and identity key", "first"),
                    start("a later start", "later"),
                ],
            )
        }
    }

    fn held_run(&self) -> Case {
        let run = |label, held| self.run(label, &["run", held]).reporting("median of a run, ms: ");
        served(
            Unit::Milliseconds,
            "`dango run -- true` with 100 credentials",
            "On a server's project it is to take at most 15 ms more, over loopback.",
            vec![
                run("of the project here", "here"),
                run("of the project on a server, over loopback", "there"),
            ],
        )
    }

    /// The program that measures; it finds our programs where they were built.
    fn run(&self, label: &str, arguments: &[&str]) -> Contestant {
        Contestant::new(label, &self.ours.measure, &[&["server"], arguments].concat(), self.folder)
            .with("DANGO_TEST_BINARY", &self.ours.dango.to_string_lossy())
            .with("DANGO_TEST_SERVER", &self.ours.server.to_string_lossy())
    }
}

fn served(unit: Unit, title: impl Into<String>, goal: &'static str, contestants: Vec<Contestant>) -> Case {
    Case {
        measure: Measure::Server(unit),
        goal: Some(goal),
        ..Case::new(title, contestants)
    }
}
