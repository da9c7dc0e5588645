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

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A PostgreSQL server with the two roles and a database that is still empty.
fn database() -> Postgres {
    let postgres = Postgres::new();
    postgres.role(SERVING, CANARY);
    postgres.role(OWNER, CANARY);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER}"));
    postgres
}

/// A project whose servers are told of the database by their environment.
fn project(postgres: &Postgres) -> Scratch {
    let mut project = Scratch::initialised();
    project.give("DANGO_SERVER_DATABASE_URL", postgres.url(SERVING, CANARY, "dango"));
    project
}

/// Another machine's project with the same identity key.
fn beside(first: &Scratch, postgres: &Postgres) -> Scratch {
    let second = project(postgres);
    second.write(".dango/identity.key", first.read_bytes(".dango/identity.key"));
    let closed = second.command("chmod", &["600", ".dango/identity.key"]).run();
    assert_eq!(closed.status, 0, "{}", closed.stderr);
    second
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
fn three(postgres: &Postgres) -> (Vec<Scratch>, Vec<Server>) {
    let first = project(postgres);
    migrate(&first, postgres);
    let server = Server::start(&first);
    claim(&server);
    let others: Vec<_> = (0..2).map(|_| beside(&first, postgres)).collect();
    let servers = std::iter::once(server).chain(others.iter().map(Server::start)).collect();
    (std::iter::once(first).chain(others).collect(), servers)
}

/// The same session at another server: its cookies belong to the host and not to the port.
fn at(server: &Server, session: &Client) -> Client {
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

#[test]
fn a_database_is_set_up_by_its_owner_and_served_from_by_another_role() {
    let postgres = database();
    let project = project(&postgres);
    let refused = project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("dango-server migrate"), "{}", refused.stderr);
    let unchecked = project.command(dango_server(), &["check"]).run();
    assert_eq!(unchecked.status, 1, "{}", unchecked.stdout);
    let ownerless = project.command(dango_server(), &["migrate"]).run();
    assert!(
        ownerless.status == 1 && ownerless.stderr.contains("DANGO_SERVER_DATABASE_OWNER_URL"),
        "{}",
        ownerless.stderr
    );
    migrate(&project, &postgres);
    migrate(&project, &postgres);
    let checked = project.command(dango_server(), &["check"]).run();
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    // Whoever owns the schema could rewrite the log, so no server is the owner.
    let as_owner = project
        .command(dango_server(), &["--listen", "127.0.0.1:0"])
        .env("DANGO_SERVER_DATABASE_URL", postgres.url(OWNER, CANARY, "dango"))
        .run();
    assert_eq!(as_owner.status, 1, "{}", as_owner.stderr);
    let shown = project
        .command(
            dango_server(),
            &["check", "--database-url", &postgres.url(SERVING, CANARY, "dango")],
        )
        .run();
    assert!(shown.status == 1 && shown.stderr.contains("--database-url"), "{}", shown.stderr);
    // The command line does not make a file of people beside it.
    let people = project.run(&["auth", "list-users"]);
    assert_eq!(people.status, 1, "{}", people.stdout);
    assert!(people.stderr.contains("PostgreSQL"), "{}", people.stderr);
    assert!(!project.path().join(".dango/dango.db").exists());
    for said in [&refused, &unchecked, &ownerless, &checked, &as_owner, &shown, &people] {
        assert!(!format!("{}{}", said.stdout, said.stderr).contains(CANARY));
    }
}

#[test]
fn a_server_with_another_identity_key_is_not_let_near_the_log() {
    let postgres = database();
    let first = project(&postgres);
    migrate(&first, &postgres);
    claim(&Server::start(&first));
    let stranger = project(&postgres);
    let keyless = stranger.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert!(
        keyless.status == 1 && keyless.stderr.contains("copy it from the first"),
        "{}",
        keyless.stderr
    );
    assert!(!stranger.path().join(".dango/identity.key").exists());
    let other = Scratch::initialised();
    drop(Server::start(&other));
    let other = beside(&other, &postgres);
    let refused = other.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
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
