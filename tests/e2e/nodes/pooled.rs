//! Three servers that reach their database through PgBouncer in transaction mode, with fewer connections than they have themselves.

use dango_tests::Pooler;
use serde_json::json;

use super::house::{CANARY, House, SERVING, at_once, database, wait_until};
use super::{EMAIL, PASSWORD};

const ME: &str = "/api/auth/me";

#[test]
fn servers_behind_a_pooler_behave_as_one_and_go_on_once_it_has_lost_its_connections() {
    let postgres = database();
    let pooler = Pooler::start(postgres.port(), &[SERVING], CANARY);
    let url = pooler.url(SERVING, CANARY, "dango");
    let house = House::on(postgres, &|project| project.give("DANGO_SERVER_DATABASE_URL", url.clone()), &[]);
    house.servers[2].claim(EMAIL, PASSWORD);

    // All of them write and are asked at once.
    let sessions = at_once(12, |node| house.signed_in(node, EMAIL));
    for session in sessions.iter().rev().take(3) {
        assert_eq!(house.everywhere(session, ME), [200; 3]);
    }
    let mut admin = house.admin(0);
    let _ = house.add(&mut admin, "ben@team.example", "viewer");
    let made = admin.post("/api/auth/api-keys", &json!({"name": "robot", "scopes": ["admin"]}));
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let robot = house.servers[0].client().with_key(made["key"].as_str().expect("a key"));
    assert_eq!(house.everywhere(&robot, "/api/admin/users"), [200; 3]);
    let id = made["id"].as_str().expect("an id");
    let revoked = house.at(1, &admin).delete(&format!("/api/auth/api-keys/{id}"));
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(house.everywhere(&robot, "/api/admin/users"), [401; 3], "at the next request");

    // Its connections break in the middle of everything, and are made anew.
    let broken = house.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'dango'");
    assert_ne!(broken, "0", "they came through it");
    for node in 0..3 {
        wait_until("it is ready", || house.servers[node].client().get("/api/ready").status == 200);
        wait_until("people are still logged in", || house.at(node, &admin).get(ME).status == 200);
    }
    house.verify();
}
