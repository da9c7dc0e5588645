//! The comparisons on a PostgreSQL as full as that of a large team: the servers on it beside what the database does by itself.

use std::fs;
use std::path::Path;

use super::cases::{Case, Measure, Ours, Unit};
use super::measurement::Contestant;
use super::projects;
use crate::step::Failure;

/// Where the cluster lies, below the folder of all cases: it is filled once for all of them.
const CLUSTER: &str = "postgres";

/// Names the contestants of a case; nothing for a name that is not of these.
pub(super) fn prepare(name: &str, folder: &Path, ours: &Ours) -> Option<Case> {
    let contest = Contest { ours, folder };
    let case = match name {
        "postgres-session" => contest.session(),
        "postgres-audit-page" => contest.pages(),
        "postgres-login" => contest.logins(),
        "postgres-nodes" => contest.nodes(),
        "postgres-cost" => contest.cost(),
        "postgres-appends" => contest.appends(),
        "postgres-migrate" => contest.migrate(),
        _ => return None,
    };
    projects::with_credentials(&contest.project(), 0).ok()?;
    Some(Case {
        preparations: vec![contest.run("the database", &["fill"])],
        ..case
    })
}

/// Removes the cluster, which is large.
pub(super) fn clear(folder: &Path) -> Result<(), Failure> {
    let cluster = folder.join(CLUSTER);
    match cluster.exists() {
        true => fs::remove_dir_all(&cluster).map_err(|error| Failure::new(format!("cannot remove {}: {error}", cluster.display()))),
        false => Ok(()),
    }
}

/// Where it takes place: the programs, and the folder of all cases.
struct Contest<'c> {
    ours: &'c Ours,
    folder: &'c Path,
}

