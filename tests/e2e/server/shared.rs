//! Servers that share a project's values in the database: what is set at one is there at the others, once and sealed; who may not come in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dango_core::{OsEntropy, SecretValue, SystemClock};
use dango_keyring::{KeySet, MasterKey};
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_store_postgres::{DatabaseUrl, PostgresStore, ProjectRows, ServingRole};
use dango_tests::provider::{Fake, Gate, Reuse, Rotating, Trouble};
use dango_tests::{Canary, Client, Postgres, Scratch, Server, dango_server};
use dango_vault::{SealedHome, identify, move_to_directory, move_to_rows};
use serde_json::{Value, json};

use super::{EMAIL, PASSWORD, claim};
use crate::answers::set;
use crate::oauth::{expire, rotating_project};

const ROLE: &str = "dango";
const DATABASE_PASSWORD: &str = "canary0a77";
const IDENTITY_KEY: &str = "0b7a6d30c1f84e5592ad3f4b88c6e1705d92ab34c07f61e85a4493bc2de8f016";
const MASTER_KEY: &str = "93c5d8e07f1b42a6a4e96b0c7d31f8528ae04bd96172c3f5508e9ad2b46c7f1e";

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A PostgreSQL server with a database and the role that owns it.
fn database() -> Postgres {
    let postgres = Postgres::new();
    postgres.role(ROLE, DATABASE_PASSWORD);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {ROLE}"));
    postgres
}

/// Tells a project's servers of the database and the keys.
fn tell(project: &mut Scratch, postgres: &Postgres) {
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(ROLE, DATABASE_PASSWORD, "dango"));
    project.give("DANGO_IDENTITY_KEY", IDENTITY_KEY);
    project.give("DANGO_KEY", MASTER_KEY);
}

/// A machine that has nothing of the project yet.
fn fresh(postgres: &Postgres) -> Scratch {
    let mut project = Scratch::initialised();
    tell(&mut project, postgres);
    project
}

/// A project's rows, as the library opens them.
fn rows(project: &Scratch, postgres: &Postgres) -> (Project, SealedHome) {
    let url = DatabaseUrl::parse(&postgres.url(ROLE, DATABASE_PASSWORD, "dango")).expect("an address");
    let store = PostgresStore::connect_as(ServingRole::Any, url, 2, Arc::new(SystemClock)).expect("opened");
    let at = Project::at(project.path());
    let id = identify(&at, &OsEntropy).expect("an id");
    let keys = || {
        let key = MasterKey::parse(&SecretValue::new(MASTER_KEY.to_owned()).expect("text"));
        Ok(KeySet::new(key.expect("a key"), None))
    };
    let rows = Arc::new(ProjectRows::of(Arc::new(store)));
    let home = SealedHome::new(rows, &at, id, Box::new(keys), Arc::new(OsEntropy));
    (at, home)
}

/// Moves a project's values into the database, which has a schema by then.
fn to_rows(project: &Scratch, postgres: &Postgres) {
    let (at, home) = rows(project, postgres);
    move_to_rows(&at, &home, &OsEntropy).expect("moved");
    assert!(!project.path().join(".env").exists());
}

/// A project with a value in rows, and two servers, of which the second came anew.
fn two(postgres: &Postgres) -> ([Scratch; 2], [Server; 2]) {
    let first = fresh(postgres);
    first.write(".env", "# kept\nBEFORE=1\n");
    let server = Server::start(&first);
    claim(&server);
    to_rows(&first, postgres);
    // The one that runs goes on with the rows.
    let second = fresh(postgres);
    let servers = [server, Server::start_with(&second, &["--operations-listen", "127.0.0.1:0"])];
    ([first, second], servers)
}

#[track_caller]
fn put(client: &mut Client, key: &str, value: &str) {
    let answer = client.post("/api/secrets", &json!({"key": key, "value": value}));
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
}

/// The variables, as the page of the secrets has them.
#[track_caller]
fn variables(client: &mut Client) -> BTreeSet<String> {
    let listed = client.get("/api/secrets");
    assert_eq!(listed.status, 200, "{}", listed.text);
    let listed = listed.json();
    let all = listed["env_vars"].as_array().unwrap_or_else(|| panic!("{listed}"));
    all.iter().map(|one| one["key"].as_str().expect("a key").to_owned()).collect()
}

/// The records of one kind.
#[track_caller]
fn records(admin: &mut Client, event: &str) -> Vec<Value> {
    let listed = admin.get(&format!("/api/admin/audit?type={event}&limit=200"));
    assert_eq!(listed.status, 200, "{}", listed.text);
    listed.json()["events"].as_array().expect("a list").clone()
}

/// What a server says that does not start.
#[track_caller]
fn refused(project: &Scratch) -> String {
    let refused = project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    refused.stderr
}

