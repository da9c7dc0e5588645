//! Three servers on one PostgreSQL: what happens at one is in force at the others, one-time things happen once, one chain verifies;
//! a server or the database may be killed. Before that: how such a database is set up, and what is said where it is not.

use std::thread;
use std::time::{Duration, Instant};

use dango_tests::{Answer, Client, Postgres, Scratch, Server, dango_server};
use serde_json::json;

use super::{EMAIL, PASSWORD, claim};

/// The role that serves, the role that owns, and the password of both.
const SERVING: &str = "dango";
const OWNER: &str = "dango_owner";
const CANARY: &str = "canary5d21";

/// The identity key that all servers of one database are given.
pub(super) const KEY: &str = "6f1d0c52b7e948a3f0165be27c9d84a1530e6bf8297ad4c1e85f3b60927dca14";

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A PostgreSQL server with the two roles and a database that is still empty.
pub(super) fn database() -> Postgres {
    let postgres = Postgres::new();
    postgres.role(SERVING, CANARY);
    postgres.role(OWNER, CANARY);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    postgres
}

/// A project whose servers are told of the database, and of the key, by their environment.
pub(super) fn project(postgres: &Postgres) -> Scratch {
    let mut project = Scratch::initialised();
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(SERVING, CANARY, "dango"));
    project.give("DANGO_IDENTITY_KEY", KEY);
    project
}

