//! A disk that is full under the database: what cannot be written is refused and not half done, and is taken again once there is room.

use dango_tests::Postgres;
use serde_json::json;

use super::house::{House, OWNER, roles, wait_until};
use super::{EMAIL, PASSWORD};

/// Fills the disk to its last page, and stays.
const FILL: &str = "CREATE TABLE public.filler (row text); ALTER TABLE public.filler ALTER row SET STORAGE PLAIN; \
                    DO $$ BEGIN LOOP BEGIN INSERT INTO public.filler VALUES (repeat('x', 4000)); \
                    EXCEPTION WHEN disk_full THEN EXIT; END; END LOOP; END $$";

/// Users, and the records of how they came.
const COUNTS: &str = "SELECT (SELECT count(*) FROM dango.users) - (SELECT count(*) FROM dango.audit WHERE event = 'user_created')";

#[test]
fn a_full_disk_of_the_database_refuses_changes_whole_and_is_recovered_from() {
    let postgres = Postgres::with_disk(&["autovacuum=off"], 32);
    roles(&postgres);
    let place = postgres.disk();
    let _ = postgres.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", place.display()));
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE dango OWNER {OWNER} TABLESPACE small"));
    let house = House::on(postgres, &|_| {}, &[]);
    house.servers[2].claim(EMAIL, PASSWORD);
    let mut admin = house.admin(0);
    let before = house.sql(COUNTS);
    let _ = house.sql(FILL);

    // What fits into pages that are there is still taken; some page is the first that is not.
    let mut taken = 0;
    let refused = loop {
        let body = json!({"email": format!("u{taken}@team.example"), "role": "viewer"});
        let answer = house.at(taken, &admin).post("/api/admin/users", &body);
        match answer.status {
            201 if taken < 1000 => taken += 1,
            _ => break answer,
        }
    };
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (503, "application/problem+json"),
        "{}",
        refused.text
    );
    assert!(!refused.text.contains(&*place.to_string_lossy()), "{}", refused.text);
    assert_eq!(house.everywhere(&admin, "/api/auth/me"), [200; 3], "what is there is read");
    assert_eq!(house.sql(COUNTS), before, "nothing is half done");
    let users = || house.sql("SELECT count(*) FROM dango.users WHERE email LIKE 'u%'");
    assert_eq!(users(), taken.to_string());

    let _ = house.sql("DROP TABLE public.filler");
    wait_until("changes are taken again", || {
        let body = json!({"email": "later@team.example", "role": "viewer"});
        admin.clone().post("/api/admin/users", &body).status == 201
    });
    assert_eq!(house.sql(COUNTS), before);
    let last = admin.post("/api/admin/users", &json!({"email": "u@team.example", "role": "viewer"}));
    assert_eq!(last.status, 201, "{}", last.text);
    house.verify();
}