#[test]
fn what_is_set_at_one_server_is_there_at_the_next_request_to_the_other() {
    let postgres = database();
    let (projects, servers) = two(&postgres);
    let canary = Canary::new("shared");
    let [mut one, mut other] = servers.each_ref().map(|server| server.signed_in(EMAIL, PASSWORD));
    assert_eq!(variables(&mut other), BTreeSet::from(["BEFORE".to_owned()]));
    for turn in 0..5 {
        put(&mut one, &format!("ONE_{turn}"), canary.value());
        assert!(variables(&mut other).contains(&format!("ONE_{turn}")));
        put(&mut other, &format!("OTHER_{turn}"), canary.value());
        assert!(variables(&mut one).contains(&format!("OTHER_{turn}")));
    }
    let gone = other.delete("/api/secrets/ONE_0");
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert!(!variables(&mut one).contains("ONE_0"));
    let again = one.delete("/api/secrets/ONE_0");
    assert_eq!(again.status, 404, "{}", again.text);

    // Fifty at once over both: each is kept and recorded once.
    thread::scope(|threads| {
        for number in 0..50_usize {
            let mut client = [&one, &other][number % 2].clone();
            threads.spawn(move || put(&mut client, &format!("MANY_{number}"), &number.to_string()));
        }
    });
    let listed = variables(&mut one);
    assert_eq!(listed, variables(&mut other));
    assert_eq!(listed.iter().filter(|key| key.starts_with("MANY_")).count(), 50);
    let set: Vec<String> = records(&mut one, "secret_set")
        .iter()
        .filter(|event| event["outcome"] == "success")
        .map(|event| event["details"]["key"].as_str().unwrap_or_default().to_owned())
        .collect();
    let many = set.iter().filter(|key| key.starts_with("MANY_"));
    assert_eq!((many.clone().count(), many.collect::<BTreeSet<_>>().len()), (50, 50), "{set:?}");
    let verified = other.get("/api/admin/audit/verify");
    assert!(verified.status == 200 && verified.json()["ok"] == true, "{}", verified.text);

    // Nothing of it is on a disk, in a log or readable in the database.
    let dump = postgres.sql(
        "dango",
        "SELECT project, name, key_id, encode(sealed, 'escape') FROM dango.project_files",
    );
    assert!(!canary.is_in(dump.as_bytes()) && !dump.contains("MANY_"));
    for (project, server) in projects.iter().zip(&servers) {
        assert!(!project.path().join(".env").exists());
        assert!(canary.files_below(project.everything()).is_empty());
        assert!(!canary.is_in(server.log().as_bytes()));
        let locally = project.run(&["env", "list"]);
        assert_eq!(locally.status, 1, "{}", locally.stdout);
    }
    let mut operations = Client::of(&servers[1].operations().expect("it has such an address"));
    let metrics = operations.get("/metrics").text;
    assert!(metrics.contains("dango_database_clock_skew_seconds"), "{metrics}");
    // And back, with every byte that stood there.
    let (at, home) = rows(&projects[0], &postgres);
    move_to_directory(&at, &home, "in files", &OsEntropy).expect("moved back");
    assert!(projects[0].read(".env").starts_with("# kept\nBEFORE=1\n"));
    assert_eq!(variables(&mut one), listed, "the server beside the files goes on with them");
    let elsewhere = other.get("/api/secrets");
    assert_eq!(elsewhere.status, 503, "the other has none: {}", elsewhere.text);
}