fn migrate(project: &Scratch, postgres: &Postgres) {
    let migrated = project
        .command(dango_server(), &["migrate"])
        .env("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "dango"))
        .run();
    assert_eq!(migrated.status, 0, "{}", migrated.stderr);
    assert!(migrated.stdout.contains("has schema"), "{}", migrated.stdout);
}

/// Three servers, the first with an administrator, each in a project of its own.
pub(super) fn three(postgres: &Postgres) -> (Vec<Scratch>, Vec<Server>) {
    let first = project(postgres);
    migrate(&first, postgres);
    let server = Server::start(&first);
    claim(&server);
    let others: Vec<_> = (0..2).map(|_| project(postgres)).collect();
    let servers = std::iter::once(server).chain(others.iter().map(Server::start)).collect();
    (std::iter::once(first).chain(others).collect(), servers)
}

/// The same session at another server: its cookies belong to the host and not to the port.
pub(super) fn at(server: &Server, session: &Client) -> Client {
    let cookie = session.cookie("dango_session").expect("somebody is signed in");
    server.client().with_cookie("dango_session", cookie)
}

/// Invites somebody, who accepts at a server; answers the id.
fn add(admin: &mut Client, server: &Server, email: &str, role: &str) -> String {
    let invited = admin.post("/api/admin/users", &json!({"email": email, "role": role}));
    assert_eq!(invited.status, 201, "{}", invited.text);
    let body = json!({"token": token_in(&invited), "password": PASSWORD});
    let accepted = server.client().post("/api/auth/accept-invite", &body);
    assert!(accepted.status < 300, "{}", accepted.text);
    let invited = invited.json();
    invited["user"]["id"].as_str().unwrap_or_else(|| panic!("{invited}")).to_owned()
}

fn token_in(invited: &Answer) -> String {
    let link = invited.json()["invite_url"].as_str().expect("a link").to_owned();
    link.rsplit('/').next().expect("the last part").to_owned()
}

/// What a server says that does not start.
#[track_caller]
fn refused(project: &Scratch, options: &[&str]) -> String {
    let refused = project
        .command(dango_server(), &[&["--listen", "127.0.0.1:0"], options].concat())
        .run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(
        !format!("{}{}", refused.stdout, refused.stderr).contains(CANARY),
        "{}",
        refused.stderr
    );
    refused.stderr
}

#[test]
fn a_database_is_set_up_by_its_owner_and_served_from_by_another_role() {
    let postgres = database();
    let mut project = project(&postgres);
    // The role that serves may not make the schema.
    let said = refused(&project, &[]);
    assert!(said.contains("DANGO_SERVER_DATABASE_OWNER_URL"), "{said}");
    for verb in ["check", "migrate"] {
        let said = project.command(dango_server(), &[verb]).run();
        assert!(
            said.status == 1 && said.stderr.contains("DANGO_SERVER_DATABASE_OWNER_URL"),
            "{}",
            said.stderr
        );
    }
    migrate(&project, &postgres);
    migrate(&project, &postgres);
    let checked = project.command(dango_server(), &["check"]).run();
    assert_eq!((checked.status, checked.stderr.as_str()), (0, ""), "{}", checked.stdout);
    // Where two roles are named they are two: whoever owns the schema could rewrite the log.
    project.give("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "dango"));
    let as_owner = postgres.url(OWNER, CANARY, "dango");
    let said = refused(&project, &["--database-url", &as_owner]);
    assert!(said.contains("owner"), "{said}");
    let checked = project.command(dango_server(), &["check", "--database-url", &as_owner]).run();
    assert!(checked.status == 1 && !checked.stderr.contains(CANARY), "{}", checked.stderr);
    // The command line does not make a file of people beside it.
    let people = project.run(&["auth", "list-users"]);
    assert_eq!(people.status, 1, "{}", people.stdout);
    assert!(people.stderr.contains("PostgreSQL"), "{}", people.stderr);
    assert!(!project.path().join(".dango/dango.db").exists());
}

#[test]
fn every_start_brings_the_schema_up_to_date_as_the_owner_that_is_given() {
    let postgres = database();
    let mut project = project(&postgres);
    project.give("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, CANARY, "dango"));
    let checked = project.command(dango_server(), &["check"]).run();
    assert!(
        checked.status == 0 && checked.stdout.contains("the next start"),
        "{}",
        checked.stdout
    );
    let server = Server::start(&project);
    claim(&server);
    assert!(!server.log().contains("triggers"), "{}", server.log());
    let owner = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'dango'";
    assert_eq!(postgres.sql("dango", owner), OWNER);
    // The rights of a role are given, too, where the schema is there already.
    postgres.role("other", CANARY);
    let other = postgres.url("other", CANARY, "dango");
    let second = Server::start_with(&project, &["--database-url", &other]);
    assert_eq!(second.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}

#[test]
fn one_address_is_enough_and_many_servers_begin_at_once_on_an_empty_database() {
    let postgres = Postgres::new();
    postgres.role(OWNER, CANARY);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    let url = postgres.url(OWNER, CANARY, "dango");
    let servers: Vec<(Scratch, Server)> = thread::scope(|threads| {
        let begun: Vec<_> = (0..5)
            .map(|_| {
                threads.spawn(|| {
                    let mut project = Scratch::initialised();
                    project.give("DANGO_IDENTITY_KEY", KEY);
                    let server = Server::start_with(&project, &["--database-url", &url]);
                    (project, server)
                })
            })
            .collect();
        begun.into_iter().map(|thread| thread.join().expect("it starts")).collect()
    });
    // The password is in the list of processes, which is said; it is not said again.
    for (_, server) in &servers {
        let log = server.log();
        assert!(
            log.contains("--database-url stands in the list of processes") && log.contains("triggers"),
            "{log}"
        );
        assert!(!log.contains(CANARY), "{log}");
    }
    // Each has offered a link, and the newest counts.
    let claims = servers.iter().map(|(_, server)| {
        let token = server.setup_link().rsplit('/').next().expect("a token").to_owned();
        let body = json!({"token": token, "email": EMAIL, "password": PASSWORD});
        server.client().post("/api/auth/claim", &body).status
    });
    assert_eq!(claims.filter(|status| *status == 201).count(), 1);
    for (project, server) in &servers {
        assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
        assert!(!project.path().join(".dango/identity.key").exists());
    }
    let verified = servers[0].1.signed_in(EMAIL, PASSWORD).get("/api/admin/audit/verify");
    assert!(verified.status == 200 && verified.json()["ok"] == true, "{}", verified.text);
    let project = &servers[0].0;
    let checked = project.command(dango_server(), &["check", "--database-url", &url]).run();
    assert!(
        checked.status == 0 && checked.stderr.contains("triggers"),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    // A superuser serves, too.
    let _ = postgres.sql("postgres", &format!("ALTER ROLE postgres PASSWORD '{CANARY}'"));
    let root = Server::start_with(project, &["--database-url", &postgres.url("postgres", CANARY, "dango")]);
    assert_eq!(root.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}

#[test]
fn the_address_may_stand_in_the_projects_file_with_a_password_that_nobody_else_reads() {
    let postgres = database();
    let mut project = Scratch::initialised();
    project.give("DANGO_IDENTITY_KEY", KEY);
    let url = postgres.url(OWNER, CANARY, "dango");
    project.write(".dango/server.toml", format!("database_url = \"{url}\"\n"));
    let mode = |mode: &str| assert_eq!(project.command("chmod", &[mode, ".dango/server.toml"]).run().status, 0);
    mode("644");
    let said = refused(&project, &[]);
    assert!(said.contains("server.toml:1:") && said.contains("chmod 600"), "{said}");
    mode("600");
    let server = Server::start(&project);
    claim(&server);
    assert!(!server.log().contains(CANARY), "{}", server.log());
}

#[test]
fn the_identity_key_has_to_be_given_and_the_same_everywhere() {
    let postgres = database();
    let mut keyless = project(&postgres);
    keyless.take("DANGO_IDENTITY_KEY");
    let said = refused(&keyless, &[]);
    assert!(said.contains("openssl rand -hex 32 > .dango/identity.key"), "{said}");
    assert!(said.contains("export DANGO_IDENTITY_KEY_FILE=.dango/identity.key"), "{said}");
    assert!(!keyless.path().join(".dango/identity.key").exists(), "none is made");
    assert_eq!(
        postgres.sql("dango", "SELECT to_regnamespace('dango') IS NULL"),
        "t",
        "and no schema"
    );
    let checked = keyless.command(dango_server(), &["check"]).run();
    assert!(
        checked.status == 1 && checked.stderr.contains("DANGO_IDENTITY_KEY_FILE"),
        "{}",
        checked.stderr
    );
    // What the hints say works.
    migrate(&keyless, &postgres);
    let made = keyless
        .command("sh", &["-c", "umask 077; openssl rand -hex 32 > .dango/identity.key"])
        .run();
    assert_eq!(made.status, 0, "{}", made.stderr);
    let said = refused(&keyless, &[]);
    assert!(
        said.contains("export DANGO_IDENTITY_KEY_FILE=.dango/identity.key") && !said.contains("openssl"),
        "{said}"
    );
    keyless.give("DANGO_IDENTITY_KEY_FILE", ".dango/identity.key");
    claim(&Server::start(&keyless));
    // Another key is not let near the log.
    let stranger = project(&postgres);
    let said = refused(&stranger, &[]);
    assert!(said.contains("DANGO_IDENTITY_KEY_FILE"), "{said}");
    let mut lost = project(&postgres);
    lost.take("DANGO_IDENTITY_KEY");
    lost.give("DANGO_IDENTITY_KEY_FILE", "nowhere");
    let said = refused(&lost, &[]);
    assert!(said.contains("there is no") && said.contains("nowhere"), "{said}");
}

#[test]
fn a_database_that_is_gone_is_not_replaced_in_silence_and_a_file_of_people_is_told_of() {
    let postgres = database();
    let mut project = Scratch::initialised();
    claim(&Server::start(&project));
    project.give("DANGO_IDENTITY_KEY_FILE", ".dango/identity.key");
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(OWNER, CANARY, "dango"));
    let server = Server::start(&project);
    assert!(server.log().contains("migrate --from"), "{}", server.log());
    claim(&server);
    let _ = server.stop();
    assert!(!Server::start(&project).log().contains("migrate --from"), "there are people now");
    // Somebody has made it anew.
    let _ = postgres.sql("postgres", "DROP DATABASE dango WITH (FORCE)");
    let gone = refused(&project, &[]);
    assert!(gone.contains("no such database"), "{gone}");
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    let empty = refused(&project, &[]);
    assert!(empty.contains("audit-postgres.checkpoint"), "{empty}");
    // The file is what it was.
    project.take("DANGO_SERVER_DATABASE_URL");
    assert_eq!(Server::start(&project).signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}

#[test]
fn what_happens_at_one_server_is_in_force_at_the_next_request_to_the_others() {
    let postgres = database();
    let (projects, servers) = three(&postgres);
    let session = servers[0].signed_in(EMAIL, PASSWORD);
    let (mut second, mut third) = (at(&servers[1], &session), at(&servers[2], &session));
    assert_eq!((second.get("/api/auth/me").status, third.get("/api/auth/me").status), (200, 200));

    // One session ends at all.
    let ended = second.post("/api/auth/logout", &json!({}));
    assert!(ended.status < 300, "{}", ended.text);
    let mut first = at(&servers[0], &session);
    assert_eq!((first.get("/api/auth/me").status, third.get("/api/auth/me").status), (401, 401));

    // Somebody loses a role, then everything.
    let mut admin = servers[1].signed_in(EMAIL, PASSWORD);
    let id = add(&mut admin, &servers[2], "ben@team.example", "admin");
    let ben = servers[0].signed_in("ben@team.example", PASSWORD);
    let list = |server| at(server, &ben).get("/api/admin/users").status;
    assert_eq!(servers.iter().map(list).collect::<Vec<_>>(), [200; 3]);
    let changed = admin.send("PUT", &format!("/api/admin/users/{id}/role"), &[], Some("{\"role\": \"viewer\"}"));
    assert!(changed.status < 300, "{}", changed.text);
    assert!(servers.iter().all(|server| matches!(list(server), 401 | 403)), "another role");
    let eve = add(&mut admin, &servers[0], "eve@team.example", "viewer");
    let session = servers[2].signed_in("eve@team.example", PASSWORD);
    let gone = admin.post(&format!("/api/admin/users/{eve}/deactivate"), &json!({}));
    assert!(gone.status < 300, "{}", gone.text);
    for server in &servers {
        assert_eq!(at(server, &session).get("/api/auth/me").status, 401, "switched off");
    }

    // Failures at all of them lock the account at each.
    let _ = add(&mut admin, &servers[0], "fay@team.example", "viewer");
    for number in 0..6_usize {
        let body = json!({"email": "fay@team.example", "password": "wrong horse battery staple"});
        let answer = servers[number % 3].client().post("/api/auth/login", &body);
        assert_ne!(answer.status, 200, "{}", answer.text);
    }
    for server in &servers {
        let body = json!({"email": "fay@team.example", "password": PASSWORD});
        let answer = server.client().post("/api/auth/login", &body);
        assert!(
            answer.status >= 400 && answer.code() != "invalid_credentials",
            "the lock is in force: {}",
            answer.text
        );
    }
    let verified = admin.get("/api/admin/audit/verify");
    assert!(
        verified.status == 200 && verified.json()["ok"] == true,
        "{} {}",
        verified.status,
        verified.text
    );
    let log: Vec<String> = servers.iter().map(Server::log).collect();
    assert!(log.iter().all(|log| !log.contains(CANARY)));
    assert_eq!(
        postgres.sql("dango", "SELECT count(*) = max(seq) FROM dango.audit"),
        "t",
        "no place in the log is left out"
    );
    drop(projects);
}

#[test]
fn an_invitation_is_taken_once_by_fifty_at_three_servers() {
    let postgres = database();
    let (_projects, servers) = three(&postgres);
    let mut admin = servers[0].signed_in(EMAIL, PASSWORD);
    let invited = admin.post("/api/admin/users", &json!({"email": "eve@team.example", "role": "viewer"}));
    assert_eq!(invited.status, 201, "{}", invited.text);
    let token = token_in(&invited);
    let statuses: Vec<u16> = thread::scope(|threads| {
        let asked: Vec<_> = (0..50_usize)
            .map(|number| {
                let (mut client, token) = (servers[number % 3].client(), token.clone());
                threads.spawn(move || {
                    let body = json!({"token": token, "password": format!("battery staple number {number}")});
                    client.post("/api/auth/accept-invite", &body).status
                })
            })
            .collect();
        asked.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let taken = statuses.iter().filter(|status| **status < 300).count();
    assert_eq!(taken, 1, "{statuses:?}");
}

#[test]
fn a_server_and_the_database_may_be_killed_and_service_goes_on() {
    let mut postgres = database();
    let (projects, mut servers) = three(&postgres);
    let mut session = servers[0].signed_in(EMAIL, PASSWORD);
    // One of three goes in the middle of everything.
    servers.pop().expect("three").kill();
    assert_eq!(session.get("/api/auth/me").status, 200);
    assert_eq!(servers[1].signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);

    postgres.kill();
    // The processes behind open connections end once they notice.
    let begun = Instant::now();
    while servers.iter().any(|server| server.client().get("/api/ready").status != 503) {
        assert!(begun.elapsed() < PATIENCE, "it is noticed");
        thread::sleep(Duration::from_millis(200));
    }
    let me = session.get("/api/auth/me");
    assert_eq!(
        (me.status, me.header("content-type")),
        (503, "application/problem+json"),
        "{}",
        me.text
    );
    let login = servers[1]
        .client()
        .post("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
    assert_eq!(login.status, 503, "{}", login.text);
    for server in &servers {
        assert_eq!(server.client().get("/api/ready").status, 503);
        assert_eq!(server.client().get("/api/health").status, 200);
    }
    postgres.restart();
    let begun = Instant::now();
    while servers.iter().any(|server| server.client().get("/api/ready").status != 200) {
        assert!(begun.elapsed() < PATIENCE, "service comes back without a restart");
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(session.get("/api/auth/me").status, 200, "people are still logged in");
    assert_eq!(at(&servers[1], &session).get("/api/auth/me").status, 200);
    // And the server that was killed comes back, too.
    let third = Server::start(&projects[2]);
    assert_eq!(at(&third, &session).get("/api/auth/me").status, 200);
    let verified = session.get("/api/admin/audit/verify");
    assert!(
        verified.status == 200 && verified.json()["ok"] == true,
        "{} {}",
        verified.status,
        verified.text
    );
    for log in servers.iter().map(Server::log) {
        assert!(!log.contains(CANARY));
    }
}
