//! The rows of projects' files on a real server, under the suite of all databases of rows, and as the role that serves.

mod database;

use std::sync::Arc;
use std::time::Duration;

use dango_secrets::home::{Claim, Placed, Put, Rows, contract};
use dango_store_postgres::ProjectRows;
use database::{Databases, SERVING};

#[test]
fn postgres_keeps_rows() {
    let databases = Databases::start();
    contract::rows(&|| Arc::new(ProjectRows::of(databases.open(&databases.make()))));
}

/// A claim of a minute, and the row `.env` of a project under it.
fn put(rows: &ProjectRows, expected: u64, sealed: &[u8]) -> Placed {
    let claim = Claim {
        name: ".env".to_owned(),
        holder: [7; 16],
    };
    assert!(rows.claim("p", &claim, Duration::from_secs(60)).expect("asked"));
    let put = Put {
        project: "p",
        name: ".env",
        expected,
        key: "0123456789abcdef",
        sealed,
        claim: &claim,
    };
    rows.put(&put).expect("answered")
}

#[test]
fn whoever_serves_can_delete_no_row() {
    let databases = Databases::start();
    let name = databases.make();
    let rows = ProjectRows::of(databases.open(&name));
    assert_eq!(put(&rows, 0, b"sealed"), Placed::Done);
    let may = |right: &str| {
        let sql = format!("SELECT has_table_privilege('{SERVING}', 'dango.project_files', '{right}')");
        databases.server.sql(&name, &sql)
    };
    assert_eq!(["SELECT", "INSERT", "UPDATE"].map(may), ["t", "t", "t"]);
    assert_eq!(["DELETE", "TRUNCATE", "TRIGGER"].map(may), ["f", "f", "f"]);
}

#[test]
fn rows_are_there_after_the_database_was_killed_and_long_ones_are_whole() {
    let mut databases = Databases::start();
    let name = databases.make();
    let rows = ProjectRows::of(databases.open(&name));
    let long: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    assert_eq!(put(&rows, 0, &long), Placed::Done);
    databases.server.kill();
    // A process of the server that was idle may answer until it notices; it tells the truth until then.
    let died = std::time::Instant::now();
    while let Ok(row) = rows.row("p", ".env") {
        assert!(row.is_some_and(|row| row.sealed == long), "nothing is made up");
        assert!(died.elapsed() < Duration::from_secs(120), "the database was killed");
    }
    databases.server.restart();
    let row = rows.row("p", ".env").expect("it is back without a new store").expect("is there");
    assert!(row.sealed == long && row.revision == 1);
    assert_eq!(put(&rows, 1, b"next"), Placed::Done);
}
