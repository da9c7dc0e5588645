//! Another version beside the servers that run: what it adds they do not see, and where it takes something away they stop, at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use dango_tests::dango_server;
use serde_json::json;

use super::house::{House, OWNER, migrate, start, wait_until};
use super::{EMAIL, PASSWORD};

/// What the next version of the schema is, as its owner's program would make it.
fn step(house: &House, changes: &str, version: u32, serves_from: u32) {
    let _ = house.sql(&format!(
        "SET ROLE {OWNER}; BEGIN; SELECT FROM dango.turn WHERE one = 1 FOR UPDATE; {changes}; \
         INSERT INTO dango.schema_migrations (version, name, checksum, serves_from) VALUES ({version}, 'later', '\\x00', {serves_from}); COMMIT"
    ));
}

#[test]
fn servers_go_on_beside_a_version_that_adds_and_stop_where_one_takes_away() {
    let mut house = House::new();
    let admin = house.admin(0);
    let known: u32 = house
        .sql("SELECT max(version) FROM dango.schema_migrations")
        .parse()
        .expect("a number");

    // Under load, something is added.
    let (is_over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|threads| {
        for node in 0..3 {
            let (mut client, is_over, served) = (house.at(node, &admin), &is_over, &served);
            threads.spawn(move || {
                let mut number = 0;
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(client.get("/api/auth/me").status, 200);
                    let body = json!({"email": format!("u{node}.{number}@team.example"), "role": "viewer"});
                    let added = client.post("/api/admin/users", &body);
                    assert_eq!(added.status, 201, "{}", added.text);
                    number += 1;
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let served_more = |than: usize| wait_until("requests", || served.load(Ordering::Relaxed) > than);
        served_more(3);
        let adds = "ALTER TABLE dango.users ADD COLUMN nickname text; CREATE INDEX users_by_nickname ON dango.users (nickname); \
                    CREATE TABLE dango.teams (name text); GRANT SELECT, INSERT ON dango.teams TO dango";
        step(&house, adds, known + 1, known);
        served_more(served.load(Ordering::Relaxed) + 12);
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(house.everywhere(&admin, "/api/ready"), [200; 3]);

    // Another server of this version starts beside them, and its `migrate` takes nothing away from the newer one.
    house.servers.pop().expect("three").kill();
    let again = start(&house.projects[2], &[]);
    house.servers.push(again);
    assert_eq!(house.everywhere(&admin, "/api/auth/me"), [200; 3]);
    let checked = house.projects[0].command(dango_server(), &["check"]).run();
    assert!(
        checked.status == 0 && checked.stdout.contains(&format!("schema {}", known + 1)),
        "{}",
        checked.stderr
    );
    let migrated = migrate(&house.projects[0], &house.postgres);
    assert!(migrated.contains(&format!("has schema {}", known + 1)), "{migrated}");
    assert_eq!(house.sql("SELECT has_table_privilege('dango', 'dango.teams', 'INSERT')"), "t");
    house.verify();

    // Something that they use becomes something else. They could not know, and write nothing any more.
    let records = || house.sql("SELECT count(*) FROM dango.audit");
    let before = records();
    step(&house, "ALTER TABLE dango.users ADD COLUMN roles text[]", known + 2, known + 2);
    assert_eq!(house.everywhere(&admin, "/api/auth/me"), [503; 3]);
    for server in &house.servers {
        let login = server
            .client()
            .post("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
        assert_eq!(
            (login.status, login.header("content-type")),
            (503, "application/problem+json"),
            "{}",
            login.text
        );
        wait_until("it is not ready", || server.client().get("/api/ready").status == 503);
        assert_eq!(server.client().get("/api/health").status, 200);
        assert!(server.log().contains("schema version"), "why is in the log: {}", server.log());
    }
    assert_eq!(records(), before, "nothing was written");
    for verb in ["serve", "check", "migrate"] {
        let refused = house.projects[1]
            .command(dango_server(), &[verb])
            .env("DANGO_SERVER_LISTEN", "127.0.0.1:0")
            .env(
                "DANGO_SERVER_DATABASE_OWNER_URL",
                house.postgres.url(OWNER, super::house::CANARY, "dango"),
            )
            .run();
        assert_eq!(refused.status, 1, "{verb}: {}", refused.stdout);
        let said = format!("has schema version {}, and this version of Dango knows up to {known}", known + 2);
        assert!(refused.stderr.contains(&said), "{verb}: {}", refused.stderr);
    }

    // Where that is taken back, they go on as they are.
    let _ = house.sql(&format!("DELETE FROM dango.schema_migrations WHERE version = {}", known + 2));
    assert_eq!(house.everywhere(&admin, "/api/auth/me"), [200; 3]);
    for server in &house.servers {
        wait_until("it is ready", || server.client().get("/api/ready").status == 200);
    }
    house.verify();
}
