//! A real PostgreSQL role: a load that connects again and again while its password is replaced, refused, or out of reach.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dango_tests::{Postgres, Scratch};

use super::crashes::EndsWith;
use super::{assert_gone, assert_only_in};
use crate::answers::{Answer, revealed, set};

const FIRST: &str = "firstpassword0canary";
const SECOND: &str = "secondpassword1canary";

fn place(field: &str) -> String {
    format!("sources.dwh.credentials.{field}")
}

/// A project that loads from the server as `loader_a`.
fn project(server: &Postgres) -> Scratch {
    let project = Scratch::initialised();
    project.write(".dango/sources.yml", "sources:\n  - name: dwh\n    type: postgres\n");
    let port = server.port().to_string();
    let parts = [
        ("drivername", "postgresql"),
        ("host", "127.0.0.1"),
        ("port", &port),
        ("database", "postgres"),
        ("username", "loader_a"),
    ];
    for (field, value) in parts {
        set(&project, &place(field), value);
    }
    set(&project, &place("password"), FIRST);
    project
}

/// Loads once, as a pipeline does: with what `dango run` hands it.
fn load(project: &Scratch) -> bool {
    let script = "PGPASSWORD=$SOURCES__DWH__CREDENTIALS__PASSWORD psql -X -q -h 127.0.0.1 -p $SOURCES__DWH__CREDENTIALS__PORT \
        -U $SOURCES__DWH__CREDENTIALS__USERNAME -d postgres -A -t -c 'select 1'";
    project.run(&["run", "--", "sh", "-c", script]).status == 0
}

#[test]
fn with_two_roles_a_load_never_fails_while_one_takes_the_place_of_the_other() {
    let server = Postgres::new();
    server.role("loader_a", FIRST);
    let project = project(&server);
    let (done, loads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let pipeline = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) || loads.load(Ordering::Relaxed) < 3 {
                assert!(load(&project), "a load failed");
                let _ = loads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let ends = EndsWith(&done);
        let rotate = ["rotate", "dwh", "--set", "username=loader_b", "--field", "password"];
        // The other role does not exist yet: what is refused is not stored.
        let refused = project.dango(&rotate).stdin(SECOND).run();
        let _ = refused.fails(1, &["was not stored"]).hides(&[FIRST, SECOND]);
        assert_eq!(revealed(&project, &place("username")), "loader_a");
        server.role("loader_b", SECOND);
        let _ = project.dango(&rotate).stdin(SECOND).run().success().hides(&[FIRST, SECOND]);
        drop(ends);
        pipeline.join().expect("no load failed");
    });
    assert_eq!(revealed(&project, &place("username")), "loader_b");
    // Now the old one can go.
    let _ = server.sql("postgres", "ALTER ROLE loader_a NOLOGIN");
    assert!(load(&project));
    assert_gone(&project, FIRST);
    assert_only_in(&project, SECOND, &[".dlt/secrets.toml"]);
}

#[test]
fn a_server_that_is_gone_is_no_refusal_and_the_rotation_goes_on_when_it_is_back() {
    let mut server = Postgres::new();
    server.role("loader_a", FIRST);
    let project = project(&server);
    // One role has one password, so the moment at which the old one ends is the server's.
    server.role("loader_a", SECOND);
    server.stop();
    let _ = project
        .dango(&["rotate", "dwh"])
        .stdin(SECOND)
        .run()
        .fails(1, &["not known", "asks again"]);
    assert_eq!(revealed(&project, &place("password")), FIRST);
    server.restart();
    let _ = project.run(&["rotate", "dwh"]).success().says(&["can be revoked now"]);
    assert_eq!(revealed(&project, &place("password")), SECOND);
    assert!(load(&project));
    assert_gone(&project, FIRST);
}