impl Contest<'_> {
    fn session(&self) -> Case {
        Case {
            measure: Measure::Micros,
            goal: Some("A check is to take less than 2 ms, with the database on the same machine."),
            ..self.case(
                "A session check in PostgreSQL: row, seal, limits, user, second factor, lock",
                vec![
                    self.run("`authenticate`", &["session"]).reporting("session check: "),
                    self.run("`pgbench`, the session's row alone", &["row"]).reporting("row: "),
                    self.run("`pgbench`, `SELECT 1`", &["round-trip"]).reporting("round trip: "),
                ],
            )
        }
    }

    fn pages(&self) -> Case {
        const FIGURE: &str = "page, ms: ";
        let page = |label, which| self.run(label, &["page", which]).reporting(FIGURE);
        Case {
            measure: Measure::Server(Unit::Milliseconds),
            goal: Some("A page is to take less than 50 ms."),
            ..self.case(
                "`GET /api/admin/audit?limit=50`, the log in PostgreSQL",
                vec![
                    page("the newest", "newest"),
                    page("from the middle on", "middle"),
                    page("of one event, from the middle on", "event"),
                    page("of one person by their address", "actor"),
                    page("of one day in the middle", "day"),
                    self.run("`pgbench`, the newest rows alone", &["rows"]).reporting(FIGURE),
                ],
            )
        }
    }

    fn logins(&self) -> Case {
        const FIGURE: &str = "logins a second: ";
        Case {
            measure: Measure::Server(Unit::PerSecond),
            goal: Some("Logins are to be limited by the hashes alone; who asks, the database and the server share the cores."),
            ..self.case(
                "`POST /api/auth/login` by 20 at once, one server",
                vec![
                    self.run("on PostgreSQL", &["logins"]).reporting(FIGURE),
                    self.plain("the same server on SQLite, empty", &["server", "logins"])
                        .reporting(FIGURE),
                    self.plain("the `argon2` crate alone, on all cores", &["argon2id", "300"])
                        .reporting("hashes a second: "),
                ],
            )
        }
    }

    fn nodes(&self) -> Case {
        const FIGURE: &str = "reads a second: ";
        let reads = |label, nodes| self.run(label, &["reads", nodes]).reporting(FIGURE);
        Case {
            measure: Measure::Server(Unit::PerSecond),
            goal: Some("All of it on the cores of one machine: who asks, the servers and the database."),
            ..self.case(
                "`GET /api/auth/me`, signed in, by 30 at once, on PostgreSQL",
                vec![
                    reads("one server", "1"),
                    reads("two servers", "2"),
                    reads("three servers", "3"),
                    self.plain("one server on SQLite, empty, by 32 at once", &["server", "overload", "reads", "32"])
                        .reporting(FIGURE),
                ],
            )
        }
    }

    fn cost(&self) -> Case {
        let cost = |label, what| self.run(label, &["cost", what]).reporting("processor time, µs: ");
        Case {
            measure: Measure::Micros,
            goal: Some("Processor time, which other work on the machine changes little."),
            ..self.case(
                "What a request costs the processors",
                vec![
                    cost("a signed-in read, at the server", "read-server"),
                    cost("a signed-in read, in the database", "read-database"),
                    cost("a login with its hash, at the server", "login-server"),
                    cost("a login, in the database", "login-database"),
                    cost("`pgbench`, `SELECT 1`, in the database", "round-trip-database"),
                ],
            )
        }
    }

    fn appends(&self) -> Case {
        let appends = |label, stores| self.run(label, &["appends", stores]).reporting("appends a second: ");
        let inserts = |label, clients| self.run(label, &["inserts", clients]).reporting("inserts a second: ");
        Case {
            measure: Measure::PerSecond,
            goal: Some("Servers take turns at writing, so more of them are to write as much as one."),
            ..self.case(
                "Appends to the audit log in PostgreSQL, one record in a transaction, each on the disk before the answer",
                vec![
                    appends("one server, 32 at once", "1"),
                    appends("three servers, 32 at once each", "3"),
                    inserts("`pgbench`, a plain `INSERT` by 32 at once", "32"),
                    inserts("`pgbench`, the same one after the other", "1"),
                ],
            )
        }
    }

    fn migrate(&self) -> Case {
        let told = |label, figure| self.run(label, &["move"]).reporting(figure);
        let title = format!(
            "`dango-server migrate` from SQLite, under a server that is asked by ten at once; {} users, sessions and API keys",
            grouped(u64::from(self.ours.people))
        );
        Case {
            measure: Measure::Server(Unit::Milliseconds),
            goal: Some("No request is to fail, and whoever writes is to wait for less than five seconds."),
            ..Case::new(
                title,
                vec![
                    told("for how long whoever writes was held back", "pause, ms: "),
                    told("the slowest answer to a read, an invitation or a login", "slowest answer, ms: "),
                    told("the whole move", "whole move, ms: "),
                ],
            )
        }
    }

    /// A case whose title says how full the database is.
    fn case(&self, title: &str, contestants: Vec<Contestant>) -> Case {
        let people = u64::from(self.ours.people);
        let title = format!(
            "{title}; {} users, {} sessions, {} audit records",
            grouped(people),
            grouped(people * 10),
            grouped(people * 100)
        );
        Case::new(title, contestants)
    }

    /// What is measured on the cluster.
    fn run(&self, label: &str, words: &[&str]) -> Contestant {
        let (cluster, people) = (self.folder.join(CLUSTER), self.ours.people.to_string());
        self.plain(label, &[&["postgres", &cluster.to_string_lossy(), &people], words].concat())
    }

    /// What is measured without it. The program finds ours where they were built.
    fn plain(&self, label: &str, words: &[&str]) -> Contestant {
        Contestant::new(label, &self.ours.measure, words, &self.project())
            .with("DANGO_TEST_BINARY", &self.ours.dango.to_string_lossy())
            .with("DANGO_TEST_SERVER", &self.ours.server.to_string_lossy())
    }

    fn project(&self) -> std::path::PathBuf {
        self.folder.join("beside-postgres")
    }
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([7, 100, 1_000, 1_000_000].map(grouped), ["7", "100", "1,000", "1,000,000"]);
    }
}