#[test]
fn a_server_comes_in_with_the_key_and_without_files_of_its_own() {
    let postgres = database();
    let (projects, servers) = two(&postgres);
    let mut keyless = fresh(&postgres);
    keyless.take("DANGO_KEY");
    let said = refused(&keyless);
    assert!(said.contains("DANGO_KEY_FILE"), "{said}");
    let mut stranger = fresh(&postgres);
    stranger.give("DANGO_KEY", "11".repeat(32));
    let said = refused(&stranger);
    assert!(said.contains("DANGO_KEY"), "{said}");
    for project in [&keyless, &stranger] {
        assert!(!project.path().join(".dango/home").exists(), "it is no server of the project");
    }
    let own = fresh(&postgres);
    own.write(".env", "OWN=1\n");
    let said = refused(&own);
    assert!(said.contains("files of its own") && said.contains(".env"), "{said}");
    assert_eq!(own.read(".env"), "OWN=1\n");
    // The settings of one that is in name a file again.
    let mut lost = Scratch::copy_of(&projects[1]);
    tell(&mut lost, &postgres);
    lost.take("DANGO_SERVER_DATABASE_URL");
    let said = refused(&lost);
    assert!(said.contains("dango vault move --to files"), "{said}");
    let checked = lost.command(dango_server(), &["check"]).run();
    assert!(checked.status == 1 && checked.stderr.contains("values"), "{}", checked.stderr);
    let checked = projects[1].command(dango_server(), &["check"]).run();
    assert!(
        checked.status == 0 && checked.stdout.contains("values: in the database"),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    // One that was in comes back.
    let [_, second] = servers;
    assert_eq!(second.stop().0, 0);
    let back = Server::start(&projects[1]);
    assert!(variables(&mut back.signed_in(EMAIL, PASSWORD)).contains("BEFORE"));
}

#[test]
fn while_the_database_is_away_values_are_refused_at_once_and_back_without_a_restart() {
    let mut postgres = database();
    let (_projects, servers) = two(&postgres);
    let mut sessions = servers.each_ref().map(|server| server.signed_in(EMAIL, PASSWORD));
    postgres.kill();
    for session in &mut sessions {
        let begun = Instant::now();
        while session.get("/api/secrets").status != 503 {
            assert!(begun.elapsed() < PATIENCE, "it is noticed");
        }
        let set = session.post("/api/secrets", &json!({"key": "LOST", "value": "1"}));
        assert_eq!(set.status, 503, "{}", set.text);
    }
    postgres.restart();
    let begun = Instant::now();
    while servers.iter().any(|server| server.client().get("/api/ready").status != 200) {
        assert!(begun.elapsed() < PATIENCE, "service comes back");
        thread::sleep(Duration::from_millis(200));
    }
    let [one, other] = &mut sessions;
    put(one, "AFTER", "1");
    let listed = variables(other);
    assert!(
        listed.contains("AFTER") && listed.contains("BEFORE") && !listed.contains("LOST"),
        "{listed:?}"
    );
    // A row that is gone is no empty file, and no server of the project is ready.
    let _ = postgres.sql("dango", "DELETE FROM dango.project_files WHERE name = 'secrets.toml'");
    let begun = Instant::now();
    while servers.iter().any(|server| server.client().get("/api/ready").status != 503) {
        assert!(begun.elapsed() < PATIENCE, "it is noticed");
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(one.get("/api/secrets").status, 503);
}

#[test]
fn a_program_runs_with_the_values_of_either_server() {
    let postgres = database();
    let (_projects, servers) = two(&postgres);
    put(&mut servers[0].signed_in(EMAIL, PASSWORD), "SHARED", "one and the same");
    for server in &servers {
        let mut here = Scratch::new();
        here.give("DANGO_SERVER_URL", server.url());
        let arguments = ["login", "--email", EMAIL, "--holder", "file", "--scope", "run"];
        let login = here.dango(&arguments).stdin(format!("{PASSWORD}\n")).run();
        assert_eq!(login.status, 0, "{}", login.stderr);
        let run = here.run(&["run", "--", "sh", "-c", "echo $SHARED, $BEFORE"]);
        assert_eq!((run.status, run.stdout.as_str()), (0, "one and the same, 1\n"), "{}", run.stderr);
    }
    let mut admin = servers[1].signed_in(EMAIL, PASSWORD);
    assert_eq!(records(&mut admin, "secrets_used").len(), 2);
}

#[test]
fn of_three_servers_that_find_a_connection_at_its_end_one_renews_it_in_the_database() {
    let postgres = database();
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let mut first = rotating_project(&fake);
    set(&first, "sources.other.key", "kept");
    expire(&first);
    tell(&mut first, &postgres);
    let made = first.command(dango_server(), &["migrate"]).run();
    assert_eq!(made.status, 0, "{}", made.stderr);
    to_rows(&first, &postgres);
    let gate = Gate::shut();
    fake.trouble("/token", [Trouble::HeldAnswer(gate.clone())]);
    let one = Server::start(&first);
    gate.wait_for_somebody();
    // The others find that somebody is at it.
    let others = [(); 2].map(|()| {
        let mut other = fresh(&postgres);
        fake.stands_in_for("corp", &mut other);
        let server = Server::start(&other);
        (other, server)
    });
    gate.open();
    let newest = |project: &Scratch| {
        let (at, home) = rows(project, &postgres);
        let secrets = at.kept_in(Arc::new(home)).read(SharedFile::Secrets).expect("read").expect("there");
        String::from_utf8_lossy(secrets.bytes()).into_owned()
    };
    let begun = Instant::now();
    while !newest(&first).contains("canary-a1") {
        assert!(begun.elapsed() < PATIENCE, "it is renewed");
        thread::sleep(Duration::from_millis(100));
    }
    for (other, _) in &others {
        let text = newest(other);
        assert!(text.contains("canary-r1") && text.contains("kept"), "{text}");
    }
    // Whatever they were about to do is done when they have ended.
    assert_eq!(one.stop().0, 0);
    assert_eq!(others.map(|(_, server)| server.stop().0), [0, 0]);
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
    assert_eq!((fake.provider().given(), fake.provider().reuses()), (2, 0));
}
