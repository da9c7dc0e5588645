//! `dango vault move` with a real PostgreSQL: there and back, interrupted anywhere, and what everything else does meanwhile.

mod crashes;
mod elsewhere;
mod keys;
mod refusals;
mod server;
mod there_and_back;

use std::collections::BTreeMap;

use dango_tests::{Invocation, Output, Postgres, Scratch};
use serde_json::Value;

use crate::answers::{Answer, set};

/// The role that owns the database and serves, and its password.
const ROLE: &str = "dango";
const PASSWORD: &str = "canary5d21";
/// Part of every value and of no name.
const CANARY: &str = "kanarienvogel";
/// The names of the files that there are in [`filled`], as the project has them.
const FILES: [&str; 5] = [".dango/seals", ".dango/history", ".dango/sources.yml", ".dlt/secrets.toml", ".env"];

/// A server with a database in which nothing is yet.
fn database() -> Postgres {
    let postgres = Postgres::new();
    postgres.role(ROLE, PASSWORD);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {ROLE}"));
    postgres
}

/// A project with values that are encrypted, a previous one, a source, comments and an order of its own; its key in a file.
fn filled() -> Scratch {
    let project = Scratch::initialised();
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    project.write(
        ".dlt/secrets.toml",
        format!(
            "# the first line\n\n[sources.shop]  # of the shop\nzeta = 'z-{CANARY}'\nstripe_secret_key = \"k-{CANARY}\" # why\n\n\n\
             [destination.duckdb]\r\ncredentials = \"d-{CANARY}\"\r\n# the last line"
        ),
    );
    project.write(
        ".env",
        format!("# variables\nexport ZULU_TOKEN='t-{CANARY}'\n\nALPHA_URL=\"https://{CANARY}.example\" # where\n"),
    );
    project.write(
        ".dango/sources.yml",
        "sources:\n  - {name: shop, type: stripe, sync: 'touch started'}\n",
    );
    let _ = project.command("chmod", &["600", ".dlt/secrets.toml", ".env"]).run().success();
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    let _ = project.run(&["env", "encrypt", "--all"]).success();
    set(&project, "sources.shop.stripe_secret_key", &format!("second-{CANARY}"));
    project
}

/// A move, answered with yes, told of the database by the environment as a server is.
fn moving(project: &Scratch, postgres: &Postgres, to: &str) -> Invocation {
    project
        .dango(&["vault", "move", "--to", to, "--yes"])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, PASSWORD, "dango"))
}

/// The same by an option, with no setting that names PostgreSQL: then the log is the project's own, and so is its identity key.
fn moving_alone(project: &Scratch, postgres: &Postgres, to: &str) -> Invocation {
    let url = format!("postgres://{ROLE}@127.0.0.1:{}/dango", postgres.port());
    project
        .dango(&["vault", "move", "--to", to, "--yes", "--database-url", &url])
        .env("PGPASSWORD", PASSWORD)
}

#[track_caller]
fn moved(project: &Scratch, postgres: &Postgres, to: &str) -> Output {
    let output = moving(project, postgres, to).run().success();
    assert!(!format!("{}{}", output.stdout, output.stderr).contains(PASSWORD));
    output
}

#[track_caller]
fn status(project: &Scratch, postgres: &Postgres) -> Value {
    let url = postgres.url(ROLE, PASSWORD, "dango");
    let status = project.dango(&["vault", "status", "--json"]).env("DANGO_SERVER_DATABASE_URL", url);
    status.run().success().json()
}

/// The shared files that are there, with what they hold.
fn contents(project: &Scratch) -> BTreeMap<&'static str, Vec<u8>> {
    let all = FILES.into_iter().chain([".dango/providers.toml", ".dango/rotations"]);
    let there = all.filter(|file| project.path().join(file).exists());
    there.map(|file| (file, project.read_bytes(file))).collect()
}

/// How many rows there are of how many projects.
fn rows(postgres: &Postgres) -> String {
    postgres.sql("dango", "SELECT count(*), count(DISTINCT project) FROM dango.project_files")
}
