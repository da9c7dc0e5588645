//! Three servers on one PostgreSQL, each in a directory of its own and with the one identity key: where the tests beside this begin.

use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Client, Postgres, Scratch, Server, dango_server};
use serde_json::json;

use super::{EMAIL, PASSWORD, token_in};

/// The role that serves, the role that owns, and the password of both.
pub(super) const SERVING: &str = "dango";
pub(super) const OWNER: &str = "dango_owner";
pub(super) const CANARY: &str = "canary3f70";

/// How long something that must come may take on a loaded machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// The servers' identity key.
const IDENTITY_KEY: &str = "5c";

/// The key of the values.
const MASTER_KEY: &str = "a7";

/// A crowd from one address is what is tested here, and not what becomes of one.
const OPTIONS: [&str; 6] = [
    "--max-failures-per-address",
    "10000",
    "--max-anonymous-requests-per-address",
    "0",
    "--max-requests-per-key",
    "0",
];

/// The database, and those who serve from it.
pub(super) struct House {
    pub(super) servers: Vec<Server>,
    pub(super) projects: Vec<Scratch>,
    pub(super) postgres: Postgres,
}

impl House {
    /// Three servers, whose administrator is [`EMAIL`] with [`PASSWORD`].
    pub(super) fn new() -> Self {
        let house = Self::empty();
        // Each start makes another link, and the newest counts.
        house.servers[2].claim(EMAIL, PASSWORD);
        house
    }

    /// Three servers of a database in which nobody is.
    pub(super) fn empty() -> Self {
        Self::with(&|_| {}, &[])
    }

    /// The same, each in a project that was prepared, with more options.
    pub(super) fn with(prepare: &dyn Fn(&mut Scratch), options: &[&str]) -> Self {
        Self::on(database(), prepare, options)
    }

    /// Three servers that share a project's values in the database: those of `first`, into whose place the other two come.
    pub(super) fn sharing(first: Scratch, prepare: &dyn Fn(&mut Scratch), options: &[&str]) -> Self {
        let postgres = database();
        // What was recorded before is under the key that the project made for itself.
        let own = first.path().join(".dango/identity.key").exists();
        let key = own.then(|| first.read(".dango/identity.key").trim().to_owned());
        let mut projects = vec![first, Scratch::initialised(), Scratch::initialised()];
        for project in &mut projects {
            tell(project, &postgres);
            if let Some(key) = &key {
                project.give("DANGO_IDENTITY_KEY", key);
            }
            project.give("DANGO_KEY", MASTER_KEY.repeat(32));
            prepare(project);
        }
        migrate(&projects[0], &postgres);
        let moved = projects[0].run(&["vault", "move", "--to", "postgres", "--yes"]);
        assert_eq!(moved.status, 0, "{}", moved.stderr);
        let servers = projects.iter().map(|project| start(project, options)).collect();
        Self {
            servers,
            projects,
            postgres,
        }
    }

    /// The same on a database that is there and empty.
    pub(super) fn on(postgres: Postgres, prepare: &dyn Fn(&mut Scratch), options: &[&str]) -> Self {
        let projects: Vec<Scratch> = (0..3)
            .map(|_| {
                let mut project = project(&postgres);
                prepare(&mut project);
                project
            })
            .collect();
        migrate(&projects[0], &postgres);
        let servers = projects.iter().map(|project| start(project, options)).collect();
        Self {
            servers,
            projects,
            postgres,
        }
    }

    /// The administrator, freshly logged in at one of them.
    #[track_caller]
    pub(super) fn admin(&self, node: usize) -> Client {
        self.signed_in(node, EMAIL)
    }

    /// Somebody with [`PASSWORD`], freshly logged in.
    #[track_caller]
    pub(super) fn signed_in(&self, node: usize, email: &str) -> Client {
        self.servers[node % self.servers.len()].signed_in(email, PASSWORD)
    }

    /// The same browser or program at another server.
    pub(super) fn at(&self, node: usize, client: &Client) -> Client {
        client.at(&self.servers[node % self.servers.len()].url())
    }

    /// What a request is answered with at each of them.
    pub(super) fn everywhere(&self, client: &Client, path: &str) -> Vec<u16> {
        (0..self.servers.len()).map(|node| self.at(node, client).get(path).status).collect()
    }

    /// Lets somebody in, by an invitation that is accepted at another server; answers the id.
    #[track_caller]
    pub(super) fn add(&self, admin: &mut Client, email: &str, role: &str) -> String {
        let invited = admin.post("/api/admin/users", &json!({"email": email, "role": role}));
        assert_eq!(invited.status, 201, "{}", invited.text);
        let body = json!({"token": token_in(&invited), "password": PASSWORD});
        let accepted = self.servers[1].client().post("/api/auth/accept-invite", &body);
        assert!(accepted.status < 300, "{}", accepted.text);
        let invited = invited.json();
        invited["user"]["id"].as_str().unwrap_or_else(|| panic!("{invited}")).to_owned()
    }

    /// What the superuser's statement answers.
    #[track_caller]
    pub(super) fn sql(&self, statement: &str) -> String {
        self.postgres.sql("dango", statement)
    }

    /// Looks that the log is one chain, as a server and as the program of whoever looks after them say.
    #[track_caller]
    pub(super) fn verify(&self) {
        let verified = self.admin(0).get("/api/admin/audit/verify");
        assert!(
            verified.status == 200 && verified.json()["ok"] == true,
            "{} {}",
            verified.status,
            verified.text
        );
        let said = self.projects[0].command(dango_server(), &["verify"]).run();
        assert_eq!(said.status, 0, "{}", said.stderr);
        assert!(said.stdout.contains("as it was written"), "{}", said.stdout);
        assert_eq!(
            self.sql("SELECT count(*) = max(seq) FROM dango.audit"),
            "t",
            "no place in the log is left out"
        );
        for log in self.servers.iter().map(Server::log) {
            assert!(!log.contains(CANARY) && !log.contains(PASSWORD), "{log}");
        }
    }
}

/// A PostgreSQL server with the two roles and a database that is still empty.
pub(super) fn database() -> Postgres {
    let postgres = Postgres::new();
    roles(&postgres);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    postgres
}

/// Makes the two roles.
pub(super) fn roles(postgres: &Postgres) {
    postgres.role(SERVING, CANARY);
    postgres.role(OWNER, CANARY);
}

/// A project whose server is told of the database by its environment.
fn project(postgres: &Postgres) -> Scratch {
    let mut project = Scratch::initialised();
    tell(&mut project, postgres);
    project
}

/// Tells a project's server of the database and the identity key.
fn tell(project: &mut Scratch, postgres: &Postgres) {
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(SERVING, CANARY, "dango"));
    project.give("DANGO_IDENTITY_KEY", IDENTITY_KEY.repeat(32));
}

pub(super) fn migrate(project: &Scratch, postgres: &Postgres) -> String {
    let migrated = project
        .command(dango_server(), &["migrate"])
        .env("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "dango"))
        .run();
    assert_eq!(migrated.status, 0, "{}", migrated.stderr);
    migrated.stdout
}

pub(super) fn start(project: &Scratch, options: &[&str]) -> Server {
    Server::start_with(project, &[&OPTIONS[..], options].concat())
}

/// Does something so often at once, and answers what came of each.
pub(super) fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let act = &act;
    thread::scope(|threads| {
        let acting: Vec<_> = (0..count).map(|number| threads.spawn(move || act(number))).collect();
        acting.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Waits for what has to come.
#[track_caller]
pub(super) fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "{what}: it has not come");
        thread::sleep(Duration::from_millis(50));
    }
}
