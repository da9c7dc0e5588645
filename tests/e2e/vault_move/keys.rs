//! The encryption key of a project whose values are in a database.

use super::*;

#[test]
fn a_new_key_seals_the_rows_anew_and_whoever_has_the_old_one_reads_nothing() {
    let (postgres, project) = (database(), filled());
    let url = postgres.url(ROLE, PASSWORD, "dango");
    let _ = moved(&project, &postgres, "postgres");
    let late = Scratch::copy_of(&project);
    let key = |arguments: &[&str]| {
        project
            .dango(&[&["key"], arguments].concat())
            .env("DANGO_SERVER_DATABASE_URL", &url)
            .run()
    };
    let of_rows = || postgres.sql("dango", "SELECT DISTINCT key_id FROM dango.project_files");
    // Which database it is has to be said.
    let _ = project.run(&["key", "rotate"]).fails(1, &["no PostgreSQL database is named"]);
    let before = key(&["status", "--json"]).success().json();
    assert_eq!(before["key_id"].as_str(), Some(of_rows().as_str()));
    assert_eq!(before["protects"], 6, "five values and a previous one");
    let rotated = key(&["rotate", "--json"]).success().json();
    assert_eq!((&rotated["action"], &rotated["encrypted"]), (&"rotated".into(), &6.into()));
    let after = key(&["status", "--json"]).success().json();
    assert_eq!(after["key_id"].as_str(), Some(of_rows().as_str()));
    assert_ne!(after["key_id"], before["key_id"]);
    let log = project.run(&["audit", "list", "--type", "key_rotated", "--json"]).success().json();
    assert_eq!(log["events"].as_array().map(Vec::len), Some(1), "{log}");
    let refused = moving(&late, &postgres, "files").run();
    let _ = refused.fails(1, &["not at hand"]);
    let _ = moved(&project, &postgres, "files");
    let value = project.run(&["secrets", "get", "sources.shop.zeta", "--reveal"]).success();
    assert_eq!(value.stdout, format!("z-{CANARY}\n"));
    let doctor = project.run(&["doctor", "--json"]);
    assert!(
        !doctor.stdout.contains("seal") && !doctor.stdout.contains("key"),
        "{}",
        doctor.stdout
    );
}
