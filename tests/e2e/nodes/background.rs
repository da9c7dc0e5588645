//! What servers do by themselves, on three at once.
//!
//! | what | how often | on several servers |
//! |---|---|---|
//! | a checkpoint of the log | where one is due: looked at once a minute and at the end | each keeps one of its own, beside its own key: a witness that the others cannot change |
//! | the database's clock | twice a minute, and at each new connection | each compares its own |
//! | connections to providers | once a minute | each looks at the project's files; a renewal is claimed before it begins: `server::oauth_contention` |
//! | traces | as they come | each sends its own |
//!
//! Nothing else runs: what has expired is refused when it is used and goes with the next change beside it.

use dango_tests::dango_server;

use super::house::{House, start};

#[test]
fn each_server_keeps_a_checkpoint_of_the_one_log_and_none_of_them_writes_to_it_by_itself() {
    let mut house = House::new();
    let mut admin = house.admin(0);
    let _ = house.add(&mut admin, "ben@team.example", "viewer");
    let records = house.sql("SELECT count(*) FROM dango.audit");
    for server in house.servers.drain(..) {
        assert_eq!(server.stop().0, 0);
    }
    assert_eq!(house.sql("SELECT count(*) FROM dango.audit"), records, "ending writes nothing");
    for project in &house.projects {
        let note = project.read(".dango/audit-postgres.checkpoint");
        let size: u64 = note
            .lines()
            .nth(1)
            .and_then(|size| size.parse().ok())
            .unwrap_or_else(|| panic!("{note}"));
        assert!((1..=records.parse().expect("a number")).contains(&size), "{note}");
    }
    house.servers = house.projects.iter().map(|project| start(project, &[])).collect();
    for project in &house.projects {
        let said = project.command(dango_server(), &["verify"]).run();
        assert_eq!(said.status, 0, "{}", said.stderr);
    }
    house.verify();

    // A log that was cut off is one that each of them misses, though it is a chain.
    let _ = house.sql(
        "ALTER TABLE dango.audit DISABLE TRIGGER USER; ALTER TABLE dango.audit_head DISABLE TRIGGER USER; \
         DELETE FROM dango.audit WHERE seq > 3; DELETE FROM dango.audit_head",
    );
    for project in &house.projects {
        let said = project.command(dango_server(), &["verify"]).run();
        assert_eq!((said.status, said.stdout.as_str()), (3, ""), "{}", said.stderr);
        assert!(said.stderr.contains("tampered with"), "{}", said.stderr);
    }
}
